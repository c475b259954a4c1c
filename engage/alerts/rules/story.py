"""Whether a new reason to act belongs to a story that somebody is busy with: what is known of it in, what to do out. Pure.

One patient's reasons are one story while it is open: more evidence, perhaps a higher severity, never another alert. What
comes again soon after it was resolved waits a little before it pages; what is urgent, or worse than before, never waits.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from engage.alerts.rules.words import AlertKind, AlertState, Outcome, Severity

_STORIES = (
    # How the patient is: the nurse reads it all and calls once.
    frozenset({
        AlertKind.URGENT, AlertKind.LOW_SCORE, AlertKind.SYMPTOM, AlertKind.CALLBACK, AlertKind.QUESTION, AlertKind.HOSPITAL,
        AlertKind.UNREADABLE, AlertKind.DROP, AlertKind.SILENCE,
    }),
    # Wishes about visits: the scheduler's work.
    frozenset({AlertKind.RESCHEDULE, AlertKind.CANCEL_VISIT}),
    # Service recovery: the supervisor's, and kept from whoever came.
    frozenset({AlertKind.COMPLAINT, AlertKind.LOW_SURVEY}),
)  # fmt: skip

INSISTENT = frozenset({AlertKind.LOW_SCORE, AlertKind.SYMPTOM, AlertKind.DROP})
"""Said again while nobody has come, they are worse than before."""
LASTING = frozenset({AlertKind.NURSE_UNREACHABLE, AlertKind.ROTA_GAP})
"""A state of the agency: one alert until it is resolved, whoever has taken it meanwhile."""
AGAIN_AFTER = timedelta(hours=1)
"""Sooner than that it may be the same text twice."""
FLAPPING = frozenset({AlertKind.LOW_SCORE, AlertKind.DROP, AlertKind.SILENCE})
"""What goes up and down by itself. Words are never damped: they may say something new."""
DAMPED = {Severity.ROUTINE: timedelta(hours=4), Severity.SOON: timedelta(hours=2)}
"""How long after it was resolved the same reason waits before it pages anew. Urgent ones never wait."""
SAME_CALL = timedelta(minutes=30)
"""So long after a nurse took a story, more of the same is part of her call."""
# Somebody has spoken to the patient, or found that nobody needs to. "No answer" and 911 are not among them.
_SETTLED = frozenset({
    Outcome.CALLED, Outcome.VISIT_ADDED, Outcome.VISIT_MOVED, Outcome.VIRTUAL_VISIT, Outcome.MEDICINE_CHANGED,
    Outcome.FAMILY_REACHED, Outcome.NOTHING_NEEDED,
})  # fmt: skip


def family(kind: AlertKind) -> frozenset[AlertKind]:
    """The kinds that share a story with `kind`, itself among them; an opt-out, a death or a rota gap stands alone."""
    return next((story for story in _STORIES if kind in story), frozenset({kind}))


@dataclass(frozen=True, slots=True)
class Known:
    """The newest alert of a patient in a family. `kinds`: every reason in it; `lowest`: its lowest score 1-5, if any."""

    state: AlertState
    severity: Severity
    kinds: frozenset[AlertKind]
    opened_at: datetime
    acknowledged_at: datetime | None = None
    resolved_at: datetime | None = None
    outcome: str | None = None
    is_exhausted: bool = False
    lowest: int | None = None


@dataclass(frozen=True, slots=True)
class Joins:
    """It is evidence in the story. `leads`: the new kind gives ladder and name from now on; `begins_again`: at the bottom."""

    severity: Severity
    leads: bool = False
    begins_again: bool = False


@dataclass(frozen=True, slots=True)
class Opens:
    """It is an alert of its own; its first page is due at `due_at`."""

    due_at: datetime


def settle(known: Known | None, kind: AlertKind, severity: Severity, score: int | None, now: datetime) -> Joins | Opens:
    """What becomes of a reason of `kind`, which the agency takes for `severity`; `score` 1-5 is what the patient gave."""
    if known is None:
        return Opens(now)
    is_lower = score is not None and known.lowest is not None and score < known.lowest
    match known.state:
        case AlertState.OPEN:
            return _join(known, kind, severity, is_lower, now)
        case AlertState.ACKNOWLEDGED if kind in LASTING:
            return Joins(known.severity)
        case AlertState.ACKNOWLEDGED:
            is_worse = severity > known.severity or severity is Severity.URGENT or is_lower
            is_fresh = known.acknowledged_at is not None and now < known.acknowledged_at + SAME_CALL
            return Joins(known.severity) if is_fresh and kind in known.kinds and not is_worse else Opens(now)
        case AlertState.RESOLVED:
            is_worse = severity > known.severity or is_lower
            return Opens(now if is_worse else _damped_until(known, kind, severity, now))


def _join(known: Known, kind: AlertKind, severity: Severity, is_lower: bool, now: datetime) -> Joins:
    insists = kind in INSISTENT and kind in known.kinds and now >= known.opened_at + AGAIN_AFTER
    raised = max(known.severity, severity)
    if is_lower or insists:
        raised = max(raised, Severity(min(known.severity + 1, Severity.URGENT)))
    leads = severity > known.severity
    return Joins(raised, leads, begins_again=raised > known.severity or known.is_exhausted)


def _damped_until(known: Known, kind: AlertKind, severity: Severity, now: datetime) -> datetime:
    is_settled = known.resolved_at is not None and known.outcome in _SETTLED
    if kind not in FLAPPING or kind not in known.kinds or severity not in DAMPED or not is_settled:
        return now
    return max(now, (known.resolved_at or now) + DAMPED[severity])
