"""May this text go to this contact now? Facts in, a verdict with its reason out. Pure.

Asked twice: when a message is planned (in SQL, the same conditions) and again at the moment it is sent.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from enum import StrEnum

from engage.patients.rules import window
from engage.patients.rules.hours import Hours, Week, common
from engage.patients.rules.loops import NOBODY_ANSWERED, Answered, is_loop
from engage.patients.rules.words import Category, ConsentKind, MaySee, PatientStatus, PhoneKind


class Refusal(StrEnum):
    """Why a text never leaves. Stored on the message for ever; docs/reference/reasons.md says each in plain words."""

    NO_CONSENT = "no_consent"
    CONSENT_REVOKED = "consent_revoked"
    OPTED_OUT = "opted_out"
    DECEASED = "deceased"
    DISCHARGED = "discharged"
    HOSPITALIZED = "hospitalized"
    ON_HOLD = "on_hold"
    CONTACT_ENDED = "contact_ended"
    WRONG_NUMBER = "wrong_number"
    LANDLINE = "landline"
    UNREACHABLE = "unreachable"
    NUMBER_UNVERIFIED = "number_unverified"
    MAY_NOT_SEE = "may_not_see"
    SHARED_PHONE = "shared_phone"
    DAILY_CAP = "daily_cap"
    WEEKLY_CAP = "weekly_cap"
    EXEMPTION_CAP = "exemption_cap"
    EXEMPTION_PURPOSE = "exemption_purpose"
    LOOP_GUARD = "loop_guard"
    NO_COMMON_HOURS = "no_common_hours"
    PATIENT_HOURS = "patient_hours"
    STATE_HOURS = "state_hours"
    TOO_LATE = "too_late"


class Purpose(StrEnum):
    """What kind of text is asked about; the rules are stricter the less it was asked for."""

    UNASKED = "unasked"  # a touchpoint
    INVITATION = "invitation"  # asks whether we may text, or still may: of all that a touchpoint needs, only consent is not asked
    ANSWER = "answer"  # to somebody who has just written
    LAST_WORD = "last_word"  # the one confirmation of an opt-out, help: allowed after an opt-out
    URGENT = "urgent"  # "call 911": a last word that even a loop stops only later


@dataclass(frozen=True, slots=True)
class Reader:
    """What is known of a contact at the moment of asking. Hours are wall time in `zone`, the patient's.

    The counts are those of the phone, over all patients who share it: texts nobody asked for, of every kind.
    """

    status: PatientStatus
    phone_kind: PhoneKind
    has_ended: bool
    consent: ConsentKind | None  # the last word on this category: GRANTED, REVOKED, or never asked
    phone_word: ConsentKind | None  # the last word of the phone itself: OPTED_OUT, OPTED_IN, or nothing
    zone: str
    texts_after: time  # the agency's hours
    texts_until: time
    sent_today: int
    sent_this_week: int
    daily_cap: int
    weekly_cap: int
    own_hours: Hours | None = None  # the patient's own wish
    state_week: Week | None = None  # what the patient's state allows, where it is stricter than the country
    category: Category | None = None
    has_exemption_only: bool = False  # the agency texts under 47 CFR 64.1200(a)(9)(iv), in its strict form
    is_told: bool = False  # this phone has had this touchpoint on this occasion, about another patient
    answered: Answered = NOBODY_ANSWERED
    may_see: MaySee = MaySee.SCORES
    is_stale: bool = (
        False  # the phone has not been heard of for so long that the carrier may have given it to a stranger
    )


@dataclass(frozen=True, slots=True)
class Hold:
    """Not now, but at `until`, for the named reason."""

    until: datetime
    reason: str = "quiet_hours"


_ASK_AGAIN = timedelta(hours=1)
"""So often a text looks whether its phone has been verified meanwhile."""
EXEMPT_A_DAY = 1
EXEMPT_A_WEEK = 3
"""47 CFR 64.1200(a)(9)(iv): one message a day and three a week to a phone, whatever the agency's own caps."""
_EXEMPT = frozenset({Category.VISITS, Category.CHECKINS})
"""The FCC's list (order of 10 July 2015): confirmations and reminders of appointments, wellness checkups, pre-registration,
pre-operative instructions, lab results, follow-up after discharge, prescriptions, home healthcare instructions. Visits and
check-ins are on it; asking for an opinion is not, and neither is anything about money or sales, of which Engage has none.
"""

_STATUS = {
    PatientStatus.DECEASED: Refusal.DECEASED,
    PatientStatus.DISCHARGED: Refusal.DISCHARGED,
    PatientStatus.HOSPITALIZED: Refusal.HOSPITALIZED,
    PatientStatus.ON_HOLD: Refusal.ON_HOLD,
}
_PHONE = {
    PhoneKind.WRONG_NUMBER: Refusal.WRONG_NUMBER,
    PhoneKind.LANDLINE: Refusal.LANDLINE,
    PhoneKind.UNREACHABLE: Refusal.UNREACHABLE,
}


