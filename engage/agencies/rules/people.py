"""The words for an agency's people. Pure."""

from enum import StrEnum


class Role(StrEnum):
    """What a clinician or office person does about an alert."""

    NURSE = "nurse"
    THERAPIST = "therapist"
    AIDE = "aide"
    SCHEDULER = "scheduler"
    SUPERVISOR = "supervisor"


class AccountRole(StrEnum):
    """What an account may do in Engage."""

    NURSE = "nurse"
    SCHEDULER = "scheduler"
    MANAGER = "manager"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


class Purpose(StrEnum):
    """What a sender's number is for; pages never queue behind patients' texts."""

    PATIENTS = "patients"
    PAGES = "pages"


class Line(StrEnum):
    """The line of care an agency or an episode belongs to."""

    HOME_HEALTH = "home_health"
    HOSPICE = "hospice"
