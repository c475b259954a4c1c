"""Looks once a minute whether any alert was forgotten: rows in, findings out, and a ping to the outside when there are none.

It trusts no verb: it only reads rows, and repairs one thing, an alert without a next step. It pages nobody itself; no call
to the outside is made within a transaction. One process of many does it (claimed in `auditing`).
"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from engage import log
from engage.alerts.rules.audit import Audit, Finding, Found, worse
from engage.db import Database

EVERY = timedelta(seconds=45)
"""No run begins sooner after another; workers ask every quarter of a minute, so that one begins within the minute."""
LATE = timedelta(seconds=60)
"""What is later than this is overdue (facts/alerts.md, rule 4)."""
UNREAD = timedelta(minutes=3)
WEEK = timedelta(days=7)
SHOWN = 20

_CLAIM = text("""
INSERT INTO auditing (id, claimed_at) VALUES (1, :now)
ON CONFLICT (id) DO UPDATE SET claimed_at = EXCLUDED.claimed_at
    WHERE auditing.claimed_at <= :before OR auditing.claimed_at > :ahead
RETURNING findings
""")
_RAN = text("""
UPDATE auditing SET ran_at = :now, failed_at = NULL, findings = CAST(:findings AS jsonb), repaired = repaired + :repaired,
    ping_tried_at = COALESCE(CAST(:tried AS timestamptz), ping_tried_at)
""")
_FAILED = text("UPDATE auditing SET failed_at = :now")
_PINGED = text("UPDATE auditing SET pinged_at = :now")
# A verb that hangs holds locks and makes queries wait; the auditor fails rather than hangs with it.
_IMPATIENT = text("SELECT set_config('statement_timeout', '20s', true), set_config('lock_timeout', '2s', true)")

# The furthest a next step may be away. Before its first page: the longest that an alert which comes again is damped. After it: the
# longest wait of the ladder, or what the last page was told, for the ladder may have been edited since. When it is taken: the
# longest an acknowledgement can last.
_LOST = """
a.state <> 'resolved' AND a.exhausted_at IS NULL AND (
    a.next_due_at IS NULL
    OR (a.state = 'acknowledged' AND a.next_due_at > CAST(:now AS timestamptz) + interval '7 days 1 minute')
    OR (a.state = 'open' AND a.step = 0 AND a.next_due_at > CAST(:now AS timestamptz) + interval '4 hours 1 minute')
    OR (a.state = 'open' AND a.step > 0
        AND a.next_due_at > CAST(:now AS timestamptz) + interval '1 minute' * (1 + COALESCE((
            SELECT max(s.wait_minutes) FROM ladder_steps s WHERE s.agency_id = a.agency_id AND s.ladder_id = a.ladder_id), 0))
        AND NOT EXISTS (
            SELECT FROM messages m WHERE m.agency_id = a.agency_id AND m.alert_id = a.id AND m.kind = 'page'
                AND m.expires_at >= a.next_due_at)))
