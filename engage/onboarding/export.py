"""Reads an agency out of its rows: an id in, its document in the normal form out. Reads only."""

from collections.abc import Iterable, Sequence
from datetime import UTC
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.agencies.model import Agency, Branch, Clinician, Sender, ShiftRow
from engage.alerts.model import AlertRule, Ladder, LadderStep
from engage.onboarding.rules.document import AgencyDocument, Entry, in_order, normal, template_order
from engage.onboarding.rules.fields import AGENCY, ALERT, BRANCH, DAYS, LADDER, SENDER, SHIFT, STEP, TOUCHPOINT, Field
from engage.onboarding.wordings import Wordings, read_wordings
from engage.outreach.model import Template, Touchpoint
from engage.outreach.rules.groups import group_as_json, read_group, read_taper, taper_as_json

Row = TypeVar("Row")


def export_agency(session: Session, agency_id: int) -> AgencyDocument:
    """The agency as its file has it; clinicians by their id in the EMR."""
    agency = session.scalars(select(Agency).where(Agency.id == agency_id)).one()
    branches = rows_of(session, Branch, agency_id)
    offices = {branch.id: branch.emr_id for branch in branches}
    ladders = general_ladders(session, agency_id)
    sections = {
        "branch": tuple(_entry(BRANCH, row) for row in branches),
        "sender": tuple(
            _entry(SENDER, row, branch=offices.get(row.branch_id or 0)) for row in rows_of(session, Sender, agency_id)
        ),
        "touchpoint": tuple(_touchpoint(row) for row in rows_of(session, Touchpoint, agency_id)),
        "ladder": tuple(_ladder(session, row) for row in ladders),
        "shift": tuple(_shifts(session, agency_id, offices)),
    }
    keys = {ladder.id: ladder.key for ladder in ladders}
    alerts = {
        row.kind: _entry(ALERT, row, ladder=keys[row.ladder_id]) for row in rows_of(session, AlertRule, agency_id)
    }
    wordings = tuple(_wordings(read_wordings(session, agency_id)))
    return normal(AgencyDocument(_entry(AGENCY, agency), sections, alerts, wordings))


def rows_of(session: Session, model: type[Row], agency_id: int) -> Sequence[Row]:
    """Every row of one table of an agency, oldest first."""
    table: Any = model
    return session.scalars(select(table).where(table.agency_id == agency_id).order_by(table.id)).all()


def general_ladders(session: Session, agency_id: int) -> list[Ladder]:
    """The ladders of the agency itself: a branch's own has the same key and is not in the file (engage alerts ladder)."""
    return [ladder for ladder in rows_of(session, Ladder, agency_id) if ladder.branch_id is None]


def steps_of(session: Session, ladder: Ladder) -> list[Entry]:
    """The steps of a ladder, in order."""
    found = session.scalars(
        select(LadderStep)
        .where(LadderStep.agency_id == ladder.agency_id, LadderStep.ladder_id == ladder.id)
        .order_by(LadderStep.position)
    )
    return [_entry(STEP, step) for step in found]


def _touchpoint(row: Touchpoint) -> Entry:
    """The order in which PostgreSQL keeps the parts of a rule is its own; the file has ours."""
    group, taper = read_group(row.for_whom), read_taper(row.taper)
    if isinstance(group, str) or isinstance(taper, str):
        raise LookupError(f"the rule of touchpoint {row.key} cannot be read: {group}, {taper}")  # noqa: TRY004 - a row, not an argument
    return _entry(TOUCHPOINT, row, for_whom=group_as_json(group), taper=taper_as_json(taper))


def _ladder(session: Session, row: Ladder) -> Entry:
    return {**_entry(LADDER, row), "steps": steps_of(session, row)}


def _shifts(session: Session, agency_id: int, offices: dict[int, str]) -> Iterable[Entry]:
    people = {row.id: row.emr_id for row in rows_of(session, Clinician, agency_id)}
    for row in rows_of(session, ShiftRow, agency_id):
        days = [DAYS[day] for day in sorted(set(row.weekdays))]
        yield _entry(SHIFT, row, clinician=people[row.clinician_id], branch=offices.get(row.branch_id or 0), days=days)


def _entry(fields: tuple[Field, ...], row: object, **named: Any) -> Entry:
    """The fields of one row; `named` are those that a file tells in other words than the row."""
    values = {entry.key: named[entry.key] if entry.key in named else getattr(row, entry.attribute) for entry in fields}
    return in_order(fields, {key: float(one) if isinstance(one, Decimal) else one for key, one in values.items()})


def _wordings(wordings: Wordings) -> Iterable[Entry]:
    """Wording in force and wording that waits, grouped by language and by who answers for it."""
    rows: list[Template] = []
    for key, language in wordings.places:
        found = (wordings.in_force(key, language), wordings.waiting(key, language))
        rows += [row for row in found if row is not None]
    groups: dict[tuple[Any, ...], Entry] = {}
    for row in sorted(rows, key=lambda row: template_order(row.key)):
        signed = signature(row)
        groups.setdefault(tuple(signed.items()), {**signed, "texts": {}})["texts"][row.key] = row.wording
    return groups.values()


def signature(row: Template) -> Entry:
    """Language, author and reviewer of a wording."""
    told: Entry = {"language": row.language, "written_by": row.written_by}
    if row.reviewed_by is not None and row.reviewed_at is not None:
        told |= {"reviewed_by": row.reviewed_by, "reviewed_at": row.reviewed_at.astimezone(UTC)}
    return told
