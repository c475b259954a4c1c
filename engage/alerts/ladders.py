"""Reads ladders, and changes them under open alerts: steps that stay keep their identity, nobody waits for one that is gone.

In the caller's transaction. A branch's own ladder takes the place of the agency's with the same key.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from engage.alerts.model import Alert, AlertRule, Ladder, LadderStep
from engage.alerts.rules.ladder import Hours, Place, Step, due_after_edit
from engage.alerts.rules.words import AlertState, Channel, Who
from engage.errors import BadInput

_BEST = text("""
SELECT b.id FROM ladders l JOIN ladders b ON b.agency_id = l.agency_id AND b.key = l.key
WHERE l.agency_id = :agency AND l.id = :ladder AND (b.branch_id IS NULL OR b.branch_id = CAST(:branch AS bigint))
ORDER BY b.branch_id IS NULL LIMIT 1
""")


_EVERY = text("""
SELECT l.id, l.key, l.branch_id, l.rounds, s.id AS step_id, s.who, s.wait_minutes, s.channel, s.times, s.discipline, s.clinician_id,
       s.hours_after, s.hours_until
FROM ladders l LEFT JOIN ladder_steps s ON s.agency_id = l.agency_id AND s.ladder_id = l.id
WHERE l.agency_id = :agency ORDER BY l.key, l.branch_id NULLS FIRST, s.position
""")


@dataclass(frozen=True, slots=True)
class WholeLadder:
    """A ladder with its steps. `branch_id` None: the agency's."""

    id: int
    key: str
    branch_id: int | None
    rounds: int
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class NewStep:
    """A step as somebody writes it: `minutes` to wait, the rest as in rules.ladder.Step."""

    who: Who
    minutes: int
    channel: Channel = Channel.ANY
    times: int = 1
    discipline: str | None = None
    person: int | None = None
    hours: Hours | None = None


def place_of(alert: Alert) -> Place:
    """Where an alert stands."""
    return Place(alert.round, tuple(alert.climbed), alert.first_round)


def put_at(alert: Alert, place: Place) -> None:
    """Write down where an alert stands."""
    alert.round, alert.first_round = place.round, place.first_round
    alert.step, alert.climbed = place.step, list(place.climbed)


def ladder_for(session: Session, agency_id: int, ladder_id: int, branch_id: int | None) -> int:
    """The branch's own ladder with the same key as the agency's `ladder_id`, else that one."""
    found: int | None = session.scalar(_BEST, {"agency": agency_id, "ladder": ladder_id, "branch": branch_id})
    return found or ladder_id


def steps_of(session: Session, agency_id: int, ladder_id: int) -> tuple[list[Step], int]:
    """The steps of a ladder in their order, and how often it is climbed."""
    ladder = session.get_one(Ladder, (agency_id, ladder_id))
    return [_step(row) for row in _rows(session, ladder)], ladder.rounds


def every_ladder(session: Session, agency_id: int) -> list[WholeLadder]:
    """Every ladder of an agency in one query, by key; a branch's own behind the agency's."""
    rows: dict[int, list[Any]] = {}
    for row in session.execute(_EVERY, {"agency": agency_id}):
        rows.setdefault(row.id, []).append(row)
    return [
        WholeLadder(
            some[0].id,
            some[0].key,
            some[0].branch_id,
            some[0].rounds,
            tuple(_step(row, row.step_id) for row in some if row.step_id is not None),
        )
        for some in rows.values()
    ]


def find_ladder(session: Session, agency_id: int, key: str, branch_id: int | None) -> Ladder | None:
    """The ladder of an agency, or of one branch, with a key."""
    return session.scalars(
        select(Ladder).where(
            Ladder.agency_id == agency_id, Ladder.key == key, Ladder.branch_id.is_not_distinct_from(branch_id)
        )
    ).first()


def set_ladder(
    session: Session,
    agency_id: int,
    key: str,
    branch_id: int | None,
    new: Sequence[NewStep],
    rounds: int,
    now: datetime,
) -> Ladder:
    """Make the ladder with `key` these steps, climbed `rounds` times; makes it if there is none.

    Alerts that are open on it go on with the steps they have not climbed; whoever waits for a step that is gone is due now.
    A branch's first own ladder takes over that branch's open alerts. Raises BadInput for a ladder without steps.
    """
    if not new:
        raise BadInput("A ladder needs at least one step, e.g. --step 'nurse 10'.")
    ladder = find_ladder(session, agency_id, key, branch_id)
    if ladder is None:
        ladder = Ladder(agency_id=agency_id, key=key, branch_id=branch_id, rounds=rounds)
        session.add(ladder)
    ladder.rounds = rounds
    session.flush()
    waiting = _open_on(session, ladder)
    before = [_step(row) for row in _rows(session, ladder)]
    _replace(session, ladder, _rows(session, ladder), new)
    after = [_step(row) for row in _rows(session, ladder)]
    for alert in waiting:
        if alert.next_due_at is not None:
            alert.next_due_at = due_after_edit(place_of(alert), alert.next_due_at, before, after, now)
    _adopt(session, ladder, now)
    return ladder


