"""Opens an alert for alerts whose whole ladder reached nobody's phone: exhausted alerts in, one `nurse_unreachable` a branch out.

It pages whoever its own ladder names; told once for each exhausted alert, as evidence while it is open. Idempotent.
"""

from datetime import datetime

from sqlalchemy import text

from engage.alerts.opening import Reason, open_alert
from engage.alerts.rules.words import AlertKind
from engage.db import Database

_ALONE = text("SELECT pg_try_advisory_xact_lock(hashtext('engage unreachable'))")
_FIND = text("""
SELECT a.agency_id, a.branch_id, a.id FROM alerts a
WHERE a.state = 'open' AND a.exhausted_at IS NOT NULL AND a.kind NOT IN ('nurse_unreachable', 'rota_gap')
  AND NOT EXISTS (
      SELECT FROM messages m WHERE m.agency_id = a.agency_id AND m.alert_id = a.id AND m.kind = 'page'
        AND m.state IN ('sending', 'unknown', 'accepted', 'sent', 'delivered'))
  AND NOT EXISTS (
      SELECT FROM alerts u JOIN alert_events e ON e.agency_id = u.agency_id AND e.alert_id = u.id
      WHERE u.agency_id = a.agency_id AND u.kind = 'nurse_unreachable' AND e.detail -> 'alert' = to_jsonb(a.id)
        AND e.at >= a.exhausted_at)
ORDER BY a.id LIMIT 500
""")


def tell_unreachable(db: Database, now: datetime) -> int:
    """How many exhausted alerts were told; nothing while another process tells."""
    with db.system_session("nurses whom nobody reaches") as session:
        if not session.scalar(_ALONE):
            return 0
        found = session.execute(_FIND).all()
        for row in found:
            detail = {"alert": row.id}
            reason = Reason(AlertKind.NURSE_UNREACHABLE, row.agency_id, branch_id=row.branch_id, detail=detail)
            open_alert(session, reason, now)
    return len(found)
