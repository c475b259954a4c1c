"""Calls across the wire: what is posted, what became of it, and Twilio's log of them."""

import uuid
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from engage.db import encryption
from engage.outreach.links import Link, call_callback, key_action
from engage.outreach.rules.calling import MOST_SPOKEN
from engage.sms import twiml
from engage.sms.gateway import (
    Accepted,
    GatewayUnavailable,
    OutboundCall,
    Outcome,
    Refused,
    SendingStopped,
    TryLater,
    TwilioGateway,
    Uncertain,
)
from engage.sms.texts import LONGEST_TWIML
from tests.conftest import RING
from tests.flows.sms.conftest import ACCOUNT, Behaviour

OURS, THEIRS = "+12025550100", "+12025550143"
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SID = "CA" + "1" * 32
CALL = OutboundCall(THEIRS, OURS, "<Response/>", "https://engage.example.org/twilio/voice/status?m=x")


def test_what_is_posted(provider: Any, gateway: TwilioGateway) -> None:
    provider.behave = lambda call: call.answer(201, {"sid": SID, "status": "queued"})
    assert gateway.send(CALL) == Accepted(SID, "queued", 0)
    (posted,) = provider.calls
    assert posted.path == f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json"
    assert posted.form == {
        "To": THEIRS,
        "From": OURS,
        "Twiml": "<Response/>",
        "StatusCallback": CALL.status_callback,
        "Timeout": "30",
        "MachineDetection": "Enable",
    }


@pytest.mark.parametrize(
    ("behave", "kind"),
    [
        (lambda call: call.answer(201, {"sid": "SM" + "1" * 32, "status": "queued"}), Uncertain),  # a text's id
        (lambda call: call.answer(201, "not JSON"), Uncertain),
        (lambda call: call.stop_halfway(), Uncertain),
        (lambda call: call.answer(500, {"code": 20500}), Uncertain),
        (lambda call: call.answer(429, {"code": 20429}), TryLater),
        (lambda call: call.answer(400, {"code": 21210}), Refused),
        (lambda call: call.answer(401, {"code": 20003}), SendingStopped),
    ],
)
def test_what_becomes_of_it(provider: Any, gateway: TwilioGateway, behave: Behaviour, kind: type[Outcome]) -> None:
    provider.behave = behave
    assert isinstance(gateway.send(CALL), kind)


def listed(number: int, minutes: float = 0, **changes: Any) -> dict[str, Any]:
    """A call we made `minutes` after noon, as Twilio lists it."""
    made = {"sid": f"CA{number:032x}", "from": OURS, "to": THEIRS, "direction": "outbound-api", "status": "completed"}
    return made | {"answered_by": "human", "date_created": format_datetime(NOON + timedelta(minutes=minutes))} | changes


def test_finds_what_was_called_in_a_time(provider: Any, gateway: TwilioGateway) -> None:
    rows = [
        listed(4, 20),
        listed(3, 5),
        listed(2, 0, direction="inbound"),
        listed(1, -5, answered_by=""),
        listed(0, -20),
    ]
    provider.behave = lambda call: call.answer(200, {"calls": rows, "next_page_uri": None, "page": 0, "uri": call.path})
    found = gateway.find_called(THEIRS, NOON - timedelta(minutes=10), NOON + timedelta(minutes=10))
    assert [(call.sid[-1], call.answered_by) for call in found] == [("3", "human"), ("1", None)]
    assert found[0].from_ == OURS
    assert provider.calls[0].query["To"] == THEIRS


def test_shows_one_call(provider: Any, gateway: TwilioGateway) -> None:
    provider.behave = lambda call: call.answer(200, listed(1, status="busy"))
    call = gateway.fetch_call(SID)
    assert call is not None
    assert call.status == "busy"
    provider.behave = lambda call: call.answer(404, {"code": 20404})
    assert gateway.fetch_call(SID) is None
    asked = len(provider.calls)
    assert gateway.fetch_call("SM" + "1" * 32) is None
    assert len(provider.calls) == asked
    provider.behave = lambda call: call.answer(500, {})
    for look in (lambda: gateway.fetch_call(SID), lambda: gateway.find_called(THEIRS, NOON, NOON)):
        with pytest.raises(GatewayUnavailable) as trouble:
            look()
        assert "555" not in str(trouble.value)


def test_values_tell_nobody() -> None:
    assert "555" not in repr(CALL)
    assert "Response" not in repr(CALL)


@pytest.mark.parametrize("changes", [{"to": ""}, {"from_number": ""}, {"twiml": "x" * (LONGEST_TWIML + 1)}])
def test_a_call_that_cannot_be_made_is_none(changes: dict[str, str]) -> None:
    values = {"to": THEIRS, "from_number": OURS, "twiml": "<Response/>", "status_callback": "x"}
    with pytest.raises(ValueError, match="call"):
        OutboundCall(**(values | changes))


def test_the_longest_words_fit_twice_into_what_twilio_takes() -> None:
    encryption.use(RING)
    link = Link(2**62, 2**62, uuid.uuid4())
    base = "https://a-rather-long-name-of-a-host.engage.example.org"
    said = twiml.question("x" * MOST_SPOKEN, "es", key_action(base, link))
    assert len(said) <= LONGEST_TWIML
    assert said.count("x" * MOST_SPOKEN) == 2
    assert key_action(base, link) != call_callback(base, link)


def test_words_are_escaped_and_nothing_is_said_for_none() -> None:
    assert "Rose &amp; &lt;Ana&gt;" in twiml.statement("Rose & <Ana>", "en")
    assert twiml.statement("", "en").endswith("<Response><Hangup /></Response>")
