"""Reminders for landlines: planned as calls, made exactly once, settled by Twilio's log, each turn written down."""

from datetime import date, time, timedelta

import pytest

from engage import clock
from engage.outreach.call_instead import plan_calls
from engage.outreach.links import Link
from engage.outreach.plan import plan
from engage.outreach.receipts import take_call
from engage.simulation.twilio import Pickup
from engage.sms.rules.calls import PRESSED
from tests.cast import MONDAY, ROSE_PHONE, SUNRISE_NUMBER
from tests.flows.outreach.desk import Desk


@pytest.fixture
def landline(desk: Desk) -> Desk:
    """Rose's phone is a landline, and Sunrise lets reminders be spoken."""
    desk.sql("UPDATE contacts SET phone_kind = 'landline' WHERE id = :id", id=desk.cast.rose_contact)
    desk.sql("UPDATE agencies SET voice_reminders = true WHERE id = :id", id=desk.cast.id)
    return desk


def call(desk: Desk, **values: object) -> int:
    """A reminder for Rose that is to be spoken now."""
    return desk.reminder(channel="voice", template="call-day-before", **values)


def hear(desk: Desk, message: int, status: str, answered_by: str | None = None, sid: str | None = None) -> None:
    row = desk.row(message)
    assert row.attempt_id is not None
    link = Link(desk.cast.id, message, row.attempt_id)
    assert take_call(desk.cast.db, desk.codes, link, sid or row.sid or "", status, answered_by, clock.now())


# --- planned ----------------------------------------------------------------------------------------------------------


def planned(desk: Desk) -> list[tuple[str, str, str]]:
    rows = desk.sql("SELECT channel, template, state FROM messages WHERE asks = 'confirm' ORDER BY id")
    return [tuple(row) for row in rows]


def test_a_landline_is_planned_a_call_and_no_text_once(landline: Desk) -> None:
    landline.cast.visit(landline.cast.rose)
    for _ in range(3):
        plan(landline.cast.db, clock.now())
        plan_calls(landline.cast.db, clock.now())
    assert planned(landline) == [("voice", "call-day-before", "planned"), ("voice", "call-day-of", "planned")]
    at = landline.sql(
        "SELECT send_at AT TIME ZONE 'America/New_York' FROM messages WHERE channel = 'voice' ORDER BY id"
    )
    assert [row[0].time() for row in at] == [time(15), time(9)]  # a text would leave at 8


def test_a_moved_visit_moves_its_call_and_a_lost_one_cancels_it(landline: Desk) -> None:
    visit = landline.cast.visit(landline.cast.rose, at=time(16))
    plan_calls(landline.cast.db, clock.now())
    before = landline.sql("SELECT expires_at FROM messages WHERE template = 'call-day-of'")[0][0]
    landline.sql("UPDATE visits SET starts_local = '09:30' WHERE id = :id", id=visit)
    assert plan_calls(landline.cast.db, clock.now()) == 0
    after = landline.sql("SELECT expires_at FROM messages WHERE template = 'call-day-of'")[0][0]
    assert after < before  # nobody is reminded of a visit that has begun
    landline.sql("UPDATE visits SET status = 'cancelled'")
    plan(landline.cast.db, clock.now())
    assert {state for *_, state in planned(landline)} == {"cancelled"}


def test_a_visit_at_nine_leaves_no_time_to_call_on_its_day(landline: Desk) -> None:
    landline.cast.visit(landline.cast.rose, at=time(9))
    plan_calls(landline.cast.db, clock.now())
    assert planned(landline) == [("voice", "call-day-before", "planned")]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM visits",
        "UPDATE contacts SET phone_kind = 'mobile'",
        "UPDATE contacts SET phone_kind = 'unreachable'",
        "UPDATE contacts SET ended_at = '2026-11-01 00:00+00'",
        "UPDATE patients SET status = 'hospitalized'",
        "UPDATE agencies SET is_active = false",
        "UPDATE touchpoints SET is_active = false",
        (
            "INSERT INTO consent_events (agency_id, contact_id, phone_hash, category, kind, source, said_at, recorded_at)"
            " SELECT agency_id, id, phone_hash, 'visits', 'revoked', 'staff', '2026-11-20 00:00+00', '2026-11-20 00:00+00' FROM contacts"
        ),
        (
            "INSERT INTO consent_events (agency_id, phone_hash, kind, source, said_at, recorded_at)"
            " SELECT agency_id, phone_hash, 'opted_out', 'staff', '2026-11-20 00:00+00', '2026-11-20 00:00+00' FROM contacts"
        ),
    ],
)
def test_nobody_else_is_planned_a_call(landline: Desk, statement: str) -> None:
    landline.cast.visit(landline.cast.rose)
    landline.sql("DELETE FROM visit_clinicians")
    landline.sql(statement)
    assert plan_calls(landline.cast.db, clock.now()) == 0
    assert planned(landline) == []


