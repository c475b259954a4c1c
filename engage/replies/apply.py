"""Does what was decided about a reply, in the transaction that holds it: actions in, rows out. It decides nothing."""

import json
from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from engage.alerts.opening import Reason, open_alert
from engage.outreach.outbox import Outgoing, queue
from engage.patients.model import Contact, Patient
from engage.patients.rules.window import local_day
from engage.patients.rules.words import PatientStatus, PhoneKind
from engage.replies.asked import Question
from engage.replies.model import ReadingRow, Reply, Score
from engage.replies.rules import Reading
from engage.replies.rules.decide import (
    Action,
    Answer,
    AnswerVisits,
    Died,
    Hospitalized,
    OpenAlert,
    OptIn,
    OptOut,
    StoreScore,
    WrongNumber,
)
from engage.visits.model import Visit
from engage.visits.rules.words import VisitAnswer, VisitStatus

# The exact words STOP and START were noted on arrival (inbox); whatever else means the same is noted here, once a reply.
_OPT = text("""
INSERT INTO consent_events (agency_id, phone_hash, kind, source, reply_id, said_at, recorded_at)
VALUES (:agency, :hash, :kind, 'text', :reply, :said, :now)
ON CONFLICT (agency_id, reply_id) WHERE reply_id IS NOT NULL AND contact_id IS NULL DO NOTHING
""")

_TEXTLESS = {PhoneKind.LANDLINE, PhoneKind.UNREACHABLE}


def apply(
    session: Session,
    reply: Reply,
    reading: Reading,
    question: Question | None,
    actions: Sequence[Action],
    now: datetime,
) -> None:
    """Carry out `actions` for `reply` and store the reading with its evidence and outcome."""
    contact = session.get(Contact, (reply.agency_id, reply.contact_id)) if reply.contact_id is not None else None
    if contact is not None and reply.message_id is None and contact.phone_kind in _TEXTLESS:
        contact.phone_kind = PhoneKind.MOBILE  # whatever Twilio said of it: it texts
    for action in actions:
        if contact is not None:
            _do(session, action, reply, contact, question, now)
    session.add(
        ReadingRow(
            agency_id=reply.agency_id,
            reply_id=reply.id,
            asked_message_id=question.message_id if question else None,
            rule_version=reading.rule_version,
            intents=[str(intent) for intent in reading.intents],
            score=reading.score,
            confidence=reading.confidence,
            needs_person=reading.needs_person,
            evidence=_evidence(reading),
            outcome={"actions": [type(action).__name__ for action in actions]},
            read_at=now,
        )
    )
    reply.state = "needs_person" if reading.needs_person else "handled"
    reply.handled_at = now


def _do(
    session: Session, action: Action, reply: Reply, contact: Contact, question: Question | None, now: datetime
) -> None:
    match action:
        case StoreScore() if question is not None:
            _store_score(session, action, reply, contact, question)
        case AnswerVisits():
            _answer_visits(session, action.answer, reply, contact, question, now)
        case OpenAlert():
            open_alert(session, Reason(action.kind, reply.agency_id, contact.patient_id, contact.id, reply.id), now)
        case Answer() if reply.message_id is None:  # whoever pressed a key has been answered in the call
            _queue_answer(session, action, reply, contact, now)
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
            _change_status(session, action, reply, contact, now)


def _store_score(session: Session, action: StoreScore, reply: Reply, contact: Contact, question: Question) -> None:
    session.add(
        Score(
            agency_id=reply.agency_id,
            patient_id=contact.patient_id,
            reply_id=reply.id,
            message_id=question.message_id,
            scale=action.scale,
            value=action.value,
            given_at=reply.received_at,
        )
    )


def _answer_visits(
    session: Session, answer: VisitAnswer, reply: Reply, contact: Contact, question: Question | None, now: datetime
) -> None:
    day = question.visit_day if question is not None else None
    day = day or _next_visit_day(session, reply, contact)
    if day is None:
        return
    session.execute(
        update(Visit)
        .where(
            Visit.agency_id == reply.agency_id,
            Visit.patient_id == contact.patient_id,
            Visit.starts_on == day,
            Visit.status == VisitStatus.SCHEDULED,
        )
        .values(answer=answer, answered_at=now, wanted=None if answer is VisitAnswer.CONFIRMED else reply.body)
        .execution_options(synchronize_session=False)
    )


def _next_visit_day(session: Session, reply: Reply, contact: Contact) -> date | None:
    patient = session.get_one(Patient, (reply.agency_id, contact.patient_id))
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


def _queue_answer(session: Session, action: Answer, reply: Reply, contact: Contact, now: datetime) -> None:
    answer = Outgoing(
        agency_id=reply.agency_id,
        kind=action.kind,
        template=action.template,
        contact_id=contact.id,
        patient_id=contact.patient_id,
        reply_id=reply.id,
        params=action.params,
    )
    queue(session, answer, now)


def _change_status(
    session: Session, action: Died | Hospitalized, reply: Reply, contact: Contact, now: datetime
) -> None:
    patient = session.get_one(Patient, (reply.agency_id, contact.patient_id))
    if patient.status == PatientStatus.DECEASED:
        return
    patient.status_since = now
    if isinstance(action, Died):
        patient.status, patient.died_on = PatientStatus.DECEASED, local_day(reply.received_at, patient.time_zone)
    else:
        patient.status = PatientStatus.HOSPITALIZED


def _evidence(reading: Reading) -> str:
    items = [
        {"intent": e.intent, "words": e.words, "start": e.start, "end": e.end, "rule": e.rule} for e in reading.evidence
    ]
    times = [
        {
            "on": t.on and t.on.isoformat(),
            "earliest": t.earliest and f"{t.earliest:%H:%M}",
            "latest": t.latest and f"{t.latest:%H:%M}",
        }
        for t in reading.times
    ]
    return json.dumps({"evidence": items, "times": times}, ensure_ascii=False)
