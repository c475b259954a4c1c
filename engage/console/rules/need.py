"""How much an alert of the worklist needs somebody, and in which order a tired nurse reads them. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
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


def order(standing: Standing, now: datetime) -> tuple[int, ...]:
    """A key that puts what nobody has before what somebody has, the worst first, a late promise first among equals, then the oldest."""
    is_late = standing.promised_until is not None and standing.promised_until < now
    opened = int(standing.opened_at.timestamp())
    return (standing.state is not AlertState.OPEN, -standing.severity, not is_late, opened, standing.id)


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