def test_a_text_that_was_planned_before_anybody_knew_becomes_a_call(desk: Desk) -> None:
    desk.cast.visit(desk.cast.rose)
    plan(desk.cast.db, clock.now())
    desk.sql("UPDATE contacts SET phone_kind = 'landline'")
    plan_calls(desk.cast.db, clock.now())
    assert {channel for channel, *_ in planned(desk)} == {"sms"}  # nobody allowed it
    desk.sql("UPDATE agencies SET voice_reminders = true")
    plan_calls(desk.cast.db, clock.now())
    assert planned(desk) == [("voice", "call-day-before", "planned"), ("voice", "call-day-of", "planned")]
    assert desk.count("SELECT count(*) FROM messages WHERE asks <> 'confirm' AND channel = 'voice'") == 0


@pytest.mark.parametrize("code", [21614, 21635])
def test_a_landline_learned_at_once_is_called_in_the_same_breath(desk: Desk, code: int) -> None:
    desk.sql("UPDATE agencies SET voice_reminders = true")
    message = desk.reminder()
    desk.fake.next_create(f"refuse:{code}")
    desk.fake.add_phone(ROSE_PHONE, on_call=lambda *_: Pickup("answer", "1"))
    desk.dispatch()
    assert desk.state(message) == "failed"
    instead = desk.retry_of(message)
    assert instead is not None
    assert (instead.channel, instead.template, instead.state) == ("voice", "call-day-before", "accepted")
    assert desk.sql("SELECT event, reason FROM message_events WHERE message_id = :i", i=message) == [
        ("tried_again", "landline")
    ]


def test_only_visit_reminders_are_spoken(desk: Desk) -> None:
    """A check-in asks for a number between 1 and 5 in the patient's own time; it is no call."""
    desk.sql("UPDATE agencies SET voice_reminders = true")
    message = desk.checkin()
    desk.fake.next_create("refuse:21614")
    desk.dispatch()
    assert (desk.state(message), desk.retry_of(message)) == ("failed", None)


# --- made -------------------------------------------------------------------------------------------------------------


def test_a_call_goes_out_once_with_its_words_frozen(landline: Desk) -> None:
    message = call(landline)
    assert landline.dispatch().sent == 1
    assert landline.dispatch().sent == 0
    (made,) = landline.fake.calls
    row = landline.row(message)
    assert (row.state, row.sid, row.segments) == ("accepted", made.sid, 0)
    assert (made.to, made.from_) == (ROSE_PHONE, SUNRISE_NUMBER)
    assert row.body is not None
    assert made.twiml is not None
    assert row.body in made.twiml
    assert landline.fake.messages == []


def test_a_messaging_service_calls_from_its_number(landline: Desk) -> None:
    landline.sql(
        "UPDATE senders SET messaging_service_sid = 'MG' || repeat('1', 32) WHERE phone = :p", p=SUNRISE_NUMBER
    )
    call(landline)
    landline.dispatch()
    assert [made.from_ for made in landline.fake.calls] == [SUNRISE_NUMBER]


def test_an_agency_that_changed_its_mind_calls_nobody(landline: Desk) -> None:
    message = call(landline)
    landline.sql("UPDATE agencies SET voice_reminders = false")
    landline.dispatch()
    assert (landline.row(message).state, landline.row(message).reason) == ("suppressed", "landline")
    assert landline.fake.calls == []


def test_wording_that_nobody_reviewed_is_not_spoken(landline: Desk) -> None:
    landline.sql("UPDATE templates SET reviewed_at = NULL, reviewed_by = NULL WHERE key LIKE 'call-%'")
    message = call(landline)
    landline.dispatch()
    assert (landline.row(message).state, landline.row(message).reason) == ("suppressed", "no_wording")


@pytest.mark.parametrize(
    ("fate", "became"), [("drop_after", "accepted"), ("500_after", "accepted"), ("500_before", "planned")]
)
def test_an_unknown_call_is_settled_by_twilio_s_log(landline: Desk, fate: str, became: str) -> None:
    landline.fake.behaviour.rate_callback_lost = 1
    message = call(landline)
    landline.fake.next_create(fate)
    landline.dispatch()
    assert landline.state(message) == "unknown"
    landline.settle()
    made = landline.fake.calls
    assert landline.state(message) == became
    assert landline.row(message).sid == (made[0].sid if made else None)


