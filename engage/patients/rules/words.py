"""The words for patients, their contacts and consent. Pure."""

from enum import StrEnum


class PatientStatus(StrEnum):
    """Where the patient is in care; only an active patient is texted."""

    ACTIVE = "active"
    ON_HOLD = "on_hold"
    HOSPITALIZED = "hospitalized"
    DISCHARGED = "discharged"
    DECEASED = "deceased"


class Relationship(StrEnum):
    """Whose phone it is. An emergency contact is somebody else until a person says otherwise."""

    PATIENT = "patient"
    FAMILY = "family"
    EMERGENCY = "emergency"
    PROXY = "proxy"  # who decides for the patient: a guardian, a health-care agent


class MaySee(StrEnum):
    """What a contact may be told and asked about the patient."""

    VISITS = "visits"  # who comes and when; nothing of how the patient feels
    SCORES = "scores"  # that, check-ins and surveys too


class WhyEnded(StrEnum):
    """Why somebody is not to be texted for a patient any more."""

    MOVED_OUT = "moved_out"  # they live elsewhere, or care for the patient no more
    NOT_THEIRS = "not_theirs"  # the number is somebody else's now
    OTHER = "other"


class PhoneKind(StrEnum):
    """What is known of a number."""

    UNKNOWN = "unknown"
    MOBILE = "mobile"
    LANDLINE = "landline"
    UNREACHABLE = "unreachable"
    WRONG_NUMBER = "wrong_number"


class Category(StrEnum):
    """What a consent covers."""

    VISITS = "visits"
    CHECKINS = "checkins"
    SURVEYS = "surveys"


class ConsentKind(StrEnum):
    """What a consent event says. The first two are about one category of one contact, the last two about a phone."""

    GRANTED = "granted"
    REVOKED = "revoked"
    OPTED_OUT = "opted_out"
    OPTED_IN = "opted_in"


class ConsentSource(StrEnum):
    """How it came to us."""

    EMR = "emr"
    PAPER = "paper"
    PHONE = "phone"
    TEXT = "text"
    PROVIDER = "provider"
    STAFF = "staff"


class EnrolmentPurpose(StrEnum):
    """Why a phone is asked whether it may be texted."""

    ENROL = "enrol"  # nobody has agreed to anything yet
    VERIFY = "verify"  # somebody has, but long ago: the carrier may have given the number to a stranger


class Settled(StrEnum):
    """How the asking ended."""

    AGREED = "agreed"
    DECLINED = "declined"
    SILENT = "silent"
    STOPPED = "stopped"  # an opt-out, a death, or the contact's end
