"""The way to Twilio: a text or call in, what became of it out; and Twilio's own log, to settle what we do not know.

Sending never raises for trouble at the provider or on the way: the trouble is the answer. Never decides whether a text may
be sent, never sends twice, never lets a number or a body into an error or a log line.
"""

import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from twilio.base.exceptions import TwilioException  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from engage import log
from engage.errors import EngageError
from engage.sms.line import Line, Poster
from engage.sms.texts import (
    LONGEST_VALIDITY_SECONDS,
    Accepted,
    HeldBack,
    LoggedCall,
    LoggedText,
    OutboundCall,
    OutboundText,
    Outcome,
    Refused,
    Sender,
    SendingStopped,
    TryLater,
    Uncertain,
)
from engage.sms.transport import Transport
from engage.sms.wire import Declined, LostContact, NeverLeft

__all__ = [
    "Accepted",
    "Gateway",
    "GatewayUnavailable",
    "LoggedCall",
    "LoggedText",
    "OutboundCall",
    "OutboundText",
    "Outcome",
    "Refused",
    "Sender",
    "SendingStopped",
    "TryLater",
    "TwilioGateway",
    "Uncertain",
]


class GatewayUnavailable(EngageError):
    """Twilio's log could not be read: nothing is known, so decide nothing and ask again later."""


class Gateway(Protocol):
    """What Engage needs of a provider of texts. There is one: the fake speaks Twilio's wire instead."""

    def send(self, outgoing: OutboundText | OutboundCall) -> Outcome:
        """Hand over one text, or start one call, once. Never raises for trouble at the provider."""
        ...

    def begin(
        self, outgoing: OutboundText | OutboundCall, done: Callable[[Outcome], None], may_leave: Callable[[], bool]
    ) -> None:
        """Begin to send and return.

        `may_leave` is asked at the last moment; what may not is HeldBack. `done` is told what became of it, once, from
        another thread: neither may wait for anything.
        """
        ...

    def find_called(self, to: str, since: datetime, until: datetime) -> list[LoggedCall]:
        """Our calls to one number (E.164) that the provider took between two instants, both included.

        Raises GatewayUnavailable.
        """
        ...

    def fetch_call(self, sid: str) -> LoggedCall | None:
        """One call of the log; None if there is no such call. Raises GatewayUnavailable."""
        ...

    def find_sent(self, to: str, since: datetime, until: datetime) -> list[LoggedText]:
        """Our texts to one number (E.164) that the provider took between two instants, both included.

        Raises GatewayUnavailable.
        """
        ...

    def received_since(self, to: str, since: datetime) -> Iterator[LoggedText]:
        """Texts sent to one of our numbers (E.164) since an instant, newest first. Raises GatewayUnavailable on the way."""
        ...

    def fetch(self, sid: str) -> LoggedText | None:
        """One text of the log; None if there is no such text. Raises GatewayUnavailable."""
        ...

    def close(self) -> None:
        """Give the connections back; texts still on their way are given up."""
        ...


_SID = re.compile(r"(SM|MM)[0-9a-fA-F]{32}")
_CALL_SID = re.compile(r"CA[0-9a-fA-F]{32}")
Entry = TypeVar("Entry", LoggedText, LoggedCall)
_PAGE = 1000
_MOST_PAGES_TO_ONE_PHONE = 20
_MOST_PAGES_RECEIVED = 200

# The SDK reads TWILIO_EDGE and TWILIO_REGION from the environment unless it is given another one, which must not be empty.
_NO_ENVIRONMENT = {"ENGAGE": "1"}

_LOST_SENSE = (ValueError, TypeError, KeyError, AttributeError, TwilioException)
"""What the SDK raises over a 2xx answer that is not what Twilio sends."""


