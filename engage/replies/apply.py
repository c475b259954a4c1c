"""Does what was decided about a reply, in the transaction that holds it: actions in, rows out. It decides nothing."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from engage.alerts.opening import Reason, open_alert
from engage.alerts.rules.words import AlertKind
from engage.outreach.outbox import Outgoing, queue
from engage.outreach.rules.words import Asks
from engage.patients.model import Contact, Patient
from engage.patients.rules.window import local_day
from engage.patients.rules.words import MaySee, PatientStatus, PhoneKind
from engage.replies.asked import Found, Member
from engage.replies.by_hand import tell_writer
from engage.replies.following import ask_what_follows
from engage.replies.interpret import Meaning
from engage.replies.model import Reply
from engage.replies.pending import ask_meaning, ask_whose, settle
from engage.replies.readings import keep_reading
from engage.replies.rules import Intent
from engage.replies.rules.decide import (
    Action,
    Answer,
    AnswerVisits,
    AskMeaning,
    AskWhose,
    Died,
    Hospitalized,
    OpenAlert,
    OptIn,
    OptOut,
    StoreScore,
    TellWriter,
    WrongNumber,
    for_eyes,
    one_answer,
)
from engage.replies.scores import store_score, tell_others_of_name
from engage.visits.model import Visit
from engage.visits.rules.words import VisitAnswer, VisitStatus

# The exact words STOP and START were noted on arrival (inbox); whatever else means the same is noted here, once a reply.
_OPT = text("""
INSERT INTO consent_events (agency_id, phone_hash, kind, source, reply_id, said_at, recorded_at)
VALUES (:agency, :hash, :kind, 'text', :reply, :said, :now)
ON CONFLICT (agency_id, reply_id) WHERE reply_id IS NOT NULL AND contact_id IS NULL DO NOTHING
""")
# The same words for the text before, of the same minute, have said it already.
_SAID = text("""
SELECT EXISTS (SELECT FROM messages WHERE agency_id = :agency AND reply_id = ANY(:before) AND template = :template AND params = CAST(:params AS jsonb))
""")

_TEXTLESS = {PhoneKind.LANDLINE, PhoneKind.UNREACHABLE}
_ONE_IS_ENOUGH = {
    AlertKind.QUESTION,
    AlertKind.CALLBACK,
    AlertKind.COMPLAINT,
    AlertKind.UNREADABLE,
    AlertKind.LOW_SURVEY,
}
"""Where nobody said which patient is meant, one alert is enough for these. Of anything worse each patient's own nurse hears."""


@dataclass(frozen=True, slots=True)
class Done:
    """One thing a reply means, and what was decided about it."""

    meaning: Meaning
    actions: tuple[Action, ...]


def apply(
    session: Session, reply: Reply, done: Sequence[Done], found: Found, before: Sequence[int], now: datetime
) -> list[str]:
    """Carry out every action, answer once, and store the reading with its evidence and outcome; returns the intents.

    `before` are the replies of the minute before.
    """
    contact = session.get_one(Contact, (reply.agency_id, reply.contact_id))
    if reply.message_id is None and contact.phone_kind in _TEXTLESS:
        contact.phone_kind = PhoneKind.MOBILE  # whatever Twilio said of it: it texts
    for one in done:
        for action in one.actions:
            _do(session, action, reply, one, found, now)
    _settle(session, reply, [one.meaning for one in done], now)
    answer = one_answer([action for one in done for action in one.actions if isinstance(action, Answer)])
    answer = for_eyes(answer, MaySee(contact.may_see)) if answer is not None else None
    if answer is not None and reply.message_id is None:  # whoever pressed a key has been answered in the call
        _queue_answer(session, answer, reply, contact, done, before, now)
    readings = [one.meaning.reading for one in done]
    question = next((one.meaning.question for one in done if one.meaning.question is not None), None)
    outcome = {
        "actions": [type(action).__name__ for one in done for action in one.actions],
        "patients": sorted({member.patient_id for one in done for member in one.meaning.members}),
    }
    asked = question.message_id if question else None
    return keep_reading(session, reply, readings, asked, outcome, before, now)


def _settle(session: Session, reply: Reply, meanings: Sequence[Meaning], now: datetime) -> None:
    """A score that waited for its name has it: so say the alerts that it opened for the others on the phone."""
    naming = [meaning for meaning in meanings if meaning.pending or meaning.settles]
    named = next((meaning.pending or meaning.settles for meaning in naming), None)
    settle(session, reply, named, now)
    if named is not None:
        members = [member for meaning in naming for member in meaning.members]
        tell_others_of_name(session, reply.agency_id, named.reply_id, members, reply.id, now)


