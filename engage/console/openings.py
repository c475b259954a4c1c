"""Breaking the glass: somebody opens a patient outside of their branches, with a reason, for four hours. On record at once; the
supervisors are paged by an alert of its own, without a word about whom; managers are told when they next sign in, and see the list."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engage.agencies.model import Account
from engage.alerts.opening import Reason, open_alert
from engage.alerts.rules.words import AlertKind
from engage.console.gate import changing
from engage.console.model import ConsoleSession, PatientOpening
from engage.console.viewer import Viewer
from engage.patients.model import Patient

HOLDS = timedelta(hours=4)
SHORTEST_REASON = 10
LONGEST_REASON = 500
LISTED = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Opening:
    """A patient who was opened: by whom, when, why."""

    at: datetime
    who: str
    patient_id: int
    patient: str
    reason: str


def may_see(session: Session, viewer: Viewer, patient_id: int, branch_id: int | None, now: datetime) -> bool:
    """Whether a patient of that branch is open to `viewer`: by their branches, or because they opened it with a reason."""
    if viewer.branch_ids is None or branch_id in viewer.branch_ids:
        return True
    found = select(PatientOpening.id).where(
        PatientOpening.account_id == viewer.account_id,
        PatientOpening.patient_id == patient_id,
        PatientOpening.ends_at > now,
    )
    return session.scalars(found.limit(1)).first() is not None


def open_patient(session: Session, viewer: Viewer, emr_id: str, reason: str, now: datetime) -> int | None:
    """Open the patient with this id in the EMR; their id here, None when there is none. The reason itself is kept encrypted;
    the alert says nothing of it."""
    patient = session.execute(select(Patient.id, Patient.branch_id).where(Patient.emr_id == emr_id)).one_or_none()
    if patient is None:
        return None
    patient_id: int = patient.id
    opening = PatientOpening(
        agency_id=viewer.agency_id,
        account_id=viewer.account_id,
        patient_id=patient_id,
        reason=reason,
        opened_at=now,
        ends_at=now + HOLDS,
    )
    session.add(opening)
    session.flush()
    changing(session, viewer, "patient.open", "patient", patient_id, {"opening": opening.id})
    # Of the branch and not of the patient: it is no part of their story, and who takes it reads whom in the list.
    detail = {"opening": opening.id, "by": viewer.clinician_id}
    told = Reason(AlertKind.PATIENT_OPENED, viewer.agency_id, branch_id=patient.branch_id, detail=detail)
    open_alert(session, told, now)
    return patient_id


def openings(session: Session, now: datetime) -> list[Opening]:
    """Who opened whom in the last 90 days, the newest first."""
    rows = session.execute(
        select(
            PatientOpening.opened_at,
            Account.name,
            PatientOpening.patient_id,
            Patient.first_name,
            Patient.last_name,
            PatientOpening.reason,
        )
        .join(Account, (Account.agency_id == PatientOpening.agency_id) & (Account.id == PatientOpening.account_id))
        .join(Patient, (Patient.agency_id == PatientOpening.agency_id) & (Patient.id == PatientOpening.patient_id))
        .where(PatientOpening.opened_at > now - LISTED)
        .order_by(PatientOpening.id.desc())
    )
    return [
        Opening(row.opened_at, row.name, row.patient_id, f"{row.first_name} {row.last_name}", row.reason)
        for row in rows
    ]


def since_last_sign_in(session: Session, account_id: int, this_session: int, now: datetime) -> int:
    """How many were opened since somebody's session before this one began."""
    last = session.scalar(
        select(func.max(ConsoleSession.begun_at)).where(
            ConsoleSession.account_id == account_id,
            ConsoleSession.id != this_session,
            ConsoleSession.second_at.is_not(None),
        )
    )
    since = max(last or now - LISTED, now - LISTED)
    counted = select(func.count()).where(PatientOpening.opened_at > since, PatientOpening.account_id != account_id)
    return session.scalar(counted) or 0
