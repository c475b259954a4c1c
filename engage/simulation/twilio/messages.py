"""One message of the account, ours or a patient's, and how Twilio shows it: the Message resource.

Never changes a message: `sending`, `walk` and `inbound` do.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

from engage.simulation.twilio.wire import API_VERSION, rfc2822

Direction = Literal["inbound", "outbound-api", "outbound-reply"]
ENDED = frozenset({"delivered", "undelivered", "failed", "canceled", "received"})

# The resource's error_message; Twilio's wording may change at any time, nothing may depend on it.
_ERRORS = {
    21610: "Attempt to send to unsubscribed recipient",
    30001: "Queue overflow",
    30003: "Unreachable destination handset",
    30004: "Message blocked",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Message filtered",
}


@dataclass(slots=True, eq=False)
class Message:
    """A message as Twilio knows it. Read it freely; it goes on changing while it is under way."""

    account_sid: str
    sid: str
    to: str
    from_: str | None
    body: str
    direction: Direction
    status: str
    created_at: datetime
    segments: int  # 0 until a service has chosen its sender
    service_sid: str | None = None
    status_callback: str | None = None
    num_media: int = 0
    valid_until: datetime | None = None
    updated_at: datetime | None = None
    sent_at: datetime | None = None
    error_code: int | None = None

    @property
    def client_ref(self) -> dict[str, str]:
        """The query keys of the status callback: the only place for a reference of our own (facts/twilio.md §8)."""
        return dict(parse_qsl(urlsplit(self.status_callback or "").query, keep_blank_values=True))

    @property
    def has_ended(self) -> bool:
        """Whether its status is final."""
        return self.status in ENDED

    @property
    def uri(self) -> str:
        """Its address, relative to the API's base."""
        return f"/{API_VERSION}/Accounts/{self.account_sid}/Messages/{self.sid}.json"

    def resource(self) -> dict[str, object]:
        """The Message resource, as fetch, list and create show it."""
        return {
            "account_sid": self.account_sid,
            "api_version": API_VERSION,
            "body": self.body,
            "date_created": rfc2822(self.created_at),
            "date_sent": rfc2822(self.sent_at),
            "date_updated": rfc2822(self.updated_at or self.created_at),
            "direction": self.direction,
            "error_code": self.error_code,
            "error_message": None if self.error_code is None else _ERRORS.get(self.error_code, "Unknown error"),
            "from": self.from_,
            "messaging_service_sid": self.service_sid,
            "num_media": str(self.num_media),
            "num_segments": str(self.segments),
            "price": None if self.sent_at is None else f"-{0.0083 * self.segments:.5f}",
            "price_unit": "USD",
            "sid": self.sid,
            "status": self.status,
            "subresource_uris": {"media": f"{self.uri[:-5]}/Media.json"},
            "to": self.to,
            "uri": self.uri,
        }
