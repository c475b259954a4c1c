"""Opens an alert for visit reminders that reached nobody, neither by text nor by a call: failed messages in, alerts out.

One for a patient and visit day, whoever of the patient's contacts was tried; it joins the one that is still open. It waits
while anything may still arrive, and sends nothing: the alert's ladder does.
"""

from datetime import datetime, timedelta

from sqlalchemy import text

from engage import log
from engage.alerts.opening import Reason, open_alert
from engage.alerts.rules.words import AlertKind
from engage.db import Database

LOOKS_BACK = timedelta(hours=24)
"""An older one is about a visit that is over, or was told before."""

# One process at a time looks, so that two do not tell of the same reminder.
_ALONE = text("SELECT pg_try_advisory_xact_lock(hashtext('engage undeliverable'))")

# Only the last message of a chain counts. "Got it": another message about the same visit day is with a phone, or may yet be; one
# of another touchpoint that is only planned does not make anybody wait. A call, or a second try, that ran out of time has
# reached nobody either; a first text that did has its own reason.
_FIND = text("""
SELECT DISTINCT ON (m.agency_id, m.patient_id, m.occasion) m.id, m.agency_id, m.patient_id, m.contact_id, m.channel, m.reason, m.error_code
FROM messages m
JOIN patients p ON p.agency_id = m.agency_id AND p.id = m.patient_id AND p.status = 'active'
WHERE m.asks = 'confirm' AND m.state IN ('failed', 'undelivered', 'suppressed', 'expired')
  AND m.ended_at > :since AND m.ended_at <= :now
  AND CASE m.state
      WHEN 'suppressed' THEN m.reason IN ('landline', 'unreachable', 'wrong_number', 'no_wording', 'no_sender', 'could_not_decide')
      WHEN 'expired' THEN m.channel = 'voice' OR m.retry_of IS NOT NULL
      ELSE true END
  AND NOT EXISTS (SELECT FROM messages n WHERE n.agency_id = m.agency_id AND n.retry_of = m.id)
  AND NOT EXISTS (
      SELECT FROM messages o
      WHERE o.agency_id = m.agency_id AND o.patient_id = m.patient_id AND o.asks = 'confirm' AND o.occasion = m.occasion
        AND (o.state IN ('accepted', 'sent', 'delivered')
             OR (o.state IN ('planned', 'sending', 'unknown') AND o.touchpoint_id = m.touchpoint_id)))
  AND EXISTS (
      SELECT FROM visits v
      WHERE v.agency_id = m.agency_id AND v.patient_id = m.patient_id AND v.starts_on::text = m.occasion
        AND v.status = 'scheduled' AND v.answer IS NULL
        AND (v.starts_on + COALESCE(v.starts_local, '23:59')) AT TIME ZONE p.time_zone > :now)
  AND NOT EXISTS (
      SELECT FROM alerts a
      JOIN alert_events e ON e.agency_id = a.agency_id AND e.alert_id = a.id
      JOIN messages t ON t.agency_id = e.agency_id AND t.id = e.message_id
      WHERE a.agency_id = m.agency_id AND a.patient_id = m.patient_id AND a.kind = 'undeliverable' AND t.asks = 'confirm'
        AND t.occasion = m.occasion)
ORDER BY m.agency_id, m.patient_id, m.occasion, m.ended_at DESC, m.id DESC
LIMIT 500
""")


def tell_undeliverable(db: Database, now: datetime) -> int:
    """How many reminders were handed to a person; idempotent."""
    told = 0
    with db.system_session("undeliverable") as session:
        if not session.scalar(_ALONE):
            return 0
        for row in session.execute(_FIND, {"now": now, "since": now - LOOKS_BACK}).all():
            detail = {"channel": row.channel, "why": row.reason, "code": row.error_code}
            reason = Reason(
                AlertKind.UNDELIVERABLE,
                row.agency_id,
                row.patient_id,
                row.contact_id,
                message_id=row.id,
                detail=detail,
            )
            try:
                with session.begin_nested():
                    open_alert(session, reason, now)
            except Exception:  # noqa: BLE001 - one agency's missing rule must not keep the others' patients from a call
                log.get().exception(
                    "a reminder that reached nobody cannot be told", agency=row.agency_id, message=row.id
                )
            else:
                told += 1
    return told
