"""A text that fails after Twilio took it is made anew where that may help: once a failure, within its time, never for a page."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from engage import clock
from engage.outreach.model import Message
from engage.outreach.outbox import Outgoing, queue
from engage.outreach.plan import plan
from engage.outreach.rules.words import Kind
from tests.cast import ANA_PHONE, ROSE_PHONE
from tests.flows.outreach.desk import Desk
from tests.flows.outreach.test_receipts import tell


def failed(desk: Desk, code: int, make: Callable[[Desk], int] = Desk.checkin) -> int:
    """A message that Twilio took and that then failed with `code`; Twilio says nothing more by itself."""
    desk.fake.behaviour.rate_callback_lost = 1
    message = make(desk)
    desk.dispatch()
    tell(desk, message, "undelivered", code=code)
    return message


@pytest.mark.parametrize(
    ("code", "minutes"),
    [
        (30001, 5),
        (30003, 60),
        (30008, 30),
        (30500, 10),
        (30004, None),  # blocked: no second text gets through
        (30005, None),
        (30007, None),
        (99999, None),  # nobody knows it, so it is not tried again
    ],
)
def test_what_may_pass_is_tried_again_after_its_pause(desk: Desk, code: int, minutes: int | None) -> None:
    message = failed(desk, code)
    again = desk.retry_of(message)
    events = desk.sql("SELECT event, reason, until FROM message_events WHERE message_id = :id", id=message)
    if minutes is None:
        assert (again, events) == (None, [])
        return
    assert again is not None
    old, due = desk.row(message), clock.now() + timedelta(minutes=minutes)
    assert (again.state, again.due_at, again.expires_at, again.attempts) == ("planned", due, old.expires_at, 0)
    same = (
        "kind",
        "channel",
        "touchpoint_id",
        "occasion",
        "contact_id",
        "patient_id",
        "template",
        "params",
        "asks",
        "category",
    )
    assert [getattr(again, name) for name in same] == [getattr(old, name) for name in same]
    assert events == [("tried_again", "retry_later", due)]


def test_the_second_try_arrives_and_the_ledger_says_so(desk: Desk) -> None:
    desk.phones[ROSE_PHONE].kind = "unreachable"
    message = desk.checkin()
    desk.dispatch()
    desk.deliver()
    assert (desk.row(message).state, desk.row(message).error_code) == ("undelivered", 30003)
    desk.phones[ROSE_PHONE].kind = "mobile"
    desk.time.tick(timedelta(minutes=59))
    assert desk.dispatch().sent == 0
    desk.time.tick(timedelta(minutes=1))
    assert desk.dispatch().sent == 1
    desk.deliver()
    assert len(desk.texts()) == 1
    rows = desk.sql("SELECT state, retry_of IS NULL FROM messages ORDER BY id")
    assert rows == [("undelivered", True), ("delivered", False)]


def test_no_more_tries_than_the_table_says_over_the_whole_chain(desk: Desk) -> None:
    """30003 allows two further tries; a 30008 as the second failure allows one, and that one was made."""
    first = failed(desk, 30003)
    desk.time.tick(timedelta(hours=1))
    desk.dispatch()
    second = desk.retry_of(first)
    assert second is not None
    tell(desk, second.id, "undelivered", code=30008, sid="SM" + "b" * 32)
    assert desk.retry_of(second.id) is None


def test_never_later_than_it_is_useful(desk: Desk) -> None:
    message = failed(desk, 30003, lambda desk: desk.checkin(expires_at=clock.now() + timedelta(minutes=60)))
    assert desk.retry_of(message) is None  # due at the very minute of its end
    other = failed(desk, 30008, lambda desk: desk.checkin(expires_at=clock.now() + timedelta(minutes=60)))
    assert desk.retry_of(other) is not None


def test_a_doubled_receipt_makes_one_second_try(desk: Desk) -> None:
    message = failed(desk, 30008)
    for status in ("undelivered", "undelivered", "failed", "sent"):
        tell(desk, message, status, code=30008)
    assert desk.count("SELECT count(*) FROM messages WHERE retry_of = :id", id=message) == 1


def test_the_database_itself_refuses_a_second_second_try(desk: Desk) -> None:
    message = failed(desk, 30008)
    with pytest.raises(IntegrityError, match="uq_messages_retry_of"):
        desk.checkin(retry_of=message)


def test_a_page_is_not_tried_again_for_the_ladder_climbs_at_once(desk: Desk) -> None:
    def page(desk: Desk) -> int:
        row = Outgoing(desk.cast.id, Kind.PAGE, "note-help", clinician_id=desk.cast.ana)
        with desk.cast.db.agency_session(desk.cast.id) as session:
            made = queue(session, row, clock.now())
        assert made is not None
        desk.sql(
            "UPDATE messages SET state = 'accepted', sid = 'SMx', attempts = 1, attempt_id = gen_random_uuid() WHERE id = :i",
            i=made,
        )
        return made

    message = failed(desk, 30008, page)
    assert (desk.state(message), desk.retry_of(message)) == ("undelivered", None)


def test_answers_and_notes_are_tried_again_too(desk: Desk) -> None:
    for make in (Desk.answer, Desk.note):
        message = failed(desk, 30500, make)
        again = desk.retry_of(message)
        assert again is not None
        assert again.kind == desk.row(message).kind
    desk.time.tick(timedelta(minutes=10))
    desk.fake.behaviour.rate_callback_lost = 0
    assert desk.dispatch().sent == 2
    desk.deliver()
    assert (len(desk.texts()), len(desk.texts(ANA_PHONE))) == (2, 2)


def test_a_second_try_is_decided_anew(desk: Desk) -> None:
    message = failed(desk, 30008)
    desk.sql(
        "INSERT INTO consent_events (agency_id, phone_hash, kind, source, said_at, recorded_at)"
        " SELECT agency_id, phone_hash, 'opted_out', 'staff', :now, :now FROM contacts WHERE id = :id",
        now=clock.now(), id=desk.cast.rose_contact,
    )  # fmt: skip
    desk.time.tick(timedelta(minutes=30))
    desk.dispatch()
    again = desk.retry_of(message)
    assert again is not None
    assert (again.state, again.reason) == ("suppressed", "opted_out")


def test_the_failed_one_does_not_count_against_the_cap(desk: Desk) -> None:
    desk.sql("UPDATE agencies SET daily_cap = 1")
    message = failed(desk, 30008)
    desk.time.tick(timedelta(minutes=30))
    assert desk.dispatch().sent == 1
    again = desk.retry_of(message)
    assert again is not None
    assert again.state == "accepted"


def test_the_planner_neither_plans_it_again_nor_minds_the_second_try(desk: Desk) -> None:
    desk.cast.visit(desk.cast.rose)
    plan(desk.cast.db, clock.now())
    message = desk.count("SELECT id FROM messages WHERE template = 'day-before'")
    desk.time.tick(timedelta(hours=3))
    desk.fake.behaviour.rate_callback_lost = 1
    desk.dispatch()
    tell(desk, message, "undelivered", code=30008)
    plan(desk.cast.db, clock.now())
    assert desk.count("SELECT count(*) FROM messages WHERE template = 'day-before'") == 2
    desk.sql("UPDATE visits SET status = 'cancelled'")
    plan(desk.cast.db, clock.now())
    again = desk.retry_of(message)
    assert again is not None
    assert (again.state, again.reason) == ("cancelled", "visit_changed")


def fail_thrice(desk: Desk, **values: Any) -> Message:
    """A check-in and both its second tries fail with 30003; the last one."""
    message = failed(desk, 30003, lambda desk: desk.checkin(expires_at=clock.now() + timedelta(hours=5), **values))
    for _ in range(2):
        desk.time.tick(timedelta(hours=1))
        desk.dispatch()
        again = desk.retry_of(message)
        assert again is not None
        message = again.id
        tell(desk, message, "undelivered", code=30003, sid=f"SM{message:032x}")
    return desk.row(message)


def kind_of_phone(desk: Desk) -> str:
    return str(desk.sql("SELECT phone_kind FROM contacts WHERE id = :id", id=desk.cast.rose_contact)[0][0])


def test_a_number_is_marked_when_its_last_try_failed_and_nothing_arrived_for_days(desk: Desk) -> None:
    last = fail_thrice(desk)
    assert desk.retry_of(last.id) is None
    assert kind_of_phone(desk) == "mobile"  # off for an afternoon
    desk.time.tick(timedelta(days=3))
    fail_thrice(desk)
    assert kind_of_phone(desk) == "unreachable"


def test_a_phone_that_got_a_text_in_between_is_not_marked(desk: Desk) -> None:
    fail_thrice(desk)
    desk.time.tick(timedelta(days=1))
    fine = desk.checkin()
    desk.dispatch()
    tell(desk, fine, "delivered")
    desk.time.tick(timedelta(days=1, hours=22))
    fail_thrice(desk)
    assert kind_of_phone(desk) == "mobile"
