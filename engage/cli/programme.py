"""engage programme: what one patient will get, what a programme would do to the whole census, and one patient's own hours."""

import json
from pathlib import Path

import click

from engage import clock
from engage.cli.agency_files import read_agency_file
from engage.cli.people import read_time
from engage.cli.session import account, agency_of, agency_option, json_option, ready_database, show
from engage.errors import BadInput
from engage.onboarding.book import load_book
from engage.onboarding.trial import DAYS, Trial, dry_run
from engage.outreach.gather import Terms
from engage.outreach.overrides import Change, override
from engage.outreach.preview import Foreseen, preview
from engage.patients.rules.states import parse_states
from engage.settings import read_toml


@click.group()
def programme() -> None:
    """The programme: what is said to whom and when, looked at before it happens."""


@programme.command("preview")
@agency_option
@click.option("--patient", "emr_id", required=True, metavar="ID", help="The id in the EMR.")
@click.option("--days", type=int, default=14, show_default=True)
@click.option("--texts/--no-texts", "with_texts", default=True, help="Whether to show the words too.")
@json_option
def preview_command(slug: str, emr_id: str, days: int, with_texts: bool, as_json: bool) -> None:
    """A calendar of what a patient will get, by the rules of planning and sending themselves, and why not what they will not."""
    with ready_database() as (settings, db):
        terms = Terms(
            parse_states(read_toml(settings.config_dir / "states.toml")), public_url=settings.public_url or ""
        )
        found = preview(db, agency_of(db, slug).id, emr_id, days, terms, clock.now())
    if as_json:
        for one in found:
            click.echo(json.dumps(_json(one, with_texts), ensure_ascii=False))
        return
    day = None
    for one in found:
        if one.on != day:
            click.echo(f"{one.on:%a %b} {one.on.day}")
            day = one.on
        click.echo("  " + _line(one, with_texts))


def _line(one: Foreseen, with_texts: bool) -> str:
    if one.at is None:
        return f"  --   {one.touchpoint}: {one.why_not}"
    held = f" (held: {one.held.replace('_', ' ')})" if one.held else ""
    return f"{one.at:%H:%M}  {one.touchpoint} to the {one.to}{held}" + (f": {one.body}" if with_texts else "")


def _json(one: Foreseen, with_texts: bool) -> dict[str, object]:
    return {
        "on": one.on.isoformat(),
        "touchpoint": one.touchpoint,
        "at": one.at.isoformat() if one.at else None,
        "to": one.to,
        "body": one.body if with_texts else None,
        "why_not": one.why_not,
        "reason": one.reason,
        "held": one.held,
    }


@programme.command("override")
@agency_option
@click.option("--patient", "emr_id", required=True, metavar="ID", help="The id in the EMR.")
@click.option("--touchpoint", required=True, metavar="KEY", help="Such as morning-checkin.")
@click.option("--off", is_flag=True, help="This patient does not get it.")
@click.option("--at", "hour", help="This patient gets it at another hour, such as 10:30.")
@click.option("--forget", is_flag=True, help="As everybody again.")
@json_option
def override_command(
    slug: str, emr_id: str, touchpoint: str, off: bool, hour: str | None, forget: bool, as_json: bool
) -> None:
    """Switch a touchpoint off for one patient, or give them another hour. It is audited."""
    if off + (hour is not None) + forget != 1:
        raise BadInput("Say one of --off, --at and --forget.")
    change = Change(touchpoint, off, read_time("--at", hour) if hour is not None else None)
    with ready_database() as (_, db):
        shown = override(db, agency_of(db, slug).id, emr_id, change, account(), clock.now())
    told = ", ".join(f"{key}: {what}" for key, what in shown.items()) or "As everybody."
    show(dict(shown), as_json, lambda _: told)


@programme.command("dry-run")
@click.argument("file", metavar="[FILE]", required=False, type=click.Path(path_type=Path))
@click.option("--agency", "slug", metavar="ID", help="The agency as it is, instead of a file.")
@json_option
def dry_run_command(file: Path | None, slug: str | None, as_json: bool) -> None:
    """A week of a programme over the agency's own patients: texts a day, pages a shift, cost a month. Nothing is kept or sent."""
    if (file is None) == (slug is None):
        raise BadInput("Give a FILE (engage agency export), or --agency for the agency as it is.")
    with ready_database() as (settings, db):
        document = read_agency_file(file, settings) if file is not None else None
        name = document.agency["id"] if document is not None else slug or ""
        trial = dry_run(db, name, document, load_book(settings.config_dir).prices, clock.now())
    click.echo(json.dumps(_trial_json(trial), ensure_ascii=False) if as_json else _trial_text(trial))


def _trial_text(trial: Trial) -> str:
    lines = [
        f"{trial.patients:,} active patients; the {DAYS} days from tomorrow on, as if every planned visit took place:"
    ]
    for on, texts in sorted(trial.days.items()):
        parts = ", ".join(f"{key} {count:,}" for key, count in sorted(texts.items()))
        lines.append(f"  {on:%a %b} {on.day}: {sum(texts.values()):,} texts ({parts})")
    if trial.above_cap:
        lines.append(f"  {trial.above_cap:,} of them are above the daily cap of their phone and would not leave.")
    how = "assumed, because there is too little past" if trial.assumed else "as in the last four weeks"
    lines.append(
        f"About {trial.pages_a_shift:.1f} pages for scores a shift on call: {trial.answered:.0%} answered, {trial.alerting:.0%} of these call a nurse "
        f"({how}); {trial.shifts:.1f} shifts a day{' (assumed: nobody is on the rota)' if trial.shifts_assumed else ''}."
    )
    one = f" (${trial.bill.of_one:.2f} a patient)" if trial.bill.of_one is not None else ""
    lines.append(
        f"About ${trial.bill.middle:,.2f} a month{one}: ${trial.bill.lowest:,.2f} to ${trial.bill.highest:,.2f} by carrier."
    )
    lines.append("Nothing was kept, and nothing was sent.")
    return "\n".join(lines)


def _trial_json(trial: Trial) -> dict[str, object]:
    return {
        "patients": trial.patients,
        "days": {on.isoformat(): texts for on, texts in sorted(trial.days.items())},
        "texts_a_day": round(trial.texts_a_day, 1),
        "above_cap": trial.above_cap,
        "answered": round(trial.answered, 3),
        "alerting": round(trial.alerting, 3),
        "assumed": trial.assumed,
        "shifts_a_day": round(trial.shifts, 2),
        "pages_a_shift": round(trial.pages_a_shift, 2),
        "dollars_a_month": round(float(trial.bill.middle), 2),
    }
