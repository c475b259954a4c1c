"""What our account at Twilio is set to: a number, a Messaging Service, its registration; as values. Reads only.

Trouble on the way is GatewayUnavailable: nothing is known then.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from twilio.base.exceptions import TwilioException  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from engage.errors import EngageError
from engage.sms.gateway import GatewayUnavailable
from engage.sms.rules.standing import Brand, Campaign, Number, SenderPool
from engage.sms.transport import Transport
from engage.sms.wire import Declined, LostContact, NeverLeft

_NO_ENVIRONMENT = {"ENGAGE": "1"}  # the SDK reads TWILIO_EDGE and TWILIO_REGION unless it is given another environment
_LOST_SENSE = (ValueError, TypeError, KeyError, AttributeError, TwilioException)
Found = TypeVar("Found")


class TwilioAccount:
    """Our account, looked at through Twilio's own SDK; `api_url` is another base than Twilio's, e.g. the fake's."""

    def __init__(
        self, account_sid: str, auth_token: str, *, api_url: str | None = None, timeout_seconds: float = 10
    ) -> None:
        self._transport = Transport(api_url, timeout_seconds, 1)
        client = Client(account_sid, auth_token, account_sid, http_client=self._transport, environment=_NO_ENVIRONMENT)
        self._numbers: Any = client.incoming_phone_numbers
        self._messaging: Any = client.messaging.v1

    def number(self, e164: str) -> Number | None:
        """One of our numbers; None if the account does not have it. Raises GatewayUnavailable."""

        def look() -> Number | None:
            found = self._numbers.list(phone_number=e164, limit=1)
            if not found:
                return None
            one = found[0]
            can_text = bool((one.capabilities or {}).get("sms"))
            return Number(
                one.sms_url or "", one.sms_method or "", one.voice_url or "", one.voice_method or "", can_text
            )

        return _known(look)

    def service(self, sid: str) -> SenderPool | None:
        """A Messaging Service; None if the account does not have it. Raises GatewayUnavailable."""

        def look() -> SenderPool:
            one = self._messaging.services(sid).fetch()
            return SenderPool(
                one.inbound_request_url or "",
                one.inbound_method or "",
                bool(one.use_inbound_webhook_on_number),
                bool(one.us_app_to_person_registered),
            )

        return _known(look)

    def campaign(self, service_sid: str) -> Campaign | None:
        """The A2P 10DLC campaign of a Messaging Service, with its brand; None without one. Raises GatewayUnavailable."""

        def look() -> Campaign | None:
            found = self._messaging.services(service_sid).us_app_to_person.list(limit=1)
            if not found:
                return None
            one = found[0]
            brand = _known(lambda: self._messaging.brand_registrations(one.brand_registration_sid).fetch())
            return Campaign(
                status=one.campaign_status or "",
                message_flow=one.message_flow or "",
                samples=tuple(one.message_samples or ()),
                help_message=one.help_message or "",
                opt_out_message=one.opt_out_message or "",
                opt_out_keywords=tuple(one.opt_out_keywords or ()),
                has_phone=bool(one.has_embedded_phone),
                brand=Brand(brand.status or "", brand.failure_reason or "") if brand is not None else None,
            )

        return _known(look)

    def close(self) -> None:
        """Give the connections back."""
        self._transport.close()


def _known(look: Callable[[], Found]) -> Found | None:
    try:
        return look()
    except Declined as answer:
        if answer.http_status == 404:
            return None
        raise GatewayUnavailable(f"Twilio did not show it: {answer}.") from None
    except (NeverLeft, LostContact, *_LOST_SENSE) as trouble:
        what = str(trouble) if isinstance(trouble, EngageError) else f"unreadable answer ({type(trouble).__name__})"
        raise GatewayUnavailable(f"Twilio cannot be asked: {what}.") from None
