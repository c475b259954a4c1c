"""Hours at the moment of sending: the patient's own, the state's, a zone that changed since the plan, both clock changes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from engage.outreach.gather import Terms
from engage.patients.rules.states import StateTable, parse_states
from engage.settings import read_toml
from tests.cast import NOON
from tests.flows.outreach.desk import Desk


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def states(desk: Desk) -> StateTable:
    return parse_states(read_toml(desk.cast.config / "states.toml"))


def rose(desk: Desk, columns: str, **values: Any) -> None:
    desk.sql(f"UPDATE patients SET {columns} WHERE id = :rose", rose=desk.cast.rose, **values)


def state(desk: Desk, message: int) -> tuple[str, str | None, datetime]:
    row = desk.row(message)
    return row.state, row.reason, row.due_at


def test_the_patient_s_own_hours(desk: Desk) -> None:
    rose(desk, "texts_after = '13:00', texts_until = '15:00'")
    held = desk.checkin()
    free = desk.checkin(desk.cast.marta_contact)
    desk.dispatch()
    assert state(desk, held) == ("planned", "patient_hours", NOON + timedelta(hours=1))
    assert desk.state(free) == "accepted"
    desk.time.tick(timedelta(hours=1))
    desk.dispatch()
    assert desk.state(held) == "accepted"


def test_hours_that_come_too_late_end_the_text_at_once(desk: Desk) -> None:
    rose(desk, "texts_after = '16:00', texts_until = '18:00'")
    message = desk.checkin()  # of use until 15:00
    desk.dispatch()
    assert state(desk, message)[:2] == ("suppressed", "patient_hours")


def test_hours_without_a_moment_in_common_are_not_waited_for(desk: Desk) -> None:
    rose(desk, "texts_after = '05:00', texts_until = '08:00'")
    message = desk.checkin(expires_at=NOON + timedelta(days=5))
    desk.dispatch()
    assert state(desk, message)[:2] == ("suppressed", "no_common_hours")


@pytest.mark.parametrize(
    "columns", ["texts_after = '09:00'", "texts_until = '20:00'", "texts_after = '20:00', texts_until = '09:00'"]
)
def test_half_a_wish_is_none(desk: Desk, columns: str) -> None:
    with pytest.raises(IntegrityError, match="own_hours_are_open"):
        rose(desk, columns)


@pytest.mark.parametrize(
    ("home", "zone", "now", "until"),
    [
        ("FL", "America/New_York", "2026-11-24 01:30", "2026-11-24 13:00"),  # Monday 20:30, the day ended at eight
        ("FL", "America/Chicago", "2026-11-24 01:30", None),  # the western Panhandle: 19:30
        ("TX", "America/Chicago", "2026-11-22 17:00", "2026-11-22 18:00"),  # Sunday 11:00, open from noon
        ("TX", "America/Chicago", "2026-11-23 17:00", None),  # Monday 11:00
        ("TX", "America/Chicago", "2026-11-23 14:30", "2026-11-23 15:00"),  # Monday 8:30, open from nine
        ("NY", "America/New_York", "2026-11-24 01:30", None),  # no row
        (None, "America/New_York", "2026-11-24 01:30", None),  # no address
    ],
)
def test_the_state_s_hours(
    desk: Desk, states: StateTable, home: str | None, zone: str, now: str, until: str | None
) -> None:
    rose(desk, "state = :home, time_zone = :zone", home=home, zone=zone)
    desk.time.move_to(utc(now))
    message = desk.checkin(expires_at=utc(now) + timedelta(days=1))
    desk.dispatch(terms=Terms(states))
    if until is None:
        assert desk.state(message) == "accepted"
        return
    assert state(desk, message) == ("planned", "state_hours", utc(until))
    desk.time.move_to(utc(until))
    desk.dispatch(terms=Terms(states))
    assert desk.state(message) == "accepted"


def test_the_state_s_hours_end_what_has_no_use_after_them(desk: Desk, states: StateTable) -> None:
    rose(desk, "state = 'FL'")
    desk.time.move_to(utc("2026-11-24 01:15"))
    message = desk.checkin(expires_at=utc("2026-11-24 02:00"))
    desk.dispatch(terms=Terms(states))
    assert state(desk, message)[:2] == ("suppressed", "state_hours")


def test_answers_are_given_at_any_hour(desk: Desk, states: StateTable) -> None:
    rose(desk, "state = 'TX', time_zone = 'America/Chicago', texts_after = '13:00', texts_until = '14:00'")
    desk.time.move_to(utc("2026-11-22 09:00"))
    message = desk.answer()
    desk.dispatch(terms=Terms(states))
    assert desk.state(message) == "accepted"


def test_a_patient_who_moves_between_plan_and_send_is_asked_where_she_is(desk: Desk) -> None:
    message = desk.checkin()
    rose(desk, "time_zone = 'Pacific/Honolulu'")  # 07:00 there
    desk.dispatch()
    assert state(desk, message) == ("planned", "quiet_hours", utc("2026-11-22 18:00"))


@pytest.mark.parametrize(
    ("now", "opens_at"),
    [
        ("2026-03-08 05:00", "2026-03-08 12:00"),  # midnight; the clock jumps from two to three
        ("2026-11-01 05:30", "2026-11-01 13:00"),  # 01:30 for the first time
        ("2026-11-01 06:30", "2026-11-01 13:00"),  # … and for the second
    ],
)
def test_the_nights_on_which_clocks_are_moved(desk: Desk, now: str, opens_at: str) -> None:
    desk.time.move_to(utc(now))
    kept = desk.checkin(expires_at=utc(opens_at) + timedelta(seconds=1))
    lost = desk.checkin(desk.cast.marta_contact, expires_at=utc(opens_at))
    desk.dispatch()
    assert state(desk, kept) == ("planned", "quiet_hours", utc(opens_at))
    assert state(desk, lost)[:2] == ("expired", "too_late")  # a hold never leaves the useful time
    desk.time.move_to(utc(opens_at))
    desk.dispatch()
    assert desk.state(kept) == "accepted"


@pytest.mark.parametrize("table", ["agencies", "branches", "patients"])
def test_a_zone_that_nobody_knows_is_refused_where_it_is_written(desk: Desk, table: str) -> None:
    """One such row would stop the planner for every agency."""
    with pytest.raises(Exception, match="Nowhere/Land"):
        desk.sql(f"UPDATE {table} SET time_zone = 'Nowhere/Land'")
