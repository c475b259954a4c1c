"""The list of messages or calls: filtered by number and date, cut into pages that the SDK can follow.

In: the query. Out: a page as Twilio shows it. Pages hang on the SID they follow, so new things do not shift them.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from urllib.parse import urlencode

from engage.simulation.twilio.account import Account
from engage.simulation.twilio.calls import Call
from engage.simulation.twilio.messages import Message
from engage.simulation.twilio.refusals import RefusalError
from engage.simulation.twilio.wire import Answer, Form

_DAY = timedelta(days=1)


class Listed(Protocol):
    """What can stand in a list."""

    sid: str

    def resource(self) -> dict[str, object]:
        """As Twilio shows it."""


def messages(account: Account, query: Form, path: str) -> Answer:
    """GET Messages.json: To, From, DateSent (and > and <), newest first."""
    hides_unsent = account.behaviour.list_hides_unsent
    to, from_ = query.get("To"), query.get("From")
    sent = _within(query, "DateSent")

    def is_wanted(message: Message) -> bool:
        instant = message.sent_at if hides_unsent else message.sent_at or message.created_at
        return (not to or message.to == to) and (not from_ or message.from_ == from_) and sent(instant)

    found = [message for message in account.messages.newest_first() if is_wanted(message)]
    return _page(found, query, path, "messages")


def calls(account: Account, query: Form, path: str) -> Answer:
    """GET Calls.json: To, From, Status, StartTime and EndTime (and > and <), newest first."""
    to, from_, status = query.get("To"), query.get("From"), query.get("Status")
    started, ended = _within(query, "StartTime"), _within(query, "EndTime")

    def is_wanted(call: Call) -> bool:
        is_named = (not to or call.to == to) and (not from_ or call.from_ == from_)
        return is_named and (not status or call.status == status) and started(call.started_at) and ended(call.ended_at)

    return _page([call for call in account.calls.newest_first() if is_wanted(call)], query, path, "calls")


def _within(query: Form, key: str) -> Callable[[datetime | None], bool]:
    """The test that the three forms of a date filter make: `Key=`, `Key>=` and `Key<=`, both ends included."""
    low, high = _first(query.get(f"{key}>")), _last(query.get(f"{key}<"))
    day = query.get(key)
    if day:  # one day, whatever time of it is named: the SDK can only send a time
        start = _first(day).replace(hour=0, minute=0, second=0, microsecond=0)
        low, high = max(low, start), min(high, start + _DAY)
    is_filtering = any(query.get(name) for name in (key, f"{key}>", f"{key}<"))
    return lambda instant: not is_filtering or (instant is not None and low <= instant < high)


def _first(text: str | None) -> datetime:
    if not text:
        return datetime.min.replace(tzinfo=UTC)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise RefusalError(20001, f"{text} is not a date: YYYY-MM-DD or an ISO 8601 time in GMT") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _last(text: str | None) -> datetime:
    """The first instant that is too late: a day counts whole, a time to its second."""
    if not text:
        return datetime.max.replace(tzinfo=UTC)
    return _first(text) + (_DAY if _is_day(text) else timedelta(seconds=1))


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _page(found: Sequence[Listed], query: Form, path: str, key: str) -> Answer:
    size, number = _number(query, "PageSize", 50, 1, 1000), _number(query, "Page", 0, 0, 10**9)
    start = _start(found, query.get("PageToken"), size, number)
    shown = found[start : start + size]
    filters = [(name, value) for name, value in query.pairs if name not in {"Page", "PageToken", "PageSize"}]

    def uri(page: int, token: str | None = None) -> str:
        pairs = [*filters, ("PageSize", str(size)), ("Page", str(page))]
        return f"{path}?{urlencode(pairs + ([('PageToken', token)] if token else []))}"

    has_more = start + size < len(found)
    return Answer(
        200,
        {
            "end": max(start + len(shown) - 1, 0),
            "first_page_uri": uri(0),
            "next_page_uri": uri(number + 1, f"PA{shown[-1].sid}") if has_more else None,
            "page": number,
            "page_size": size,
            "previous_page_uri": uri(max(number - 1, 0), f"PB{shown[0].sid}") if start and shown else None,
            "start": start,
            "uri": uri(number, query.get("PageToken")),
            key: [thing.resource() for thing in shown],
        },
    )


def _start(found: Sequence[Listed], token: str | None, size: int, number: int) -> int:
    if not token:
        return size * number
    at = next((n for n, thing in enumerate(found) if thing.sid == token[2:]), None)
    if at is None or token[:2] not in {"PA", "PB"}:
        raise RefusalError(20001, "Invalid PageToken")
    return at + 1 if token.startswith("PA") else max(at - size, 0)


def _number(query: Form, key: str, default: int, low: int, high: int) -> int:
    text = query.get(key)
    if not text:
        return default
    if not text.isdecimal() or not low <= int(text) <= high:
        raise RefusalError(20001, f"{key} must be a number from {low} to {high}")
    return int(text)
