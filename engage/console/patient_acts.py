"""What somebody does for a patient: writes, snoozes, sets a level, pauses. A patient in, a sentence out; the verbs are those of the CLI."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.agencies.model import Clinician
from engage.console.gate import changing
from engage.console.patient_read import Person
from engage.console.viewer import Viewer
from engage.db import Database
from engage.errors import BadInput, NotFound
from engage.patients.by_hand import add_contact, end_contact
from engage.patients.model import Contact, Patient
from engage.patients.rules.words import Category, ConsentSource, PatientStatus, Relationship, WhyEnded
from engage.replies.asked import BY_HAND_FOR
from engage.replies.by_hand import write_by_hand
from engage.replies.levels import set_level

_RANGES = {
    "baseline": (1, 5),
    "alert_at_most": (1, 5),
    "drop_by": (0, 4),
    "threes_in_a_row": (0, 20),
    "silent_after": (0, 60),
}
# A death is recorded by what the family writes or by the EMR, a discharge by the EMR.
_SETTABLE = frozenset({PatientStatus.ACTIVE, PatientStatus.ON_HOLD, PatientStatus.HOSPITALIZED})


def write(db: Database, viewer: Viewer, person: Person, said: str, now: datetime) -> str:
    """Queue the viewer's own words; answers go to them. Raises BadInput for no words or too many, NotFound without a phone."""
    with db.agency_session(viewer.agency_id) as session:
        writer = _emr_id(session, viewer)
    write_by_hand(db, viewer.agency_id, person.emr_id, said, writer=writer, actor=viewer.actor, now=now)
    hours = int(BY_HAND_FOR.total_seconds() // 3600)
    return str(
        gettext(
            "Your text is on its way. For %(hours)s hours what comes back goes to you, and nothing else answers.",
            hours=hours,
        )
    )


def snooze(db: Database, viewer: Viewer, person: Person, days: int, now: datetime) -> str:
    """Mute scores and silences for so many days; none ends a snooze. Raises BadInput for too many."""
    until = timedelta(days=days)
    set_level(db, viewer.agency_id, person.emr_id, {}, snooze=until, actor=viewer.actor, now=now)
    if not days:
        return str(gettext("Scores and silences call again."))
    return str(gettext("Scores and silences call nobody for %(days)s days. Urgent words and a 1 still do.", days=days))


def level(db: Database, viewer: Viewer, person: Person, wanted: Mapping[str, int | None], now: datetime) -> str:
    """Set the patient's own level and thresholds; what is empty is the agency's again. Raises BadInput for one out of range."""
    for name, value in wanted.items():
        lowest, highest = _RANGES[name]
        if value is not None and not lowest <= value <= highest:
            raise BadInput(
                gettext("%(value)s is not from %(lowest)s to %(highest)s.", value=value, lowest=lowest, highest=highest)
            )
    set_level(db, viewer.agency_id, person.emr_id, wanted, forget=True, actor=viewer.actor, now=now)
    return str(gettext("Saved: what calls somebody for this patient."))


def pause(db: Database, viewer: Viewer, person: Person, status: str, now: datetime) -> str:
    """Pause all texts (on hold, in hospital) or let them go on (active). Raises BadInput for another word, and after a death."""
    if status not in _SETTABLE:
        raise BadInput(gettext("Choose whether texts pause or go on."))
    with db.agency_session(viewer.agency_id) as session:
        row = session.get_one(Patient, (viewer.agency_id, person.id), with_for_update=True)
        if row.status == PatientStatus.DECEASED:
            raise BadInput(gettext("A death is taken back in the EMR, or by whoever runs Engage."))
        before, row.status, row.status_since = row.status, status, now
        changing(session, viewer, "patient.status", "patient", person.id, {"before": before, "after": status})
    return str(
        gettext("Texts go on.") if status == PatientStatus.ACTIVE else gettext("All texts to this patient pause.")
    )


def contact(
    db: Database, viewer: Viewer, person: Person, said: Mapping[str, str], agreed: Collection[str], now: datetime
) -> str:
    """Add a phone, with what its owner agreed to. Raises BadInput for what cannot be one."""
    relationship, how = said.get("relationship", ""), said.get("how", "")
    if relationship not in set(Relationship) or how not in set(ConsentSource):
        raise BadInput(gettext("Say whose phone it is, and how they agreed."))
    name = said.get("name", "").replace("\x00", "").strip()[:80] or None
    categories = [Category(word) for word in agreed if word in set(Category)]
    with db.agency_session(viewer.agency_id) as session:
        add_contact(
            session,
            viewer.agency_id,
            person.id,
            said.get("phone", ""),
            name,
            Relationship(relationship),
            categories,
            ConsentSource(how),
            viewer.actor,
            now,
        )
    return str(gettext("The phone is on record."))


def end_phone(db: Database, viewer: Viewer, person: Person, contact_id: int, because: str, now: datetime) -> str:
    """End one of the patient's phones, with what it agreed to. Raises BadInput without a reason or for one that has ended, NotFound."""
    if because not in set(WhyEnded):
        raise BadInput(gettext("Say why the phone ends."))
    with db.agency_session(viewer.agency_id) as session:
        row = session.get(Contact, (viewer.agency_id, contact_id))
        if row is None or row.patient_id != person.id:
            raise NotFound(gettext("The patient has no such phone."))
        done = end_contact(session, viewer.agency_id, contact_id, WhyEnded(because), viewer.actor, now)
    if not done.left:
        return str(gettext("The phone has ended. Nobody is left who can be texted for this patient."))
    return str(gettext("The phone has ended, with what it agreed to."))


def _emr_id(session: Session, viewer: Viewer) -> str | None:
    if viewer.clinician_id is None:
        return None
    return session.scalars(
        select(Clinician.emr_id).where(Clinician.agency_id == viewer.agency_id, Clinician.id == viewer.clinician_id)
    ).one()
