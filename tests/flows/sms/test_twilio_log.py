"""Reading Twilio's log: what we sent, what reached us while we were down, and what became of one text."""

import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engage.sms.gateway import GatewayUnavailable, TwilioGateway

ACCOUNT = "AC" + "0" * 32
LIST = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
OURS, THEIRS = "+12025550100", "+12025550143"
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def sid(number: int) -> str:
    return f"SM{number:032x}"


def row(number: int, minutes: float = 0, **changes: Any) -> dict[str, Any]:
    """A text we sent `minutes` after noon, as Twilio lists it."""
    at = format_datetime(NOON + timedelta(minutes=minutes))
    sent = {"sid": sid(number), "from": OURS, "to": THEIRS, "body": f"text {number}", "direction": "outbound-api"}
    rest = {
        "status": "delivered",
        "num_media": "0",
        "num_segments": "1",
        "error_code": None,
        "date_created": at,
        "date_sent": at,
    }
    return {**sent, **rest, **changes}


def pages_of(*pages: list[dict[str, Any]]) -> Callable[[Any], None]:
    """A server of these pages, each naming the next as Twilio does."""

    def behave(call: Any) -> None:
        number = int(call.query.get("Page", 0))
        more = (
            f"{LIST}?To=%2B12025550143&PageSize=1000&Page={number + 1}&PageToken=PASM"
            if number + 1 < len(pages)
            else None
        )
        call.answer(200, {"messages": pages[number], "next_page_uri": more, "page": number, "uri": call.path})

    return behave


def find(gateway: TwilioGateway, since: float = -10, until: float = 10) -> list[str]:
    found = gateway.find_sent(THEIRS, NOON + timedelta(minutes=since), NOON + timedelta(minutes=until))
    return [text.sid for text in found]


def test_finds_what_was_sent_to_a_number_in_a_time(provider: Any, gateway: TwilioGateway) -> None:
    provider.behave = pages_of(
        [
            row(1, 11),  # after
            row(2, 10),
            row(3, 0, date_sent=None, status="queued"),  # not sent yet: Twilio's own date filter would miss it
            row(4, 0, direction="inbound"),
            row(5, -10),
            row(6, -11),  # before
        ]
    )
    assert find(gateway) == [sid(2), sid(3), sid(5)]
    (call,) = provider.calls
    assert call.query == {"To": THEIRS, "PageSize": "1000"}


def test_a_found_text_has_what_reconciling_needs(provider: Any, gateway: TwilioGateway) -> None:
    provider.behave = pages_of([row(1, status="undelivered", error_code=30006, num_segments="2")])
    (text,) = gateway.find_sent(THEIRS, NOON, NOON)
    assert (text.body, text.to, text.from_) == ("text 1", THEIRS, OURS)
    assert (text.status, text.error_code, text.segments, text.num_media) == ("undelivered", 30006, 2, 0)
    assert (text.created_at, text.sent_at, text.is_inbound) == (NOON, NOON, False)
    assert THEIRS not in repr(text)
    assert "text 1" not in repr(text)


def test_the_instant_counts_not_its_zone_nor_its_fraction(provider: Any, gateway: TwilioGateway) -> None:
    provider.behave = pages_of([row(1)])
    berlin = (NOON + timedelta(milliseconds=900)).astimezone(ZoneInfo("Europe/Berlin"))
    assert [text.sid for text in gateway.find_sent(THEIRS, berlin, berlin)] == [sid(1)]


def test_follows_the_pages_until_they_are_too_old(provider: Any, gateway: TwilioGateway) -> None:
    provider.behave = pages_of(
        [row(1, 5), row(2, 4)], [row(3, 3), row(4, -99)], [row(5, -100), row(6, -101)], [row(7, 0)]
    )
    assert find(gateway) == [sid(1), sid(2), sid(3)]
    assert len(provider.calls) == 3


def test_an_empty_page_is_not_the_end(provider: Any, gateway: TwilioGateway) -> None:
    provider.behave = pages_of([row(1)], [], [row(2)])
    assert find(gateway) == [sid(1), sid(2)]


def test_an_empty_log_is_an_answer(provider: Any, gateway: TwilioGateway) -> None:
    provider.behave = pages_of([])
    assert find(gateway) == []


def test_a_log_without_end_is_not_read_for_ever(provider: Any, gateway: TwilioGateway) -> None:
    provider.behave = lambda call: call.answer(200, {"messages": [row(1)], "next_page_uri": f"{LIST}?Page=1"})
    with pytest.raises(GatewayUnavailable, match="did not end"):
        find(gateway)
    assert len(provider.calls) == 20


