"""What becomes of a claimed message at the moment it should leave: facts in; a text, a wait or an end out. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from html import escape
from itertools import chain

from engage.outreach.rules import wording
from engage.outreach.rules.calling import MOST_SPOKEN, as_called
from engage.outreach.rules.paging import Limit, Pager, held_until, is_quiet
from engage.outreach.rules.wording import PlannedVisit
from engage.outreach.rules.words import Channel, Kind
from engage.patients.rules.loops import NOBODY_ANSWERED, Answered, is_loop
from engage.patients.rules.permission import Hold, Purpose, Reader, Refusal, may_text
from engage.patients.rules.window import local_day
from engage.sms.rules.phones import display
from engage.sms.rules.segments import MOST_CHARACTERS, count


class Drop(StrEnum):
    """Why a message ends unsent for a reason that lies with us or with the facts, not with the reader."""

    VISIT_CHANGED = "visit_changed"
    NO_SENDER = "no_sender"
    NO_WORDING = "no_wording"
    CLINICIAN_LEFT = "clinician_left"
    CLINICIAN_STOPPED = "clinician_stopped"
    NO_PHONE = "no_phone"
    ALERT_TAKEN = "alert_taken"
    PERSON_QUIET = "person_quiet"
    NO_MAIL = "no_mail"
    NO_ADDRESS = "no_address"
    COULD_NOT_DECIDE = "could_not_decide"
    SENDER_BUSY = "sender_busy"
    EXEMPTION_LENGTH = "exemption_length"


@dataclass(frozen=True, slots=True)
class Clinician:
    """What is known of a clinician who is to be texted."""

    has_left: bool
    has_stopped_texts: bool
    answered: Answered = NOBODY_ANSWERED


@dataclass(frozen=True, slots=True)
class Companion:
    """Another patient on the same phone who would have had this text too, with the visits of its occasion."""

    first_name: str
    visits: tuple[PlannedVisit, ...] = ()
    patient_id: int | None = None


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone without its number: enough to tell whether two messages go to the same one."""

    agency_id: int
    phone_hash: bytes


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a touchpoint is about that all patients on a phone have in common: the touchpoint, and the day."""

    touchpoint_id: int
    key: str


@dataclass(frozen=True, slots=True)
class Draft:
    """One claimed message with every fact that its sending depends on. `visits` are those of its occasion.

    `occasion` is there for touchpoints that a phone gets once for all its patients; `companions` are the others of these.
    `may_call` is whether the agency lets reminders be spoken to landlines. `words` are written by hand and go as they are;
    `has_written` is whether the reader has texted us lately, so that they answer. `pager` is there for pages.
    """

    kind: Kind
    template: str
    wording: str | None
    language: str
    reader: Reader | None
    clinician: Clinician | None
    to: str | None
    has_sender: bool
    agency: str
    office_phone: str
    patient: str
    zone: str
    params: Mapping[str, object]
    occasion_on: date | None
    visits: tuple[PlannedVisit, ...]
    visited_on: date | None
    expires_at: datetime
    phone: Phone | None = None
    occasion: Occasion | None = None
    companions: tuple[Companion, ...] = ()
    channel: Channel = Channel.SMS
    may_call: bool = False
    words: str | None = None
    has_written: bool = False
    pager: Pager | None = None
    page_limits: tuple[Limit, ...] = ()
    agency_name: str = ""


@dataclass(frozen=True, slots=True)
class Ready:
    """A text that may leave now, or the words of a call, which have no segments."""

    body: str
    segments: int


# An opt-out is confirmed once, and help is given, even to a phone that has opted out (CTIA; 47 CFR 64.1200(a)(12)). So is
# "call 911" to somebody who writes "stop, I cannot breathe": emergencies need no consent (64.1200(a)(1), (f)(4)).
_LAST_WORDS = frozenset({"answer-opt-out", "answer-help", "answer-wrong-number", "answer-condolence"})
_URGENT = "answer-urgent"
_EXEMPT_SEGMENTS = 1
"""47 CFR 64.1200(a)(9)(iv) wants at most 160 characters. We hold to one segment, which is no longer than that: what takes two
may be charged, and may come, as two messages, and only one a day is allowed.
"""


def decide(draft: Draft, now: datetime) -> Ready | Hold | Refusal | Drop:
    """The text of `draft`, or why it does not leave now."""
    return _obstacle(draft, now) or (_by_hand(draft) if _is_as_it_stands(draft) else _written(draft, now))


def _is_as_it_stands(draft: Draft) -> bool:
    """Whether its words were there from the start: somebody wrote them, or tries a wording on their own phone."""
    return draft.kind is Kind.HAND or draft.words is not None


def _obstacle(draft: Draft, now: datetime) -> Hold | Refusal | Drop | None:
    if draft.clinician is not None:
        return _clinician_obstacle(draft, draft.clinician, now)
    if draft.reader is None or draft.to is None:
        return Drop.NO_PHONE
    reader = draft.reader if draft.channel is Channel.SMS else as_called(draft.reader, draft.may_call)
    verdict = may_text(reader, _purpose(draft), draft.expires_at, now)
    if verdict is None and draft.occasion_on is not None and not draft.visits:
        return Drop.VISIT_CHANGED
    return verdict


def _clinician_obstacle(draft: Draft, clinician: Clinician, now: datetime) -> Hold | Refusal | Drop | None:
    if now >= draft.expires_at:
        return Refusal.TOO_LATE
    if draft.to is None:
        return Drop.NO_ADDRESS if draft.channel is Channel.EMAIL else Drop.NO_PHONE
    if clinician.has_left:
        return Drop.CLINICIAN_LEFT
    if draft.kind is Kind.PAGE:
        return _page_obstacle(draft, clinician, now)
    if draft.words is not None and clinician.has_stopped_texts:  # nobody wrote to us: it is no answer
        return Drop.CLINICIAN_STOPPED
    return Refusal.LOOP_GUARD if is_loop(clinician.answered, is_urgent=False) else None


def _page_obstacle(draft: Draft, clinician: Clinician, now: datetime) -> Hold | Drop | None:
    if draft.pager is None or not draft.pager.codes:
        return Drop.ALERT_TAKEN
    if clinician.has_stopped_texts and draft.channel is Channel.SMS:
        return Drop.CLINICIAN_STOPPED
    if is_quiet(draft.pager, now):
        return Drop.PERSON_QUIET
    until = held_until(draft.pager, draft.page_limits, now)
    return None if until is None else Hold(min(until, draft.expires_at), "page_pace")


def _purpose(draft: Draft) -> Purpose:
    if draft.template == _URGENT:
        return Purpose.URGENT
    if draft.template in _LAST_WORDS:
        return Purpose.LAST_WORD
    if draft.kind is Kind.ENROLMENT:
        return Purpose.INVITATION
    is_unasked = draft.kind is Kind.TOUCHPOINT or (draft.kind is Kind.HAND and not draft.has_written)
    return Purpose.UNASKED if is_unasked else Purpose.ANSWER


def _by_hand(draft: Draft) -> Ready | Drop:
    if not draft.has_sender:
        return Drop.NO_SENDER
    words = draft.words or ""
    return Ready(words, count(words).segments) if 0 < len(words) <= MOST_CHARACTERS else Drop.NO_WORDING


def _written(draft: Draft, now: datetime) -> Ready | Drop:
    if not draft.has_sender:
        return Drop.NO_MAIL if draft.channel is Channel.EMAIL else Drop.NO_SENDER
    if draft.wording is None:
        return Drop.NO_WORDING
    everybody = _names(draft)
    values: dict[str, object] = {
        "agency": draft.agency,
        "agency_name": draft.agency_name or draft.agency,
        "phone": display(draft.office_phone),
        "patient": wording.joined(everybody, draft.language),
        "either": wording.either(everybody, draft.language),
        "name": everybody[0],
        **draft.params,
    }
    if draft.occasion_on is not None:
        visits = tuple(chain(draft.visits, *(companion.visits for companion in draft.companions)))
        values |= wording.visit_values(visits, draft.occasion_on, draft.language)
    if draft.visited_on is not None:
        values["when"] = wording.visit_when(draft.visited_on, local_day(now, draft.zone), draft.language)
    try:
        body = wording.render(draft.wording, values)
    except Exception:  # noqa: BLE001 - an agency's template can fail in any way ({{ phone / 2 }}): only its own text is lost
        return Drop.NO_WORDING
    return _fitting(draft, body)


def _fitting(draft: Draft, body: str) -> Ready | Drop:
    """What every channel bears: a call is said twice within Twilio's limit, a text has segments, a mail has room."""
    size = len(escape(body)) if draft.channel is Channel.VOICE else len(body)
    most = {Channel.VOICE: MOST_SPOKEN, Channel.SMS: MOST_CHARACTERS}.get(draft.channel)
    if size == 0 or (most is not None and size > most):
        return Drop.NO_WORDING
    if draft.channel is not Channel.SMS:
        return Ready(body, 0)
    segments = count(body).segments
    return Drop.EXEMPTION_LENGTH if _is_exempt(draft) and segments > _EXEMPT_SEGMENTS else Ready(body, segments)


def _names(draft: Draft) -> list[str]:
    """Everybody whom the text is about, as they are called: Rose, Al."""
    return [wording.called(name) for name in (draft.patient, *(each.first_name for each in draft.companions))]


def _is_exempt(draft: Draft) -> bool:
    return draft.kind is Kind.TOUCHPOINT and draft.reader is not None and draft.reader.has_exemption_only
