"""Settles what is not known: messages whose sender died or whose answer never came, ends that were never reported.

Twilio's log decides. Only when it does not hold the text may the text be sent again, and only if it is still useful.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, text

from engage import log
from engage.db import Database, encryption
from engage.outreach.links import Link
from engage.outreach.receipts import take_call, take_receipt
from engage.outreach.record import SETTLE_AFTER
from engage.outreach.rules.words import Channel, Kind, Turn
from engage.sms.gateway import Gateway, GatewayUnavailable
from engage.sms.rules.codes import CodeTable
from engage.sms.texts import LoggedCall, LoggedText

ASK_AFTER = timedelta(minutes=15)
"""After which a text without a final status is asked about; some carriers never confirm, so it is asked only so long."""
ASK_UNTIL = timedelta(hours=12)
SKEW = timedelta(minutes=2)
"""How far our clock and Twilio's may be apart: a text looked for in too small a span would be sent again."""

_LAPSED = text("""
WITH lapsed AS (
    UPDATE messages SET state = 'unknown', lease_until = NULL, reason = 'lease_lapsed', due_at = :settle_at
    WHERE id = ANY(ARRAY(SELECT id FROM messages WHERE state = 'sending' AND lease_until < :now LIMIT 5000 FOR UPDATE SKIP LOCKED))
    RETURNING agency_id, id)
INSERT INTO message_events (agency_id, message_id, at, event, reason, until)
SELECT agency_id, id, :now, 'lapsed', 'lease_lapsed', :settle_at FROM lapsed RETURNING message_id
""")

_UNKNOWN = text("""
SELECT m.id, m.agency_id, m.kind, m.channel, m.attempt_id, m.claimed_at, m.body, s.phone AS our_phone, COALESCE(c.phone, k.phone) AS phone,
       CASE WHEN c.phone IS NULL THEN 'clinicians.phone' ELSE 'contacts.phone' END AS phone_column
FROM messages m
LEFT JOIN contacts c ON c.agency_id = m.agency_id AND c.id = m.contact_id
LEFT JOIN clinicians k ON k.agency_id = m.agency_id AND k.id = m.clinician_id
LEFT JOIN senders s ON s.agency_id = m.agency_id AND s.id = m.sender_id
WHERE m.state = 'unknown' AND m.due_at <= :now ORDER BY m.priority, m.claimed_at LIMIT 200
""")

_TAKEN = text("""
SELECT sid FROM messages WHERE sid = ANY(:sids) AND id <> :id
UNION SELECT sid FROM receipts WHERE agency_id = :agency AND sid = ANY(:sids) AND message_id <> :id
""")

_TURN = text("""
INSERT INTO message_events (agency_id, message_id, at, event, reason) VALUES (:agency, :id, :now, :event, :reason)
""")

_GIVE_BACK = text("""
UPDATE messages SET state = CASE WHEN expires_at > :now THEN 'planned' ELSE 'cancelled' END, due_at = :now,
    ended_at = CASE WHEN expires_at > :now THEN NULL ELSE CAST(:now AS timestamptz) END,
    reason = CASE WHEN expires_at > :now THEN 'never_reached_twilio' ELSE 'never_sent' END
WHERE id = :id AND attempt_id = :attempt AND state = 'unknown' RETURNING reason
""")

# A mail server keeps no log for us: whether the mail left is never known, so its reader is reached another way.
_MAIL_IS_LOST = text("""
UPDATE messages SET state = 'failed', reason = 'mail_lost', ended_at = :now
WHERE id = :id AND attempt_id = :attempt AND state = 'unknown'
""")

# Each is asked about with a growing pause, so that texts whose carrier never confirms do not keep the others waiting.
_WITHOUT_END = text("""
UPDATE messages SET asked_at = :now
WHERE id = ANY(ARRAY(
    SELECT id FROM messages
    WHERE state IN ('accepted', 'sent') AND channel <> 'email' AND sid IS NOT NULL AND accepted_at BETWEEN :since AND :before
      AND (asked_at IS NULL OR asked_at - accepted_at < (CAST(:now AS timestamptz) - accepted_at) / 2)
    ORDER BY asked_at NULLS FIRST, accepted_at LIMIT 200 FOR UPDATE SKIP LOCKED))
RETURNING id, agency_id, kind, channel, attempt_id, sid
""")


@dataclass(slots=True)
class Reconciled:
    """What one run settled."""

    lapsed: int = 0
    adopted: int = 0
    given_back: int = 0
    ended: int = 0
    unavailable: bool = False


