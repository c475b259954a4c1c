"""engage agency export, import, check: an agency as a file that people read, review and keep."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from engage import clock
from engage.cli.session import account, agency_of, begin, json_option, ready_database
from engage.errors import BadInput
from engage.onboarding.book import load_book
from engage.onboarding.export import export_agency
from engage.onboarding.importing import Imported, import_agency, planned_changes
from engage.onboarding.programme import needed_templates
from engage.onboarding.rules.document import AgencyDocument, read_document
from engage.onboarding.rules.sound import Note, check_document
from engage.onboarding.rules.writing import as_toml
from engage.outreach.rules.checks import Severity
from engage.settings import Settings, read_toml


@click.command("export")
@click.argument("slug", metavar="ID")
@click.option("--to", "file", type=click.Path(path_type=Path), help="A file to write; else it is printed.")
def export_file(slug: str, file: Path | None) -> None:
    """Write the agency ID as a file: programme, wording, ladders, numbers. No person's name or phone, no secret."""
    with ready_database() as (_, db):
        agency = agency_of(db, slug)
        with db.agency_session(agency.id) as session:
            text = as_toml(export_agency(session, agency.id))
    if file is None:
        click.echo(text, nl=False)
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise BadInput(f"--to {file} cannot be written: {problem.strerror}.") from None
    click.echo(f"{slug} is written to {file}.")


@click.command("check")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option
def check_files(files: tuple[Path, ...], as_json: bool) -> None:
    """Say what is wrong with an agency's file, without a database. Exit 1 if it could not be imported."""
    settings = begin()
    bad = 0
    for file in files:
        try:
            document = _read(file)
            notes = _notes(document, settings)
        except BadInput as problem:
            notes = tuple(Note(str(file), Severity.REFUSE, line) for line in str(problem).splitlines())
        bad += any(note.severity is Severity.REFUSE for note in notes)
        if as_json:
            told = [{"where": note.where, "severity": str(note.severity), "says": note.says} for note in notes]
            click.echo(json.dumps({"file": str(file), "notes": told}, ensure_ascii=False))
        else:
            click.echo(f"{file}: " + _verdict(notes))
            click.echo(_told(notes), nl=bool(notes))
    sys.exit(1 if bad else 0)


@click.command("import")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def import_file(file: Path, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Make an agency what FILE says, or found it. Shows every change first and asks."""
    document = _read(file)
    with ready_database() as (settings, db):
        notes = _notes(document, settings)
        if refused := [note for note in notes if note.severity is Severity.REFUSE]:
            raise BadInput(f"{file} cannot be imported, and nothing was changed:\n{_told(refused)}")
        planned = planned_changes(db, document)
        if not as_json:
            click.echo(_told(notes), nl=bool(notes))
            click.echo(_changes(document, planned))
        applied = bool(planned.changes) and not dry_run and (yes or (not as_json and click.confirm("Do this?")))
        if applied:
            import_agency(db, document, account(), planned, clock.now())
    if as_json:
        told = {"agency": document.agency["id"], "new": planned.is_new, "applied": applied}
        click.echo(json.dumps(told | {"changes": [change.says for change in planned.changes]}, ensure_ascii=False))
    elif planned.changes:
        click.echo("Done." if applied else "Nothing was changed.")


def _read(file: Path) -> AgencyDocument:
    found = read_document(read_toml(file))
    if isinstance(found, AgencyDocument):
        return found
    raise BadInput("\n".join(f"{file}: {says}" for says in found))


def read_agency_file(file: Path, settings: Settings) -> AgencyDocument:
    """The agency of a file that could be imported; BadInput says what is wrong with any other."""
    document = _read(file)
    if refused := [note for note in _notes(document, settings) if note.severity is Severity.REFUSE]:
        raise BadInput(f"{file} could not be imported:\n{_told(refused)}")
    return document


def _notes(document: AgencyDocument, settings: Settings) -> tuple[Note, ...]:
    return check_document(document, load_book(settings.config_dir), needed_templates(settings.config_dir))


def _verdict(notes: Iterable[Note]) -> str:
    counted = [note.severity for note in notes]
    refused, told = counted.count(Severity.REFUSE), counted.count(Severity.WARN)
    return f"{refused} refused, {told} to consider." if counted else "good."


def _told(notes: Iterable[Note]) -> str:
    mark = {Severity.REFUSE: "REFUSED", Severity.WARN: "note"}
    return "\n".join(f"  {mark[note.severity]} {note.where}: {note.says}" for note in notes)


def _changes(document: AgencyDocument, planned: Imported) -> str:
    slug = document.agency["id"]
    if not planned.changes:
        return f"{slug} is what the file says already."
    head = f"{slug} is new:" if planned.is_new else f"{slug} changes:"
    return "\n".join([head, *(f"  {change.says}" for change in planned.changes)])
