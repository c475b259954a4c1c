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


class Missed(StrEnum):
    """Why a visit did not take place: it goes into the record with its reason, and the physician is told of an ordered visit
    that was missed (42 CFR 484.60(c)(1)).
    """

    NOT_HOME = "not_home"
    REFUSED = "refused"
    ILL = "ill"
    IN_HOSPITAL = "in_hospital"
    WEATHER = "weather"
    OURS = "ours"  # nobody of ours could come
    UNSAFE = "unsafe"
    OTHER = "other"


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