def remove_ladder(session: Session, ladder: Ladder, now: datetime) -> None:
    """Remove a ladder that no rule names; its open alerts go to the agency's with the same key, from the bottom.

    Raises BadInput for one that a kind of alert still has, or whose past alerts have nowhere else to point to.
    """
    other = find_ladder(session, ladder.agency_id, ladder.key, None)
    same_key = select(Ladder.id).where(Ladder.agency_id == ladder.agency_id, Ladder.key == ladder.key)
    if ladder.branch_id is None and len(session.scalars(same_key).all()) > 1:
        raise BadInput(f"A branch still has its own ladder {ladder.key!r}: remove that one first, with --branch.")
    named = select(AlertRule.kind).where(AlertRule.agency_id == ladder.agency_id, AlertRule.ladder_id == ladder.id)
    kinds = ", ".join(session.scalars(named))
    if kinds:
        raise BadInput(f"The ladder {ladder.key!r} is still that of {kinds}: engage alerts rules set KIND --ladder ...")
    every = list(
        session.scalars(
            select(Alert).where(Alert.agency_id == ladder.agency_id, Alert.ladder_id == ladder.id).with_for_update()
        )
    )
    if other is None or other.id == ladder.id:
        if every:
            raise BadInput(f"The ladder {ladder.key!r} has had alerts; change its steps instead.")
    else:
        for alert in every:
            alert.ladder_id = other.id
            _begin_again(alert, now)
    session.flush()
    session.delete(ladder)
    session.flush()


def _adopt(session: Session, ladder: Ladder, now: datetime) -> None:
    general = find_ladder(session, ladder.agency_id, ladder.key, None)
    if ladder.branch_id is None or general is None:
        return
    for alert in _open_on(session, general):
        if alert.branch_id == ladder.branch_id:
            alert.ladder_id = ladder.id
            _begin_again(alert, now)
    session.flush()


def _begin_again(alert: Alert, now: datetime) -> None:
    if alert.state == AlertState.OPEN and alert.exhausted_at is None:
        put_at(alert, place_of(alert).begun_again())
        alert.next_due_at = min(alert.next_due_at or now, now)


def _open_on(session: Session, ladder: Ladder) -> list[Alert]:
    return list(
        session.scalars(
            select(Alert)
            .where(
                Alert.agency_id == ladder.agency_id,
                Alert.ladder_id == ladder.id,
                Alert.state == AlertState.OPEN,
                Alert.exhausted_at.is_(None),
            )
            .order_by(Alert.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )


def _rows(session: Session, ladder: Ladder) -> list[LadderStep]:
    return list(
        session.scalars(
            select(LadderStep)
            .where(LadderStep.agency_id == ladder.agency_id, LadderStep.ladder_id == ladder.id)
            .order_by(LadderStep.position)
            .execution_options(populate_existing=True)
        )
    )


def _replace(session: Session, ladder: Ladder, rows: Sequence[LadderStep], new: Sequence[NewStep]) -> None:
    """Write the new steps; one that pages the same people keeps its id, whatever its wait, hours or place."""
    ids: dict[tuple[str, str | None, int | None], list[int]] = {}
    for row in rows:
        ids.setdefault((row.who, row.discipline, row.clinician_id), []).append(row.id)
    session.execute(
        delete(LadderStep)
        .where(LadderStep.agency_id == ladder.agency_id, LadderStep.ladder_id == ladder.id)
        .execution_options(synchronize_session=False)
    )
    for position, step in enumerate(new, start=1):
        kept = ids.get((step.who, step.discipline, step.person)) or []
        statement, given = (_KEEP, {"id": kept.pop(0)}) if kept else (_ADD, {})
        session.execute(statement, _values(ladder, position, step) | given)


_COLUMNS = "agency_id, ladder_id, position, who, wait_minutes, channel, times, discipline, clinician_id, hours_after, hours_until"
_GIVEN = ":agency, :ladder, :position, :who, :minutes, :channel, :times, :discipline, :person, :after, :until"
_ADD = text(f"INSERT INTO ladder_steps ({_COLUMNS}) VALUES ({_GIVEN})")  # noqa: S608 - names of columns
_KEEP = text(f"INSERT INTO ladder_steps ({_COLUMNS}, id) OVERRIDING SYSTEM VALUE VALUES ({_GIVEN}, :id)")  # noqa: S608


def _values(ladder: Ladder, position: int, step: NewStep) -> dict[str, object]:
    return {
        "agency": ladder.agency_id,
        "ladder": ladder.id,
        "position": position,
        "who": step.who,
        "minutes": step.minutes,
        "channel": step.channel,
        "times": step.times,
        "discipline": step.discipline,
        "person": step.person,
        "after": step.hours.after if step.hours else None,
        "until": step.hours.until if step.hours else None,
    }


def _step(row: Any, step_id: int | None = None) -> Step:
    """A step of a row of `ladder_steps`, or of one that names its id otherwise."""
    hours = (
        Hours(row.hours_after, row.hours_until) if row.hours_after is not None and row.hours_until is not None else None
    )
    return Step(
        id=row.id if step_id is None else step_id,
        who=Who(row.who),
        wait=timedelta(minutes=row.wait_minutes),
        channel=Channel(row.channel),
        times=row.times,
        discipline=row.discipline,
        person=row.clinician_id,
        hours=hours,
    )
