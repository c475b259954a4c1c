"""Handles what a clinician texts: codes that take, pass on or close alerts, STOP and START for pages, help a few times.

One transaction a reply; nothing is sent here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engage.agencies.model import Agency, Branch, Clinician
from engage.alerts.closing import TRY_AFTER, Done, resolve, try_again
from engage.alerts.opening import Reason, open_alert
from engage.alerts.rules.orders import Order, Verb, again_at, read_order
from engage.alerts.rules.words import AlertKind, Outcome
from engage.alerts.taking import (
    AlreadyResolved,
    Answer,
    PassedOn,
    Taken,
    TakenByOther,
    TakenWith,
    acknowledge,
    codes_of,
    pass_on,
    tell_others,
)
from engage.outreach.outbox import Outgoing, queue
from engage.outreach.rules.paging import named
from engage.outreach.rules.wording import clock_words
from engage.outreach.rules.words import Kind
from engage.replies.model import Reply
from engage.sms.rules.keywords import is_start, is_stop

MOST_HELP_AN_HOUR = 3
"""A phone that writes nonsense is told how it works this often, then there is silence until a valid code."""

_HELP_GIVEN = text("""
SELECT count(*) FROM messages WHERE agency_id = :agency AND clinician_id = :clinician AND template = 'note-help' AND planned_at > :since
""")


@dataclass(frozen=True, slots=True)
class _Desk:
    """One clinician's reply, and the moment it is handled."""

    session: Session
    reply: Reply
    clinician: Clinician
    now: datetime

    @property
    def agency_id(self) -> int:
        return self.reply.agency_id

    @property
    def zone(self) -> str:
        if self.clinician.branch_id is not None:
            return self.session.get_one(Branch, (self.agency_id, self.clinician.branch_id)).time_zone
        return self.session.scalars(select(Agency.time_zone).where(Agency.id == self.agency_id)).one()

    def clock(self, at: datetime) -> str:
        """An instant as the clinician's clock shows it."""
        return clock_words(at, self.zone, "en")

    def note(self, template: str, **params: object) -> None:
        """Answer. One reply with two codes gets two notes; only the first is bound to it."""
        note = Outgoing(
            agency_id=self.agency_id,
            kind=Kind.NOTE,
            template=template,
            clinician_id=self.clinician.id,
            reply_id=self.reply.id,
            params=params,
        )
        if queue(self.session, note, self.now) is None:
            queue(self.session, replace(note, reply_id=None), self.now)


def handle_clinician(session: Session, reply: Reply, now: datetime) -> None:
    """Take, pass on or close alerts, stop or start pages, or explain."""
    if reply.clinician_id is None:
        raise AssertionError("only a clinician's reply comes here")
    clinician = session.get_one(Clinician, (reply.agency_id, reply.clinician_id))
    desk = _Desk(session, reply, clinician, now)
    if is_stop(reply.body):
        _stop(desk)
        return
    if is_start(reply.body):
        clinician.texts_stopped_at = None
        desk.note("note-started")
        return
    order = read_order(reply.body)
    if order is None or not _follow(desk, order):
        _help(desk)


def _stop(desk: _Desk) -> None:
    """Texts end, calls and mails do not; a supervisor is told, once, because the next alert may need this nurse."""
    if desk.clinician.texts_stopped_at is None:
        desk.clinician.texts_stopped_at = desk.now
        detail = {"why": "stopped_texts", "clinician": desk.clinician.emr_id}
        reason = Reason(AlertKind.NURSE_UNREACHABLE, desk.agency_id, reply_id=desk.reply.id, detail=detail)
        open_alert(desk.session, reason, desk.now)
    desk.note("note-stopped")


def _follow(desk: _Desk, order: Order) -> bool:
    """Whether the order was about any alert that there is."""
    codes = codes_of(desk.session, desk.agency_id, desk.clinician.id) if order.is_all else order.codes
    if order.is_all and not codes:
        return False
    if order.verb is Verb.TAKE:
        return _take_each(desk, codes)
    does: dict[Verb, Callable[[_Desk, str, Order], bool]] = {Verb.NEXT: _pass, Verb.DONE: _close, Verb.AGAIN: _again}
    return any([does[order.verb](desk, code, order) for code in codes])  # noqa: C419 - every code counts


def _take_each(desk: _Desk, codes: Sequence[str]) -> bool:
    answers = [(code, _take(desk, code)) for code in codes]
    mine = [code for code, answer in answers if isinstance(answer, Taken)]
    if len(mine) == 1:
        desk.note("note-taken", code=mine[0])
    elif mine:
        desk.note("note-taken-many", codes=named(mine))
    for _, answer in answers:
        _say(desk, answer)
    return any(answer is not None for _, answer in answers)


def _take(desk: _Desk, code: str) -> Answer | None:
    answer = acknowledge(desk.session, desk.agency_id, desk.clinician.id, code, desk.now)
    if isinstance(answer, Taken):
        tell_others(desk.session, desk.agency_id, answer, desk.clinician.id, desk.clock(desk.now), desk.now)
    return answer


def _say(desk: _Desk, answer: Answer | PassedOn | None) -> None:
    """What is answered when the alert is not simply theirs."""
    match answer:
        case TakenWith():
            desk.note("note-taken-with", code=answer.code, missing=answer.missing)
        case TakenByOther():
            desk.note("note-taken-by-other", code=answer.code, who=answer.who, at=desk.clock(answer.at))
        case AlreadyResolved():
            desk.note("note-resolved", code=answer.code, who=answer.who, at=desk.clock(answer.at))
        case PassedOn():
            desk.note("note-passed", code=answer.code)


def _pass(desk: _Desk, code: str, _: Order) -> bool:
    answer = pass_on(desk.session, desk.agency_id, desk.clinician.id, code, desk.now)
    _say(desk, answer)
    return answer is not None


def _close(desk: _Desk, code: str, order: Order) -> bool:
    """Whoever says what was done has the alert, whether they had taken it before or not; another's stays another's."""
    answer = _take(desk, code)
    if not isinstance(answer, Taken):
        _say(desk, answer)
        return answer is not None
    if order.outcome is None:
        desk.note("note-done-how", code=code)
        return True
    if order.outcome is Outcome.NO_ANSWER:
        return _again(desk, code, order)
    done = Done(order.outcome, order.note, order.minutes)
    resolve(desk.session, desk.agency_id, code, desk.clinician.id, done, desk.now)
    desk.note("note-done", code=code, outcome=order.outcome.replace("_", " "))
    return True


def _again(desk: _Desk, code: str, order: Order) -> bool:
    """Nobody answered: it comes back at the time they named, else soon, and they are asked for a time."""
    answer = _take(desk, code)
    if not isinstance(answer, Taken):
        _say(desk, answer)
        return answer is not None
    at = desk.now + (order.after or TRY_AFTER)
    if order.at is not None:
        at = again_at(order.at, desk.zone, desk.now)
    done = Done(Outcome.NO_ANSWER, order.note)
    until = try_again(desk.session, desk.agency_id, code, desk.clinician.id, at, done, desk.now)
    desk.note("note-again", code=code, at=desk.clock(until))
    return True


def _help(desk: _Desk) -> None:
    values = {
        "agency": desk.agency_id,
        "clinician": desk.clinician.id,
        "since": desk.now - timedelta(hours=1),
    }
    if desk.session.execute(_HELP_GIVEN, values).scalar_one() < MOST_HELP_AN_HOUR:
        desk.note("note-help")
