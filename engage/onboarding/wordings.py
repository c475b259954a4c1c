"""The wordings of one agency: which are in force, what is said against them, a new version, a review. Each change is audited.

A version is never changed; what nobody but its author has looked at is never sent (45 CFR 92). Sends nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rapidfuzz import process
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engage.agencies.model import AuditEvent
from engage.errors import BadInput, NotFound
from engage.outreach.model import Template, Touchpoint
from engage.outreach.rules.checks import Book, Finding, House, Purpose, check_wording, refusals
from engage.outreach.rules.placeholders import is_for_clinicians
from engage.outreach.rules.wording import LANGUAGES, called
from engage.outreach.rules.words import Asks
from engage.patients.rules.words import Category

# The longest first names that the agency has to write; a shared phone or a whole team may take more.
_HOUSE = text("""
SELECT COALESCE(a.alias, a.short_name) AS short_name, COALESCE(a.alias, a.name) AS name, a.phone, a.most_segments,
       ARRAY(SELECT b.phone FROM branches b WHERE b.agency_id = a.id AND b.phone IS NOT NULL ORDER BY b.id) AS branches,
       ARRAY(SELECT s.phone FROM senders s WHERE s.agency_id = a.id ORDER BY s.id) AS senders,
       (SELECT p.first_name FROM patients p WHERE p.agency_id = a.id AND p.status = 'active'
        ORDER BY length(p.first_name) DESC, p.id LIMIT 1) AS patient,
       ARRAY(SELECT DISTINCT ON (length(k.first_name), k.first_name) k.first_name FROM clinicians k
             WHERE k.agency_id = a.id AND k.left_on IS NULL
             ORDER BY length(k.first_name) DESC, k.first_name LIMIT 2) AS clinicians
FROM agencies a WHERE a.id = :agency
""")


@dataclass(frozen=True, slots=True)
class Wordings:
    """What is known of an agency's wordings: its rows newest first, the purposes of its templates, and its house."""

    house: House
    purposes: Mapping[str, tuple[Asks, Category]]
    rows: Sequence[Template] = field(repr=False)

    def purpose(self, key: str, language: str) -> Purpose:
        """What the text of a template is for."""
        return Purpose(key, language, *self.purposes.get(key.removeprefix("call-"), (None, None)))

    def versions(self, key: str, language: str) -> list[Template]:
        """Every version, newest first."""
        return [row for row in self.rows if (row.key, row.language) == (key, language)]

    def in_force(self, key: str, language: str) -> Template | None:
        """The version that leaves: the newest that is reviewed and not retired."""
        return next((row for row in self.versions(key, language) if row.reviewed_at and not row.retired_at), None)

    def waiting(self, key: str, language: str) -> Template | None:
        """The newest version, if nobody has reviewed it."""
        newest = next((row for row in self.versions(key, language) if not row.retired_at), None)
        return newest if newest is not None and newest.reviewed_at is None else None

    @property
    def places(self) -> list[tuple[str, str]]:
        """Template and language of whatever has a wording that is not retired, in order."""
        return sorted({(row.key, row.language) for row in self.rows if row.retired_at is None})


def read_wordings(session: Session, agency_id: int) -> Wordings:
    """The wordings of an agency with all that their checks need."""
    rows = session.scalars(
        select(Template)
        .where(Template.agency_id == agency_id)
        .order_by(Template.key, Template.language, Template.version.desc())
    ).all()
    touchpoints = session.scalars(select(Touchpoint).where(Touchpoint.agency_id == agency_id)).all()
    purposes = {row.template: (Asks(row.asks), Category(row.category)) for row in touchpoints}
    return Wordings(read_house(session, agency_id), purposes, rows)


def read_house(session: Session, agency_id: int) -> House:
    """The facts of an agency that its texts depend on."""
    row = session.execute(_HOUSE, {"agency": agency_id}).one()
    usual = House("", "", ())
    first, second = (*(called(name) for name in row.clinicians), *usual.clinicians)[:2]
    return House(
        agency=row.short_name,
        agency_name=row.name,
        phones=tuple(dict.fromkeys([row.phone, *row.branches, *row.senders])),
        patient=max(called(row.patient or ""), usual.patient, key=len),
        clinicians=(max(first, usual.clinicians[0], key=len), max(second, usual.clinicians[1], key=len)),
        most_segments=row.most_segments,
    )


