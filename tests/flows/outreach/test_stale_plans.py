"""Reminders of visits that move when the reminder is already planned: nothing stale leaves, nothing due is lost."""

from datetime import UTC, datetime, time

import pytest
from sqlalchemy import update

from engage.outreach.plan import plan
from engage.visits.model import Visit
from tests.cast import NOON
from tests.flows.outreach.desk import Desk

EIGHT = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)  # 08:00 in New York, when the day-of reminder leaves
DAY_OF = """
SELECT m.state, m.reason FROM messages m JOIN touchpoints t ON t.agency_id = m.agency_id AND t.id = m.touchpoint_id
WHERE t.key = 'day-of' ORDER BY m.id
"""


def move(desk: Desk, visit: int, to: time) -> None:
    with desk.cast.db.agency_session(desk.cast.id) as session:
        session.execute(update(Visit).where(Visit.id == visit).values(starts_local=to))


@pytest.mark.parametrize("to", [time(7), time(7, 59), time(8)])
def test_a_visit_moved_before_its_reminder_is_not_reminded_of_too_late(desk: Desk, to: time) -> None:
    visit = desk.cast.visit(desk.cast.rose, at=time(18))
    plan(desk.cast.db, NOON)
    move(desk, visit, to)
    plan(desk.cast.db, NOON)
    assert desk.sql(DAY_OF) == [("cancelled", "visit_changed")]
    desk.time.move_to(EIGHT)
    plan(desk.cast.db, EIGHT)
    assert desk.dispatch().sent == 0


def test_a_visit_moved_while_its_reminder_is_held_up(desk: Desk) -> None:
    visit = desk.cast.visit(desk.cast.rose, at=time(18))
    plan(desk.cast.db, NOON)
    desk.time.move_to(EIGHT.replace(minute=40))
    move(desk, visit, time(8, 30))
    plan(desk.cast.db, EIGHT.replace(minute=40))
    assert desk.sql(DAY_OF) == [("cancelled", "visit_changed")]


def test_a_visit_moved_early_and_back_is_reminded_of(desk: Desk) -> None:
    visit = desk.cast.visit(desk.cast.rose, at=time(18))
    for to in (time(18), time(7), time(18)):
        move(desk, visit, to)
        plan(desk.cast.db, NOON)
    assert [row.state for row in desk.sql(DAY_OF)] == ["cancelled", "planned"]


def test_a_visit_that_begins_soon_after_is_still_reminded_of(desk: Desk) -> None:
    visit = desk.cast.visit(desk.cast.rose, at=time(18))
    plan(desk.cast.db, NOON)
    move(desk, visit, time(8, 30))
    plan(desk.cast.db, NOON)
    desk.time.move_to(EIGHT)
    assert desk.dispatch().sent == 1
