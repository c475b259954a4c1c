"""Where a visit stands on the board, and what the day comes to: facts of visits in, standings and sums out. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, time
from enum import StrEnum

from engage.errors import BadInput
from engage.visits.rules.words import VisitAnswer, VisitStatus


class Standing(StrEnum):
    """What a scheduler must know of a visit, the one that needs her most first."""

    WANTS_ANOTHER_TIME = "wants_another_time"
    DECLINED = "declined"  # the patient does not want it
    UNREACHABLE = "unreachable"  # no reminder reached anybody
    SILENT = "silent"  # a reminder arrived, and nobody answered
    NOT_ASKED = "not_asked"  # no reminder has left yet
    CONFIRMED = "confirmed"
    COMPLETED = "completed"
    MISSED = "missed"
    CANCELLED = "cancelled"


NEEDS_SCHEDULER = frozenset({Standing.WANTS_ANOTHER_TIME, Standing.DECLINED, Standing.UNREACHABLE})
_ENDED = {
    VisitStatus.COMPLETED: Standing.COMPLETED,
    VisitStatus.MISSED: Standing.MISSED,
    VisitStatus.CANCELLED: Standing.CANCELLED,
}
_ANSWERED = {
    VisitAnswer.CONFIRMED: Standing.CONFIRMED,
    VisitAnswer.WANTS_ANOTHER_TIME: Standing.WANTS_ANOTHER_TIME,
    VisitAnswer.DOES_NOT_WANT_IT: Standing.DECLINED,
}


@dataclass(frozen=True, slots=True)
class Reminders:
    """The reminders of a visit's day, over all phones of the patient: how many were delivered or taken by Twilio, how many ended
    without reaching anybody, how many are still to leave.
    """

    arrived: int = 0
    lost: int = 0
    waiting: int = 0


def standing(status: VisitStatus, answer: VisitAnswer | None, reminders: Reminders) -> Standing:
    """Where a visit stands: its end, else the patient's answer, else what became of its reminders."""
    if status in _ENDED:
        return _ENDED[status]
    if answer is not None:
        return _ANSWERED[answer]
    if reminders.arrived:
        return Standing.SILENT
    if reminders.lost and not reminders.waiting:
        return Standing.UNREACHABLE
    return Standing.NOT_ASKED


def sums(standings: Iterable[Standing]) -> dict[Standing, int]:
    """How many visits stand where, in the order of `Standing`; a standing without visits is left out."""
    counted = Counter(standings)
    return {each: counted[each] for each in Standing if counted[each]}


def read_day(value: str) -> date:
    """A day as a browser's date field sends it; BadInput for anything else."""
    try:
        return date.fromisoformat(value.strip())
    except ValueError:
        raise BadInput("The day must be written as a date such as 2026-11-23.", reason="form.day") from None


def read_wall(value: str) -> time | None:
    """A wall time as a browser's time field sends it, None for an empty one; BadInput for anything else."""
    if not value.strip():
        return None
    try:
        return time.fromisoformat(value.strip())
    except ValueError:
        raise BadInput("The time must be written such as 09:30.", reason="form.time") from None
