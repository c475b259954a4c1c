"""What a nurse or an agency sets about scores and silences: baseline, thresholds, a snooze that ends by itself; audited."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.agencies.model import Agency, AuditEvent
from engage.db import Database
from engage.errors import BadInput, NotFound
from engage.patients.model import Patient
from engage.replies.model import PatientLevel
from engage.replies.rules.trends import LONGEST_SNOOZE

_OWN = ("baseline", "alert_at_most", "drop_by", "threes_in_a_row", "silent_after")


def set_level(
    db: Database,
    agency_id: int,
    patient: str,
    changes: Mapping[str, int | None],
    *,
    forget: bool = False,
    snooze: timedelta | None = None,
    actor: str,
    now: datetime,
) -> dict[str, object]:
    """Change what counts for the patient with this EMR id; returns what counts now (None: the agency's).

    `changes` names columns of patient_levels; what is None or not named stays. `forget` first clears all of them. A `snooze` of
    nothing ends one that runs. Raises NotFound for an unknown patient, BadInput for a snooze longer than LONGEST_SNOOZE.
    """
    if snooze is not None and snooze > LONGEST_SNOOZE:
        raise BadInput(
            f"A snooze ends by itself, after {LONGEST_SNOOZE.days} days at most.",
            reason="snooze.long",
            days=LONGEST_SNOOZE.days,
        )
    with db.agency_session(agency_id) as session:
        person = session.scalars(select(Patient).where(Patient.emr_id == patient)).first()
        if person is None:
            raise NotFound(f"No patient has the EMR id {patient!r}.")
        level = session.scalars(select(PatientLevel).where(PatientLevel.patient_id == person.id)).first()
        level = level or PatientLevel(agency_id=agency_id, patient_id=person.id)
        for name in _OWN if forget else ():
            setattr(level, name, None)
        for name, value in changes.items():
            if value is not None:
                setattr(level, name, value)
        if snooze is not None:
            level.snoozed_until = now + snooze if snooze else None
        level.set_by, level.set_at = actor, now
        session.add(level)
        shown: dict[str, object] = {name: getattr(level, name) for name in _OWN}
        is_snoozed = level.snoozed_until is not None and level.snoozed_until > now
        shown["snoozed_until"] = level.snoozed_until.isoformat() if is_snoozed and level.snoozed_until else None
        _audit(session, agency_id, "patient.level", person.id, shown, actor, now)
    return shown


def set_agency_trends(
    db: Database, agency_id: int, changes: Mapping[str, int | None], actor: str, now: datetime
) -> dict[str, object]:
    """Change the agency's own thresholds (drop_by, threes, silent_after; None stays) and return what they are now."""
    columns = {"drop_by": "drop_by", "threes": "threes_in_a_row", "silent_after": "silent_after"}
    with db.agency_session(agency_id) as session:
        agency = session.get_one(Agency, agency_id)
        asked = {name: value for name, value in changes.items() if value is not None}
        for name, value in asked.items():
            setattr(agency, columns[name], value)
        shown: dict[str, object] = {name: getattr(agency, column) for name, column in columns.items()}
        if asked:
            _audit(session, agency_id, "agency.trends", agency_id, shown, actor, now)
    return shown


def _audit(
    session: Session, agency_id: int, action: str, subject_id: int, detail: dict[str, object], actor: str, now: datetime
) -> None:
    subject = action.partition(".")[0]
    event = {"actor": actor, "action": action, "subject": subject, "subject_id": subject_id, "detail": detail}
    session.add(AuditEvent(agency_id=agency_id, at=now, **event))
