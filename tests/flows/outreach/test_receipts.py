"""Delivery receipts in every order, doubled, early, late, and about rows that were given up: states only move forward."""

import itertools
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from engage import clock
from engage.outreach.links import Link
from engage.outreach.receipts import take_receipt
from engage.outreach.record import record
from engage.simulation.twilio.phones import SentText
from engage.sms.texts import Accepted
from tests.cast import ROSE_PHONE
from tests.flows.outreach.desk import Desk

WAY = ("queued", "sending", "sent", "delivered")
SID = "SM" + "e" * 32


def tell(desk: Desk, message: int, status: str, *, sid: str | None = None, code: int | None = None) -> bool:
    """A receipt of Twilio's about the message's attempt."""
    row = desk.row(message)
    assert row.attempt_id is not None
    link = Link(desk.cast.id, message, row.attempt_id)
    return take_receipt(desk.cast.db, desk.codes, link, sid or row.sid or SID, status, code, clock.now())


def accepted(desk: Desk) -> int:
    """A text that Twilio has taken and says nothing about by itself; an hour after the last one, which is no loop."""
    desk.time.tick(timedelta(minutes=75))
    desk.fake.behaviour.rate_callback_lost = 1
    message = desk.answer()
    desk.dispatch()
    return message


def test_receipts_in_every_order_end_delivered(desk: Desk) -> None:
    for order in itertools.permutations(WAY):
        message = accepted(desk)
        for status in order:
            tell(desk, message, status)
        row = desk.row(message)
        assert (row.state, row.reason, row.ended_at is not None) == ("delivered", None, True), order
        assert desk.count("SELECT count(*) FROM receipts WHERE message_id = :id", id=message) == 4


@given(statuses=st.lists(st.sampled_from([*WAY, "accepted", "scheduled", "pondering", "DELIVERED"]), max_size=12))
@example(statuses=["delivered", "sent"])
@example(statuses=["sent", "sent", "queued"])
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_the_furthest_word_counts_however_often_any_is_said(desk: Desk, statuses: Sequence[str]) -> None:
    message = accepted(desk)
    for status in statuses:
        tell(desk, message, status)
    heard = {status.lower() for status in statuses}
    furthest = "delivered" if "delivered" in heard else "sent" if "sent" in heard else "accepted"
    assert desk.state(message) == furthest


@pytest.mark.parametrize("end", ["delivered", "undelivered", "failed"])
@pytest.mark.parametrize("late", [*WAY, "undelivered", "failed", "canceled"])
def test_nothing_leaves_an_end(desk: Desk, end: str, late: str) -> None:
    message = accepted(desk)
    tell(desk, message, end, code=30008 if end != "delivered" else None)
    before = desk.row(message)
    desk.time.tick(timedelta(minutes=1))
    assert tell(desk, message, late, code=30007 if late in {"undelivered", "failed"} else None)
    after = desk.row(message)
    assert (after.state, after.ended_at, after.reason, after.error_code) == (
        before.state,
        before.ended_at,
        before.reason,
        before.error_code,
    )


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        ("undelivered", 30003, "retry_later"),
        ("undelivered", None, "unlisted"),
        ("failed", 30007, "permanent_message"),
        ("failed", 99999, "unlisted"),  # a code nobody has heard of is permanent, and shown
    ],
)
def test_a_failure_says_why(desk: Desk, status: str, code: int | None, reason: str) -> None:
    message = accepted(desk)
    tell(desk, message, status, code=code)
    row = desk.row(message)
    assert (row.state, row.reason, row.error_code) == (status, reason, code)


def test_a_receipt_overtakes_the_answer_to_the_send(desk: Desk) -> None:
    """The phone has the text and its receipts are in, before our POST is answered: the answer then changes nothing."""
    seen: list[str] = []

    def on_text(_: SentText, __: object) -> None:
        seen.append(desk.state(message))

    desk.phones[ROSE_PHONE].on_text = on_text
    desk.fake.behaviour.queue_seconds = desk.fake.behaviour.sending_seconds = desk.fake.behaviour.delivery_seconds = 0
    desk.fake.run_in_real_time()
    desk.fake.next_create("slow:0.5")
    message = desk.answer()
    desk.dispatch()
    desk.fake.pause()
    row = desk.row(message)
    assert (row.state, row.sid, row.lease_until) == ("delivered", desk.fake.messages[0].sid, None)
    assert seen == ["sent"]


