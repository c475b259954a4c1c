"""Who could be paged for an alert at this moment, for each step of its ladder: rows in, clinician ids out. Reads only.

Nobody is paged about a complaint or an opening of their own making, and a nurse off shift is left alone if somebody on call stands in.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from engage.agencies.rota import Crew
from engage.agencies.rules.people import Duty, Role
from engage.alerts.model import Alert
from engage.alerts.rules.ladder import Step
from engage.alerts.rules.words import AlertKind, Who
from engage.patients.model import Patient

# Those who come on the visit nearest to now, after the case manager.
_VISITORS = text("""
SELECT vc.clinician_id FROM visits v
JOIN visit_clinicians vc ON vc.agency_id = v.agency_id AND vc.visit_id = v.id
WHERE v.agency_id = :agency AND v.patient_id = :patient AND v.status <> 'cancelled'
ORDER BY abs(v.starts_on - CAST(:today AS date)), v.id, vc.clinician_id LIMIT 4
""")

# The clinicians of the visit concerned: the one that a survey asked about, else those of today and of the last day before.
_CONCERNED = text("""
WITH asked AS (
    SELECT m.visit_id FROM alert_events e
    JOIN readings r ON r.agency_id = e.agency_id AND r.reply_id = e.reply_id
    JOIN messages m ON m.agency_id = r.agency_id AND m.id = r.asked_message_id
    WHERE e.agency_id = :agency AND e.alert_id = :alert AND m.visit_id IS NOT NULL
), near AS (
    SELECT v.id FROM visits v
    WHERE NOT EXISTS (SELECT FROM asked) AND v.agency_id = :agency AND v.patient_id = :patient AND v.status <> 'cancelled'
      AND (v.starts_on = :today OR v.starts_on = (
          SELECT max(o.starts_on) FROM visits o
          WHERE o.agency_id = :agency AND o.patient_id = :patient AND o.status <> 'cancelled' AND o.starts_on < :today))
)
SELECT DISTINCT vc.clinician_id FROM visit_clinicians vc
WHERE vc.agency_id = :agency AND vc.visit_id IN (SELECT visit_id FROM asked UNION SELECT id FROM near)
""")
_ABOUT_SOMEBODY = frozenset({AlertKind.COMPLAINT, AlertKind.LOW_SURVEY})
# Whoever opened a patient outside of their branches is not the one to look at it.
_OPENED_BY = text("""
SELECT CAST(e.detail ->> 'by' AS bigint) FROM alert_events e
WHERE e.agency_id = :agency AND e.alert_id = :alert AND e.kind IN ('opened', 'evidence') AND e.detail ->> 'by' IS NOT NULL
""")


def pageable(
    session: Session, alert: Alert, steps: Sequence[Step], crew: Crew, now: datetime
) -> Mapping[int, list[int]]:
    """Clinician ids by step; only people who work here, can be reached, and are not those who are complained about."""
    patient = session.get(Patient, (alert.agency_id, alert.patient_id)) if alert.patient_id is not None else None
    branch_id = patient.branch_id if patient is not None else alert.branch_id
    able = crew.reachable(now) - _concerned(session, alert, patient, now)
    on_call = _only(crew.rota.on(Duty.ON_CALL, branch_id, now), able)
    stands_in = on_call or _only(crew.rota.on(Duty.FALLBACK, branch_id, now), able)
    nurses = _only(_nurses(session, alert, patient, now), able)
    at_work = [nurse for nurse in nurses if crew.rota.is_at_work(nurse, branch_id, now)]
    by_who: Mapping[Who, list[int]] = {
        Who.NURSE: (at_work or ([] if stands_in else nurses))[:1],
        Who.ON_CALL: stands_in,
        Who.SCHEDULER: _of_role(crew, Role.SCHEDULER, branch_id, able),
        Who.SUPERVISOR: _of_role(crew, Role.SUPERVISOR, branch_id, able),
    }
    return {step.id: _for_step(step, by_who, on_call, crew, able) for step in steps}


def _for_step(
    step: Step, by_who: Mapping[Who, list[int]], on_call: Sequence[int], crew: Crew, able: frozenset[int]
) -> list[int]:
    if step.who is Who.PERSON:
        return _only([step.person] if step.person is not None else [], able)
    if (
        step.discipline is not None and on_call
    ):  # with nobody on call at all, the fallback stands in for every discipline
        return [person for person in on_call if crew.people[person].discipline == step.discipline]
    return by_who[step.who]


def _only(people: Iterable[int], able: frozenset[int]) -> list[int]:
    return [person for person in people if person in able]


def _of_role(crew: Crew, role: Role, branch_id: int | None, able: frozenset[int]) -> list[int]:
    return [
        person.id
        for person in crew.people.values()
        if person.role == role
        and person.id in able
        and (branch_id is None or person.branch_id is None or person.branch_id == branch_id)
    ]


def _nurses(session: Session, alert: Alert, patient: Patient | None, now: datetime) -> list[int]:
    if patient is None:
        return []
    today = now.astimezone(ZoneInfo(patient.time_zone)).date()
    visitors = session.scalars(_VISITORS, {"agency": alert.agency_id, "patient": patient.id, "today": today})
    first = [patient.case_manager_id] if patient.case_manager_id is not None else []
    return list(dict.fromkeys([*first, *visitors]))


def _concerned(session: Session, alert: Alert, patient: Patient | None, now: datetime) -> frozenset[int]:
    if alert.kind == AlertKind.PATIENT_OPENED:
        return frozenset(session.scalars(_OPENED_BY, {"agency": alert.agency_id, "alert": alert.id}))
    if patient is None or alert.kind not in _ABOUT_SOMEBODY:
        return frozenset()
    today = now.astimezone(ZoneInfo(patient.time_zone)).date()
    values = {"agency": alert.agency_id, "alert": alert.id, "patient": patient.id, "today": today}
    return frozenset(session.scalars(_CONCERNED, values))
