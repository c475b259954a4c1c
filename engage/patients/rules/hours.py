"""The hours of a week in which texts may go: wall-clock spans in, what several rules leave in common out. Pure.

An agency, a patient and a state each have their own; a text leaves only inside all of them. No span passes midnight.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, time

DAYS_A_WEEK = 7


@dataclass(frozen=True, slots=True)
class Hours:
    """Wall time from `after` (included) to `until` (not included) of one day; `after` < `until`."""

    after: time
    until: time

    def has(self, wall: time) -> bool:
        """Whether a clock that shows `wall` is within."""
        return self.after <= wall.replace(fold=0) < self.until


@dataclass(frozen=True, slots=True)
class Week:
    """The hours of each weekday, Monday first; None for a day without any."""

    days: tuple[Hours | None, ...]

    @classmethod
    def daily(cls, after: time, until: time) -> "Week":
        """The same hours on every day."""
        return cls((Hours(after, until),) * DAYS_A_WEEK)

    def on(self, day: date) -> Hours | None:
        """The hours of `day`."""
        return self.days[day.weekday()]

    @property
    def never_opens(self) -> bool:
        """Whether no day has any hours."""
        return not any(self.days)


def common(weeks: Iterable[Week]) -> Week:
    """What all of `weeks` allow, weekday by weekday; there must be at least one."""
    return Week(tuple(_within(hours) for hours in zip(*(week.days for week in weeks), strict=True)))


def _within(several: Iterable[Hours | None]) -> Hours | None:
    spans = list(several)
    if any(span is None for span in spans):
        return None
    after = max(span.after for span in spans if span)
    until = min(span.until for span in spans if span)
    return Hours(after, until) if after < until else None