def must_be_known(wordings: Wordings, key: str, language: str) -> None:
    """Raises BadInput or NotFound for a template or a language that cannot have a wording."""
    if language not in LANGUAGES:
        raise BadInput(f"--language: {language!r} is not known; Engage speaks {', '.join(sorted(LANGUAGES))}.")
    known = {row.key for row in wordings.rows} | set(wordings.purposes)
    if key not in known:
        near = process.extractOne(key, sorted(known), score_cutoff=60)
        hint = f"did you mean {near[0]!r}?" if near else "engage wording list names them."
        raise NotFound(f"This agency has no template {key!r}: {hint}")
    if is_for_clinicians(key) and language != "en":
        raise BadInput("Pages and notes to nurses are in English only.", reason="wording.english_only")


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of a wording that was to be saved: its version, or none if it was refused; and what was found."""

    version: int | None
    findings: tuple[Finding, ...]


def save_wording(
    session: Session,
    agency_id: int,
    key: str,
    language: str,
    wording: str,
    by: str,
    actor: str,
    book: Book,
    now: datetime,
) -> Saved:
    """A new version that waits for its review, unless a check refuses it.

    Raises BadInput and NotFound as `must_be_known` does, and BadInput for the words that are in force already.
    """
    wordings = read_wordings(session, agency_id)
    must_be_known(wordings, key, language)
    findings = check_wording(wording, wordings.purpose(key, language), wordings.house, book)
    if refusals(findings):
        return Saved(None, findings)
    versions = wordings.versions(key, language)
    newest = next((row for row in versions if row.retired_at is None), None)
    if newest is not None and newest.wording == wording:
        raise BadInput(
            f"These are the words of version {newest.version} already.",
            reason="wording.same",
            version=newest.version,
        )
    version = max((row.version for row in versions), default=0) + 1
    row = add_version(session, agency_id, (key, language, version), wording, by, now)
    record(session, row, actor, "wording.set", now, {"by": by})
    return Saved(version, findings)


def add_version(
    session: Session, agency_id: int, which: tuple[str, str, int], wording: str, by: str, now: datetime
) -> Template:
    """One row of `templates`, unreviewed; `which` is its template, language and version."""
    key, language, version = which
    row = Template(agency_id=agency_id, key=key, language=language, version=version, wording=wording)
    row.written_by, row.written_at = by, now
    session.add(row)
    session.flush()
    return row


def review_wording(
    session: Session,
    agency_id: int,
    key: str,
    language: str,
    version: int | None,
    by: str,
    actor: str,
    book: Book,
    now: datetime,
) -> Template:
    """Says that `by` has read the newest version (or `version`) and answers for it: from now on it leaves.

    Raises NotFound when nothing waits, BadInput for a reviewer who wrote it and for a wording that a check refuses.
    """
    wordings = read_wordings(session, agency_id)
    must_be_known(wordings, key, language)
    versions = [row for row in wordings.versions(key, language) if row.retired_at is None]
    row = next((row for row in versions if version is None or row.version == version), None)
    if row is None:
        raise NotFound(
            f"There is no such version of {key!r} in {language}: engage wording show {key}.",
            reason="wording.no_version",
        )
    if row.reviewed_at is not None:
        raise NotFound(
            f"Version {row.version} was reviewed by {row.reviewed_by} already; nothing waits.",
            reason="wording.reviewed",
            version=row.version,
            who=row.reviewed_by,
        )
    if same_person(by, row.written_by):
        raise BadInput(
            f"{row.written_by} wrote version {row.version}: somebody else must review it.",
            reason="wording.own",
            version=row.version,
            who=row.written_by,
        )
    if found := refusals(check_wording(row.wording, wordings.purpose(key, language), wordings.house, book)):
        raise BadInput(
            f"Version {row.version} cannot be released: {found[0].why} {found[0].do}",
            reason="wording.refused",
            version=row.version,
            why=f"{found[0].why} {found[0].do}",
        )
    newer = next((other for other in versions if other.version > row.version and other.reviewed_at), None)
    if newer is not None:
        raise BadInput(
            f"Version {newer.version} is newer and in force: write a new version instead.",
            reason="wording.older",
            version=newer.version,
        )
    row.reviewed_by, row.reviewed_at = by, now
    record(session, row, actor, "wording.review", now, {"by": by})
    return row


def same_person(one: str, other: str) -> bool:
    """Whether two names are written for one person, whatever the case and the gaps."""
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def record(
    session: Session, row: Template, actor: str, action: str, now: datetime, detail: Mapping[str, object]
) -> None:
    """Put on record who did what to a wording."""
    told = {"template": row.key, "language": row.language, "version": row.version, **detail}
    event = {"actor": actor, "action": action, "subject": "template", "subject_id": row.id, "detail": told}
    session.add(AuditEvent(agency_id=row.agency_id, at=now, **event))
