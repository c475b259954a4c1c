"""A clinician takes an alert or passes it on. In the caller's transaction; the answer is a value."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engage.agencies.model import Clinician
from engage.alerts.model import Alert, AlertRule
from engage.alerts.paging import reach_of, tell
from engage.alerts.rules.reach import channels
from engage.alerts.rules.words import AlertState, EventKind
from engage.outreach.outbox import Outgoing, queue
from engage.outreach.rules.words import Channel, Kind


@dataclass(frozen=True, slots=True)
class Taken:
    """The alert is theirs now, or was already (then it is not new)."""

    alert_id: int
    code: str
    is_new: bool = True


@dataclass(frozen=True, slots=True)
class TakenWith:
    """It is theirs too, but its kind needs several people: `missing` more."""

    alert_id: int
    code: str
    missing: int


@dataclass(frozen=True, slots=True)
class TakenByOther:
    """Somebody was quicker."""

    alert_id: int
    code: str
    who: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AlreadyResolved:
    """Nothing is left to do; `who` closed it."""

    alert_id: int
    code: str
    who: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PassedOn:
    """The next step of the ladder is due now."""

    alert_id: int
    code: str


Answer = Taken | TakenWith | TakenByOther | AlreadyResolved

TAKERS = """
SELECT DISTINCT e.clinician_id FROM alert_events e
WHERE e.agency_id = a.agency_id AND e.alert_id = a.id AND e.kind = 'acknowledged' AND e.id > COALESCE((
    SELECT max(r.id) FROM alert_events r
    WHERE r.agency_id = e.agency_id AND r.alert_id = e.alert_id
      AND (r.kind = 'reopened' OR (r.kind = 'passed_on' AND r.clinician_id = e.clinician_id))), 0)
"""
"""Who has taken the alert `a` since it was last open: an acknowledgement that went stale, or was passed on, counts no more."""
PASSERS = """
SELECT e.clinician_id FROM alert_events e
WHERE e.agency_id = a.agency_id AND e.alert_id = a.id AND e.kind = 'passed_on' AND e.clinician_id IS NOT NULL
  AND (e.detail ->> 'round')::int = a.round
"""
"""Who has passed the alert `a` on in this round, and is not to be asked before everybody else."""
_OF_ALERT = "SELECT who.* FROM alerts a, LATERAL ({}) who WHERE a.agency_id = :agency AND a.id = :alert"
_TAKERS, _PASSERS = text(_OF_ALERT.format(TAKERS)), text(_OF_ALERT.format(PASSERS))

# What is open and was told to them, and what they have not passed on.
_THEIRS = text("""
SELECT a.code FROM alerts a
WHERE a.agency_id = :agency AND a.state = 'open'
  AND EXISTS (SELECT FROM alert_events e WHERE e.agency_id = a.agency_id AND e.alert_id = a.id AND e.kind = 'paged'
              AND e.clinician_id = :clinician)
  AND NOT EXISTS (SELECT FROM alert_events e WHERE e.agency_id = a.agency_id AND e.alert_id = a.id AND e.kind = 'passed_on'
                  AND e.clinician_id = :clinician AND (e.detail ->> 'round')::int = a.round)
ORDER BY a.severity DESC, a.id
""")

_OTHERS_ASKED = text("""
SELECT count(*) FROM messages m
LEFT JOIN messages b ON b.agency_id = m.agency_id AND b.id = m.bundle_id
WHERE m.agency_id = :agency AND m.alert_id = :alert AND m.kind = 'page' AND m.alert_round = :round AND m.alert_step = :step
  AND m.clinician_id <> ALL(:but)
  AND COALESCE(b.state, m.state) NOT IN ('failed', 'undelivered', 'suppressed', 'expired', 'cancelled')
""")

# A page that never left needs no second word.
_PAGED = text("""
SELECT DISTINCT m.clinician_id FROM messages m
LEFT JOIN messages b ON b.agency_id = m.agency_id AND b.id = m.bundle_id
WHERE m.agency_id = :agency AND m.alert_id = :alert AND m.kind = 'page' AND m.clinician_id <> :but
  AND COALESCE(b.state, m.state) IN ('sending', 'unknown', 'accepted', 'sent', 'delivered')
ORDER BY m.clinician_id
""")


def acknowledge(session: Session, agency_id: int, clinician_id: int, code: str, now: datetime) -> Answer | None:
    """Take the alert with `code` for a clinician; None when there is no such alert.

    A code is used again after its alert is resolved, so the newest unresolved one is meant, else the newest of all.
    """
    alert = find(session, agency_id, code)
    if alert is None:
        return None
    if alert.state == AlertState.RESOLVED:
        return resolved(session, alert)
    if alert.state == AlertState.ACKNOWLEDGED:
        return _held(session, alert, clinician_id)
    rule = rule_of(session, alert)
    takers = takers_of(session, alert)
    if clinician_id not in takers:
        tell(session, alert, now, EventKind.ACKNOWLEDGED, clinician_id=clinician_id)
    missing = rule.takers - len(takers | {clinician_id})
    if missing > 0:
        return TakenWith(alert.id, code, missing)
    hold(alert, clinician_id, now, now + timedelta(minutes=rule.acknowledged_minutes))
    return Taken(alert.id, code)


def hold(alert: Alert, clinician_id: int, since: datetime, until: datetime) -> None:
    """The alert is a clinician's until then."""
    alert.state = AlertState.ACKNOWLEDGED
    alert.acknowledged_by, alert.acknowledged_at = clinician_id, since
    alert.next_due_at = until
    alert.exhausted_at = alert.try_again_at = None


