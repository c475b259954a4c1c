"""engage report: the counts of the last days."""

from datetime import timedelta
from typing import Any

import click

from engage import clock
from engage.cli.session import agency_of, json_option, ready_database, show
from engage.reports.day import counts


@click.command()
@click.option("--agency", "slug", help="One agency; all of them without it.")
@click.option("--days", type=click.IntRange(1, 400), default=7, show_default=True)
@json_option
def report(slug: str | None, days: int, as_json: bool) -> None:
    """What was planned, sent and answered, and what came of it."""
    with ready_database() as (_, db):
        agency_id = agency_of(db, slug).id if slug else None
        now = clock.now()
        show(counts(db, now - timedelta(days=days), now, agency_id), as_json, _lines)


def _lines(found: dict[str, Any]) -> str:
    plain = [f"{name.replace('_', ' '):>18}: {value}" for name, value in found.items() if not isinstance(value, dict)]
    by_word = [
        f"{name.replace('_', ' '):>18}: " + (", ".join(f"{word} {number}" for word, number in value.items()) or "none")
        for name, value in found.items()
        if isinstance(value, dict)
    ]
    return "\n".join(plain + by_word)
