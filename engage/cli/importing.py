"""engage import visits: an EMR's file in, what became of each row out."""

from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from engage import clock
from engage.cli.session import agency_of, agency_option, json_option, ready_database, show
from engage.visits.importer import import_file


@click.group("import")
def importing() -> None:
    """Imports from an EMR."""


@importing.command("visits")
@click.argument("file", type=click.Path(path_type=Path))
@agency_option
@click.option(
    "--profile", type=click.Choice(["csv", "axxess"]), required=True, help="The shape of the file: docs/guides/emr.md."
)
@click.option(
    "--kind",
    type=click.Choice(["visits", "patients", "clinicians", "payers", "referrals", "periods"]),
    help="What is in it (default: guessed).",
)
@click.option(
    "--complete",
    is_flag=True,
    help="The file holds every visit of its days: those that are gone from it are cancelled.",
)
@click.option("--dry-run", is_flag=True, help="Show what would change, change nothing.")
@click.option("--only-errors", is_flag=True, help="Print only the rows that were rejected.")
@json_option
def visits(
    file: Path,
    slug: str,
    profile: str,
    kind: str | None,
    complete: bool,
    dry_run: bool,
    only_errors: bool,
    as_json: bool,
) -> None:
    """Import FILE: visits with their patients and clinicians, or any other extract of the EMR. Safe to repeat.

    Lines that cannot be used are named, the rest go in; exit 2 and nothing written if no line can be used.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with ready_database() as (settings, db):
        agency_of(db, slug)
        with Progress(*columns, console=Console(stderr=True), transient=True, disable=as_json) as bar:
            task = bar.add_task("Importing", total=None)
            report = import_file(
                db,
                slug,
                file,
                profile,
                kind=kind,
                is_complete=complete,
                dry_run=dry_run,
                now=clock.now(),
                config_dir=settings.config_dir,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
    if as_json:
        show(report.as_dict(), as_json=True)
    else:
        for line in report.lines(only_errors=only_errors):
            click.echo(line)
