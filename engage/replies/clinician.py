"""Handles what a clinician texts: codes that take alerts, STOP and START for pages, and help a few times. One transaction."""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engage.agencies.model import Agency, Branch, Clinician
from engage.alerts.rules.codes import codes_in
from engage.alerts.taking import AlreadyResolved, Taken, TakenByOther, acknowledge, tell_others
from engage.outreach.outbox import Outgoing, queue
from engage.outreach.rules.wording import clock_words
from engage.outreach.rules.words import Kind
from engage.replies.model import Reply
from engage.sms.rules.keywords import is_start, is_stop

MOST_HELP_AN_HOUR = 3
"""A phone that writes nonsense is told how it works this often, then there is silence until a valid code."""

_HELP_GIVEN = text("""
SELECT count(*) FROM messages WHERE agency_id = :agency AND clinician_id = :clinician AND template = 'note-help' AND planned_at > :since
""")


def handle_clinician(session: Session, reply: Reply, now: datetime) -> None:
    """Take alerts, stop or start pages, or explain; every answer is one note a reply."""
    if reply.clinician_id is None:
        raise AssertionError("only a clinician's reply comes here")
    clinician = session.get_one(Clinician, (reply.agency_id, reply.clinician_id))
    codes = codes_in(reply.body)
    if is_stop(reply.body):
        clinician.texts_stopped_at = now
        _note(session, reply, "note-stopped", {}, now)
    elif is_start(reply.body):
        clinician.texts_stopped_at = None
        _note(session, reply, "note-started", {}, now)
    elif not any([_take(session, reply, clinician, code, now) for code in codes]):  # noqa: C419 - every code counts
        _help(session, reply, now)


def _take(session: Session, reply: Reply, clinician: Clinician, code: str, now: datetime) -> bool:
    zone = _zone(session, clinician)
    match acknowledge(session, reply.agency_id, clinician.id, code, now):
        case Taken() as taken:
            _note(session, reply, "note-taken", {"code": code}, now)
            tell_others(session, reply.agency_id, taken, clinician.id, clock_words(now, zone, "en"), now)
        case TakenByOther() as other:
            at = clock_words(other.at, zone, "en")
            _note(session, reply, "note-taken-by-other", {"code": code, "who": other.who, "at": at}, now)
        case AlreadyResolved():
            _note(session, reply, "note-resolved", {"code": code}, now)
        case None:
            return False
    return True


def _help(session: Session, reply: Reply, now: datetime) -> None:
    values = {"agency": reply.agency_id, "clinician": reply.clinician_id, "since": now - timedelta(hours=1)}
    if session.execute(_HELP_GIVEN, values).scalar_one() < MOST_HELP_AN_HOUR:
        _note(session, reply, "note-help", {}, now)


def _note(session: Session, reply: Reply, template: str, params: dict[str, object], now: datetime) -> None:
    note = Outgoing(
        agency_id=reply.agency_id,
        kind=Kind.NOTE,
        template=template,
        clinician_id=reply.clinician_id,
        reply_id=reply.id,
        params=params,
    )
    if queue(session, note, now) is None:  # one reply with two codes gets two notes; only the first is bound to it
        queue(session, replace(note, reply_id=None), now)


def _zone(session: Session, clinician: Clinician) -> str:
    if clinician.branch_id is not None:
        return session.get_one(Branch, (clinician.agency_id, clinician.branch_id)).time_zone
    return session.scalars(select(Agency.time_zone).where(Agency.id == clinician.agency_id)).one()
