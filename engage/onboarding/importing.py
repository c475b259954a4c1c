"""Makes an agency what its file says: a document in; rows changed, and who changed what on record, in one transaction or none.

Nothing that others refer to is ever removed. Wording is retired, not deleted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from engage.agencies.model import Agency, AuditEvent, Branch, Clinician, Sender, ShiftRow
from engage.alerts.model import AlertRule, Ladder, LadderStep
from engage.db import Database
from engage.errors import BadInput
from engage.onboarding.export import export_agency, general_ladders, rows_of, signature, steps_of
from engage.onboarding.rules.diff import Change, changes, lost, stale_reviews
from engage.onboarding.rules.document import AgencyDocument, Entry, meant
from engage.onboarding.rules.fields import AGENCY, ALERT, BRANCH, DAYS, LADDER, SENDER, SHIFT, STEP, TOUCHPOINT, Field
from engage.onboarding.wordings import Wordings, add_version, read_wordings
from engage.outreach.model import Touchpoint

NOTHING_MORE: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file changes. `is_new`: the agency was not there before."""

    changes: tuple[Change, ...]
    is_new: bool


def planned_changes(db: Database, document: AgencyDocument) -> Imported:
    """What an import would change, without changing it; raises BadInput for what cannot be done."""
    with db.system_session("compare an agency with its file") as session:
        return _compared(session, document)[0]


def import_agency(
    db: Database,
    document: AgencyDocument,
    actor: str,
    expected: Imported | None,
    now: datetime,
    *,
    action: str = "agency.import",
    detail: Mapping[str, object] = NOTHING_MORE,
) -> Imported:
    """Make the rows what the file says.

    `expected`: what somebody was shown and said yes to; BadInput if it is something else by now, or cannot be done. `action` and
    `detail` are for the audit, beside the changes.
    """
    with db.system_session("make an agency what its file says") as session:
        _lock(session, document)
        found, before = _compared(session, document)
        if expected is not None and found.changes != expected.changes:
            raise BadInput("The agency has changed meanwhile: look at the changes again.")
        if found.changes:
            agency = _agency(session, document, now)
            _apply(session, agency.id, before, document, now)
            told = {**detail, "changes": [change.says for change in found.changes]}
            event = {"actor": actor, "action": action, "subject": "agency", "subject_id": agency.id}
            session.add(AuditEvent(agency_id=agency.id, at=now, detail=told, **event))
        return found


def make_so(session: Session, document: AgencyDocument, now: datetime) -> None:
    """Make the rows what the file says, in the caller's transaction and without a word for the audit: for what is undone again.

    Raises BadInput for what cannot be done.
    """
    _, before = _compared(session, document)
    _apply(session, _agency(session, document, now).id, before, document, now)
    session.flush()


def _lock(session: Session, document: AgencyDocument) -> None:
    session.execute(select(Agency.id).where(Agency.slug == document.agency["id"]).with_for_update())


def _compared(session: Session, document: AgencyDocument) -> tuple[Imported, AgencyDocument | None]:
    """What changes, and the agency as it is; BadInput for what cannot be done."""
    agency = session.scalars(select(Agency).where(Agency.slug == document.agency["id"])).first()
    before = export_agency(session, agency.id) if agency is not None else None
    found = changes(before, document)
    impossible = [
        *lost(found),
        *stale_reviews(before, document),
        *_unknown_people(session, agency, document),
        *_taken(session, agency, document),
    ]
    if impossible:
        raise BadInput("\n".join(impossible))
    return Imported(found, agency is None), before


def _unknown_people(session: Session, agency: Agency | None, document: AgencyDocument) -> list[str]:
    known: set[str] = set()
    if agency is not None:
        known = {row.emr_id for row in rows_of(session, Clinician, agency.id)}
    named = {shift["clinician"] for shift in document.sections["shift"]}
    return [
        f"A [[shift]] names the clinician {emr_id!r}, whom Engage does not know yet: import without the shifts first, then "
        "engage clinician add (or engage import visits), then import with them."
        for emr_id in sorted(named - known)
    ]


def _taken(session: Session, agency: Agency | None, document: AgencyDocument) -> list[str]:
    mine = agency.id if agency is not None else 0
    numbers = [sender["phone"] for sender in document.sections["sender"]]
    services = [
        sender["messaging_service_sid"] for sender in document.sections["sender"] if "messaging_service_sid" in sender
    ]
    taken = session.scalars(
        select(Sender.phone).where(
            (Sender.phone.in_(numbers) | Sender.messaging_service_sid.in_(services)) & (Sender.agency_id != mine)
        )
    ).all()
    return [f"The number {phone} (or its service) belongs to another agency already." for phone in taken]


def _agency(session: Session, document: AgencyDocument, now: datetime) -> Agency:
    row = session.scalars(select(Agency).where(Agency.slug == document.agency["id"])).first()
    if row is None:
        row = Agency(created_at=now)
        session.add(row)
    _set(row, AGENCY, document.agency)
    session.flush()
    return row


