"""Takes the next channel of a person whom a page did not reach: failed pages of open alerts in, pages on other channels out.

It runs before the ladder climbs, in the same transaction, so that a step is left only when nobody on it can be reached.
"""

from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engage.agencies.model import Clinician
from engage.alerts.model import Alert
from engage.alerts.paging import Rung, page_person, tell
from engage.alerts.rules.words import AlertState, EventKind
from engage.outreach.rules.words import Channel

STUCK = timedelta(seconds=60)
"""After which a page that Twilio does not take, because it is out of order or refuses us, is tried another way as well."""

# What a page has come to is what the page that speaks for it has come to. Quiet hours are a wish, not a failure; who has left, or
# taken the alert, is not to be reached another way.
_LOST = text("""
SELECT a.agency_id, a.id AS alert_id, p.clinician_id, array_agg(p.channel) AS tried,
       (array_agg(COALESCE(b.reason, p.reason) ORDER BY p.id DESC))[1] AS why, max(p.expires_at) AS until
FROM alerts a
JOIN messages p ON p.agency_id = a.agency_id AND p.alert_id = a.id AND p.kind = 'page' AND p.alert_round = a.round AND p.alert_step = a.step
LEFT JOIN messages b ON b.agency_id = p.agency_id AND b.id = p.bundle_id
WHERE a.state = 'open' AND a.step > 0 AND a.exhausted_at IS NULL AND a.next_due_at > :now
GROUP BY a.agency_id, a.id, p.clinician_id
HAVING bool_and(
    (COALESCE(b.state, p.state) IN ('failed', 'undelivered', 'suppressed')
     AND COALESCE(b.reason, p.reason) NOT IN ('person_quiet', 'clinician_left'))
    OR (COALESCE(b.state, p.state) = 'planned' AND COALESCE(b.send_at, p.send_at) <= :stuck
        AND (:is_stopped OR COALESCE(b.reason, p.reason) IN ('provider_busy', 'sending_stopped', 'never_reached_twilio'))))
ORDER BY max(a.severity) DESC, a.id LIMIT 200
""")

_IS_STOPPED = text("SELECT EXISTS (SELECT FROM sending_stops)")


def take_next_channels(session: Session, now: datetime) -> int:
    """How many people are paged on another channel."""
    paged = 0
    is_stopped = bool(session.scalar(_IS_STOPPED))
    for row in session.execute(_LOST, {"now": now, "stuck": now - STUCK, "is_stopped": is_stopped}).all():
        person = session.get_one(Clinician, (row.agency_id, row.clinician_id))
        alert = session.scalars(
            select(Alert)
            .where(Alert.agency_id == row.agency_id, Alert.id == row.alert_id, Alert.state == AlertState.OPEN)
            .with_for_update(skip_locked=True)
        ).first()
        if alert is None:
            continue
        rung = Rung(alert.round, alert.step, row.until)
        useless = [Channel.SMS, Channel.VOICE] if is_stopped else []
        channel = page_person(session, alert, person, rung, now, [*row.tried, *useless])
        if channel is not None:
            detail = {"channel": row.tried[-1], "why": row.why, "next": channel}
            tell(session, alert, now, EventKind.PAGE_FAILED, clinician_id=person.id, detail=detail)
            paged += 1
    return paged
