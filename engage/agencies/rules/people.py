"""The words for an agency's people. Pure."""

from datetime import date
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


class Duty(StrEnum):
    """What somebody does on a shift."""

    ON_CALL = "on_call"
    VISITING = "visiting"  # at work with patients, so their own alerts may go to them
    FALLBACK = "fallback"  # stands in when nobody on call can be paged


class ShiftChangeKind(StrEnum):
    """What a change does to the rota for a span of time."""

    ADD = "add"
    REMOVE = "remove"
    REPLACE = "replace"


class Unreachable(StrEnum):
    """Why somebody cannot be paged."""

    NO_PHONE = "has no phone"
    STOPPED = "has stopped our texts"
    LEFT = "has left"


def why_unreachable(has_phone: bool, has_stopped: bool, left_on: date | None, today: date) -> Unreachable | None:
    """Why somebody cannot be paged on `today`; None if they can. `left_on` is the first day on which they are gone."""
    if left_on is not None and left_on <= today:
        return Unreachable.LEFT
    if not has_phone:
        return Unreachable.NO_PHONE
    return Unreachable.STOPPED if has_stopped else None


class Line(StrEnum):
    """The line of care an agency or an episode belongs to."""

    HOME_HEALTH = "home_health"
    HOSPICE = "hospice"
