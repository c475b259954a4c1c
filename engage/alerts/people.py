"""Who could be paged for an alert at this moment, for each rung of a ladder: rows in, clinician ids out. Reads only."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engage.agencies.model import Agency, Branch, Clinician, ShiftRow
from engage.agencies.rules.oncall import Shift, on_call
from engage.agencies.rules.people import Role
from engage.alerts.model import Alert
from engage.alerts.paging import is_reachable
from engage.alerts.rules.words import Who
from engage.patients.model import Patient

# The nurse of a patient: the case manager, else whoever comes on the visit nearest to now.
_VISITORS = text("""
SELECT vc.clinician_id FROM visits v
JOIN visit_clinicians vc ON vc.agency_id = v.agency_id AND vc.visit_id = v.id
WHERE v.agency_id = :agency AND v.patient_id = :patient
ORDER BY abs(v.starts_on - CAST(:today AS date)), v.id, vc.clinician_id LIMIT 1
""")


def pageable(session: Session, alert: Alert, now: datetime) -> Mapping[Who, list[int]]:
    """Clinician ids by rung; only people who work here and whom a page can reach on some channel."""
    patient = session.get(Patient, (alert.agency_id, alert.patient_id)) if alert.patient_id is not None else None
    branch_id = patient.branch_id if patient is not None else None
    reachable = {clinician.id: clinician for clinician in _reachable(session, alert.agency_id, now)}
    nurse = _nurse(session, alert, patient, now)
    by_role = {
        role: [c.id for c in reachable.values() if c.role == role and _serves(c, branch_id)]
        for role in (Role.SCHEDULER, Role.SUPERVISOR)
    }
    wanted = {
        Who.NURSE: [nurse] if nurse is not None else [],
        Who.ON_CALL: _on_call(session, alert.agency_id, branch_id, now),
        Who.SCHEDULER: by_role[Role.SCHEDULER],
        Who.SUPERVISOR: by_role[Role.SUPERVISOR],
    }
    return {who: [person for person in people if person in reachable] for who, people in wanted.items()}


def _reachable(session: Session, agency_id: int, now: datetime) -> list[Clinician]:
    working = session.scalars(
        select(Clinician)
        .where(Clinician.agency_id == agency_id, (Clinician.left_on.is_(None)) | (Clinician.left_on > now.date()))
        .order_by(Clinician.id)
    )
    return [person for person in working if is_reachable(person)]


def _serves(clinician: Clinician, branch_id: int | None) -> bool:
    return branch_id is None or clinician.branch_id is None or clinician.branch_id == branch_id


def _nurse(session: Session, alert: Alert, patient: Patient | None, now: datetime) -> int | None:
    if patient is None:
        return None
    if patient.case_manager_id is not None:
        return patient.case_manager_id
    values = {"agency": alert.agency_id, "patient": patient.id, "today": now.date()}
    visitor: int | None = session.scalar(_VISITORS, values)
    return visitor


def _on_call(session: Session, agency_id: int, branch_id: int | None, now: datetime) -> list[int]:
    rows = session.execute(
        select(ShiftRow, Branch.time_zone, Agency.time_zone.label("agency_zone"))
        .join(Agency, Agency.id == ShiftRow.agency_id)
        .outerjoin(Branch, (Branch.agency_id == ShiftRow.agency_id) & (Branch.id == ShiftRow.branch_id))
        .where(ShiftRow.agency_id == agency_id)
        .order_by(ShiftRow.id)
    )
    shifts = [
        Shift(
            row.clinician_id,
            zone or agency_zone,
            frozenset(row.weekdays),
            row.starts,
            row.ends,
            row.first_on,
            row.last_on,
        )
        for row, zone, agency_zone in rows
        if branch_id is None or row.branch_id is None or row.branch_id == branch_id
    ]
    return list(on_call(shifts, now))
