"""Opens an alert, in the transaction of whoever found the reason: the alert exists when the reply is handled, or neither.

Or adds the reason to the patient's story (rules.story), and begins its ladder again when that makes it worse.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from secrets import randbelow

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engage.alerts.ladders import ladder_for, place_of, put_at
from engage.alerts.model import Alert, AlertEvent, AlertRule
from engage.alerts.promises import start_timer_of_rule
from engage.alerts.rules.story import LASTING, Joins, Known, Opens, family, settle
from engage.alerts.rules.words import AlertKind, AlertState, EventKind, Severity

# Codes are short and may be used again after an alert is resolved; opening is one at a time in an agency.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('engage alert code', :agency))")
_FREE_OF = text("""
SELECT c.code FROM unnest(CAST(:codes AS text[])) WITH ORDINALITY AS c (code, position)
WHERE NOT EXISTS (SELECT FROM alerts a WHERE a.agency_id = :agency AND a.code = c.code AND a.state <> 'resolved')
ORDER BY c.position LIMIT 1
""")
_FREE_CODE = text("""
SELECT n::text FROM generate_series(CAST(:lowest AS int), CAST(:highest AS int)) AS n
WHERE NOT EXISTS (SELECT FROM alerts a WHERE a.agency_id = :agency AND a.code = n::text AND a.state <> 'resolved')
ORDER BY random() LIMIT 1
""")

_TRIES = 8

# The newest alert of the patient that the reason could belong to: an open one before a taken one before a resolved one.
_NEWEST = text("""
SELECT a.id FROM alerts a WHERE a.agency_id = :agency AND a.patient_id = :patient AND a.kind = ANY(:kinds)
ORDER BY CASE a.state WHEN 'open' THEN 0 WHEN 'acknowledged' THEN 1 ELSE 2 END, a.id DESC LIMIT 1 FOR UPDATE
""")
# What an agency must do for its own sake is one alert a branch until it is resolved.
_OF_BRANCH = text("""
SELECT a.id FROM alerts a
WHERE a.agency_id = :agency AND a.patient_id IS NULL AND a.kind = :kind AND a.branch_id IS NOT DISTINCT FROM :branch
  AND a.state <> 'resolved' ORDER BY a.id LIMIT 1 FOR UPDATE
""")
_STORY = text("""
SELECT array_remove(array_agg(e.detail ->> 'kind') || array_agg(e.detail ->> 'was'), NULL) AS kinds, min(s.value) AS lowest
FROM alert_events e
LEFT JOIN scores s ON s.agency_id = e.agency_id AND s.reply_id = e.reply_id AND s.scale = 5
WHERE e.agency_id = :agency AND e.alert_id = :alert AND e.kind IN ('opened', 'evidence')
""")
_SCORE = text("SELECT min(value) FROM scores WHERE agency_id = :agency AND reply_id = :reply AND scale = 5")
_BRANCH = text("SELECT branch_id FROM patients WHERE agency_id = :agency AND id = :patient")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why somebody must act, and for whom. `detail` is shown beside it: codes and words of ours, nothing personal.

    `branch_id` is for what is about no patient; a patient's alert is of the patient's branch.
    """

    kind: AlertKind
    agency_id: int
    patient_id: int | None = None
    contact_id: int | None = None
    reply_id: int | None = None
    message_id: int | None = None
    detail: Mapping[str, object] = field(default_factory=dict)
    branch_id: int | None = None


def open_alert(session: Session, reason: Reason, now: datetime) -> int:
    """The id of the alert: a new one, or the one whose story this is, with this as evidence (rules.story)."""
    session.execute(_LOCK, {"agency": reason.agency_id})
    session.flush()
    rule = session.scalars(
        select(AlertRule).where(AlertRule.agency_id == reason.agency_id, AlertRule.kind == reason.kind)
    ).first()
    alert = _newest(session, reason)
    rated = rule or alert  # what joins needs no rule of its own
    severity = Severity(rated.severity) if rated is not None else Severity.ROUTINE
    match settle(_known(session, alert), reason.kind, severity, _score(session, reason), now):
        case Joins() as joins if alert is not None:
            # what it was called at first is known from the alert itself, until something worse gives it its name
            more: dict[str, object] = {"kind": reason.kind} | ({"was": alert.kind} if joins.leads else {})
            more |= {"raised_to": joins.severity} if joins.severity > alert.severity else {}
            _raise(session, alert, rule, joins, now)
            kind = EventKind.EVIDENCE
        case Opens(due_at=due_at) if rule is not None:
            alert = _new(session, reason, rule, due_at, now)
            kind, more = EventKind.OPENED, {}
        case _:
            raise LookupError(f"there is no alert rule for {reason.kind}")
    session.add(
        AlertEvent(
            agency_id=reason.agency_id,
            alert_id=alert.id,
            at=now,
            kind=kind,
            reply_id=reason.reply_id,
            message_id=reason.message_id,
            detail={**reason.detail, **more},
        )
    )
    return alert.id


