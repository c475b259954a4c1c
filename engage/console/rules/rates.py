"""What a manager reads of a span of days: counts in; rates, sums, people in the order of concern and safe cells of a table out. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from statistics import median
from types import MappingProxyType

FEW = 20
"""A rate of fewer than this is marked: one visit more or less would move it by five points and more."""


class By(StrEnum):
    """What the figures are taken apart by."""

    DAY = "day"
    BRANCH = "branch"
    CLINICIAN = "clinician"
    PAYER = "payer"
    REFERRAL = "referral"


class Measure(StrEnum):
    """A figure that leads to the people behind it."""

    VISITS = "visits"
    CONFIRMED = "confirmed"
    MISSED = "missed"
    ANSWERED = "answered"
    SCORES = "scores"
    LOW = "low"
    ALERTS = "alerts"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Rate:
    """`part` of `whole`."""

    part: int
    whole: int

    @property
    def share(self) -> float | None:
        """From 0 to 1; None of nothing."""
        return self.part / self.whole if self.whole else None

    @property
    def is_of_few(self) -> bool:
        """Whether chance alone moves it a lot."""
        return 0 < self.whole < FEW


@dataclass(frozen=True, slots=True)
class Counts:
    """What happened. `waits` are the seconds from an alert to somebody who took it, of each that was taken.

    `visits` are those that were not cancelled; `asked` are check-ins that arrived, `answered` those of them that got a score;
    `scores` are those given in the span, whenever they were asked for.
    """

    visits: int = 0
    completed: int = 0
    missed: int = 0
    confirmed: int = 0
    asked: int = 0
    answered: int = 0
    scores: int = 0
    score_sum: int = 0
    low: int = 0
    alerts: int = 0
    waits: tuple[float, ...] = ()

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    @property
    def missed_rate(self) -> Rate:
        """Missed visits among those that are over."""
        return Rate(self.missed, self.missed + self.completed)

    @property
    def confirmed_rate(self) -> Rate:
        """Confirmed visits among all."""
        return Rate(self.confirmed, self.visits)

    @property
    def answered_rate(self) -> Rate:
        """Check-ins with a score among those that arrived."""
        return Rate(self.answered, self.asked)

    @property
    def low_rate(self) -> Rate:
        """Scores of 1 and 2 among all."""
        return Rate(self.low, self.scores)

    @property
    def taken_rate(self) -> Rate:
        """Alerts that somebody took among all."""
        return Rate(len(self.waits), self.alerts)

    @property
    def mean_score(self) -> float | None:
        """The mean of the check-ins' scores."""
        return self.score_sum / self.scores if self.scores else None

    @property
    def wait_minutes(self) -> float | None:
        """Minutes within which half of the alerts that were taken had somebody."""
        return median(self.waits) / 60 if self.waits else None


Key = date | int | None
"""What a row is about: a day, or the id of a branch, clinician, payer or referral source; None where none is on record."""


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one day, branch, clinician, payer or referral source."""

    key: Key
    name: str
    counts: Counts


@dataclass(frozen=True, slots=True)
class Figures:
    """The rows in the order in which they are read, and everything together (a visit of two clinicians is one there)."""

    rows: tuple[Row, ...]
    total: Counts

    @property
    def most(self) -> int:
        """The visits of the largest row: the height of a chart."""
        return max((row.counts.visits for row in self.rows), default=0)


def total(rows: Iterable[Row]) -> Counts:
    """Everything together."""
    return sum((row.counts for row in rows), Counts())


def ordered(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Days in order; anything else with the most visits first, and what is about nobody on record last."""

    def place(row: Row) -> tuple[int, int, str]:
        if isinstance(row.key, date):
            return (0, row.key.toordinal(), "")
        return (row.key is None, -row.counts.visits, row.name)

    return tuple(sorted(rows, key=place))


@dataclass(frozen=True, slots=True)
class Behind:
    """A patient behind a figure, and the last day on which anything of it happened."""

    patient_id: int
    counts: Counts
    last: date | None


def rate_of(measure: Measure, counts: Counts) -> Rate | None:
    """The rate that a figure is, None for one that is a plain number, a mean or a time."""
    match measure:
        case Measure.CONFIRMED:
            return counts.confirmed_rate
        case Measure.MISSED:
            return counts.missed_rate
        case Measure.ANSWERED:
            return counts.answered_rate
        case Measure.LOW:
            return counts.low_rate
        case _:
            return None


# Whether somebody is part of a figure, and how early they are listed: small is early, most of what is bad, least of what is good.
_BEHIND: Mapping[Measure, tuple[Callable[[Counts], float], Callable[[Counts], tuple[float, float]]]] = MappingProxyType(
    {
        Measure.VISITS: (lambda of: of.visits, lambda of: (-of.visits, 0)),
        Measure.CONFIRMED: (lambda of: of.visits, lambda of: (of.confirmed_rate.share or 0, -of.visits)),
        Measure.MISSED: (lambda of: of.missed, lambda of: (-of.missed, -(of.missed_rate.share or 0))),
        Measure.ANSWERED: (lambda of: of.asked, lambda of: (of.answered_rate.share or 0, -of.asked)),
        Measure.SCORES: (lambda of: of.scores, lambda of: (of.mean_score or 0, -of.scores)),
        Measure.LOW: (lambda of: of.low, lambda of: (-of.low, -(of.low_rate.share or 0))),
        Measure.ALERTS: (lambda of: of.alerts, lambda of: (-of.alerts, 0)),
        Measure.WAIT: (lambda of: len(of.waits), lambda of: (-(of.wait_minutes or 0), 0)),
    }
)


def behind(measure: Measure, people: Iterable[Behind]) -> Sequence[Behind]:
    """Those of `people` who are part of the figure, whoever needs a second look first."""
    is_part, concern = _BEHIND[measure]
    part = (each for each in people if is_part(each.counts))
    return sorted(part, key=lambda each: (*concern(each.counts), each.patient_id))


def cell(value: object) -> str:
    """A cell of a CSV file that a spreadsheet does not take for a formula (OWASP: CSV injection)."""
    told = "" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)
    return f"'{told}" if told[:1] in {"=", "+", "-", "@", "\t", "\r"} and not isinstance(value, int | float) else told
