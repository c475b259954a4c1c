"""A branch's rota: weekly shifts, changes for a span, and holidays in; who has which duty, and the holes, out. Pure.

Changes come after the pattern, in the order in which they were made: whoever was replaced may be added again. Wall times
mean what the branch's clock shows (rules.oncall): one handoff in autumn's doubled hour, none lost in spring's missing one.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from engage.agencies.rules.oncall import Shift, struck
from engage.agencies.rules.people import Duty, ShiftChangeKind


@dataclass(frozen=True, slots=True)
class Change:
    """`clinician_id` is added, removed, or replaced by `instead_id`, from `starts` to `ends`: naive wall time in `zone`."""

    kind: ShiftChangeKind
    clinician_id: int
    zone: str
    starts: datetime
    ends: datetime
    instead_id: int | None = None
    branch_id: int | None = None
    id: int = 0

    def covers(self, now: datetime) -> bool:
        """Whether the change holds at `now` (aware)."""
        return struck(self.starts, self.zone) <= now < struck(self.ends, self.zone)


@dataclass(frozen=True, slots=True)
class Holiday:
    """On `day` the shifts of `as_weekday` (0 = Monday) hold; in one branch, or in all."""

    day: date
    as_weekday: int
    branch_id: int | None = None
    id: int = 0


@dataclass(frozen=True, slots=True)
class Hole:
    """Nobody from `starts` until `ends` (None: past the end of what was looked at)."""

    starts: datetime
    ends: datetime | None


@dataclass(frozen=True, slots=True)
class Span:
    """From `starts` until `ends` the same people are on call, and the same stand behind them as the fallback (clinician ids)."""

    starts: datetime
    ends: datetime
    on_call: tuple[int, ...]
    fallback: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Rota:
    """An agency's rota. `zones`: each branch's; `visiting_after`, `visiting_until`: when nurses without shifts are at work."""

    zone: str
    zones: Mapping[int, str] = field(default_factory=dict)
    shifts: tuple[Shift, ...] = ()
    changes: tuple[Change, ...] = ()
    holidays: tuple[Holiday, ...] = ()
    visiting_after: time = time(8)
    visiting_until: time = time(21)

    def zone_of(self, branch_id: int | None) -> str:
        """The zone of a branch, or the agency's."""
        return self.zones.get(branch_id, self.zone) if branch_id is not None else self.zone

    def on(self, duty: Duty, branch_id: int | None, now: datetime) -> tuple[int, ...]:
        """Ids of those who have `duty` for a branch (None: for any) at `now`, in the order of the shifts, each once."""
        running = [s.clinician_id for s in self._shifts(duty, branch_id) if s.covers(now, self._days(s.branch_id))]
        for change in self.changes:
            if _concerns(change.branch_id, branch_id) and change.covers(now):
                running = _changed(running, change, duty)
        return tuple(dict.fromkeys(running))

    def is_at_work(self, clinician_id: int, branch_id: int | None, now: datetime) -> bool:
        """Whether a nurse is on shift at `now`: on call, or visiting by shifts of her own.

        Without any visiting shift she is taken to work in the hours in which the agency texts its patients.
        """
        if any(
            change.clinician_id == clinician_id and change.kind is not ShiftChangeKind.ADD and change.covers(now)
            for change in self.changes
        ):
            return clinician_id in self.on(Duty.ON_CALL, None, now)
        if clinician_id in (*self.on(Duty.ON_CALL, None, now), *self.on(Duty.VISITING, None, now)):
            return True
        if any(shift.clinician_id == clinician_id for shift in self.shifts if shift.duty is Duty.VISITING):
            return False
        wall = now.astimezone(ZoneInfo(self.zone_of(branch_id))).time()
        return self.visiting_after <= wall < self.visiting_until

    def holes(self, branch_id: int | None, able: Collection[int], from_: datetime, until: datetime) -> tuple[Hole, ...]:
        """When nobody of `able` is on call for a branch between two instants, nor stands in as its fallback."""
        found: list[Hole] = []
        begun: datetime | None = None
        for at in (*self._turns(branch_id, from_, until), until):
            people = {*self.on(Duty.ON_CALL, branch_id, at), *self.on(Duty.FALLBACK, branch_id, at)}
            is_hole = not people & set(able)
            if is_hole and begun is None and at < until:
                begun = at
            elif begun is not None and not is_hole:
                found.append(Hole(begun, at))
                begun = None
        return (*found, *([Hole(begun, None)] if begun is not None else []))

    def spans(self, branch_id: int | None, from_: datetime, until: datetime) -> tuple[Span, ...]:
        """Who is on call for a branch between two instants, without a gap between one span and the next."""
        found: list[Span] = []
        turns = [*self._turns(branch_id, from_, until), until]
        for at, ends in pairwise(turns):
            people = self.on(Duty.ON_CALL, branch_id, at), self.on(Duty.FALLBACK, branch_id, at)
            if found and (found[-1].on_call, found[-1].fallback) == people:
                found[-1] = replace(found[-1], ends=ends)
            else:
                found.append(Span(at, ends, *people))
        return tuple(found)

    def expected(self, branch_id: int | None, from_: datetime, until: datetime) -> frozenset[int]:
        """Everybody who is on call, or the fallback, for a branch at some time between two instants."""
        duties = (Duty.ON_CALL, Duty.FALLBACK)
        turns = self._turns(branch_id, from_, until)
        return frozenset(person for at in turns for duty in duties for person in self.on(duty, branch_id, at))

    def _shifts(self, duty: Duty, branch_id: int | None) -> Iterator[Shift]:
        return (shift for shift in self.shifts if shift.duty is duty and _concerns(shift.branch_id, branch_id))

    def _days(self, branch_id: int | None) -> Mapping[date, int]:
        own = {h.day: h.as_weekday for h in self.holidays if h.branch_id is not None and h.branch_id == branch_id}
        return {h.day: h.as_weekday for h in self.holidays if h.branch_id is None} | own

    def _turns(self, branch_id: int | None, from_: datetime, until: datetime) -> list[datetime]:
        """The instants between two at which somebody may come or go; between neighbours nothing changes."""
        found = {from_}
        for shift in self.shifts:
            if _concerns(shift.branch_id, branch_id):
                day = from_.astimezone(ZoneInfo(shift.zone)).date() - timedelta(days=1)
                last = until.astimezone(ZoneInfo(shift.zone)).date()
                while day <= last:
                    found |= {struck(datetime.combine(day, wall), shift.zone) for wall in (shift.starts, shift.ends)}
                    day += timedelta(days=1)
                    found.add(struck(datetime.combine(day, time()), shift.zone))
        for change in self.changes:
            if _concerns(change.branch_id, branch_id):
                found |= {struck(change.starts, change.zone), struck(change.ends, change.zone)}
        return sorted(at for at in found if from_ <= at < until)


def _concerns(own: int | None, branch_id: int | None) -> bool:
    return own is None or branch_id is None or own == branch_id


def _changed(running: list[int], change: Change, duty: Duty) -> list[int]:
    match change.kind:
        case ShiftChangeKind.ADD:
            return [*running, change.clinician_id] if duty is Duty.ON_CALL else running
        case ShiftChangeKind.REMOVE:
            return [person for person in running if person != change.clinician_id]
        case ShiftChangeKind.REPLACE:
            other = change.instead_id or change.clinician_id
            takes = duty is Duty.ON_CALL  # another nurse does not make the visits of the first
            return [
                other if person == change.clinician_id else person
                for person in running
                if takes or person != change.clinician_id
            ]