def reconcile(db: Database, gateway: Gateway, codes: CodeTable, now: datetime) -> Reconciled:
    """Settle every unknown message that is old enough, and ask for ends that never came.

    While Twilio's log cannot be read nothing is decided and everything stays for the next run.
    """
    done = Reconciled()
    with db.system_session("reconcile") as session:
        done.lapsed = len(session.execute(_LAPSED, {"now": now, "settle_at": now + SETTLE_AFTER}).all())
        unknown = session.execute(_UNKNOWN, {"now": now}).all()
        open_ends = session.execute(
            _WITHOUT_END, {"now": now, "since": now - ASK_UNTIL, "before": now - ASK_AFTER}
        ).all()
    try:
        for row in unknown:
            try:
                _settle(db, gateway, codes, row, now, done)
            except GatewayUnavailable:
                raise
            except Exception:  # noqa: BLE001 - it stays unknown and is seen; the others must be settled
                log.get().exception("a message cannot be settled", agency=row.agency_id, message=row.id)
        for row in open_ends:
            done.ended += _ask(db, gateway, codes, row, now)
    except GatewayUnavailable:
        done.unavailable = True
    return done


def _settle(db: Database, gateway: Gateway, codes: CodeTable, row: Row[Any], now: datetime, done: Reconciled) -> None:
    if row.channel == Channel.EMAIL:
        with db.system_session("reconcile") as session:
            session.execute(_MAIL_IS_LOST, {"id": row.id, "attempt": row.attempt_id, "now": now})
        done.ended += 1
        return
    ring = encryption.ring()
    logged: Sequence[LoggedText | LoggedCall] = []
    if row.phone is not None:  # a clinician's may be gone since; the dispatcher then says so
        phone = ring.open(bytes(row.phone), row.phone_column)
        find = gateway.find_called if row.channel == Channel.VOICE else gateway.find_sent
        logged = find(phone, row.claimed_at - SKEW, now + SKEW)
    with db.system_session("reconcile") as session:
        sids = [entry.sid for entry in logged]
        names = {"sids": sids, "agency": row.agency_id, "id": row.id}
        taken = set(session.scalars(_TAKEN, names)) if sids else set()
    match = ours(logged, ring.open(bytes(row.body), "messages.body"), row.our_phone, taken)
    if match is not None:
        _tell(db, codes, row, match, now)
        _note(db, row, now, Turn.FOUND, "twilios_log")
        done.adopted += 1
        return
    with db.system_session("reconcile") as session:
        reason = session.scalar(_GIVE_BACK, {"id": row.id, "attempt": row.attempt_id, "now": now})
    if reason is not None:
        _note(db, row, now, Turn.NEVER_LEFT, reason)
    done.given_back += 1


def _note(db: Database, row: Row[Any], now: datetime, event: Turn, reason: str) -> None:
    with db.agency_session(row.agency_id) as session:
        session.execute(_TURN, {"agency": row.agency_id, "id": row.id, "now": now, "event": event, "reason": reason})


def ours(
    logged: Sequence[LoggedText | LoggedCall], body: str, our_phone: str | None, taken: Collection[str]
) -> LoggedText | LoggedCall | None:
    """The earliest entry of Twilio's log that may be the message and that no other message of ours has claimed.

    A text must have our words; a call, which has none in the log, must come from our number.
    """

    def may_be(entry: LoggedText | LoggedCall) -> bool:
        if isinstance(entry, LoggedCall):
            return entry.from_ == our_phone
        return entry.body.strip() == body.strip()

    candidates = [entry for entry in logged if entry.sid not in taken and may_be(entry)]
    return min(candidates, key=lambda entry: (entry.created_at is None, entry.created_at), default=None)


def _ask(db: Database, gateway: Gateway, codes: CodeTable, row: Row[Any], now: datetime) -> int:
    fetch = gateway.fetch_call if row.channel == Channel.VOICE else gateway.fetch
    entry = fetch(row.sid)
    if entry is None:
        return 0
    _tell(db, codes, row, entry, now)
    return entry.status in _ENDS


_ENDS = {"delivered", "undelivered", "failed", "canceled", "read", "completed", "busy", "no-answer"}


def _tell(db: Database, codes: CodeTable, row: Row[Any], entry: LoggedText | LoggedCall, now: datetime) -> None:
    """What the log says counts as if it had been reported."""
    link = Link(row.agency_id, row.id, row.attempt_id or uuid.UUID(int=0))
    if isinstance(entry, LoggedCall):
        is_page = row.kind == Kind.PAGE
        take_call(db, codes, link, entry.sid, entry.status, entry.answered_by, now, needs_key=is_page)
    else:
        take_receipt(db, codes, link, entry.sid, entry.status, entry.error_code, now)
