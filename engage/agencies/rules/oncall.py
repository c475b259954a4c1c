"""One shift: wall time in the branch's zone in, whether it runs at an instant out, and when a wall time comes. Pure.

A shift is a weekly pattern of local times. It begins and ends when the branch's wall clock first shows them on a day: a
handoff in autumn's doubled hour happens once, and one in spring's missing hour at the change itself. No gap, no overlap.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from engage.agencies.rules.people import Duty

_NO_HOLIDAYS: Mapping[date, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Shift:
    """`clinician_id` has `duty` on `weekdays` (0 = Monday) from `starts` to `ends`, local; past midnight if ends <= starts.

    Between `first_on` and `last_on`, both included and about the day on which the shift begins; None leaves it open.
    """

    clinician_id: int
    zone: str
    weekdays: frozenset[int]
    starts: time
    ends: time
    first_on: date | None = None
    last_on: date | None = None
    duty: Duty = Duty.ON_CALL
    branch_id: int | None = None
    id: int = 0

    def covers(self, now: datetime, holidays: Mapping[date, int] = _NO_HOLIDAYS) -> bool:
        """Whether the shift is running at `now` (aware); `holidays` are days with another day's shifts: {day: weekday}."""
        local = now.astimezone(ZoneInfo(self.zone))
        has_begun, has_ended = _has_struck(self.starts, local), _has_struck(self.ends, local)
        if self.starts < self.ends:
            return has_begun and not has_ended and self._begins_on(local.date(), holidays)
        if has_begun:
            return self._begins_on(local.date(), holidays)
        return not has_ended and self._begins_on(local.date() - timedelta(days=1), holidays)

    def _begins_on(self, day: date, holidays: Mapping[date, int]) -> bool:
        started = self.first_on is None or day >= self.first_on
        running = self.last_on is None or day <= self.last_on
        return started and running and holidays.get(day, day.weekday()) in self.weekdays


def _has_struck(wall: time, local: datetime) -> bool:
    """Whether clocks have shown `wall` on the day of `local` by then; in a doubled hour the first time counts."""
    if local.time().replace(fold=0) >= wall:
        return True
    first = datetime.combine(local.date(), wall, local.tzinfo)
    return local.fold == 1 and first.utcoffset() != first.replace(fold=1).utcoffset()


def struck(wall: datetime, zone: str) -> datetime:
    """The instant (UTC) at which clocks in `zone` first show `wall` (naive) or more: a missing time comes at the change itself."""
    early, late = (wall.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC) for fold in (1, 0))
    if early >= late:  # an ordinary time, or a doubled one, whose first showing counts
        return late
    seconds = (late - early) // timedelta(seconds=1)
    before, after = 0, seconds  # the change lies between them: halve until it is found
    while after - before > 1:
        middle = (before + after) // 2
        shown = (early + timedelta(seconds=middle)).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        before, after = (before, middle) if shown >= wall else (middle, after)
    return early + timedelta(seconds=after)


def on_call(shifts: Iterable[Shift], now: datetime) -> tuple[int, ...]:
    """Ids of the clinicians on call at `now`, in the order of the shifts, each once."""
    return tuple(dict.fromkeys(shift.clinician_id for shift in shifts if shift.covers(now)))