def test_two_unknown_calls_to_one_phone_get_one_each(landline: Desk) -> None:
    landline.fake.behaviour.rate_callback_lost = 1
    messages = [call(landline), call(landline, occasion=str(MONDAY + timedelta(days=1)))]
    landline.cast.visit(landline.cast.rose, on=MONDAY + timedelta(days=1))
    landline.fake.next_create("drop_after", 2)
    landline.dispatch(at_once=1)
    landline.settle()
    assert {landline.row(message).sid for message in messages} == {made.sid for made in landline.fake.calls}
    assert len(landline.fake.calls) == 2


def test_a_call_whose_end_was_never_reported_is_asked_for(landline: Desk) -> None:
    landline.fake.add_phone(ROSE_PHONE, on_call=lambda *_: Pickup("answer"))
    message = call(landline)
    landline.dispatch(public_url="http://127.0.0.1:9")  # nobody is at home there
    landline.deliver(200)
    assert landline.forgive()
    assert landline.state(message) == "accepted"
    landline.time.tick(timedelta(minutes=16))
    landline.reconcile()
    assert landline.state(message) == "delivered"


@pytest.mark.parametrize("code", [21210, 21214, 21215, 21217])
def test_a_refused_call_has_failed_and_says_why(landline: Desk, code: int) -> None:
    message = call(landline)
    landline.fake.next_create(f"refuse:{code}")
    landline.dispatch()
    row = landline.row(message)
    assert (row.state, row.error_code, row.reason) == ("failed", code, str(landline.codes.meaning(code).kind))
    assert landline.retry_of(message) is None


# --- what became of it ------------------------------------------------------------------------------------------------


def made(desk: Desk, **values: object) -> int:
    desk.fake.behaviour.rate_callback_lost = 1
    message = call(desk, **values)
    desk.dispatch()
    return message


@pytest.mark.parametrize(
    ("status", "answered_by", "state", "reason"),
    [
        ("completed", "human", "delivered", None),
        ("completed", "machine_start", "undelivered", "machine"),
        ("busy", None, "undelivered", "busy"),
        ("no-answer", None, "undelivered", "no_answer"),
        ("failed", None, "failed", "call_failed"),
        ("canceled", None, "undelivered", "call_canceled"),
        ("in-progress", None, "sent", None),
        ("nonsense", None, "accepted", None),
    ],
)
def test_ends(landline: Desk, status: str, answered_by: str | None, state: str, reason: str | None) -> None:
    message = made(landline)
    hear(landline, message, status, answered_by)
    row = landline.row(message)
    assert (row.state, row.reason) == (state, reason)
    again = landline.retry_of(message)
    if status in {"busy", "no-answer"}:
        assert again is not None
        assert (again.channel, again.due_at) == ("voice", clock.now() + timedelta(minutes=30))
    else:
        assert again is None


def test_a_call_is_tried_once_more_and_no_more(landline: Desk) -> None:
    message = made(landline)
    hear(landline, message, "busy")
    landline.time.tick(timedelta(minutes=30))
    landline.dispatch()
    again = landline.retry_of(message)
    assert again is not None
    assert again.state == "accepted"
    hear(landline, again.id, "no-answer")
    assert landline.retry_of(again.id) is None


def test_a_call_instead_of_a_text_has_its_own_second_try(desk: Desk) -> None:
    """The text's tries do not count for the call that it became."""
    desk.sql("UPDATE agencies SET voice_reminders = true")
    desk.fake.behaviour.rate_callback_lost = 1
    text = desk.reminder()
    desk.fake.next_create("refuse:21614")
    desk.dispatch()
    instead = desk.retry_of(text)
    assert instead is not None
    desk.dispatch()
    hear(desk, instead.id, "busy")
    assert desk.retry_of(instead.id) is not None


@pytest.mark.parametrize("order", [("machine", PRESSED), (PRESSED, "machine")])
def test_a_pressed_key_is_a_listener_whatever_the_machine_detection_thought(
    landline: Desk, order: tuple[str, str]
) -> None:
    message = made(landline)
    for what in order:
        hear(landline, message, *(("completed", "machine_start") if what == "machine" else (PRESSED,)))
    row = landline.row(message)
    assert (row.state, row.reason) == ("delivered", None)


def test_a_rung_phone_counts_for_the_cap_also_when_nobody_answered(landline: Desk) -> None:
    landline.sql("UPDATE agencies SET daily_cap = 1")
    message = made(landline)
    hear(landline, message, "busy")
    landline.time.tick(timedelta(minutes=30))
    landline.dispatch()
    again = landline.retry_of(message)
    assert again is not None
    assert (again.state, again.reason) == ("suppressed", "daily_cap")


def test_the_occasion_of_a_day(landline: Desk) -> None:
    assert date.fromisoformat(landline.row(call(landline)).occasion or "") == MONDAY