def _do(session: Session, action: Action, reply: Reply, done: Done, found: Found, now: datetime) -> None:
    meaning = done.meaning
    question, members = meaning.question, meaning.members
    match action:
        case StoreScore() if question is not None:
            is_low = any(isinstance(a, OpenAlert) and a.kind is AlertKind.LOW_SCORE for a in done.actions)
            for member in members:
                store_score(session, reply, meaning, member, action, is_low=is_low, now=now)
                if Intent.URGENT not in meaning.reading.intents and not found.by_hand:
                    ask_what_follows(session, reply, question.message_id, member, action.value, now)
        case AskWhose() if question is not None:
            ask_whose(session, reply, question, action.scale, action.value, now)
        case AskMeaning() if question is not None:
            ask_meaning(session, reply, question, is_waiting=action.is_waiting, now=now)
        case AnswerVisits() if meaning.is_named or (question is not None and question.asks is Asks.CONFIRM):
            # of one of several patients, unasked, nobody knows whose visit it is: the alerts ask
            for member in members:
                _answer_visits(session, action.answer, reply, member, meaning, now)
        case OpenAlert():
            _open_alerts(session, action, reply, meaning, now)
        case TellWriter():
            tell_writer(session, reply, members[0], found.writer, now)
        case OptOut() | OptIn():
            kind = "opted_out" if isinstance(action, OptOut) else "opted_in"
            names = {"agency": reply.agency_id, "hash": reply.phone_hash, "kind": kind, "reply": reply.id}
            session.execute(_OPT, {**names, "said": reply.received_at, "now": now})
        case WrongNumber():
            session.execute(
                update(Contact)
                .where(Contact.agency_id == reply.agency_id, Contact.phone_hash == reply.phone_hash)
                .values(phone_kind=PhoneKind.WRONG_NUMBER)
            )
        case Died() | Hospitalized():
            _change_status(session, action, reply, meaning, now)


def _open_alerts(session: Session, action: OpenAlert, reply: Reply, meaning: Meaning, now: datetime) -> None:
    """For each patient it may be about; where that is not known, each alert says that it is one of several."""
    members, detail = meaning.members, dict(action.detail)
    if not meaning.is_named:
        detail["one_of"] = [member.patient_id for member in members]
        members = members[:1] if action.kind in _ONE_IS_ENOUGH else members
    for member in members:
        reason = Reason(action.kind, reply.agency_id, member.patient_id, member.contact_id, reply.id, detail=detail)
        open_alert(session, reason, now)


def _answer_visits(
    session: Session, answer: VisitAnswer, reply: Reply, member: Member, meaning: Meaning, now: datetime
) -> None:
    question = meaning.question
    day = question.visit_day if question is not None else None
    day = day or _next_visit_day(session, reply, member)
    if day is None:
        return
    session.execute(
        update(Visit)
        .where(
            Visit.agency_id == reply.agency_id,
            Visit.patient_id == member.patient_id,
            Visit.starts_on == day,
            Visit.status == VisitStatus.SCHEDULED,
        )
        .values(answer=answer, answered_at=now, wanted=None if answer is VisitAnswer.CONFIRMED else reply.body)
        .execution_options(synchronize_session=False)
    )


def _next_visit_day(session: Session, reply: Reply, member: Member) -> date | None:
    patient = session.get_one(Patient, (reply.agency_id, member.patient_id))
    return session.scalar(
        select(Visit.starts_on)
        .where(
            Visit.agency_id == reply.agency_id,
            Visit.patient_id == patient.id,
            Visit.status == VisitStatus.SCHEDULED,
            Visit.starts_on >= local_day(reply.received_at, patient.time_zone),
        )
        .order_by(Visit.starts_on)
        .limit(1)
    )


def _queue_answer(
    session: Session,
    action: Answer,
    reply: Reply,
    contact: Contact,
    done: Sequence[Done],
    before: Sequence[int],
    now: datetime,
) -> None:
    values = {"agency": reply.agency_id, "before": list(before), "template": action.template}
    if (
        before
        and action.template != "answer-urgent"
        and session.scalar(_SAID, {**values, "params": json.dumps(dict(action.params))})
    ):
        return
    first, *others = dict.fromkeys(member.patient_id for one in done for member in one.meaning.members)
    names_several = action.template.startswith("answer-which")
    answer = Outgoing(
        agency_id=reply.agency_id,
        kind=action.kind,
        template=action.template,
        contact_id=contact.id,
        patient_id=first if names_several else contact.patient_id,
        reply_id=reply.id,
        params=action.params,
        also_for=tuple(others) if names_several else (),
    )
    queue(session, answer, now)


def _change_status(
    session: Session, action: Died | Hospitalized, reply: Reply, meaning: Meaning, now: datetime
) -> None:
    """Where nobody said which patient died, all on the phone are on hold: no text may reach that home before a person has."""
    if not meaning.is_named and isinstance(action, Hospitalized):
        return  # the other one still needs check-ins; the alerts ask who it is
    for member in meaning.members:
        patient = session.get_one(Patient, (reply.agency_id, member.patient_id))
        if patient.status == PatientStatus.DECEASED:
            continue
        patient.status_since = now
        if not meaning.is_named:
            patient.status = PatientStatus.ON_HOLD
        elif isinstance(action, Died):
            patient.status, patient.died_on = PatientStatus.DECEASED, local_day(reply.received_at, patient.time_zone)
        else:
            patient.status = PatientStatus.HOSPITALIZED
