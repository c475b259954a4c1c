"""engage wording: the words of an agency's texts. Shows them, checks them, saves a version, and records who reviewed it."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from engage import clock
from engage.cli.session import account, agency_of, agency_option, json_option, ready_database, show
from engage.cli.wording_cost import cost
from engage.cli.wording_told import findings_json, findings_text, preview_text
from engage.db import Database
from engage.errors import BadInput, NotFound
from engage.onboarding.book import load_book
from engage.onboarding.wordings import Wordings, must_be_known, read_wordings, review_wording, save_wording
from engage.outreach.model import Template
from engage.outreach.rules.checks import Book, check_wording, refusals

language_option = click.option("--language", default="en", show_default=True, metavar="CODE", help="en or es.")
by_option = click.option("--by", required=True, metavar="NAME", help="Whose words, or whose review, it is: a person.")
_MOST_NAME = 80


@click.group()
def wording() -> None:
    """Wording: the words of texts, per template and language, with versions and reviews."""


wording.add_command(cost)


@wording.command("list")
@agency_option
@json_option
def list_wordings(slug: str, as_json: bool) -> None:
    """Every template and language: which version leaves, and what waits for a review."""
    with ready_database() as (_, db):
        wordings = _read(db, slug)
        for key, language in wordings.places:
            show(_standing(wordings, key, language), as_json, _standing_line)


@wording.command("show")
@click.argument("key", metavar="TEMPLATE")
@agency_option
@language_option
@json_option
def show_wording(key: str, slug: str, language: str, as_json: bool) -> None:
    """Every version of TEMPLATE: its words, who wrote it, who reviewed it and when."""
    with ready_database() as (_, db):
        wordings = _read(db, slug)
        must_be_known(wordings, key, language)
        for row in wordings.versions(key, language):
            show(_version(row), as_json, _version_text)


@wording.command("set")
@click.argument("key", metavar="TEMPLATE")
@click.argument("words", metavar="[TEXT]", required=False)
@agency_option
@language_option
@by_option
@click.option("--file", "file", type=click.Path(path_type=Path), help="A file with the text (- for standard input).")
@click.option("--repair", is_flag=True, help="Accept what the check proposes to mend, such as plain quotes.")
@json_option
def set_wording(
    key: str, words: str | None, slug: str, language: str, by: str, file: Path | None, repair: bool, as_json: bool
) -> None:
    """Save TEXT as a new version of TEMPLATE. It leaves once somebody else has reviewed it: engage wording review."""
    words, by = _words(words, file), _name(by)
    with ready_database() as (settings, db):
        agency, book = agency_of(db, slug), load_book(settings.config_dir)
        with db.agency_session(agency.id) as session:
            if repair:
                wordings = read_wordings(session, agency.id)
                must_be_known(wordings, key, language)
                words = _repaired(wordings, key, language, words, book)
            saved = save_wording(session, agency.id, key, language, words, by, account(), book, clock.now())
    if as_json:
        told = {"template": key, "language": language, "version": saved.version}
        click.echo(json.dumps(told | {"findings": findings_json(saved.findings)}, ensure_ascii=False))
    else:
        click.echo(findings_text(saved.findings), nl=bool(saved.findings))
        if saved.version is not None:
            click.echo(f"Version {saved.version} of {key} ({language}) is saved and waits: engage wording review.")
    if saved.version is None:
        raise BadInput("Nothing was saved: mend what is refused, and set it again.")


@wording.command("review")
@click.argument("key", metavar="TEMPLATE")
@agency_option
@language_option
@by_option
@click.option("--version", type=int, metavar="N", help="Another than the newest.")
def review(key: str, slug: str, language: str, by: str, version: int | None) -> None:
    """Say that NAME, who did not write it, has read the waiting version and answers for it. From then on it leaves."""
    name = _name(by)
    with ready_database() as (settings, db):
        agency, book = agency_of(db, slug), load_book(settings.config_dir)
        with db.agency_session(agency.id) as session:
            row = review_wording(session, agency.id, key, language, version, name, account(), book, clock.now())
            click.echo(f"{name} has reviewed version {row.version} of {key} ({language}); it leaves from now on:")
            click.echo(f"  {row.wording}")


@wording.command("check")
@click.argument("key", metavar="[TEMPLATE]", required=False)
@click.argument("words", metavar="[TEXT]", required=False)
@agency_option
@language_option
@json_option
def check(key: str | None, words: str | None, slug: str, language: str, as_json: bool) -> None:
    """Check all wording that is in force or waits, or TEXT as if it were saved. Exit 1 if something is refused."""
    with ready_database() as (settings, db):
        agency, book = agency_of(db, slug), load_book(settings.config_dir)
        with db.agency_session(agency.id) as session:
            wordings = read_wordings(session, agency.id)
            checked = _to_check(wordings, key, words, language)
            refused = 0
            for template, spoken, says in checked:
                found = check_wording(says, wordings.purpose(template, spoken), wordings.house, book)
                refused += bool(refusals(found))
                if as_json:
                    told = {"template": template, "language": spoken, "findings": findings_json(found)}
                    click.echo(json.dumps(told, ensure_ascii=False))
                elif found:
                    click.echo(f"{template} ({spoken}): {says}\n{findings_text(found)}")
    if not as_json:
        click.echo(f"{len(checked)} wordings checked, {refused} refused." if words is None else "Checked, not saved.")
    sys.exit(1 if refused else 0)


@wording.command("preview")
@click.argument("key", metavar="TEMPLATE")
@click.argument("words", metavar="[TEXT]", required=False)
@agency_option
@language_option
def preview(key: str, words: str | None, slug: str, language: str) -> None:
    """Each text that TEMPLATE (or TEXT in its place) can become, with this agency's longest names and its cost."""
    with ready_database() as (settings, db):
        agency, book = agency_of(db, slug), load_book(settings.config_dir)
        with db.agency_session(agency.id) as session:
            wordings = read_wordings(session, agency.id)
            must_be_known(wordings, key, language)
            if words is None:
                row = wordings.waiting(key, language) or wordings.in_force(key, language)
                if row is None:
                    raise NotFound(f"{key} has no wording in {language} yet: engage wording set.")
                words = row.wording
            click.echo(preview_text(words, wordings.purpose(key, language), wordings.house, book))