"""
# Whoever holds the row is just now moving it; if that one hangs, the finding stands and the next run tries again.
_REPAIR = text(f"""
WITH lost AS (
    SELECT a.agency_id, a.id, a.next_due_at FROM alerts a WHERE {_LOST} FOR UPDATE OF a SKIP LOCKED
), made_due AS (
    UPDATE alerts a SET next_due_at = :now FROM lost WHERE a.agency_id = lost.agency_id AND a.id = lost.id
    RETURNING a.agency_id, a.id, lost.next_due_at AS was
)
INSERT INTO alert_events (agency_id, alert_id, at, kind, detail)
SELECT agency_id, id, :now, 'repaired', jsonb_build_object('by', 'auditor', 'next_due_at_was', was) FROM made_due
RETURNING agency_id, alert_id
""")  # noqa: S608 - no value of anybody's


def _rows(query: str) -> str:
    """How many rows a query finds, and the first of them as "agency/id"."""
    return f"""
    WITH found AS ({query})
    SELECT count(*) AS many, COALESCE((array_agg(agency_id || '/' || id ORDER BY agency_id, id))[1:{SHOWN}], '{{}}') AS some FROM found
    """  # noqa: S608


_LOOKS = {
    Finding.LOST_STEP: f"SELECT a.agency_id, a.id FROM alerts a WHERE {_LOST}",  # noqa: S608
    Finding.OVERDUE: "SELECT agency_id, id FROM alerts WHERE state <> 'resolved' AND next_due_at < :late",
    # "Arrived" is the carrier's word. A page is worth something until the next step, so the first deadline is the first one's end.
    Finding.NO_PAGE: """
        SELECT a.agency_id, a.id FROM alerts a
        JOIN LATERAL (
            SELECT min(m.expires_at) AS deadline,
                bool_or(COALESCE(b.state, m.state) = 'delivered' OR m.channel = 'email' AND m.state = 'sent') AS has_arrived
            FROM messages m LEFT JOIN messages b ON b.agency_id = m.agency_id AND b.id = m.bundle_id
            WHERE m.agency_id = a.agency_id AND m.alert_id = a.id AND m.kind = 'page') pages ON true
        WHERE a.state <> 'resolved' AND a.state = 'open' AND pages.deadline < :late AND NOT pages.has_arrived
        """,
    Finding.EXHAUSTED: "SELECT agency_id, id FROM alerts WHERE state <> 'resolved' AND state = 'open' AND exhausted_at IS NOT NULL",
    Finding.REPLIES_WAITING: "SELECT agency_id, id FROM replies WHERE state = 'stored' AND received_at < :unread",
    Finding.UNREACHABLE: """
        SELECT DISTINCT c.agency_id, c.id FROM shifts h JOIN clinicians c ON c.agency_id = h.agency_id AND c.id = h.clinician_id
        WHERE (h.first_on IS NULL OR h.first_on <= :week) AND (h.last_on IS NULL OR h.last_on >= :yesterday)
          AND (c.left_on <= :today OR NOT (
              c.phone_hash IS NOT NULL AND ('voice' = ANY(c.page_channels) OR 'sms' = ANY(c.page_channels) AND c.texts_stopped_at IS NULL)
              OR c.email IS NOT NULL AND 'email' = ANY(c.page_channels)))
        """,
    # Found by whoever checks rotas, who resolves it when the hours are filled.
    Finding.ROTA_GAP: "SELECT agency_id, id FROM alerts WHERE state <> 'resolved' AND kind = 'rota_gap'",
}


def audit(db: Database, now: datetime, ping: Callable[[], bool] | None = None) -> Audit | None:
    """One whole run, if it is somebody's turn: look, repair, note what was found, tell the outside; None when it is not.

    `ping` tells the outside that all is clean, and whether it was heard. Raises what the database raises; that the run failed is
    then noted, if it can be.
    """
    times = {"now": now, "before": now - EVERY, "ahead": now + LATE}
    with db.system_session("claim the audit") as session:
        session.execute(_IMPATIENT)
        claimed = session.execute(_CLAIM, times).first()
    if claimed is None:
        return None
    try:
        done = look(db, now)
        _tell(done, claimed.findings)
        may_ping = ping is not None and done.is_clean
        values = {"findings": json.dumps(done.counts()), "repaired": done.repaired, "tried": now if may_ping else None}
        _note(db, _RAN, values | {"now": now})
    except Exception:
        _note(db, _FAILED, {"now": now})
        raise
    if ping is not None and done.is_clean and ping():
        _note(db, _PINGED, {"now": now})
    return done


def look(db: Database, now: datetime) -> Audit:
    """Repair what has lost its next step and look at everything, whosever turn it is; the outside is not told."""
    times = {
        "now": now,
        "late": now - LATE,
        "unread": now - UNREAD,
        "today": now.date(),
        "yesterday": now.date() - timedelta(days=1),
        "week": now.date() + WEEK,
    }
    with db.system_session("audit") as session:
        session.execute(_IMPATIENT)
        lost = _count(session, Finding.LOST_STEP, times)
        repaired = session.execute(_REPAIR, times).all()
    for row in repaired:
        log.get().error("an alert had no next step; it is due now", agency=row.agency_id, alert=row.alert_id)
    with db.system_session("audit") as session:  # the repair stands, whatever becomes of the rest
        session.execute(_IMPATIENT)
        found = [lost, *(_count(session, finding, times) for finding in _LOOKS if finding is not Finding.LOST_STEP)]
    return Audit(tuple(one for one in found if one.count), len(repaired))


def _count(session: Session, finding: Finding, times: dict[str, Any]) -> Found:
    row = session.execute(text(_rows(_LOOKS[finding])), times).one()
    return Found(finding, row.many, tuple(row.some))


def _tell(done: Audit, before: dict[str, int]) -> None:
    news = worse(done.counts(), before)
    for one in done.found:
        say = log.get().error if one.finding in news else log.get().info
        say("the auditor found something", finding=str(one.finding), count=one.count, some=list(one.some))


def _note(db: Database, statement: Any, values: dict[str, Any]) -> None:
    with db.system_session("note the audit") as session:
        session.execute(_IMPATIENT)
        session.execute(statement, values)