def _newest(session: Session, reason: Reason) -> Alert | None:
    if reason.patient_id is not None:
        kinds = [str(kind) for kind in family(reason.kind)]
        values = {"agency": reason.agency_id, "patient": reason.patient_id, "kinds": kinds}
        found = session.scalar(_NEWEST, values)
    elif reason.kind in LASTING:
        of_branch = {"agency": reason.agency_id, "kind": reason.kind, "branch": reason.branch_id}
        found = session.scalar(_OF_BRANCH, of_branch)
    else:  # an unknown phone: nobody knows whether it is the same person
        return None
    return session.get_one(Alert, (reason.agency_id, found), populate_existing=True) if found is not None else None


def _known(session: Session, alert: Alert | None) -> Known | None:
    if alert is None:
        return None
    story = session.execute(_STORY, {"agency": alert.agency_id, "alert": alert.id}).one()
    return Known(
        state=AlertState(alert.state),
        severity=Severity(alert.severity),
        kinds=frozenset(AlertKind(kind) for kind in (*(story.kinds or ()), alert.kind)),
        opened_at=alert.opened_at,
        acknowledged_at=alert.acknowledged_at,
        resolved_at=alert.resolved_at,
        outcome=alert.outcome,
        is_exhausted=alert.exhausted_at is not None,
        lowest=story.lowest,
    )


def _score(session: Session, reason: Reason) -> int | None:
    score: int | None = session.scalar(_SCORE, {"agency": reason.agency_id, "reply": reason.reply_id})
    return score if reason.reply_id is not None else None


def _raise(session: Session, alert: Alert, rule: AlertRule | None, joins: Joins, now: datetime) -> None:
    alert.severity = joins.severity
    if joins.leads and rule is not None:
        alert.kind = rule.kind
        alert.ladder_id = ladder_for(session, alert.agency_id, rule.ladder_id, alert.branch_id)
    if joins.begins_again:
        put_at(alert, place_of(alert).begun_again())
        alert.next_due_at, alert.exhausted_at = now, None
    session.flush()


def _new(session: Session, reason: Reason, rule: AlertRule, due_at: datetime, now: datetime) -> Alert:
    branch_id = reason.branch_id
    if reason.patient_id is not None:
        branch_id = session.scalar(_BRANCH, {"agency": reason.agency_id, "patient": reason.patient_id})
    alert = Alert(
        agency_id=reason.agency_id,
        branch_id=branch_id,
        patient_id=reason.patient_id,
        contact_id=reason.contact_id,
        reply_id=reason.reply_id,
        kind=reason.kind,
        severity=rule.severity,
        ladder_id=ladder_for(session, reason.agency_id, rule.ladder_id, branch_id),
        code=_code(session, reason.agency_id),
        state=AlertState.OPEN,
        round=1,
        step=0,
        first_round=1,
        climbed=[],
        next_due_at=due_at,
        opened_at=now,
    )
    session.add(alert)
    session.flush()
    start_timer_of_rule(session, alert, rule, now)
    return alert


def _code(session: Session, agency_id: int) -> str:
    for lowest, highest in ((1000, 9999), (10000, 99999), (100000, 999999)):
        # Nearly always one of a few is free, a hundred times cheaper to find out than which of all are.
        few = [str(lowest + randbelow(highest - lowest + 1)) for _ in range(_TRIES)]
        code: str | None = session.scalar(_FREE_OF, {"codes": few, "agency": agency_id})
        code = code or session.scalar(_FREE_CODE, {"lowest": lowest, "highest": highest, "agency": agency_id})
        if code is not None:
            return code
    raise AssertionError("a million alerts are open in one agency")
