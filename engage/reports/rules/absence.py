"""Why a touchpoint has no message for a patient on a day: the facts of that day in, causes in plain words out. Pure.

One function a cause. A cause about the day or the patient holds for every reader; otherwise each reader has causes of
their own. What the rows cannot tell is told as "perhaps".
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from engage.outreach.rules.words import Anchor
from engage.patients.rules.words import ConsentKind, PatientStatus, PhoneKind
from engage.reports.rules import local
from engage.reports.rules.missing import Candidate, Missing, VisitThen
from engage.reports.rules.story import CATEGORIES, consent_words, phone_words, who
from engage.visits.rules.words import VisitAnswer, VisitStatus


class Cause(StrEnum):
    """Why there is no message."""

    AGENCY_OFF = "agency_off"
    TOUCHPOINT_OFF = "touchpoint_off"
    NOT_ACTIVE = "not_active"
    NOT_MONITORED = "not_monitored"
    NOT_IN_CARE = "not_in_care"
    NOT_IN_GROUP = "not_in_group"
    NO_VISIT = "no_visit"
    VISIT_CANCELLED = "visit_cancelled"
    VISIT_DECLINED = "visit_declined"
    NO_COMPLETED_VISIT = "no_completed_visit"
    NO_TIME_LEFT = "no_time_left"
    BEYOND_HORIZON = "beyond_horizon"
    NO_CONTACT = "no_contact"
    CONTACT_ENDED = "contact_ended"
    PHONE_UNFIT = "phone_unfit"
    OPTED_OUT = "opted_out"
    NO_CONSENT = "no_consent"
    CONSENT_REVOKED = "consent_revoked"
    ANOTHER_IS_ASKED = "another_is_asked"
    TOLD_TOGETHER = "told_together"
    NEXT_RUN = "next_run"
    PERHAPS_STATUS = "perhaps_status"
    PERHAPS_VISIT = "perhaps_visit"
    UNEXPLAINED = "unexplained"


@dataclass(frozen=True, slots=True)
class Absence:
    """One cause, and its sentence."""

    cause: Cause
    says: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """Why one touchpoint was not sent: causes for everybody, or else for each reader."""

    missing: Missing
    causes: tuple[Absence, ...]
    readers: tuple[tuple[Candidate, tuple[Absence, ...]], ...]


def why_not(missing: Missing) -> NotSent | None:
    """The causes; None when everybody who could be written to has a message."""
    waiting = tuple(candidate for candidate in missing.candidates if not candidate.has_message)
    if missing.candidates and not waiting:
        return None
    found = _found(cause(missing) for cause in OF_THE_DAY) or _found([beyond_horizon(missing)])
    if found:
        return NotSent(missing, found, ())
    readers = tuple((candidate, _of_reader(missing, candidate)) for candidate in waiting)
    return NotSent(missing, (), readers)


def _of_reader(missing: Missing, reader: Candidate) -> tuple[Absence, ...]:
    found = _found(cause(missing, reader) for cause in OF_THE_READER)
    if found:
        return found
    if missing.expires_at > missing.now:
        return (_next_run(),)
    return _found(cause(missing) for cause in PERHAPS) or (_unexplained(),)


def _found(absences: Iterable[Absence | None]) -> tuple[Absence, ...]:
    return tuple(absence for absence in absences if absence is not None)


# --- of the day, the patient, the touchpoint ----------------------------------------------------------------------------


def agency_off(missing: Missing) -> Absence | None:
    """The agency is switched off."""
    return (
        None if missing.agency_is_active else Absence(Cause.AGENCY_OFF, "The agency is switched off: nothing is sent.")
    )


def touchpoint_off(missing: Missing) -> Absence | None:
    """The agency has switched this touchpoint off."""
    return None if missing.is_active else Absence(Cause.TOUCHPOINT_OFF, "The agency has switched it off.")


def not_active(missing: Missing) -> Absence | None:
    """The patient is not in care at home, since before that moment."""
    patient = missing.patient
    if patient.status is PatientStatus.ACTIVE or patient.status_since > missing.moment:
        return None
    since = local.moment(patient.status_since, missing.zone)
    says = {
        PatientStatus.DISCHARGED: f"{patient.first_name} is discharged since {since}.",
        PatientStatus.HOSPITALIZED: f"{patient.first_name} is in hospital since {since}, as far as we know.",
        PatientStatus.ON_HOLD: f"{patient.first_name}'s care is on hold since {since}.",
        PatientStatus.DECEASED: f"{patient.first_name} has died; we know since {since}.",
    }[patient.status]
    return Absence(Cause.NOT_ACTIVE, says)


def not_monitored(missing: Missing) -> Absence | None:
    """Only monitored patients get it."""
    if not missing.only_monitored or missing.patient.is_monitored:
        return None
    return Absence(Cause.NOT_MONITORED, f"Only monitored patients get it, and {missing.patient.first_name} is not one.")


def not_in_care(missing: Missing) -> Absence | None:
    """No episode of care covers the day."""
    if missing.anchor is not Anchor.EVERY_DAY or missing.patient.is_in_care:
        return None
    ended = missing.patient.care_ended_on
    after = f"; the last one ended {local.day(ended)}" if ended else ""
    return Absence(Cause.NOT_IN_CARE, f"No episode of care covers that day{after}.")


def not_in_group(missing: Missing) -> Absence | None:
    """The touchpoint is for others, for other days of care, or switched off for this patient."""
    left = missing.left_out
    return Absence(Cause.NOT_IN_GROUP, f"{left[:1].upper()}{left[1:]}.") if left else None


def no_visit(missing: Missing) -> Absence | None:
    """There is no visit on the day it is about."""
    if missing.anchor is not Anchor.VISIT_DAY or missing.visits:
        return None
    return Absence(Cause.NO_VISIT, f"There is no visit on {local.day(missing.occasion_on)}.")


def visit_cancelled(missing: Missing) -> Absence | None:
    """Every visit that is left of that day was cancelled."""
    if missing.anchor is not Anchor.VISIT_DAY or not _gone(missing):
        return None
    cancelled = [visit for visit in missing.visits if visit.status is VisitStatus.CANCELLED]
    if not cancelled:
        return None
    last = local.moment(max(visit.changed_at for visit in cancelled), missing.zone)
    return Absence(Cause.VISIT_CANCELLED, f"The visit on {local.day(missing.occasion_on)} is cancelled ({last}).")


def visit_declined(missing: Missing) -> Absence | None:
    """Every visit that is left of that day was declined by the patient."""
    if missing.anchor is not Anchor.VISIT_DAY or not _gone(missing):
        return None
    declined = [visit.answered_at for visit in missing.visits if _is_declined(visit, missing.moment)]
    if not declined:
        return None
    said = f" {local.moment(max(at for at in declined if at), missing.zone)}" if any(declined) else ""
    return Absence(Cause.VISIT_DECLINED, f"It was answered{said} that the visit is not wanted.")


def no_completed_visit(missing: Missing) -> Absence | None:
    """It follows a completed visit, and there was none."""
    if missing.anchor is not Anchor.VISIT_COMPLETED or any(v.status is VisitStatus.COMPLETED for v in missing.visits):
        return None
    states = sorted({str(visit.status) for visit in missing.visits})
    stands = f" The visit of {local.day(missing.occasion_on)} is {' and '.join(states)}." if states else ""
    none = (
        "no visit was completed in time for that day" if missing.moment < missing.now else "none has been completed yet"
    )
    return Absence(Cause.NO_COMPLETED_VISIT, f"It follows a completed visit, and {none}.{stands}")


def no_time_left(missing: Missing) -> Absence | None:
    """The visit begins before it may be sent."""
    if missing.send_at < missing.expires_at:
        return None
    first = min((visit.starts for visit in missing.visits if visit.starts is not None), default=None)
    begins = f": the visit begins at {local.wall(first)}" if first else ""
    return Absence(Cause.NO_TIME_LEFT, f"It could only have come too late to be of use{begins}.")


def beyond_horizon(missing: Missing) -> Absence | None:
    """It is too early to plan it."""
    if missing.send_at <= missing.now + missing.horizon:
        return None
    hours = int(missing.horizon / timedelta(hours=1))
    leave = local.moment(missing.send_at, missing.zone)
    return Absence(Cause.BEYOND_HORIZON, f"Not planned yet: it would leave {leave}, and we plan {hours} hours ahead.")


def no_contact(missing: Missing) -> Absence | None:
    """The patient has no contact with a phone."""
    if missing.candidates:
        return None
    return Absence(
        Cause.NO_CONTACT, f"{missing.patient.first_name} has no phone in Engage, nor has anybody else for them."
    )


def _gone(missing: Missing) -> bool:
    """There were visits, and none of them was to take place and wanted."""
    standing = [
        v for v in missing.visits if v.status is not VisitStatus.CANCELLED and not _is_declined(v, missing.moment)
    ]
    return bool(missing.visits) and not standing


def _is_declined(visit: VisitThen, moment: datetime) -> bool:
    is_unwanted = visit.answer is VisitAnswer.DOES_NOT_WANT_IT
    return is_unwanted and (visit.answered_at is None or visit.answered_at <= moment)


OF_THE_DAY: tuple[Callable[[Missing], Absence | None], ...] = (
    agency_off, touchpoint_off, not_active, not_monitored, not_in_care, not_in_group, no_visit, visit_cancelled, visit_declined,
    no_completed_visit, no_time_left, no_contact,
)  # fmt: skip


# --- of one reader ------------------------------------------------------------------------------------------------------


def contact_ended(missing: Missing, reader: Candidate) -> Absence | None:
    """The EMR has given the patient another phone, or somebody has ended the contact."""
    if reader.ended_at is None or reader.ended_at > missing.moment:
        return None
    return Absence(
        Cause.CONTACT_ENDED, f"This phone is not theirs any more since {local.moment(reader.ended_at, missing.zone)}."
    )


def phone_unfit(missing: Missing, reader: Candidate) -> Absence | None:
    """Texts do not reach this phone, or it is a stranger's."""
    says = {
        PhoneKind.LANDLINE: "The phone is a landline: call instead.",
        PhoneKind.UNREACHABLE: "The number is out of service.",
        PhoneKind.WRONG_NUMBER: "Somebody wrote that this is not the patient's phone.",
    }.get(reader.phone_kind)
    return Absence(Cause.PHONE_UNFIT, says) if says else None


