"""engage patient: where one is in care, and what of their scores and silences worries us."""

from datetime import timedelta

import click

from engage import clock
from engage.cli.people import patient
from engage.cli.session import account, agency_of, agency_option, json_option, ready_database, show
from engage.outreach.overrides import tag
from engage.replies.levels import set_level
from engage.replies.rules.trends import LONGEST_SNOOZE

__all__ = ["patient"]


@patient.command("level")
@click.argument("emr_id", metavar="ID")
@agency_option
@click.option(
    "--baseline", type=click.IntRange(1, 5), help="The patient's usual score, instead of the median of the last."
)
@click.option("--alert-at-most", type=click.IntRange(1, 5), help="The highest score that calls a nurse by itself.")
@click.option("--drop-by", type=click.IntRange(0, 4), help="Points below the usual that call a nurse; 0: never.")
@click.option("--threes", "threes_in_a_row", type=click.IntRange(0, 20), help="So many 3s in a row do; 0: never.")
@click.option("--silent-after", type=click.IntRange(0, 60), help="So many unanswered check-ins do; 0: never.")
@click.option("--as-the-agency", is_flag=True, help="First forget what was set for this patient.")
@click.option(
    "--snooze-days",
    type=click.IntRange(0, LONGEST_SNOOZE.days),
    help="Mute scores and silences for so long; urgent words and a 1 still call. 0 ends it.",
)
@json_option
def level(
    emr_id: str, slug: str, as_the_agency: bool, snooze_days: int | None, as_json: bool, **changes: int | None
) -> None:
    """Show, or change, what counts for the patient whose id in the EMR is ID. It is audited."""
    snooze = None if snooze_days is None else timedelta(days=snooze_days)
    with ready_database() as (_, db):
        agency = agency_of(db, slug)
        shown = set_level(
            db, agency.id, emr_id, changes, forget=as_the_agency, snooze=snooze, actor=account(), now=clock.now()
        )
    show(shown, as_json, _line)


@patient.command("tag")
@click.argument("emr_id", metavar="ID")
@agency_option
@click.option("--add", multiple=True, help="A word such as chf or high-risk; may be repeated.")
@click.option("--remove", multiple=True)
def tag_command(emr_id: str, slug: str, add: tuple[str, ...], remove: tuple[str, ...]) -> None:
    """Show, or change, the tags of the patient whose id in the EMR is ID: groups of the programme go by them. It is audited."""
    with ready_database() as (_, db):
        tags = tag(db, agency_of(db, slug).id, emr_id, add, remove, account(), clock.now())
    click.echo(", ".join(tags) or "No tags.")


def _line(shown: dict[str, object]) -> str:
    parts = [f"{name.replace('_', ' ')}: {value}" for name, value in shown.items() if value is not None]
    return ", ".join(parts) or "As the agency has it: engage agency trends."