class TwilioGateway:
    """Twilio, through its official SDK. One for the process; threads may share it.

    `api_key` is (SK… sid, secret) and preferred for REST; without it the auth token is used. `api_url` is another base
    than https://api.twilio.com: a region's, or the fake's. `connections` should be at least the number of sending threads.
    `ca_bundle` is a file of certificate authorities to trust instead of the usual ones: some networks open TLS.
    Raises ConfigurationError.
    """

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        *,
        api_key: tuple[str, str] | None = None,
        api_url: str | None = None,
        timeout_seconds: float = 10,
        connections: int = 64,
        ca_bundle: str | None = None,
    ) -> None:
        user, password = api_key or (account_sid, auth_token)
        self._transport = Transport(api_url, timeout_seconds, connections, ca_bundle)
        client = Client(user, password, account_sid, http_client=self._transport, environment=_NO_ENVIRONMENT)
        self._messages: Any = client.messages
        self._poster = Poster(api_url, timeout_seconds, ca_bundle)
        poster = Client(user, password, account_sid, http_client=self._poster, environment=_NO_ENVIRONMENT)
        self._outgoing: Any = poster.messages
        self._ringing: Any = poster.calls
        self._calls: Any = client.calls
        self._line: Line | None = None
        self._opening = threading.Lock()

    def send(self, outgoing: OutboundText | OutboundCall) -> Outcome:
        """See Gateway.send."""
        outcomes: list[Outcome] = []

        async def job() -> None:
            outcomes.append(await self._send(outgoing))

        self._running().run(job)
        return outcomes[0]

    def begin(
        self, outgoing: OutboundText | OutboundCall, done: Callable[[Outcome], None], may_leave: Callable[[], bool]
    ) -> None:
        """See Gateway.begin."""

        async def job() -> None:
            outcome: Outcome
            try:
                outcome = await self._send(outgoing) if may_leave() else HeldBack()
            except Exception:  # noqa: BLE001 - a bug of ours on the way out: the text may have left, so it is settled as unknown
                log.get().exception("sending failed unexpectedly")
                outcome = Uncertain("unexpected failure")
            done(outcome)

        self._running().begin(job)

    def _running(self) -> Line:
        with self._opening:
            if self._line is None:
                self._line = Line()
            return self._line

    async def _send(self, outgoing: OutboundText | OutboundCall) -> Outcome:
        """What became of one create at Twilio."""
        is_text = isinstance(outgoing, OutboundText)
        try:
            if isinstance(outgoing, OutboundText):
                made = await self._outgoing.create_async(**_wire(outgoing))
            else:
                made = await self._ringing.create_async(**_wire_of_call(outgoing))
        except NeverLeft:
            return TryLater()
        except LostContact as trouble:
            return Uncertain(str(trouble))
        except Declined as answer:
            return _outcome_of(answer)
        except _LOST_SENSE:
            return Uncertain("unreadable answer")
        if not isinstance(made.sid, str) or not (_SID if is_text else _CALL_SID).fullmatch(made.sid):
            return Uncertain("answer without a SID")
        return Accepted(made.sid, str(made.status or "queued"), _number(getattr(made, "num_segments", None)))

    def find_sent(self, to: str, since: datetime, until: datetime) -> list[LoggedText]:
        """See Gateway.find_sent.

        Twilio's own date filter is about the instant of sending, which a queued text does not have yet, so the filter
        is ours: by the instant of creation, over all texts to the number. Reading stops after a page that is wholly
        older than `since` (Twilio lists the newest first); a patient's texts of a year fit on one page.
        """
        since, until = _whole_second(since), until.astimezone(UTC)
        found: list[LoggedText] = []
        for page in self._pages(self._messages, _logged, _MOST_PAGES_TO_ONE_PHONE, to=to):
            found += [text for text in page if not text.is_inbound and since <= _taken_at(text, since) <= until]
            if page and all(_taken_at(text, since) < since for text in page):
                break
        return found

    def received_since(self, to: str, since: datetime) -> Iterator[LoggedText]:
        """See Gateway.received_since. A text may come twice if others arrive meanwhile: the SID tells."""
        since = _whole_second(since)
        for page in self._pages(self._messages, _logged, _MOST_PAGES_RECEIVED, to=to, date_sent_after=since):
            yield from (text for text in page if text.is_inbound and _taken_at(text, since) >= since)

    def find_called(self, to: str, since: datetime, until: datetime) -> list[LoggedCall]:
        """See Gateway.find_called. A call that rang without an answer has no start, so the filter is ours here too."""
        since, until = _whole_second(since), until.astimezone(UTC)
        found: list[LoggedCall] = []
        for page in self._pages(self._calls, _logged_call, _MOST_PAGES_TO_ONE_PHONE, to=to):
            found += [c for c in page if c.direction != "inbound" and since <= (c.created_at or since) <= until]
            if page and all((call.created_at or since) < since for call in page):
                break
        return found

    def fetch(self, sid: str) -> LoggedText | None:
        """See Gateway.fetch."""
        return _shown(lambda: _logged(self._messages(sid).fetch())) if _SID.fullmatch(sid) else None

    def fetch_call(self, sid: str) -> LoggedCall | None:
        """See Gateway.fetch_call."""
        return _shown(lambda: _logged_call(self._calls(sid).fetch())) if _CALL_SID.fullmatch(sid) else None

    def close(self) -> None:
        """See Gateway.close."""
        self._transport.close()
        with self._opening:
            if self._line is not None:
                self._line.run(self._poster.close)
                self._line.close()
                self._line = None

    @staticmethod
    def _pages(resource: Any, read: Callable[[Any], Entry], most: int, **wanted: Any) -> Iterator[list[Entry]]:
        try:
            page = resource.page(page_size=_PAGE, **wanted)
            for number in range(most):
                page = page.next_page() if number else page
                yield [read(entry) for entry in page]
                if page.next_page_url is None:
                    return
        except (Declined, NeverLeft, LostContact, *_LOST_SENSE) as trouble:
            raise _unavailable(trouble) from None
        raise GatewayUnavailable(f"Twilio's log did not end after {most} pages: ask for a shorter time.")


