"""A wording tried on the phone of whoever writes it: words in, one text to their own number out, by the ordinary outbox. It names invented
people only: a patient's facts never leave for a nurse's phone. Sends nothing itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engage.agencies.model import Account, AuditEvent, Clinician
from engage.errors import BadInput
from engage.onboarding.importing import NOTHING_MORE
from engage.onboarding.wordings import must_be_known, read_wordings
from engage.outreach.outbox import Outgoing, queue
from engage.outreach.rules.checks import Book, check_wording, refusals
from engage.outreach.rules.checks.lengths import usual_text
from engage.outreach.rules.words import Kind

TEMPLATE = "trial"
"""The template of such a text. It has no wording of its own: the words stand on the row."""
MARK = "(Test) "
LIMITS = ((timedelta(minutes=10), 3), (timedelta(days=1), 10))
"""Texts of one account in a span. Notes to a phone are limited too (patients.rules.loops): half of that is left for those that count."""
_ACTION = "wording.test"
_SENT = text("""
SELECT count(*) FROM audit_events
WHERE agency_id = :agency AND subject = 'account' AND subject_id = :account AND action = :action AND at > :since
""")
# What became of the last text to that phone, whoever it was about: the one sign there is that it can be reached.
_LAST = text("""
SELECT m.state FROM messages m WHERE m.agency_id = :agency AND m.clinician_id = :clinician AND m.channel = 'sms'
  AND m.state IN ('delivered', 'undelivered', 'failed') ORDER BY m.ended_at DESC, m.id DESC LIMIT 1
""")


@dataclass(frozen=True, slots=True)
class Writer:
    """Who tries it: an account of an agency, and what the audit keeps beside it (from where)."""

    agency_id: int
    account_id: int
    actor: str


def text_myself(
    session: Session,
    who: Writer,
    which: tuple[str, str],
    wording: str,
    book: Book,
    now: datetime,
    detail: Mapping[str, object] = NOTHING_MORE,
) -> int:
    """Queue the text that `wording` of `which` (template, language) usually becomes; the message's id.

    Raises BadInput for a wording that a check refuses or that is spoken or mailed, for an account without a phone that can be
    texted, and above LIMITS; NotFound for a template that there is not.
    """
    key, language = which
    wordings = read_wordings(session, who.agency_id)
    must_be_known(wordings, key, language)
    purpose = wordings.purpose(key, language)
    if purpose.is_spoken or purpose.is_mailed:
        raise BadInput("This is spoken in a call or written in an e-mail: there is no text of it to try.")
    if found := refusals(check_wording(wording, purpose, wordings.house, book)):
        raise BadInput(f"It could not be sent: {found[0].why} {found[0].do}")
    words = usual_text(wording, wordings.house, language)
    if words is None:
        raise BadInput("It cannot be read.")
    clinician = _own_phone(session, who, now)
    _must_be_few(session, who, now)
    outgoing = Outgoing(who.agency_id, Kind.NOTE, TEMPLATE, clinician_id=clinician, body=MARK + words)
    message = queue(session, outgoing, now)
    if message is None:
        raise AssertionError("nothing makes one trial the same as another")
    told = {**detail, "template": key, "language": language, "message": message}
    event = {"actor": who.actor, "action": _ACTION, "subject": "account", "subject_id": who.account_id, "detail": told}
    session.add(AuditEvent(agency_id=who.agency_id, at=now, **event))
    return message


def _own_phone(session: Session, who: Writer, now: datetime) -> int:
    """The clinician whose phone is the account's own; the account is locked, so that two clicks are counted one by one."""
    owner = select(Account).where(Account.agency_id == who.agency_id, Account.id == who.account_id).with_for_update()
    account = session.scalars(owner).one()
    person = session.get(Clinician, (who.agency_id, account.clinician_id)) if account.clinician_id is not None else None
    if person is None or person.phone_hash is None or (person.left_on is not None and person.left_on <= now.date()):
        raise BadInput(
            "There is no phone of yours on record: an administrator links your account to you, and your phone to that."
        )
    if person.texts_stopped_at is not None:
        raise BadInput("Your phone has stopped our texts: text START to the agency's number first.")
    if session.scalar(_LAST, {"agency": who.agency_id, "clinician": person.id}) in {"undelivered", "failed"}:
        raise BadInput("The last text to your phone did not arrive: have the number on record looked at first.")
    return person.id


def _must_be_few(session: Session, who: Writer, now: datetime) -> None:
    for span, most in LIMITS:
        values = {"agency": who.agency_id, "account": who.account_id, "action": _ACTION, "since": now - span}
        if (session.scalar(_SENT, values) or 0) >= most:
            raise BadInput(f"That were {most} tests in {_told(span)}: please wait.")


def _told(span: timedelta) -> str:
    return "a day" if span >= timedelta(days=1) else f"{int(span.total_seconds() // 60)} minutes"