def test_a_receipt_settles_an_unknown_text_without_the_log(desk: Desk) -> None:
    message = desk.answer()
    desk.fake.next_create("drop_after")
    desk.dispatch()
    assert desk.state(message) == "unknown"
    desk.deliver()
    row = desk.row(message)
    assert (row.state, row.sid) == ("delivered", desk.fake.messages[0].sid)
    assert desk.settle().adopted == 0


def test_a_receipt_about_a_text_that_was_given_back_takes_it_out_of_the_queue(desk: Desk) -> None:
    """Twilio's log was behind: the text looked as if it had never reached Twilio, then its receipt comes."""
    message = desk.answer()
    desk.fake.next_create("500_before")
    desk.dispatch()
    desk.settle()
    assert desk.state(message) == "planned"
    tell(desk, message, "sent")
    row = desk.row(message)
    assert (row.state, row.sid, row.reason) == ("sent", SID, None)
    assert desk.dispatch().sent == 0


def test_a_receipt_for_a_text_that_was_never_tried_changes_nothing(desk: Desk) -> None:
    message = desk.answer()
    link = Link(desk.cast.id, message, desk.row(accepted(desk)).attempt_id)  # type: ignore[arg-type]
    desk.sql("UPDATE messages SET state = 'planned', sid = NULL, attempts = 0 WHERE id = :id", id=message)
    assert take_receipt(desk.cast.db, desk.codes, link, SID, "delivered", None, clock.now())
    assert desk.state(message) == "planned"


def test_a_receipt_of_another_agency_finds_nothing(desk: Desk) -> None:
    message = accepted(desk)
    row = desk.row(message)
    assert row.attempt_id is not None
    link = Link(desk.cast.other_id, message, row.attempt_id)
    assert not take_receipt(desk.cast.db, desk.codes, link, SID, "failed", 21610, clock.now())
    assert desk.state(message) == "accepted"


def test_a_sid_that_another_row_has_is_no_error(desk: Desk) -> None:
    """Reconciliation took another message's text for this one: its receipts must still be answered, and kept."""
    first, second = accepted(desk), accepted(desk)
    desk.sql("UPDATE messages SET sid = NULL, state = 'unknown' WHERE id = :id", id=second)
    sid = desk.row(first).sid
    assert tell(desk, second, "delivered", sid=sid)
    assert desk.count("SELECT count(*) FROM receipts WHERE message_id = :id", id=second) == 1
    assert (desk.state(first), desk.state(second)) == ("accepted", "unknown")
    row = desk.row(second)
    assert row.attempt_id is not None
    fine = accepted(desk)
    answers = [(second, row.attempt_id, Accepted(str(sid), "queued", 1))]
    record(desk.cast.db, desk.codes, answers, clock.now())  # its own answer comes late: no error either
    assert (desk.state(second), desk.state(fine)) == ("unknown", "accepted")


def test_an_end_that_was_never_reported_is_asked_for(desk: Desk) -> None:
    message = accepted(desk)
    desk.deliver()
    assert desk.state(message) == "accepted"  # every receipt was lost
    desk.time.tick(timedelta(minutes=16))
    assert desk.reconcile().ended == 1
    assert desk.state(message) == "delivered"


def test_a_carrier_that_never_confirms_is_not_asked_for_ever(desk: Desk) -> None:
    desk.phones[ROSE_PHONE].kind = "silent"
    message = desk.answer()
    desk.dispatch()
    desk.deliver()
    desk.time.tick(timedelta(hours=13))
    asked = len(desk.fake.requests)
    desk.reconcile()
    assert desk.state(message) == "sent"
    assert len(desk.fake.requests) == asked