def opted_out(missing: Missing, reader: Candidate) -> Absence | None:
    """The phone had said STOP."""
    word = reader.phone_word
    if word is None or word.kind is not ConsentKind.OPTED_OUT:
        return None
    return Absence(Cause.OPTED_OUT, f"The phone is opted out. {phone_words(word, missing.zone)}")


def no_consent(missing: Missing, reader: Candidate) -> Absence | None:
    """No consent for its category had been recorded."""
    if reader.consent is not None:
        return None
    about, later = CATEGORIES[missing.category], reader.granted_later_at
    if later is None:
        return Absence(Cause.NO_CONSENT, f"No consent for {about} is recorded.")
    recorded = local.moment(later, missing.zone)
    return Absence(Cause.NO_CONSENT, f"No consent for {about} was recorded by then, only {recorded}.")


def consent_revoked(missing: Missing, reader: Candidate) -> Absence | None:
    """The consent had been taken back."""
    if reader.consent is None or reader.consent.kind is not ConsentKind.REVOKED:
        return None
    return Absence(
        Cause.CONSENT_REVOKED, f"The consent: {consent_words(reader.consent, missing.category, missing.zone)}"
    )


def another_is_asked(missing: Missing, reader: Candidate) -> Absence | None:
    """Check-ins and surveys go to one person a patient: the patient before the family, then who was recorded first."""
    if missing.anchor is Anchor.VISIT_DAY or not _is_fit(missing, reader):
        return None
    fit = [candidate for candidate in missing.candidates if _is_fit(missing, candidate) or candidate.has_message]
    first = min(fit, key=lambda candidate: (candidate.whom.role != "patient", candidate.contact_id))
    if first.contact_id == reader.contact_id:
        return None
    return Absence(
        Cause.ANOTHER_IS_ASKED, f"{CATEGORIES[missing.category].capitalize()} go to one person: {who(first.whom)}."
    )


