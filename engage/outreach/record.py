"""Records what became of attempts to send: outcomes in, rows out, one short transaction for many.

Every update asks for the attempt it completes; a row that a receipt has already moved on is left where it is.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, TextClause, text
from sqlalchemy.orm import Session

from engage.db import Database
from engage.outreach.failures import follow_failure
from engage.sms.rules.codes import CodeTable
from engage.sms.texts import Accepted, HeldBack, Outcome, Refused, SendingStopped, TryLater, Uncertain

SETTLE_AFTER = timedelta(seconds=60)
"""How long after a message became unknown Twilio's log is believed to know of it, and its receipt to have come."""
_PAUSE_AFTER_STOP = timedelta(minutes=1)
_PAUSE_UNASKED = timedelta(seconds=5)

# Accepted after all: also a row that lapsed meanwhile, or was given back (planned) and not claimed again since, even if it was
# given up then (DISPROVABLE).
_ACCEPTED = text("""
UPDATE messages m SET state = CASE WHEN m.state IN ('sending', 'unknown', 'planned', 'expired', 'cancelled') THEN 'accepted' ELSE m.state END,
    reason = CASE WHEN m.state IN ('sending', 'unknown', 'planned', 'expired', 'cancelled') THEN NULL ELSE m.reason END, lease_until = NULL,
    ended_at = CASE WHEN m.state IN ('expired', 'cancelled') THEN NULL ELSE m.ended_at END,
    sid = COALESCE(m.sid, r.sid), accepted_at = COALESCE(m.accepted_at, :now), segments = COALESCE(NULLIF(r.segments, 0), m.segments)
FROM unnest(CAST(:ids AS bigint[]), CAST(:attempts AS uuid[]), CAST(:sids AS text[]), CAST(:segments AS smallint[]))
     AS r(id, attempt_id, sid, segments)
WHERE m.id = r.id AND m.attempt_id = r.attempt_id
    AND (m.state IN ('sending', 'unknown', 'planned', 'accepted', 'sent', 'delivered', 'undelivered', 'failed')
         OR (m.state = 'expired' AND m.reason = 'too_late')
         OR (m.state = 'cancelled' AND m.reason = 'never_sent' AND NOT EXISTS (
             SELECT FROM messages o WHERE o.agency_id = m.agency_id AND o.touchpoint_id = m.touchpoint_id
             AND o.contact_id = m.contact_id AND o.occasion = m.occasion AND o.state <> 'cancelled' AND o.retry_of IS NULL
             AND m.retry_of IS NULL)))
    AND (m.sid IS NOT NULL OR NOT EXISTS (SELECT FROM messages o WHERE o.sid = r.sid AND o.id <> m.id))
""")

_UNKNOWN = text("""
WITH lost AS (
    UPDATE messages m SET state = 'unknown', lease_until = NULL, reason = r.reason, due_at = r.settle_at
    FROM unnest(CAST(:ids AS bigint[]), CAST(:attempts AS uuid[]), CAST(:reasons AS text[]), CAST(:settle_ats AS timestamptz[]))
         AS r(id, attempt_id, reason, settle_at)
    WHERE m.id = r.id AND m.attempt_id = r.attempt_id AND m.state = 'sending' RETURNING m.agency_id, m.id, m.reason, m.due_at)
INSERT INTO message_events (agency_id, message_id, at, event, reason, until)
SELECT agency_id, id, :now, 'lost_contact', reason, due_at FROM lost
""")

_RELEASED = text("""
WITH released AS (
    UPDATE messages m SET state = 'planned', lease_until = NULL, due_at = r.due_at, reason = r.reason
    FROM unnest(CAST(:ids AS bigint[]), CAST(:attempts AS uuid[]), CAST(:dues AS timestamptz[]), CAST(:reasons AS text[]))
         AS r(id, attempt_id, due_at, reason)
    WHERE m.id = r.id AND m.attempt_id = r.attempt_id AND m.state = 'sending' RETURNING m.agency_id, m.id, m.reason, m.due_at)
INSERT INTO message_events (agency_id, message_id, at, event, reason, until)
SELECT agency_id, id, :now, 'handed_back', reason, due_at FROM released
""")

_FAILED = text("""
UPDATE messages m SET state = 'failed', lease_until = NULL, ended_at = :now, error_code = r.code, reason = r.reason
FROM unnest(CAST(:ids AS bigint[]), CAST(:attempts AS uuid[]), CAST(:codes AS int[]), CAST(:reasons AS text[]))
     AS r(id, attempt_id, code, reason)
WHERE m.id = r.id AND m.attempt_id = r.attempt_id AND m.state = 'sending'
""")

_CONSEQUENCES = text("""
SELECT id, agency_id, contact_id, clinician_id, error_code FROM messages WHERE id = ANY(:ids) AND state = 'failed' AND error_code IS NOT NULL
""")

Sent = tuple[int, uuid.UUID, Outcome]
"""A message, the attempt, and what became of it."""


def record(db: Database, codes: CodeTable, outcomes: Sequence[Sent], now: datetime) -> None:
    """Write the outcomes down; `now` is when they were known."""
    accepted = [(i, a, o.sid, o.segments) for i, a, o in outcomes if isinstance(o, Accepted)]
    unknown = [(i, a, o.reason, now + SETTLE_AFTER) for i, a, o in outcomes if isinstance(o, Uncertain)]
    refused = [(i, a, o.code, codes.meaning(o.code)) for i, a, o in outcomes if isinstance(o, Refused)]
    released = [(i, a, *_again(o, now)) for i, a, o in outcomes if isinstance(o, TryLater | SendingStopped | HeldBack)]
    released += [(i, a, now + meaning.wait, str(meaning.kind)) for i, a, _, meaning in refused if meaning.may_retry]
    failed = [(i, a, code, str(meaning.kind)) for i, a, code, meaning in refused if not meaning.may_retry]
    with db.system_session("record", by_key=True) as session:
        _write(session, _ACCEPTED, ("ids", "attempts", "sids", "segments"), accepted, now)
        _write(session, _UNKNOWN, ("ids", "attempts", "reasons", "settle_ats"), unknown, now)
        _write(session, _RELEASED, ("ids", "attempts", "dues", "reasons"), released, now)
        _write(session, _FAILED, ("ids", "attempts", "codes", "reasons"), failed, now)
        for row in _write(session, _CONSEQUENCES, ("ids",), [(i,) for i, *_ in failed]):
            follow_failure(session, codes.meaning(row.error_code), row, now)


def _again(outcome: TryLater | SendingStopped | HeldBack, now: datetime) -> tuple[datetime, str | None]:
    match outcome:
        case HeldBack():
            return now, "stopped_before_it_left"
        case TryLater(after_seconds=seconds):
            pause = _PAUSE_UNASKED if seconds is None else timedelta(seconds=max(1, seconds))
            return now + pause, "provider_busy"
        case _:
            return now + _PAUSE_AFTER_STOP, "sending_stopped"


def _write(
    session: Session,
    statement: TextClause,
    names: tuple[str, ...],
    rows: Sequence[tuple[Any, ...]],
    now: datetime | None = None,
) -> Sequence[Row[Any]]:
    if not rows:
        return []
    columns = {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
    result = session.connection().execute(statement, columns | ({"now": now} if now else {}))
    return result.all() if result.returns_rows else []
