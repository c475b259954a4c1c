"""Takes what Twilio reports of a text or call: any order, any number of times. States only move forward, in one statement.

A receipt finds its row by our own id in the address, so it heals a row whose Twilio id was never written down. What follows
from a failure (a second try, a call instead, a mark on the number) is written in the same transaction.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from engage.db import Database
from engage.outreach.failures import follow_failure
from engage.outreach.links import Link
from engage.sms.rules.calls import PRESSED, CallEnd, call_news
from engage.sms.rules.codes import CodeTable, Meaning
from engage.sms.rules.statuses import DISPROVABLE, TERMINAL, MessageState, state_of, states_before

# A planned row that was tried before is one that reconciliation gave back: the receipt proves it wrong, in time; so are the
# ends of :disproved, in vain. A SID that reconciliation took for another row with the same words stays there: this row is then
# settled by the log. And where the occasion was planned anew meanwhile, the cancelled row stays cancelled.
_TAKE = text("""
WITH stored AS (
    INSERT INTO receipts (agency_id, message_id, sid, status, error_code, received_at)
    SELECT agency_id, id, :sid, :word, CAST(:code AS int), :now FROM messages WHERE agency_id = :agency AND id = :message
    ON CONFLICT DO NOTHING
), moved AS (
    UPDATE messages m SET state = CAST(:state AS text), lease_until = NULL, sid = COALESCE(m.sid, :sid),
        accepted_at = COALESCE(m.accepted_at, :now),
        sent_at = CASE WHEN :state IN ('sent', 'delivered', 'undelivered') THEN COALESCE(m.sent_at, :now) ELSE m.sent_at END,
        ended_at = CASE WHEN :ends THEN CAST(:now AS timestamptz) END,
        reason = CASE WHEN :ends AND :state <> 'delivered' THEN CAST(:reason AS text) END,
        error_code = COALESCE(CAST(:code AS int), m.error_code)
    WHERE m.agency_id = :agency AND m.id = :message AND CAST(:state AS text) IS NOT NULL
        AND (m.state = ANY(:before)
             OR (m.attempts > 0 AND (m.state = 'planned' OR m.state || ' ' || m.reason = ANY(:disproved))))
        AND (m.sid IS NOT NULL OR NOT EXISTS (SELECT FROM messages o WHERE o.sid = :sid AND o.id <> m.id))
        AND (m.state <> 'cancelled' OR NOT EXISTS (
             SELECT FROM messages o WHERE o.agency_id = m.agency_id AND o.touchpoint_id = m.touchpoint_id
             AND o.contact_id = m.contact_id AND o.occasion = m.occasion AND o.state <> 'cancelled' AND o.retry_of IS NULL
             AND m.retry_of IS NULL))
    RETURNING m.id, m.agency_id, m.contact_id, m.clinician_id, m.error_code
)
SELECT EXISTS (SELECT FROM messages WHERE agency_id = :agency AND id = :message) AS is_known, moved.*
FROM (VALUES (1)) one (row) LEFT JOIN moved ON true
""")

_DISPROVED = sorted(f"{state} {reason}" for state, reason in DISPROVABLE)
_HEARD_AFTER_ALL = f"{MessageState.UNDELIVERED} {CallEnd.MACHINE}"
"""A machine took the call, Twilio thought; then a key was pressed."""


@dataclass(frozen=True, slots=True)
class _News:
    """One report: the word it is kept under, the state it means (None: it changes nothing), and for a failure what it means."""

    word: str
    state: MessageState | None
    reason: str | None
    meaning: Meaning | None
    code: int | None = None


def take_receipt(
    db: Database, codes: CodeTable, link: Link, sid: str, status: str, code: int | None, now: datetime
) -> bool:
    """Store one receipt of a text and move its message forward if it does; whether the message exists.

    `status` and `code` are Twilio's MessageStatus and ErrorCode.
    """
    meaning = codes.meaning(code)
    return _take(db, link, sid, _News(status, state_of(status), str(meaning.kind), meaning, code), now)


def take_call(
    db: Database,
    codes: CodeTable,
    link: Link,
    sid: str,
    status: str,
    answered_by: str | None,
    now: datetime,
    *,
    needs_key: bool = False,
) -> bool:
    """Store one report of a call and move its message forward if it does; whether the message exists.

    `status` and `answered_by` are Twilio's CallStatus and AnsweredBy; PRESSED is our own word for a key, `needs_key` is for pages.
    """
    news = call_news(status, answered_by, needs_key=needs_key)
    end = news.end if news else None
    meaning = codes.call(end) if end else None
    word = f"{status} {answered_by}" if answered_by else status
    return _take(db, link, sid, _News(word, news.state if news else None, end, meaning), now)


def _take(db: Database, link: Link, sid: str, news: _News, now: datetime) -> bool:
    values = {
        "agency": link.agency_id,
        "message": link.message_id,
        "sid": sid,
        "word": news.word,
        "code": news.code,
        "now": now,
        "state": news.state,
        "before": sorted(states_before(news.state)) if news.state else [],
        "disproved": [*_DISPROVED, _HEARD_AFTER_ALL] if news.word == PRESSED else _DISPROVED,
        "ends": news.state in TERMINAL,
        "reason": news.reason,
    }
    with db.agency_session(link.agency_id) as session:
        found = session.execute(_TAKE, values).one()
        if found.id is not None and news.meaning and news.state in {MessageState.FAILED, MessageState.UNDELIVERED}:
            follow_failure(session, news.meaning, found, now)
    return bool(found.is_known)
