"""The words for visits and for the files they come from. Pure."""

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


class FileKind(StrEnum):
    """What the lines of an EMR file are about."""

    VISITS = "visits"
    PATIENTS = "patients"
    CLINICIANS = "clinicians"
    PAYERS = "payers"
    REFERRALS = "referrals"
    PERIODS = "periods"


class Change(StrEnum):
    """What an import does to a row."""

    ADDED = "added"
    CHANGED = "changed"
    MOVED = "moved"
    COMPLETED = "completed"
    MISSED = "missed"
    CANCELLED = "cancelled"
    UNCHANGED = "unchanged"