def test_fetches_what_reached_us_while_we_were_down(provider: Any, gateway: TwilioGateway) -> None:
    inbound = {"from": THEIRS, "to": OURS, "direction": "inbound", "status": "received"}
    provider.behave = pages_of(
        [row(1, 2, **inbound, num_media="1"), row(2, 1)],
        [row(3, 0, **inbound), row(4, -1, **inbound)],  # Twilio may cut the time to the day
    )
    texts = list(gateway.received_since(OURS, NOON))
    assert [(text.sid, text.num_media, text.is_inbound) for text in texts] == [(sid(1), 1, True), (sid(3), 0, True)]
    assert provider.calls[0].query == {"To": OURS, "DateSent>": "2026-11-21T12:00:00Z", "PageSize": "1000"}


def test_received_texts_come_as_they_are_read(provider: Any, gateway: TwilioGateway) -> None:
    inbound = {"direction": "inbound"}
    provider.behave = pages_of([row(1, 2, **inbound)], [row(2, 1, **inbound)])
    assert [text.sid for text in islice(gateway.received_since(OURS, NOON), 1)] == [sid(1)]
    assert len(provider.calls) == 1


def test_fetches_one_text(provider: Any, gateway: TwilioGateway) -> None:
    provider.behave = lambda call: call.answer(200, row(1))
    text = gateway.fetch(sid(1))
    assert text is not None
    assert text.body == "text 1"
    assert provider.calls[0].path == LIST.replace(".json", f"/{sid(1)}.json")


def test_an_unknown_text_is_none(provider: Any, gateway: TwilioGateway) -> None:
    provider.behave = lambda call: call.answer(404, {"code": 20404, "status": 404})
    assert gateway.fetch(sid(1)) is None


@pytest.mark.parametrize("strange", ["", "SM1", "../../Calls", sid(1) + "/Media", "CA" + "0" * 32, sid(1) + "\n"])
def test_what_is_no_sid_is_not_even_asked_for(provider: Any, gateway: TwilioGateway, strange: str) -> None:
    assert gateway.fetch(strange) is None
    assert provider.calls == []


TROUBLES: dict[str, Callable[[Any], None]] = {
    "401": lambda call: call.answer(401, {"code": 20003, "message": f"no, {THEIRS}"}),
    "429": lambda call: call.answer(429, {"code": 20429}, {"Retry-After": "3"}),
    "500": lambda call: call.answer(500, "oops"),
    "RFC 9457": lambda call: call.answer(400, {"type": "t", "title": THEIRS, "status": 400, "code": 20001}),
    "a page for people": lambda call: call.answer(200, f"<html>{THEIRS}</html>"),
    "not a list": lambda call: call.answer(200, {"messages": {"a": 1}, "next_page_uri": None}),
    "no records": lambda call: call.answer(200, {"a": 1, "b": 2}),
    "null": lambda call: call.answer(200, "null"),
    "reset": lambda call: call.reset(),
    "half": lambda call: call.stop_halfway(),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_trouble_is_never_an_empty_log(provider: Any, gateway: TwilioGateway, trouble: str) -> None:
    provider.behave = TROUBLES[trouble]
    for ask in (lambda: find(gateway), lambda: list(gateway.received_since(THEIRS, NOON))):
        with pytest.raises(GatewayUnavailable) as problem:
            ask()
        assert "2025550143" not in "".join(traceback.format_exception(problem.value))
    assert len(provider.calls) == 2  # asked once each: whoever called decides when to ask again


@pytest.mark.parametrize("trouble", ["401", "429", "500", "a page for people", "null", "reset", "half"])
def test_trouble_is_never_an_unknown_text(provider: Any, gateway: TwilioGateway, trouble: str) -> None:
    provider.behave = TROUBLES[trouble]
    with pytest.raises(GatewayUnavailable):
        gateway.fetch(sid(1))


def test_trouble_on_a_later_page_is_trouble(provider: Any, gateway: TwilioGateway) -> None:
    """Half a log must not be taken for the whole: the text could be on the missing page."""
    first = pages_of([row(1)], [])

    def behave(call: Any) -> None:
        if "Page" in call.query:
            call.answer(503, "")
        else:
            first(call)

    provider.behave = behave
    with pytest.raises(GatewayUnavailable):
        find(gateway)


def test_nobody_there(provider: Any) -> None:
    gateway = TwilioGateway(ACCOUNT, "secret", api_url="http://no-such-host.invalid")
    with pytest.raises(GatewayUnavailable, match="could not be reached"):
        find(gateway)
    with pytest.raises(GatewayUnavailable):
        gateway.fetch(sid(1))
