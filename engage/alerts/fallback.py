"""Takes the next channel of a person whom a page did not reach: failed pages of open alerts in, pages on other channels out.

It runs before the ladder climbs, in the same transaction, so that a step is left only when nobody on it can be reached.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from engage import log
from engage.agencies.model import Clinician
from engage.alerts.model import Alert
from engage.alerts.opening import Reason, open_alert
from engage.alerts.paging import Rung, page_person, tell
from engage.alerts.rules.words import AlertKind, AlertState, EventKind
from engage.db import Database
from engage.outreach.rules.words import Channel

STUCK = timedelta(seconds=60)
"""After which a page that Twilio does not take, because it is out of order or refuses us, is tried another way as well."""

# What a page has come to is what the page that speaks for it has come to. Quiet hours are a wish, not a failure; who has left, or
# taken the alert, is not to be reached another way. Who has no way left is only looked at when somebody must be told of their phone,
# so that many of them do not hide the others.
_LOST = text("""
WITH waiting AS MATERIALIZED (
    SELECT agency_id, id, round, step, severity FROM alerts
    WHERE state = 'open' AND step > 0 AND exhausted_at IS NULL AND next_due_at > :now
), pages AS (
    SELECT a.agency_id, a.id AS alert_id, a.severity, p.id, p.clinician_id, p.channel, p.expires_at, p.params, p.template,
           COALESCE(b.state, p.state) AS state, COALESCE(b.reason, p.reason) AS reason, COALESCE(b.send_at, p.send_at) AS send_at
    FROM waiting a
    CROSS JOIN LATERAL (
        SELECT * FROM messages m WHERE m.agency_id = a.agency_id AND m.alert_id = a.id AND m.kind = 'page'
          AND m.alert_round = a.round AND m.alert_step = a.step OFFSET 0) p
    LEFT JOIN LATERAL (SELECT * FROM messages m WHERE m.id = p.bundle_id AND m.agency_id = p.agency_id OFFSET 0) b ON true
), lost AS MATERIALIZED (
    SELECT agency_id, alert_id, clinician_id, severity, array_agg(channel) AS tried,
           (array_agg(reason ORDER BY id DESC))[1] AS why, max(expires_at) AS until, max(params ->> 'paged_as') AS paged_as,
           min(template) AS template, bool_or(reason IN ('permanent_number', 'opted_out')) AS is_dead
    FROM pages GROUP BY agency_id, alert_id, clinician_id, severity
    HAVING bool_and(
        (state IN ('failed', 'undelivered', 'suppressed') AND reason NOT IN ('person_quiet', 'clinician_left'))
        OR (state = 'planned' AND send_at <= :stuck
            AND (:is_stopped OR reason IN ('provider_busy', 'sending_stopped', 'never_reached_twilio'))))
)
SELECT l.agency_id, l.alert_id, l.clinician_id, k.emr_id AS clinician, l.tried, l.why, l.until, l.paged_as, l.template
FROM lost l JOIN clinicians k ON k.agency_id = l.agency_id AND k.id = l.clinician_id
WHERE l.is_dead
   OR (k.email IS NOT NULL AND 'email' = ANY(k.page_channels) AND NOT 'email' = ANY(l.tried))
   OR (NOT :is_stopped AND k.phone_hash IS NOT NULL AND (
       ('voice' = ANY(k.page_channels) AND NOT 'voice' = ANY(l.tried))
       OR ('sms' = ANY(k.page_channels) AND k.texts_stopped_at IS NULL AND NOT 'sms' = ANY(l.tried))))
ORDER BY l.severity DESC, l.alert_id LIMIT 200
""")

_FOR_GOOD = frozenset({"permanent_number", "opted_out"})
_IS_TOLD = text("""
SELECT EXISTS (
    SELECT FROM alerts a JOIN alert_events e ON e.agency_id = a.agency_id AND e.alert_id = a.id AND e.kind = 'opened'
    WHERE a.agency_id = :agency AND a.kind = 'nurse_unreachable' AND a.opened_at > :since AND e.detail ->> 'clinician' = :who)
""")
_IS_STOPPED = text("SELECT EXISTS (SELECT FROM sending_stops)")


@dataclass(frozen=True, slots=True)
class DeadPhone:
    """A clinician (their id in the EMR) whose phone gets no texts, for the reason `why`."""

    agency_id: int
    clinician: str
    why: str


@dataclass(slots=True)
class Fallback:
    """How many people are paged on another channel, and whose phones will get no text again."""

    paged: int = 0
    dead: list[DeadPhone] = field(default_factory=list)


def take_next_channels(session: Session, now: datetime) -> Fallback:
    """Page everybody whom no page of their step has reached on their next channel."""
    done = Fallback()
    is_stopped = bool(session.scalar(_IS_STOPPED))
    for row in session.execute(_LOST, {"now": now, "stuck": now - STUCK, "is_stopped": is_stopped}).all():
        try:
            with session.begin_nested():
                done.paged += _page_otherwise(session, row, now, is_stopped)
        except Exception:  # noqa: BLE001 - a phone whose key is missing must not keep the others from theirs
            log.get().exception("the next channel cannot be taken", agency=row.agency_id, alert=row.alert_id)
        if row.why in _FOR_GOOD:
            done.dead.append(DeadPhone(row.agency_id, row.clinician, row.why))
    return done


def _page_otherwise(session: Session, row: Row[Any], now: datetime, is_stopped: bool) -> bool:
    person = session.get_one(Clinician, (row.agency_id, row.clinician_id))
    alert = session.scalars(
        select(Alert)
        .where(Alert.agency_id == row.agency_id, Alert.id == row.alert_id, Alert.state == AlertState.OPEN)
        .with_for_update(skip_locked=True)
    ).first()
    if alert is None:
        return False
    rung = Rung(alert.round, alert.step, row.until, row.paged_as or "", template=row.template)
    useless = [Channel.SMS, Channel.VOICE] if is_stopped else []
    channel = page_person(session, alert, person, rung, now, [*row.tried, *useless])
    if channel is not None:
        detail = {"channel": row.tried[-1], "why": row.why, "next": channel}
        tell(session, alert, now, EventKind.PAGE_FAILED, clinician_id=person.id, detail=detail)
    return channel is not None


def tell_of_dead_phones(db: Database, phones: Sequence[DeadPhone], now: datetime) -> None:
    """No text will ever reach these phones: somebody must see to each, once a day.

    In a transaction of its own, because opening an alert waits for whoever else opens one, and the escalation holds alerts.
    """
    for phone in phones:
        try:
            with db.agency_session(phone.agency_id) as session:
                _tell(session, phone, now)
        except Exception:  # noqa: BLE001 - one agency's missing rule must not keep the others' ladders from climbing
            log.get().exception("a phone that gets no texts cannot be told", agency=phone.agency_id)


def _tell(session: Session, phone: DeadPhone, now: datetime) -> None:
    names = {"agency": phone.agency_id, "who": phone.clinician, "since": now - timedelta(days=1)}
    if not session.scalar(_IS_TOLD, names):
        detail = {"why": phone.why, "clinician": phone.clinician}
        open_alert(session, Reason(AlertKind.NURSE_UNREACHABLE, phone.agency_id, detail=detail), now)
