"""engage wording cost: what a month of texts costs an agency, by its own census."""

import json
from decimal import Decimal

import click

from engage import clock
from engage.cli.session import agency_of, agency_option, json_option, ready_database
from engage.onboarding.book import load_book
from engage.onboarding.census import Census, month_of
from engage.onboarding.wordings import read_wordings
from engage.outreach.rules.checks import Prices
from engage.outreach.rules.checks.costs import Bill, bill
from engage.patients.rules.window import local_day


@click.command("cost")
@agency_option
@json_option
def cost(slug: str, as_json: bool) -> None:
    """About what a month of texts costs, by the visits of these four weeks and the patients who may be texted today."""
    with ready_database() as (settings, db):
        agency, prices = agency_of(db, slug), load_book(settings.config_dir).prices
        with db.agency_session(agency.id) as session:
            today = local_day(clock.now(), agency.time_zone)
            census = month_of(session, agency.id, read_wordings(session, agency.id), today)
    found = bill(census.loads, census.patients, prices)
    click.echo(
        json.dumps(_json(found, census, prices), ensure_ascii=False) if as_json else _text(found, census, prices)
    )


def _text(found: Bill, census: Census, prices: Prices) -> str:
    lines = [
        f"{load.texts:>9,.0f} {load.template} ({load.language}), {load.segments} segment{'' if load.segments == 1 else 's'} each"
        for load in census.loads
        if load.texts
    ]
    one = "no patient yet" if found.of_one is None else f"about ${found.of_one:.2f} a patient a month"
    return "\n".join(
        [
            "In a month:",
            *lines,
            (
                f"{found.texts:,} texts in {found.segments:,} segments for {found.patients:,} patients: {one}, "
                f"${found.middle:,.2f} in all (${found.lowest:,.2f} to ${found.highest:,.2f}, by carrier)."
            ),
            f"Answers are counted in: {prices.answered_share:.0%} of what is asked, one segment in and one out.",
            f"Prices: {prices.source}.",
        ]
    )


def _json(found: Bill, census: Census, prices: Prices) -> dict[str, object]:
    def dollars(amount: Decimal | None) -> float | None:
        return None if amount is None else round(float(amount), 4)

    return {
        "patients": found.patients,
        "texts": found.texts,
        "segments": found.segments,
        "dollars": dollars(found.middle),
        "lowest": dollars(found.lowest),
        "highest": dollars(found.highest),
        "dollars_a_patient": dollars(found.of_one),
        "prices": prices.source,
        "loads": [
            {
                "template": load.template,
                "language": load.language,
                "texts": round(float(load.texts), 1),
                "segments": load.segments,
            }
            for load in census.loads
        ],
    }