def _read(db: Database, slug: str) -> Wordings:
    agency = agency_of(db, slug)
    with db.agency_session(agency.id) as session:
        return read_wordings(session, agency.id)


def _to_check(wordings: Wordings, key: str | None, words: str | None, language: str) -> list[tuple[str, str, str]]:
    if words is not None and key is not None:
        must_be_known(wordings, key, language)
        return [(key, language, words)]
    if key is not None:
        must_be_known(wordings, key, language)
    found = []
    for template, spoken in wordings.places:
        rows = (wordings.in_force(template, spoken), wordings.waiting(template, spoken))
        found += [(template, spoken, row.wording) for row in rows if row is not None and key in {None, template}]
    return found


def _repaired(wordings: Wordings, key: str, language: str, words: str, book: Book) -> str:
    found = check_wording(words, wordings.purpose(key, language), wordings.house, book)
    return next((finding.repair for finding in found if finding.repair), words)


def _standing(wordings: Wordings, key: str, language: str) -> dict[str, Any]:
    row, waiting = wordings.in_force(key, language), wordings.waiting(key, language)
    return {
        "template": key,
        "language": language,
        "version": row.version if row else None,
        "reviewed_by": row.reviewed_by if row else None,
        "reviewed_at": row.reviewed_at.isoformat() if row and row.reviewed_at else None,
        "waiting": waiting.version if waiting else None,
        "written_by": waiting.written_by if waiting else row.written_by if row else None,
    }


def _standing_line(told: dict[str, Any]) -> str:
    name = f"{told['template']} ({told['language']})"
    leaves = (
        f"version {told['version']}, reviewed by {told['reviewed_by']}" if told["version"] else "NOT REVIEWED: not sent"
    )
    waits = f"; version {told['waiting']} by {told['written_by']} waits for a review" if told["waiting"] else ""
    return f"{name:<28} {leaves}{waits}"


def _version(row: Template) -> dict[str, Any]:
    return {
        "template": row.key,
        "language": row.language,
        "version": row.version,
        "wording": row.wording,
        "written_by": row.written_by,
        "written_at": row.written_at.isoformat() if row.written_at else None,
        "reviewed_by": row.reviewed_by,
        "reviewed_at": row.reviewed_at.isoformat() if row.reviewed_at else None,
        "retired_at": row.retired_at.isoformat() if row.retired_at else None,
    }


def _version_text(told: dict[str, Any]) -> str:
    reviewed = (
        f"reviewed by {told['reviewed_by']} on {told['reviewed_at'][:10]}" if told["reviewed_by"] else "not reviewed"
    )
    written = f"by {told['written_by']}" + (f" on {told['written_at'][:10]}" if told["written_at"] else "")
    retired = f", retired on {told['retired_at'][:10]}" if told["retired_at"] else ""
    return f"version {told['version']} {written}, {reviewed}{retired}\n  {told['wording']}"


def _words(words: str | None, file: Path | None) -> str:
    if (words is None) == (file is None):
        raise BadInput("Give the text, or a file that has it: engage wording set day-of --file text.txt.")
    if words is None and file is not None:
        try:
            words = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as problem:
            reason = getattr(problem, "strerror", None) or "it is not UTF-8 text"
            raise BadInput(f"--file {file} cannot be read: {reason}.") from None
    words = (words or "").strip()
    if not words or "\x00" in words:
        raise BadInput("The text is empty, or holds what is no text.")
    return words


def _name(by: str) -> str:
    name = " ".join(by.split())
    if not 2 <= len(name) <= _MOST_NAME:
        raise BadInput(f"--by must be the name of a person, of 2 to {_MOST_NAME} letters.")
    return name
