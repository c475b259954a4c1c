"""How much an alert of the worklist needs somebody, and in which order a tired nurse reads them. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from engage.alerts.rules.words import AlertKind, AlertState, Severity

SERVICE = frozenset({AlertKind.COMPLAINT, AlertKind.LOW_SURVEY, AlertKind.PATIENT_OPENED})
"""Service recovery is the supervisor's, and kept from whoever came: a nurse sees one only when it was brought to her."""


class Next(StrEnum):
    """What happens to an alert if nobody does anything."""

    NOBODY_CAME = "nobody_came"  # the ladder is exhausted: nothing happens any more
    STEP = "step"  # the next people are paged
    AT_ONCE = "at_once"  # ... in this minute
    COMES_BACK = "comes_back"  # the acknowledgement goes stale
    TRY_AGAIN = "try_again"  # the nurse tries again


@dataclass(frozen=True, slots=True)
class Standing:
    """What an alert's order and next step depend on."""

    id: int
    severity: Severity
    state: AlertState
    opened_at: datetime
    next_due_at: datetime | None
    exhausted_at: datetime | None
    try_again_at: datetime | None = None
    promised_until: datetime | None = None


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_WRITTEN = re.compile(r"([01])-([1-3])-([01])-([0-9]{1,17})-([0-9]{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an alert stands in the order; a page of the list begins after one. `opened`: microseconds since 1970."""

    is_taken: bool
    severity: int
    is_on_time: bool
    opened: int
    id: int

    @property
    def opened_at(self) -> datetime:
        """The instant."""
        return _EPOCH + self.opened * _MICROSECOND

    def written(self) -> str:
        """For an address: numbers only, nothing of anybody."""
        return f"{self.is_taken:d}-{self.severity}-{self.is_on_time:d}-{self.opened}-{self.id}"


def read_place(written: str) -> Place | None:
    """What `Place.written` wrote; None for anything else."""
    found = _WRITTEN.fullmatch(written)
    if found is None:
        return None
    taken, severity, on_time, opened, number = (int(part) for part in found.groups())
    return Place(bool(taken), severity, bool(on_time), opened, number)


def place(standing: Standing, now: datetime) -> Place:
    """Where it stands now."""
    is_late = standing.promised_until is not None and standing.promised_until < now
    opened = (standing.opened_at - _EPOCH) // _MICROSECOND
    return Place(standing.state is not AlertState.OPEN, int(standing.severity), not is_late, opened, standing.id)


def order(standing: Standing, now: datetime) -> tuple[int, ...]:
    """A key that puts what nobody has before what somebody has, the worst first, a late promise first among equals, then the oldest."""
    at = place(standing, now)
    return (at.is_taken, -at.severity, at.is_on_time, at.opened, at.id)


def next_of(standing: Standing, now: datetime) -> tuple[Next, datetime | None]:
    """What happens next, and when."""
    if standing.state is AlertState.ACKNOWLEDGED:
        kind = Next.TRY_AGAIN if standing.try_again_at is not None else Next.COMES_BACK
        return kind, standing.next_due_at
    if standing.exhausted_at is not None or standing.next_due_at is None:
        return Next.NOBODY_CAME, None
    if standing.next_due_at <= now + timedelta(minutes=1):
        return Next.AT_ONCE, standing.next_due_at
    return Next.STEP, standing.next_due_at
