"""The words for visits. Pure."""

from enum import StrEnum


class VisitStatus(StrEnum):
    """What the agency says of a visit."""

    SCHEDULED = "scheduled"
    COMPLETED = "completed"
    MISSED = "missed"
    CANCELLED = "cancelled"


class VisitAnswer(StrEnum):
    """What the patient says of a visit."""

    CONFIRMED = "confirmed"
    WANTS_ANOTHER_TIME = "wants_another_time"
    DOES_NOT_WANT_IT = "does_not_want_it"
