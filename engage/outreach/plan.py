"""Turns touchpoints into planned messages: rows in, rows out, all in SQL. It sends nothing and decides no wording.

A tick plans what has newly come into the horizon, for everybody, and everything of those of whom something has changed; once
an hour all is derived anew. New occasions are inserted once (a unique key), moved ones move, and what has lost its reason is
cancelled. One transaction: a run that dies leaves the log of changes, and how far was planned, as they were.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from engage.db import Database
from engage.outreach.planning.changes import drop_changes, take_changes
from engage.outreach.planning.readers import forget_near, stage_near
from engage.outreach.planning.revisions import revise
from engage.outreach.planning.slots import forget_slots, stage_slots
from engage.outreach.planning.wishes import plan_completed, plan_slots
from engage.outreach.rules.spans import Span, next_span

# Sorting and hashing a million readers wants room; compiling such statements costs more than it saves.
_SETTINGS = text("SELECT set_config('work_mem', '128MB', true), set_config('jit', 'off', true)")
_BEGIN = text("INSERT INTO planning (id) VALUES (1) ON CONFLICT DO NOTHING")
_LOCK = "SELECT planned_until, whole_at FROM planning WHERE id = 1 FOR UPDATE"
_REACHED = text("UPDATE planning SET planned_until = :until, whole_at = COALESCE(:whole_at, whole_at) WHERE id = 1")


@dataclass(frozen=True, slots=True)
class Planned:
    """What one run of the planner changed."""

    planned: int = 0
    moved: int = 0
    cancelled: int = 0

    def __add__(self, other: "Planned") -> "Planned":
        """Both together."""
        return Planned(self.planned + other.planned, self.moved + other.moved, self.cancelled + other.cancelled)


def plan(db: Database, now: datetime, horizon: timedelta = timedelta(hours=26), *, whole: bool = False) -> Planned:
    """Plan every message whose time to leave is before `now` + `horizon` and which is still useful; idempotent.

    `whole` derives everything anew and waits for a run that is under way; otherwise that run's work is enough, and this one
    returns at once.
    """
    with db.system_session("plan") as session:
        session.execute(_SETTINGS)
        session.execute(_BEGIN)
        reached = session.execute(text(_LOCK if whole else f"{_LOCK} SKIP LOCKED")).one_or_none()
        if reached is None:
            return Planned()
        span = next_span(reached.planned_until, reached.whole_at, now, horizon, whole=whole)
        done = _everybody(session, span) if span.is_whole else _tick(session, span)
        session.execute(_REACHED, {"until": span.until, "whole_at": now if span.is_whole else None})
        return done


def _everybody(session: Session, span: Span) -> Planned:
    drop_changes(session)
    return _derive(session, span, None)


def _tick(session: Session, span: Span) -> Planned:
    """The changed first, as far as everybody is planned already; then everybody, a little further."""
    done = Planned()
    for changes in take_changes(session):
        if changes.agencies:
            done += _derive(session, span.horizon, changes.agencies)
        if changes.patients:
            stage_near(session, changes.patients)
            done += _derive(session, span.horizon, {agency for agency, _ in changes.patients}, is_narrow=True)
            forget_near(session)
    return done + Planned(planned=_new(session, span, None, is_narrow=False))


def _derive(session: Session, span: Span, agencies: Collection[int] | None, *, is_narrow: bool = False) -> Planned:
    moved, cancelled = revise(session, span, agencies, is_narrow=is_narrow)
    return Planned(_new(session, span, agencies, is_narrow=is_narrow), moved, cancelled)


def _new(session: Session, span: Span, agencies: Collection[int] | None, *, is_narrow: bool) -> int:
    """Narrow: only for the people in planning_near."""
    asked = stage_slots(session, span, agencies)
    count = sum(plan_slots(session, anchor, asked[anchor], span, is_narrow=is_narrow) for anchor in sorted(asked))
    forget_slots(session)
    return count + plan_completed(session, span, agencies, is_narrow=is_narrow)


def plan_ahead(
    session: Session,
    now: datetime,
    until: datetime,
    agencies: Collection[int],
    patients: Collection[tuple[int, int]] = (),
) -> None:
    """Plan these agencies (or only these patients, and whoever shares their phones) as far as `until`, in the caller's transaction.

    For looking ahead: the caller undoes it. How far the planner has come, and what it must look at again, stay as they were.
    """
    session.execute(_SETTINGS)
    span = Span(now, None, until)
    if patients:
        stage_near(session, patients)
    _derive(session, span, agencies, is_narrow=bool(patients))
    if patients:
        forget_near(session)