def codes_of(session: Session, agency_id: int, clinician_id: int) -> list[str]:
    """The codes that "all" means for a clinician: open, told to them, not passed on by them; worst first."""
    return list(session.scalars(_THEIRS, {"agency": agency_id, "clinician": clinician_id}))


def pass_on(
    session: Session, agency_id: int, clinician_id: int, code: str, now: datetime
) -> PassedOn | TakenByOther | AlreadyResolved | None:
    """Say "not me": the ladder climbs at once, and to somebody else first; None when there is no such alert.

    It binds to the step that was asked: whoever was asked since, or beside them, keeps the time to answer. Said twice it counts once.
    """
    alert = find(session, agency_id, code)
    if alert is None:
        return None
    if alert.state == AlertState.RESOLVED:
        return resolved(session, alert)
    if alert.state == AlertState.ACKNOWLEDGED and isinstance(held := _held(session, alert, clinician_id), TakenByOther):
        return held
    passers = passers_of(session, alert)
    if alert.state == AlertState.OPEN and clinician_id in passers:
        return PassedOn(alert.id, code)
    names = {"agency": agency_id, "alert": alert.id, "round": alert.round, "step": alert.step}
    others = session.scalar(_OTHERS_ASKED, names | {"but": [*passers, clinician_id]})
    tell(session, alert, now, EventKind.PASSED_ON, clinician_id=clinician_id, detail={"round": alert.round})
    if alert.exhausted_at is None and (alert.state == AlertState.ACKNOWLEDGED or not others):
        alert.next_due_at = now
    alert.state, alert.acknowledged_by, alert.acknowledged_at = AlertState.OPEN, None, None
    alert.try_again_at = None
    return PassedOn(alert.id, code)


def passers_of(session: Session, alert: Alert) -> set[int]:
    """Who has passed it on in this round."""
    session.flush()
    return set(session.scalars(_PASSERS, {"agency": alert.agency_id, "alert": alert.id}))


def find(session: Session, agency_id: int, code: str) -> Alert | None:
    """The alert that `code` means, locked."""
    return session.scalars(
        select(Alert)
        .where(Alert.agency_id == agency_id, Alert.code == code)
        .order_by((Alert.state == AlertState.RESOLVED).asc(), Alert.id.desc())
        .limit(1)
        .with_for_update()
    ).first()


def rule_of(session: Session, alert: Alert) -> AlertRule:
    """How the agency treats this kind."""
    return session.scalars(
        select(AlertRule).where(AlertRule.agency_id == alert.agency_id, AlertRule.kind == alert.kind)
    ).one()


def takers_of(session: Session, alert: Alert) -> set[int]:
    """Who has taken it since it was last open."""
    session.flush()
    return set(session.scalars(_TAKERS, {"agency": alert.agency_id, "alert": alert.id}))


def resolved(session: Session, alert: Alert) -> AlreadyResolved:
    """What is said of an alert that is closed."""
    who = session.get(Clinician, (alert.agency_id, alert.resolved_by)) if alert.resolved_by is not None else None
    return AlreadyResolved(
        alert.id, alert.code, who.first_name if who else "the office", alert.resolved_at or alert.opened_at
    )


def _held(session: Session, alert: Alert, clinician_id: int) -> Taken | TakenByOther:
    if alert.acknowledged_by == clinician_id or alert.acknowledged_at is None:
        return Taken(alert.id, alert.code, is_new=False)
    if rule_of(session, alert).takers > 1 and clinician_id in takers_of(session, alert):
        return Taken(alert.id, alert.code, is_new=False)
    holder = session.get_one(Clinician, (alert.agency_id, alert.acknowledged_by))
    return TakenByOther(alert.id, alert.code, holder.first_name, alert.acknowledged_at)


def others_paged(session: Session, agency_id: int, alert_id: int, but: int) -> list[int]:
    """Clinicians whom a page about the alert has reached or may yet reach, without the one who took it."""
    return list(session.scalars(_PAGED, {"agency": agency_id, "alert": alert_id, "but": but}))


def tell_others(session: Session, agency_id: int, taken: Taken, by: int, at: str, now: datetime) -> None:
    """Tell everybody else who was paged who has it, by text or e-mail; `at` is the wall clock as they read it. Once."""
    if not taken.is_new:
        return
    holder = session.get_one(Clinician, (agency_id, by))
    for person in others_paged(session, agency_id, taken.alert_id, by):
        written = [
            channel
            for channel in channels(reach_of(session.get_one(Clinician, (agency_id, person))))
            if channel is not Channel.VOICE
        ]
        if not written:
            continue
        note = Outgoing(
            agency_id=agency_id,
            kind=Kind.NOTE,
            template="note-taken-by-other",
            clinician_id=person,
            alert_id=taken.alert_id,
            params={"code": taken.code, "who": holder.first_name, "at": at},
            channel=written[0],
        )
        queue(session, note, now)