def _apply(
    session: Session, agency_id: int, before: AgencyDocument | None, document: AgencyDocument, now: datetime
) -> None:
    """Write the sections in which the file says something else; rows know more than files, so the others are not touched."""
    sections = document.sections

    def differs(name: str) -> bool:
        return before is None or before.sections[name] != sections[name]

    if differs("branch"):
        _merge(session, Branch, BRANCH, agency_id, {entry["id"]: entry for entry in sections["branch"]})
    offices = {row.emr_id: row.id for row in rows_of(session, Branch, agency_id)}
    if differs("sender"):
        _merge(
            session,
            Sender,
            SENDER,
            agency_id,
            {entry["phone"]: entry for entry in sections["sender"]},
            lambda entry: {"branch_id": offices.get(entry.get("branch", ""))},
        )
    if differs("touchpoint"):
        _merge(session, Touchpoint, TOUCHPOINT, agency_id, {entry["key"]: entry for entry in sections["touchpoint"]})
    if differs("ladder"):
        _ladders(session, agency_id, sections["ladder"])
    if before is None or before.alerts != document.alerts:
        ladders = {ladder.key: ladder.id for ladder in general_ladders(session, agency_id)}
        _merge(
            session,
            AlertRule,
            ALERT,
            agency_id,
            document.alerts,
            lambda entry: {"ladder_id": ladders[entry["ladder"]]},
            named="kind",
        )
    if differs("shift"):
        _shifts(session, agency_id, sections["shift"], offices)
    if before is None or before.wordings != document.wordings:
        _wordings(session, agency_id, document, now)


def _ladders(session: Session, agency_id: int, entries: tuple[Entry, ...]) -> None:
    general = general_ladders(session, agency_id)
    rows = _merge(session, Ladder, LADDER, agency_id, {entry["key"]: entry for entry in entries}, among=general)
    for entry in entries:
        _steps(session, rows[entry["key"]], entry["steps"])


def _merge(
    session: Session,
    model: Any,
    fields: tuple[Field, ...],
    agency_id: int,
    entries: Mapping[str, Entry],
    references: Any = lambda entry: {},
    named: str = "",
    among: Sequence[Any] | None = None,
) -> dict[str, Any]:
    """Rows (of the table, or `among` these) that become what their entries say, by the first field's name (or `named`)."""
    key = named or fields[0].attribute
    there = rows_of(session, model, agency_id) if among is None else among
    rows: dict[str, Any] = {getattr(row, key): row for row in there}
    for name, entry in entries.items():
        row = rows.get(name)
        if row is None:
            row = rows[name] = model(agency_id=agency_id, **{key: name})
            session.add(row)
        refers = references(entry)
        _set(row, tuple(one for one in fields if f"{one.key}_id" not in refers), entry)
        for column, value in refers.items():
            setattr(row, column, value)
        session.flush()
    return rows


def _set(row: Any, fields: tuple[Field, ...], entry: Mapping[str, Any]) -> None:
    for field in fields:
        value = meant(entry, field)
        setattr(row, field.attribute, Decimal(str(value)) if isinstance(value, float) else value)


def _steps(session: Session, ladder: Ladder, steps: list[Entry]) -> None:
    if steps_of(session, ladder) == steps:
        return
    session.execute(
        delete(LadderStep).where(LadderStep.agency_id == ladder.agency_id, LadderStep.ladder_id == ladder.id)
    )
    for position, entry in enumerate(steps, start=1):
        step = LadderStep(agency_id=ladder.agency_id, ladder_id=ladder.id, position=position)
        _set(step, STEP, entry)
        session.add(step)
    session.flush()


def _shifts(session: Session, agency_id: int, entries: tuple[Entry, ...], offices: Mapping[str, int]) -> None:
    """Shifts have no name: those that the file does not have go, those that it has more often come."""
    people = {row.emr_id: row.id for row in rows_of(session, Clinician, agency_id)}
    fields = tuple(field for field in SHIFT if field.key not in {"clinician", "branch", "days"})
    wanted = []
    for entry in entries:
        row = ShiftRow(agency_id=agency_id, clinician_id=people[entry["clinician"]])
        row.branch_id = offices.get(entry.get("branch", ""))
        row.weekdays = [DAYS.index(day) for day in entry["days"]]
        _set(row, fields, entry)
        wanted.append(row)
    compared = ("clinician_id", "branch_id", "weekdays", *(field.attribute for field in fields))
    for old in rows_of(session, ShiftRow, agency_id):
        same = next((new for new in wanted if all(getattr(old, name) == getattr(new, name) for name in compared)), None)
        if same is None:
            session.delete(old)
        else:
            wanted.remove(same)
    session.add_all(wanted)
    session.flush()


def _wordings(session: Session, agency_id: int, document: AgencyDocument, now: datetime) -> None:
    wanted: dict[tuple[str, str], dict[bool, tuple[Entry, str]]] = {}
    for entry in document.wordings:
        signed = {name: value for name, value in entry.items() if name != "texts"}
        for key, words in entry["texts"].items():
            wanted.setdefault((key, entry["language"]), {})["reviewed_by" in entry] = (signed, words)
    there = read_wordings(session, agency_id)
    for place in sorted({*there.places, *wanted}):
        _wording(session, agency_id, there, place, wanted.get(place, {}), now)


def _wording(
    session: Session,
    agency_id: int,
    there: Wordings,
    place: tuple[str, str],
    wanted: Mapping[bool, tuple[Entry, str]],
    now: datetime,
) -> None:
    """One template in one language: `wanted` by whether it is reviewed. What changes is a new version; nothing is rewritten."""
    in_force, waiting = there.in_force(*place), there.waiting(*place)
    is_same = {
        True: (wanted.get(True) == (in_force and (signature(in_force), in_force.wording))),
        False: (wanted.get(False) == (waiting and (signature(waiting), waiting.wording))),
    }
    if all(is_same.values()):
        return
    versions = there.versions(*place)
    for row in versions:
        if row.retired_at is None and (row.reviewed_at is None or True not in wanted):
            row.retired_at = now
    version = max((row.version for row in versions), default=0)
    for is_reviewed in (True, False):  # what waits is newer than what leaves
        if is_reviewed in wanted and not (is_reviewed and is_same[True]):
            version += 1
            signed, words = wanted[is_reviewed]
            row = add_version(session, agency_id, (*place, version), words, signed["written_by"], now)
            row.reviewed_by, row.reviewed_at = signed.get("reviewed_by"), signed.get("reviewed_at")
    session.flush()
