"""One call of the account and how Twilio shows it: the Call resource. Never changes a call: `calling` and `talking` do."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

from engage.simulation.twilio.phones import Pickup
from engage.simulation.twilio.twiml import Script
from engage.simulation.twilio.wire import API_VERSION, rfc2822

ENDED = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
_SUBRESOURCES = (
    "Events", "Notifications", "Payments", "Recordings", "Siprec", "Streams", "Transcriptions",
    "UserDefinedMessages", "UserDefinedMessageSubscriptions",
)  # fmt: skip


@dataclass(slots=True, eq=False)
class Call:
    """A call as Twilio knows it. Read it freely; it goes on changing while it is under way."""

    account_sid: str
    sid: str
    to: str
    from_: str
    status: str
    created_at: datetime
    direction: Literal["inbound", "outbound-api"] = "outbound-api"
    url: str | None = None
    method: str = "POST"
    twiml: str | None = None
    fallback_url: str | None = None
    ring_seconds: int = 60
    detects_machine: bool = False
    status_callback: str | None = None
    callback_method: str = "POST"
    callback_events: frozenset[str] = frozenset({"completed"})
    callbacks_made: int = 0
    answered_by: str | None = None
    updated_at: datetime | None = None
    started_at: datetime | None = None  # answered
    ended_at: datetime | None = None
    said: list[str] = field(default_factory=list)
    pressed: list[str] = field(default_factory=list)
    pickup: Pickup = field(default_factory=lambda: Pickup("no-answer"))
    script: Script = field(default_factory=Script)
    turn: int = 0  # rises when the call is redirected from outside; older plans are then void

    @property
    def client_ref(self) -> dict[str, str]:
        """The query keys of the status callback."""
        return dict(parse_qsl(urlsplit(self.status_callback or "").query, keep_blank_values=True))

    @property
    def has_ended(self) -> bool:
        """Whether its status is final."""
        return self.status in ENDED

    @property
    def seconds(self) -> int:
        """How long it was talked, whole seconds, 0 when nobody answered."""
        if self.started_at is None or self.ended_at is None:
            return 0
        return round((self.ended_at - self.started_at).total_seconds())

    @property
    def uri(self) -> str:
        """Its address, relative to the API's base."""
        return f"/{API_VERSION}/Accounts/{self.account_sid}/Calls/{self.sid}.json"

    def resource(self) -> dict[str, object]:
        """The Call resource, as fetch, list and create show it."""
        base = self.uri[:-5]
        return {
            "account_sid": self.account_sid,
            "answered_by": self.answered_by,
            "api_version": API_VERSION,
            "caller_name": None,
            "date_created": rfc2822(self.created_at),
            "date_updated": rfc2822(self.updated_at or self.created_at),
            "direction": self.direction,
            "duration": str(self.seconds) if self.has_ended else None,
            "end_time": rfc2822(self.ended_at),
            "forwarded_from": None,
            "from": self.from_,
            "from_formatted": _formatted(self.from_),
            "group_sid": None,
            "parent_call_sid": None,
            "phone_number_sid": None,
            "price": f"-{0.014 * -(-self.seconds // 60):.5f}" if self.seconds else None,
            "price_unit": "USD",
            "queue_time": "0",
            "sid": self.sid,
            "start_time": rfc2822(self.started_at),
            "status": self.status,
            "subresource_uris": {_snake(name): f"{base}/{name}.json" for name in _SUBRESOURCES},
            "to": self.to,
            "to_formatted": _formatted(self.to),
            "trunk_sid": None,
            "uri": self.uri,
        }


def _formatted(number: str) -> str:
    is_north_american = number.startswith("+1") and len(number) == 12
    return f"({number[2:5]}) {number[5:8]}-{number[8:]}" if is_north_american else number


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
