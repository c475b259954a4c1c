"""What a manager reads of a span of days: counts in, shares, sums and safe cells of a table out. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date


@dataclass(frozen=True, slots=True)
class Counts:
    """What happened. `waited_s` are the seconds from alert to somebody, added up over the alerts that somebody took.

    `visits` are those of the day that were not cancelled; `asked` are check-ins that arrived, `answered` their scores.
    """

    visits: int = 0
    completed: int = 0
    missed: int = 0
    confirmed: int = 0
    asked: int = 0
    answered: int = 0
    score_sum: int = 0
    low: int = 0
    alerts: int = 0
    taken: int = 0
    waited_s: float = 0.0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    @property
    def missed_share(self) -> float | None:
        """Missed visits among those that are over."""
        return _share(self.missed, self.missed + self.completed)

    @property
    def confirmed_share(self) -> float | None:
        """Confirmed visits among all."""
        return _share(self.confirmed, self.visits)

    @property
    def answered_share(self) -> float | None:
        """Answers among the check-ins that arrived."""
        return _share(min(self.answered, self.asked), self.asked)

    @property
    def mean_score(self) -> float | None:
        """The mean of the check-ins' scores."""
        return self.score_sum / self.answered if self.answered else None

    @property
    def mean_wait_minutes(self) -> float | None:
        """Minutes from an alert to somebody who took it, on average."""
        return self.waited_s / 60 / self.taken if self.taken else None


@dataclass(frozen=True, slots=True)
class Row:
    """A day of a branch."""

    on: date
    branch_id: int
    branch: str
    counts: Counts


def total(rows: Iterable[Row]) -> Counts:
    """Everything together."""
    return sum((row.counts for row in rows), Counts())


def by_day(rows: Iterable[Row]) -> dict[date, Counts]:
    """Each day over all branches, in order."""
    found: dict[date, Counts] = {}
    for row in sorted(rows, key=lambda row: row.on):
        found[row.on] = found.get(row.on, Counts()) + row.counts
    return found


def by_branch(rows: Iterable[Row]) -> dict[str, Counts]:
    """Each branch over all days."""
    found: dict[str, Counts] = {}
    for row in sorted(rows, key=lambda row: row.branch):
        found[row.branch] = found.get(row.branch, Counts()) + row.counts
    return found


def cell(value: object) -> str:
    """A cell of a CSV file that a spreadsheet does not take for a formula (OWASP: CSV injection)."""
    told = "" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)
    return f"'{told}" if told[:1] in {"=", "+", "-", "@", "\t", "\r"} and not isinstance(value, int | float) else told


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
