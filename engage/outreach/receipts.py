"""Takes Twilio's delivery receipts: any order, any number of times. States only move forward, in one statement.

A receipt finds its row by our own id in the address, so it heals a row whose Twilio id was never written down.
"""

from datetime import datetime

from sqlalchemy import text

from engage.db import Database
from engage.outreach.links import Link
from engage.outreach.record import act_on_code
from engage.sms.rules.codes import CodeTable
from engage.sms.rules.statuses import TERMINAL, MessageState, state_of, states_before

_STORE = text("""
INSERT INTO receipts (agency_id, message_id, sid, status, error_code, received_at)
SELECT agency_id, id, :sid, :status, :code, :now FROM messages WHERE agency_id = :agency AND id = :message
ON CONFLICT DO NOTHING RETURNING id
""")

# A planned row that was tried before is one that reconciliation gave back: the receipt proves it wrong, in time.
# A SID that reconciliation took for another row with the same words stays there: this row is then settled by the log.
_MOVE = text("""
UPDATE messages SET state = :state, lease_until = NULL, sid = COALESCE(sid, :sid),
    accepted_at = COALESCE(accepted_at, :now),
    sent_at = CASE WHEN :state IN ('sent', 'delivered', 'undelivered') THEN COALESCE(sent_at, :now) ELSE sent_at END,
    ended_at = CASE WHEN :ends THEN CAST(:now AS timestamptz) END,
    reason = CASE WHEN :ends AND :state <> 'delivered' THEN CAST(:reason AS text) END,
    error_code = COALESCE(CAST(:code AS int), error_code)
WHERE agency_id = :agency AND id = :message AND (state = ANY(:before) OR (state = 'planned' AND attempts > 0))
    AND (sid IS NOT NULL OR NOT EXISTS (SELECT FROM messages o WHERE o.sid = :sid AND o.id <> :message))
RETURNING agency_id, contact_id, clinician_id, error_code
""")


def take_receipt(
    db: Database, codes: CodeTable, link: Link, sid: str, status: str, code: int | None, now: datetime
) -> bool:
    """Store one receipt and move its message forward if it does; whether the message exists.

    `status` and `code` are Twilio's MessageStatus and ErrorCode.
    """
    state = state_of(status)
    with db.agency_session(link.agency_id) as session:
        names = {"agency": link.agency_id, "message": link.message_id, "sid": sid, "code": code, "now": now}
        if session.execute(_STORE, {**names, "status": status}).first() is None:
            known = text("SELECT 1 FROM messages WHERE agency_id = :agency AND id = :message")
            return session.execute(known, {"agency": link.agency_id, "message": link.message_id}).first() is not None
        if state is None:
            return True
        values = {
            "state": state,
            "before": _before(state),
            "ends": state in TERMINAL,
            "reason": str(codes.meaning(code).kind),
        }
        moved = session.execute(_MOVE, {**names, **values}).first()
        if moved is not None and state in {MessageState.FAILED, MessageState.UNDELIVERED}:
            act_on_code(session, codes, moved, now)
    return True


def _before(state: MessageState) -> list[str]:
    return sorted(states_before(state))