def _shown(fetch: Callable[[], Entry]) -> Entry | None:
    """One entry of the log, None if it is not there. Raises GatewayUnavailable."""
    try:
        return fetch()
    except Declined as answer:
        if answer.http_status == 404:
            return None
        raise GatewayUnavailable(f"Twilio did not show it: {answer}.") from None
    except (NeverLeft, LostContact, *_LOST_SENSE) as trouble:
        raise _unavailable(trouble) from None


def _wire_of_call(call: OutboundCall) -> dict[str, Any]:
    return {
        "to": call.to,
        "from_": call.from_number,
        "twiml": call.twiml,
        "status_callback": call.status_callback,
        "timeout": call.ring_seconds,
        "machine_detection": "Enable",  # so that a voicemail is not taken for a patient who has heard it
    }


def _wire(text: OutboundText) -> dict[str, Any]:
    sender = text.sender
    by = (
        {"messaging_service_sid": sender.messaging_service_sid}
        if sender.messaging_service_sid
        else {"from_": sender.from_number}
    )
    told = {"status_callback": text.status_callback} if text.status_callback else {}
    return {
        "to": text.to,
        "body": text.body,
        "validity_period": min(text.valid_for_seconds, LONGEST_VALIDITY_SECONDS),
        "smart_encoded": False,  # ours is done when the text is rendered, so that what we counted is what is sent
        **told,
        **by,
    }


_MEETS_EVERY_TEXT = {401, 403, 404, 405, 407, 410}


def _outcome_of(answer: Declined) -> Outcome:
    """What an error status says about the text (Twilio's docs on 20429 and 20003, and its error dictionary).

    A code about messaging (21xxx and up) is about this text, whatever the status. Without one, a 401, 403, 404 or a
    redirect comes from a wrong account, address or proxy, and would meet every text.
    """
    status, code = answer.http_status, answer.code
    if status == 429 or code == 20429:
        return TryLater(code or 20429, answer.retry_after)  # 429 says the same without a code
    if status >= 500 or status == 408:
        return Uncertain(str(answer))
    if code is not None and 21000 <= code < 70000:
        return Refused(status, code, f"https://www.twilio.com/docs/api/errors/{code}")
    if status in _MEETS_EVERY_TEXT or status < 400 or code in {20003, 20005, 20006}:
        return SendingStopped(status, code)
    return Refused(status, code, str(answer))


def _logged(message: Any) -> LoggedText:
    return LoggedText(
        sid=str(message.sid),
        from_=str(message.from_ or ""),
        to=str(message.to or ""),
        body=str(message.body or ""),
        num_media=_number(message.num_media),
        direction=str(message.direction or ""),
        status=str(message.status or ""),
        error_code=_number(message.error_code) or None,
        segments=_number(message.num_segments),
        created_at=message.date_created,
        sent_at=message.date_sent,
    )


def _logged_call(call: Any) -> LoggedCall:
    return LoggedCall(
        sid=str(call.sid),
        from_=str(call._from or ""),
        to=str(call.to or ""),
        direction=str(call.direction or ""),
        status=str(call.status or ""),
        answered_by=call.answered_by or None,
        created_at=call.date_created,
    )


def _taken_at(text: LoggedText, unknown: datetime) -> datetime:
    """When Twilio had it; `unknown`, the most cautious reading, if the log does not say."""
    return text.created_at or text.sent_at or unknown


def _whole_second(instant: datetime) -> datetime:
    """In UTC, as the SDK writes a Z behind any wall clock, and cut to the second, as the log knows no smaller one."""
    return instant.astimezone(UTC).replace(microsecond=0)


def _number(value: object) -> int:
    return int(value) if isinstance(value, int | str) and str(value).isdecimal() else 0


def _unavailable(trouble: Exception) -> GatewayUnavailable:
    """Its own sentence for our errors; for the SDK's, which quote the answer, only the kind."""
    what = str(trouble) if isinstance(trouble, EngageError) else f"unreadable answer ({type(trouble).__name__})"
    return GatewayUnavailable(f"Twilio's log cannot be read: {what}.")
