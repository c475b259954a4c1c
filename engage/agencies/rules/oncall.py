"""Who is on call at an instant: shifts as wall time in the branch's zone in, clinicians out. Pure.

A shift is a weekly pattern of local times. An instant belongs to the shift that shows on the branch's wall clock, so
the doubled hour of autumn belongs to one shift and the missing hour of spring leaves no gap.
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
        wall = local.time().replace(fold=0)
        if self.starts < self.ends:
            return self.starts <= wall < self.ends and self._begins_on(local.date())
        if wall >= self.starts:
            return self._begins_on(local.date())
        return wall < self.ends and self._begins_on(local.date() - timedelta(days=1))

    def _begins_on(self, day: date) -> bool:
        started = self.first_on is None or day >= self.first_on
        running = self.last_on is None or day <= self.last_on
        return started and running and day.weekday() in self.weekdays


def on_call(shifts: Iterable[Shift], now: datetime) -> tuple[int, ...]:
    """Ids of the clinicians on call at `now`, in the order of the shifts, each once."""
    return tuple(dict.fromkeys(shift.clinician_id for shift in shifts if shift.covers(now)))