def may_text(reader: Reader, purpose: Purpose, expires_at: datetime, now: datetime) -> Refusal | Hold | None:
    """None when the text may go now; else why not, or until when it must wait (never to or past `expires_at`).

    An answer to somebody who has just written may go at any hour and needs no consent of its own
    (47 CFR 64.1200(a)(12) for the one confirmation of an opt-out); after an opt-out, after a death, and to a phone that is
    a stranger's, only the last word may go: "we will call you to find a time" would wound a widow; a person calls her.
    No answer goes round in circles with a machine at the other end.
    """
    if now >= expires_at:
        return Refusal.TOO_LATE
    if purpose is Purpose.INVITATION:
        asked = replace(reader, consent=ConsentKind.GRANTED, category=Category.VISITS, is_stale=False)
        return may_text(asked, Purpose.UNASKED, expires_at, now)
    if purpose is not Purpose.UNASKED:
        return _unanswerable(reader, purpose)
    return (
        _unwelcome(reader)
        or _unverified(reader, expires_at, now)
        or _too_many(reader)
        or _out_of_hours(reader, expires_at, now)
    )


def _unanswerable(reader: Reader, purpose: Purpose) -> Refusal | None:
    if purpose is Purpose.ANSWER:
        if reader.phone_word is ConsentKind.OPTED_OUT:
            return Refusal.OPTED_OUT
        if reader.status is PatientStatus.DECEASED:
            return Refusal.DECEASED
        if reader.phone_kind in {PhoneKind.WRONG_NUMBER, PhoneKind.LANDLINE}:
            return _PHONE[reader.phone_kind]
    return Refusal.LOOP_GUARD if is_loop(reader.answered, is_urgent=purpose is Purpose.URGENT) else None


def _unwelcome(reader: Reader) -> Refusal | None:
    if reader.phone_word is ConsentKind.OPTED_OUT:
        return Refusal.OPTED_OUT
    if reader.status in _STATUS:
        return _STATUS[reader.status]
    if reader.has_ended:
        return Refusal.CONTACT_ENDED
    if reader.phone_kind in _PHONE:
        return _PHONE[reader.phone_kind]
    if reader.consent is None:
        return Refusal.NO_CONSENT
    return Refusal.CONSENT_REVOKED if reader.consent is ConsentKind.REVOKED else _hidden(reader)


def _hidden(reader: Reader) -> Refusal | None:
    is_hidden = reader.may_see is MaySee.VISITS and reader.category not in {None, Category.VISITS}
    return Refusal.MAY_NOT_SEE if is_hidden else None


def _unverified(reader: Reader, expires_at: datetime, now: datetime) -> Refusal | Hold | None:
    """47 CFR 64.1200(m): numbers are given to others; consent was the former owner's. The text waits for an answer while it is of use."""
    if not reader.is_stale:
        return None
    later = now + _ASK_AGAIN
    return Hold(later, "number_unverified") if later < expires_at else Refusal.NUMBER_UNVERIFIED


def _too_many(reader: Reader) -> Refusal | None:
    if reader.is_told:
        return Refusal.SHARED_PHONE
    if reader.has_exemption_only and reader.category not in _EXEMPT:
        return Refusal.EXEMPTION_PURPOSE
    if reader.sent_today >= reader.daily_cap:
        return Refusal.DAILY_CAP
    if reader.sent_this_week >= reader.weekly_cap:
        return Refusal.WEEKLY_CAP
    if reader.has_exemption_only and (reader.sent_today >= EXEMPT_A_DAY or reader.sent_this_week >= EXEMPT_A_WEEK):
        return Refusal.EXEMPTION_CAP
    return None


def _out_of_hours(reader: Reader, expires_at: datetime, now: datetime) -> Refusal | Hold | None:
    weeks = dict(_weeks(reader))
    if all(window.is_open(now, reader.zone, week) for week in weeks.values()):
        return None
    opens_at = window.next_opening(now, reader.zone, common(weeks.values()))
    if opens_at is None:
        return Refusal.NO_COMMON_HOURS
    latest = max(weeks, key=lambda reason: window.next_opening(now, reader.zone, weeks[reason]) or opens_at)
    return Hold(opens_at, latest) if opens_at < expires_at else _STALE[latest]


_STALE = {
    "quiet_hours": Refusal.TOO_LATE,
    "patient_hours": Refusal.PATIENT_HOURS,
    "state_hours": Refusal.STATE_HOURS,
}
"""What a text dies of that has lost its use before the hours open: the rule whose own hours open last."""


def _weeks(reader: Reader) -> Iterator[tuple[str, Week]]:
    """Everybody's hours under the word for waiting on them; where two open at once the agency's is the one told."""
    yield "quiet_hours", Week.daily(reader.texts_after, reader.texts_until)
    if reader.own_hours is not None:
        yield "patient_hours", Week.daily(reader.own_hours.after, reader.own_hours.until)
    if reader.state_week is not None:
        yield "state_hours", reader.state_week
