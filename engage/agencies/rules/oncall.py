"""Who is on call at an instant: shifts as wall time in the branch's zone in, clinicians out. Pure.

A shift is a weekly pattern of local times. It begins and ends when the branch's wall clock first shows them on a day: a
handoff in autumn's doubled hour happens once, and one in spring's missing hour at the change itself. No gap, no overlap.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Shift:
    """`clinician_id` is on call on `weekdays` (0 = Monday) from `starts` to `ends`, local; past midnight if ends <= starts.

    Between `first_on` and `last_on`, both included and about the day on which the shift begins; None leaves it open.
    """

    clinician_id: int
    zone: str
    weekdays: frozenset[int]
    starts: time
    ends: time
    first_on: date | None = None
    last_on: date | None = None

    def covers(self, now: datetime) -> bool:
        """Whether the shift is running at `now` (aware)."""
        local = now.astimezone(ZoneInfo(self.zone))
        has_begun, has_ended = _has_struck(self.starts, local), _has_struck(self.ends, local)
        if self.starts < self.ends:
            return has_begun and not has_ended and self._begins_on(local.date())
        if has_begun:
            return self._begins_on(local.date())
        return not has_ended and self._begins_on(local.date() - timedelta(days=1))

    def _begins_on(self, day: date) -> bool:
        started = self.first_on is None or day >= self.first_on
        running = self.last_on is None or day <= self.last_on
        return started and running and day.weekday() in self.weekdays


def _has_struck(wall: time, local: datetime) -> bool:
    """Whether clocks have shown `wall` on the day of `local` by then; in a doubled hour the first time counts."""
    if local.time().replace(fold=0) >= wall:
        return True
    first = datetime.combine(local.date(), wall, local.tzinfo)
    return local.fold == 1 and first.utcoffset() != first.replace(fold=1).utcoffset()


def on_call(shifts: Iterable[Shift], now: datetime) -> tuple[int, ...]:
    """Ids of the clinicians on call at `now`, in the order of the shifts, each once."""
    return tuple(dict.fromkeys(shift.clinician_id for shift in shifts if shift.covers(now)))
