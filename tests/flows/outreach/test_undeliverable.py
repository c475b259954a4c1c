"""A reminder that reached nobody is a person's task: once for a patient and day, only when nothing else can still arrive."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from engage import clock
from engage.alerts.undeliverable import tell_undeliverable
from tests.flows.outreach.desk import Desk


def ended(desk: Desk, state: str, reason: str, **values: object) -> int:
    """A reminder for Rose that has ended."""
    message = desk.reminder(**values)
    desk.sql(
        "UPDATE messages SET state = :state, reason = :reason, ended_at = :now WHERE id = :id",
        state=state, reason=reason, now=clock.now(), id=message,
    )  # fmt: skip
    return message


def told(desk: Desk) -> int:
    return tell_undeliverable(desk.cast.db, clock.now())


@pytest.mark.parametrize(
    ("state", "reason", "values", "is_told"),
    [
        ("failed", "permanent_number", {}, True),
        ("failed", "stop_all", {}, True),  # texting is stopped: patients must be called
        ("undelivered", "permanent_message", {}, True),
        ("undelivered", "no_answer", {"channel": "voice"}, True),
        ("suppressed", "landline", {}, True),
        ("suppressed", "unreachable", {}, True),
        ("suppressed", "wrong_number", {}, True),
        ("suppressed", "no_wording", {"channel": "voice"}, True),
        ("suppressed", "opted_out", {}, False),  # she does not want to be reminded
        ("suppressed", "no_consent", {}, False),
        ("suppressed", "daily_cap", {}, False),
        ("expired", "too_late", {"channel": "voice"}, True),  # the hours of calls were over
        ("expired", "too_late", {}, False),  # our own lateness is seen elsewhere
        ("cancelled", "visit_changed", {}, False),
    ],
)
def test_which_ends_are_told(desk: Desk, state: str, reason: str, values: dict[str, object], is_told: bool) -> None:
    message = ended(desk, state, reason, **values)
    assert told(desk) == is_told
    assert told(desk) == 0
    events = desk.sql("SELECT a.kind, a.severity, e.message_id FROM alerts a JOIN alert_events e ON e.alert_id = a.id")
    assert events == ([("undeliverable", 1, message)] if is_told else [])


@pytest.mark.parametrize(
    ("statement", "is_told"),
    [
        ("UPDATE visits SET status = 'cancelled'", False),
        ("UPDATE visits SET answer = 'confirmed', answered_at = changed_at", False),
        (
            "UPDATE visits SET answer = 'wants_another_time', answered_at = changed_at",
            False,
        ),  # that is an alert of its own
        ("UPDATE visits SET starts_on = '2026-11-24'", False),  # it has its own reminder
        ("UPDATE visits SET starts_local = NULL", True),
        ("UPDATE patients SET status = 'hospitalized'", False),
        ("UPDATE messages SET ended_at = '2026-11-21 16:59+00'", False),  # older than a day
    ],
)
def test_only_for_a_visit_that_is_still_to_come(desk: Desk, statement: str, is_told: bool) -> None:
    ended(desk, "failed", "permanent_message")
    desk.sql(statement)
    assert told(desk) == is_told


def test_a_visit_that_has_begun_is_past_reminding(desk: Desk) -> None:
    ended(desk, "failed", "permanent_message")
    desk.time.tick(timedelta(hours=22, minutes=1))  # Monday, 10:01
    assert told(desk) == 0


@pytest.mark.parametrize(
    ("state", "is_told"),
    [
        ("planned", False),  # a second try, or another contact's: wait
        ("sending", False),
        ("unknown", False),
        ("accepted", False),  # on its way, and most arrive
        ("sent", False),
        ("delivered", False),
        ("failed", True),
        ("cancelled", True),
        ("expired", True),
    ],
)
def test_another_message_about_the_same_day(desk: Desk, state: str, is_told: bool) -> None:
    first = ended(desk, "undelivered", "retry_later")
    again = desk.reminder(retry_of=first)
    desk.sql(
        "UPDATE messages SET state = CAST(:state AS text), sid = 'SMx', attempts = 1, attempt_id = gen_random_uuid(), body = '\\x00', reason = 'too_late',"
        " lease_until = CASE WHEN :state = 'sending' THEN CAST(:now AS timestamptz) END,"
        " ended_at = CASE WHEN :state IN ('delivered', 'failed', 'cancelled', 'expired') THEN CAST(:now AS timestamptz) END"
        " WHERE id = :id",
        state=state, now=clock.now(), id=again,
    )  # fmt: skip
    # a chain's last message speaks for it: one that was cancelled lost its reason, so nobody is told
    assert told(desk) == (is_told and state != "cancelled")


def test_two_reminders_of_one_day_are_one_task(desk: Desk) -> None:
    ended(desk, "failed", "permanent_message")
    assert told(desk) == 1
    desk.sql("UPDATE alerts SET state = 'resolved', resolved_at = opened_at, outcome = 'called', next_due_at = NULL")
    touchpoint = desk.count("SELECT id FROM touchpoints WHERE key = 'day-of' AND agency_id = :a", a=desk.cast.id)
    ended(desk, "failed", "permanent_message", touchpoint_id=touchpoint, template="day-of")
    assert told(desk) == 0


def test_another_day_joins_the_open_task(desk: Desk) -> None:
    ended(desk, "failed", "permanent_message")
    assert told(desk) == 1
    day = desk.cast.visit(desk.cast.rose)
    desk.sql("UPDATE visits SET starts_on = '2026-11-25' WHERE id = :id", id=day)
    ended(desk, "failed", "permanent_message", occasion="2026-11-25")
    assert told(desk) == 1
    assert desk.count("SELECT count(*) FROM alerts") == 1
    assert [row[0] for row in desk.sql("SELECT kind FROM alert_events ORDER BY id")] == ["opened", "evidence"]


def test_each_patient_has_a_task_and_a_broken_agency_stops_nobody(desk: Desk) -> None:
    ended(desk, "failed", "permanent_message")
    ended(desk, "failed", "permanent_message", contact=desk.cast.marta_contact)
    assert told(desk) == 2
    desk.sql("DELETE FROM alert_rules WHERE kind = 'undeliverable' AND agency_id = :a", a=desk.cast.id)
    desk.cast.visit(desk.cast.rose)
    desk.sql("UPDATE visits SET starts_on = '2026-11-25' WHERE patient_id = :p", p=desk.cast.rose)
    ended(desk, "failed", "permanent_message", occasion="2026-11-25")
    assert told(desk) == 1  # joined to the open one, which needs no rule
    desk.sql("UPDATE alerts SET state = 'resolved', resolved_at = opened_at, outcome = 'called', next_due_at = NULL")
    desk.sql("UPDATE visits SET starts_on = '2026-11-26' WHERE patient_id = :p", p=desk.cast.rose)
    ended(desk, "failed", "permanent_message", occasion="2026-11-26")
    assert told(desk) == 0


def test_a_colleague_who_looks_at_the_same_moment_tells_nothing_twice(desk: Desk) -> None:
    ended(desk, "failed", "permanent_message")
    with desk.cast.db.system_session("test") as session:
        session.execute(text("SELECT pg_advisory_xact_lock(hashtext('engage undeliverable'))"))
        assert told(desk) == 0
    assert told(desk) == 1
