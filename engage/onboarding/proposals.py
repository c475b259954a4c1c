"""A change of one touchpoint on its way: what somebody wants in; the change as a file would make it, what speaks against it, and what it
would do to a week out. It goes the way of an agency's file, from the checks to the dry run and the import; nothing else writes."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from engage.agencies.model import Agency
from engage.db import Database
from engage.errors import BadInput, NotFound
from engage.onboarding.export import export_agency
from engage.onboarding.importing import NOTHING_MORE, Imported, import_agency, planned_changes
from engage.onboarding.rules.document import AgencyDocument, with_touchpoint
from engage.onboarding.rules.sound import Note, check_document
from engage.onboarding.trial import Trial, dry_run
from engage.outreach.rules.checks import Book, Prices, Severity


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change that could be made. `notes`: what the checks say of it and did not say before; none of them refuses it."""

    slug: str
    document: AgencyDocument
    planned: Imported
    notes: tuple[Note, ...]

    @property
    def seal(self) -> str:
        """Stands for exactly these changes: whoever says yes to them says it with the seal."""
        return hashlib.sha256("\n".join(change.says for change in self.planned.changes).encode()).hexdigest()


def propose(db: Database, agency_id: int, given: Mapping[str, Any], book: Book, needed: frozenset[str]) -> Proposal:
    """The agency with one touchpoint as `given` has it: the fields of a file's [[touchpoint]], `key` among them.

    Raises NotFound for a touchpoint that is not there, BadInput for what cannot be read, changes nothing, or is refused by a check
    that did not refuse the agency as it is.
    """
    with db.agency_session(agency_id) as session:
        slug = session.scalars(select(Agency.slug).where(Agency.id == agency_id)).one()
        before = export_agency(session, agency_id)
    if given.get("key") not in {entry["key"] for entry in before.sections["touchpoint"]}:
        raise NotFound(f"There is no touchpoint {given.get('key')!r}.")
    after = with_touchpoint(before, given)
    if not isinstance(after, AgencyDocument):
        raise BadInput("\n".join(after))
    known = set(check_document(before, book, needed))
    notes = tuple(note for note in check_document(after, book, needed) if note not in known)
    if refused := [f"{note.where}: {note.says}" for note in notes if note.severity is Severity.REFUSE]:
        raise BadInput("\n".join(refused))
    planned = planned_changes(db, after)
    if not planned.changes:
        raise BadInput("This is how it is already: nothing would change.")
    return Proposal(slug, after, planned, notes)


def try_out(db: Database, proposal: Proposal, prices: Prices, now: datetime) -> tuple[Trial, Trial]:
    """A week as the agency is, and the same week as it would be. The planner runs twice, and all of it is rolled back."""
    return (
        dry_run(db, proposal.slug, None, prices, now),
        dry_run(db, proposal.slug, proposal.document, prices, now),
    )


def adopt(
    db: Database,
    proposal: Proposal,
    seal: str,
    actor: str,
    now: datetime,
    detail: Mapping[str, object] = NOTHING_MORE,
) -> Imported:
    """Make it so, and put on record who did. BadInput if `seal` is not that of the change that somebody was shown."""
    if seal != proposal.seal:
        raise BadInput("The programme has changed meanwhile: look at what it would do once more.")
    return import_agency(db, proposal.document, actor, proposal.planned, now, action="programme.change", detail=detail)
