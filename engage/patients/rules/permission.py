"""May this text go to this contact now? Facts in, a verdict with its reason out. Pure.

Asked twice: when a message is planned (in SQL, the same conditions) and again at the moment it is sent.
"""

from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum

from engage.patients.rules import window
from engage.patients.rules.words import ConsentKind, PatientStatus, PhoneKind


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
    DAILY_CAP = "daily_cap"
    WEEKLY_CAP = "weekly_cap"
    TOO_LATE = "too_late"


class Purpose(StrEnum):
    """What kind of text is asked about; the rules are stricter the less it was asked for."""

    UNASKED = "unasked"  # a touchpoint
    ANSWER = "answer"  # to somebody who has just written
    LAST_WORD = "last_word"  # the one confirmation of an opt-out, help, "call 911": allowed after an opt-out


@dataclass(frozen=True, slots=True)
class Reader:
    """What is known of a contact at the moment of asking. Hours are wall time in `zone`."""

    status: PatientStatus
    phone_kind: PhoneKind
    has_ended: bool
    consent: ConsentKind | None  # the last word on this category: GRANTED, REVOKED, or never asked
    phone_word: ConsentKind | None  # the last word of the phone itself: OPTED_OUT, OPTED_IN, or nothing
    zone: str
    texts_after: time
    texts_until: time
    sent_today: int
    sent_this_week: int
    daily_cap: int
    weekly_cap: int


@dataclass(frozen=True, slots=True)
class Hold:
    """Not now, but at `until`, for the named reason."""

    until: datetime
    reason: str = "quiet_hours"


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
    """
    if now >= expires_at:
        return Refusal.TOO_LATE
    if purpose is Purpose.LAST_WORD:
        return None
    if reader.phone_word is ConsentKind.OPTED_OUT:
        return Refusal.OPTED_OUT
    if purpose is Purpose.ANSWER:
        unanswerable = reader.phone_kind in {PhoneKind.WRONG_NUMBER, PhoneKind.LANDLINE}
        if reader.status is PatientStatus.DECEASED:
            return Refusal.DECEASED
        return _PHONE[reader.phone_kind] if unanswerable else None
    return _unwelcome(reader) or _over_cap(reader) or _out_of_hours(reader, expires_at, now)


def _unwelcome(reader: Reader) -> Refusal | None:
    if reader.status in _STATUS:
        return _STATUS[reader.status]
    if reader.has_ended:
        return Refusal.CONTACT_ENDED
    if reader.phone_kind in _PHONE:
        return _PHONE[reader.phone_kind]
    if reader.consent is None:
        return Refusal.NO_CONSENT
    return Refusal.CONSENT_REVOKED if reader.consent is ConsentKind.REVOKED else None


def _over_cap(reader: Reader) -> Refusal | None:
    if reader.sent_today >= reader.daily_cap:
        return Refusal.DAILY_CAP
    return Refusal.WEEKLY_CAP if reader.sent_this_week >= reader.weekly_cap else None


def _out_of_hours(reader: Reader, expires_at: datetime, now: datetime) -> Refusal | Hold | None:
    opens_at = window.next_opening(now, reader.zone, reader.texts_after, reader.texts_until)
    if opens_at <= now:
        return None
    return Hold(opens_at) if opens_at < expires_at else Refusal.TOO_LATE
