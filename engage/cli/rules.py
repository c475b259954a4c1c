"""engage simulate-rules: what proposed alert rules and ladders would have cost in the last days. Changes nothing."""

import json
import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from engage import clock
from engage.cli.session import agency_of, agency_option, json_option, ready_database
from engage.errors import BadInput
from engage.replies.lexicon import load_lexicon
from engage.reports.budget import LastDays, last_days, reader_of
from engage.reports.rules.budget import Load, Replay, replay
from engage.reports.rules.proposal import changed_by_lines, changed_by_tables

SHOWN = 20


@click.command("simulate-rules")
@agency_option
@click.option("--days", type=click.IntRange(1, 400), default=30, show_default=True, help="How many days to replay.")
@click.option("--set", "lines", multiple=True, metavar="NAME=VALUE", help="A change, e.g. alert_at_most=3. Repeatable.")
@click.option("--rules", "file", type=click.Path(path_type=Path), help="Changes in the form of config/default.toml.")
@click.option("--read-again", is_flag=True, help="Read every text anew, by today's reading rules.")
@json_option
def simulate_rules(
    slug: str, days: int, lines: tuple[str, ...], file: Path | None, read_again: bool, as_json: bool
) -> None:
    """Replay the last days against proposed rules: alerts a day, pages a nurse a shift, what would be missed or added."""
    tables = _tables(file) if file is not None else {}
    with ready_database() as (settings, db):
        agency = agency_of(db, slug)
        again = reader_of(load_lexicon(settings.config_dir / "lexicon")) if read_again else None
        found = last_days(db, agency.id, days, clock.now(), again)
    proposed = changed_by_lines(changed_by_tables(found.rules, tables), lines, found.checkins)
    then = replay(found.rules, found.past, found.triggers_then(), found.roster, days)
    would = replay(proposed, found.past, found.triggers_under(proposed.at_most), found.roster, days)
    click.echo(json.dumps(_as_json(found, then, would)) if as_json else _as_text(found, then, would))


def _tables(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as problem:
        raise BadInput(f"{file} cannot be read: {problem.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise BadInput(f"{file} is not valid TOML: {problem}.") from None


def _as_json(found: LastDays, then: Replay, would: Replay) -> dict[str, Any]:
    return {
        "days": found.days,
        "replies": len(found.heard),
        "present": asdict(then.load),
        "proposed": asdict(would.load),
        "missed": [{"alert": alert.id, "kind": alert.kind} for alert in found.past if alert.id in would.missed],
        "added": [{"reply": one.reply_id, "kind": one.kind} for one in would.added],
    }


def _as_text(found: LastDays, then: Replay, would: Replay) -> str:
    missed = [f"{alert.id} ({alert.kind})" for alert in found.past if alert.id in would.missed]
    added = [f"{one.reply_id} ({one.kind})" for one in would.added]
    rows = zip(_column(then.load), _column(would.load), strict=True)
    return "\n".join(
        [
            f"{found.days} days, {len(found.heard)} texts of patients, {len(found.past)} alerts.",
            f"{'':>30} {'as they are':>12} {'as proposed':>12}",
            *(f"{name:>30} {before:>12} {after:>12}" for (name, before), (_, after) in rows),
            f"{len(missed)} past alert(s) would have been missed{_some(missed)}",
            f"{len(added)} alert(s) would have been added, for texts{_some(added)}",
            *(
                f"Clinician {nurse.clinician}: {nurse.pages} pages in {nurse.shifts} shifts, at most {nurse.most} in one."
                for nurse in would.load.nurses
            ),
        ]
    )


def _column(load: Load) -> list[tuple[str, float]]:
    return [
        ("alerts", load.alerts),
        ("alerts a day", load.alerts_a_day),
        ("on the worst day", load.worst_day),
        *((f"severity {severity}", load.by_severity.get(severity, 0)) for severity in (3, 2, 1)),
        ("pages", load.pages),
        ("pages a nurse a shift with any", load.pages_a_shift),
        ("in the worst shift", load.most_in_a_shift),
        ("exhausted ladders", load.exhausted),
    ]


def _some(ids: list[str]) -> str:
    more = f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else ""
    return f": {', '.join(ids[:SHOWN])}{more}." if ids else "."
