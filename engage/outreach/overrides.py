"""One patient's own programme and tags, set by hand: a touchpoint off or at another hour, words about diagnosis and risk. Audited."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time

from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.agencies.model import AuditEvent
from engage.db import Database
from engage.errors import BadInput, NotFound
from engage.outreach.model import Override, Touchpoint
from engage.patients.granting import patient_of

_TAG = re.compile(r"[a-z0-9][a-z0-9-]{0,29}")


@dataclass(frozen=True, slots=True)
class Change:
    """What is wanted for one touchpoint: off, or another hour; neither forgets what was set."""

    touchpoint: str
    is_off: bool = False
    at: time | None = None


def override(db: Database, agency_id: int, emr_id: str, change: Change, actor: str, now: datetime) -> dict[str, str]:
    """Apply `change` to the patient; returns every override that they have now, by the touchpoint's key.

    Raises NotFound for an unknown patient or touchpoint, BadInput for an hour where there is none: after a visit, after a score.
    """
    with db.agency_session(agency_id) as session:
        patient = patient_of(session, emr_id)
        touchpoint = session.scalars(select(Touchpoint).where(Touchpoint.key == change.touchpoint)).first()
        if touchpoint is None:
            known = session.scalars(select(Touchpoint.key).order_by(Touchpoint.key)).all()
            raise NotFound(f"There is no touchpoint {change.touchpoint!r}; there are {', '.join(known)}.")
        if change.at is not None and touchpoint.local_time is None:
            raise BadInput(
                f"{change.touchpoint} has no hour of its own: it follows a visit or a score. It can only be off."
            )
        is_theirs = (Override.patient_id == patient.id, Override.touchpoint_id == touchpoint.id)
        row = session.scalars(select(Override).where(*is_theirs)).first()
        if change.is_off or change.at is not None:
            row = row or Override(agency_id=agency_id, patient_id=patient.id, touchpoint_id=touchpoint.id)
            row.is_off, row.local_time, row.set_by, row.set_at = change.is_off, change.at, actor, now
            session.add(row)
        elif row is not None:
            session.delete(row)
        session.flush()
        shown = overrides_of(session, patient.id)
        detail = {"touchpoint": change.touchpoint, "now": shown.get(change.touchpoint, "as everybody")}
        event = {"actor": actor, "action": "programme.override", "subject": "patient", "subject_id": patient.id}
        session.add(AuditEvent(agency_id=agency_id, at=now, detail=detail, **event))
        return shown


def overrides_of(session: Session, patient_id: int) -> dict[str, str]:
    """A patient's overrides by the touchpoint's key: off, or the hour."""
    rows = session.execute(
        select(Touchpoint.key, Override.is_off, Override.local_time)
        .join(Override, (Override.agency_id == Touchpoint.agency_id) & (Override.touchpoint_id == Touchpoint.id))
        .where(Override.patient_id == patient_id)
        .order_by(Touchpoint.key)
    )
    return {key: "off" if is_off else f"{at:%H:%M}" for key, is_off, at in rows}


def tag(
    db: Database, agency_id: int, emr_id: str, add: Sequence[str], remove: Sequence[str], actor: str, now: datetime
) -> list[str]:
    """Add and remove tags of a patient; returns those they have now. NotFound for an unknown patient, BadInput for what is no tag."""
    wanted, gone = ([word.strip().lower() for word in words] for words in (add, remove))
    for word in [*wanted, *gone]:
        if not _TAG.fullmatch(word):
            raise BadInput(f"A tag is small letters, digits and hyphens, such as chf or high-risk; {word!r} is none.")
    with db.agency_session(agency_id) as session:
        patient = patient_of(session, emr_id)
        tags = sorted((set(patient.tags) | set(wanted)) - set(gone))
        if tags != list(patient.tags):
            patient.tags = tags
            event = {"actor": actor, "action": "patient.tag", "subject": "patient", "subject_id": patient.id}
            session.add(AuditEvent(agency_id=agency_id, at=now, detail={"added": wanted, "removed": gone}, **event))
        return tags
