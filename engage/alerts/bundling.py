"""Joins the pages that wait for one person on one channel into one: planned rows in, one that speaks for all out. Sends nothing.

Urgent pages are joined with urgent ones only, and nothing waits for being joined: what is here when it may leave goes along.
"""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from engage import log
from engage.outreach.rules.words import Priority

_WAITING = text("""
SELECT id FROM messages WHERE kind = 'page' AND state = 'planned' AND expires_at > :now FOR UPDATE SKIP LOCKED
""")

# The first of a group speaks for it, for as long as the last of them is of use.
_JOIN = text("""
WITH place AS (
    SELECT id, first_value(id) OVER company AS lead, max(expires_at) OVER company AS until
    FROM messages WHERE id = ANY(:ids)
    WINDOW company AS (PARTITION BY agency_id, clinician_id, channel, priority = :urgent ORDER BY id
                       ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
), others AS (
    UPDATE messages m SET bundle_id = p.lead FROM place p WHERE m.bundle_id = p.id AND p.id <> p.lead AND m.kind = 'page'
), longer AS (
    UPDATE messages m SET expires_at = p.until FROM place p WHERE m.id = p.id AND p.id = p.lead AND m.expires_at < p.until
)
UPDATE messages m SET state = 'cancelled', reason = 'bundled', ended_at = :now, bundle_id = p.lead
FROM place p WHERE m.id = p.id AND p.id <> p.lead
RETURNING m.id
""")


def bundle(session: Session, now: datetime) -> int:
    """How many pages travel in another one from now on. What cannot be joined leaves by itself."""
    try:
        with session.begin_nested():
            ids = sorted(session.scalars(_WAITING, {"now": now}))
            return 0 if len(ids) < 2 else _join(session, ids, now)
    except SQLAlchemyError:
        log.get().exception("pages cannot be joined")
        return 0


def _join(session: Session, ids: list[int], now: datetime) -> int:
    return len(session.execute(_JOIN, {"ids": ids, "now": now, "urgent": Priority.URGENT_PAGE}).all())