def told_together(missing: Missing, reader: Candidate) -> Absence | None:
    """Another patient's contact has the same phone, and one text is told to both."""
    if reader.told_with is None:
        return None
    return Absence(
        Cause.TOLD_TOGETHER,
        f"Told together with {reader.told_with}: the phone is shared, and gets one text an occasion.",
    )


def _is_fit(missing: Missing, reader: Candidate) -> bool:
    return all(cause(missing, reader) is None for cause in UNFIT)


UNFIT: tuple[Callable[[Missing, Candidate], Absence | None], ...] = (
    contact_ended, phone_unfit, opted_out, no_consent, consent_revoked,
)  # fmt: skip
OF_THE_READER = (*UNFIT, another_is_asked, told_together)


# --- what the rows cannot tell ------------------------------------------------------------------------------------------


def perhaps_status(missing: Missing) -> Absence | None:
    """The status changed after that moment, and what it was before is not kept."""
    patient = missing.patient
    if patient.status_since <= missing.moment:
        return None
    since = local.moment(patient.status_since, missing.zone)
    status = str(patient.status).replace("_", " ")
    says = f"Perhaps the status forbade it: {patient.first_name} is {status} only since {since}, and what it was before is not kept."
    return Absence(Cause.PERHAPS_STATUS, says)


def perhaps_visit(missing: Missing) -> Absence | None:
    """The visit was entered or changed after that moment."""
    late = [visit.changed_at for visit in missing.visits if visit.changed_at > missing.send_at]
    if not late or len(late) < len(missing.visits):
        return None
    changed = local.moment(min(late), missing.zone)
    says = f"Perhaps the visit was not known in time: it was entered or last changed {changed}."
    return Absence(Cause.PERHAPS_VISIT, says)


PERHAPS: tuple[Callable[[Missing], Absence | None], ...] = (perhaps_status, perhaps_visit)


def _next_run() -> Absence:
    says = "Nothing speaks against it: the planner's next run plans it (engage doctor tells whether it runs)."
    return Absence(Cause.NEXT_RUN, says)


def _unexplained() -> Absence:
    says = "No row tells why. Perhaps no worker planned at the time, or a fact was recorded too late (engage doctor)."
    return Absence(Cause.UNEXPLAINED, says)
