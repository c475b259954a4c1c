"""engage consent revoke: a revocation that came on paper or by phone, with its deadline."""

from datetime import datetime

import click

from engage import clock
from engage.cli.session import account, agency_of, agency_option, json_option, ready_database, show
from engage.patients.rules.words import Category, ConsentSource
from engage.replies.revoke import Revocation, revoke

_HOW = [str(source.value) for source in (ConsentSource.PAPER, ConsentSource.PHONE, ConsentSource.STAFF)]


@click.group()
def consent() -> None:
    """Consent to be texted: enter what was taken back."""


@consent.command("revoke")
@click.argument("emr_id", metavar="ID")
@agency_option
@click.option("--by", "source", type=click.Choice(_HOW), required=True, help="How it came to you.")
@click.option(
    "--said-on", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The day on which it was said or received."
)
@click.option("--only", "category", type=click.Choice([str(c.value) for c in Category]), help="Only this kind of text.")
@click.option("--proof", help="Who took it, or where the paper is; stored encrypted.")
@json_option
def revoke_command(
    emr_id: str, slug: str, source: str, said_on: datetime, category: str | None, proof: str | None, as_json: bool
) -> None:
    """Stop texts to every phone of the patient whose id in the EMR is ID, at once, and tell the nurse."""
    said = Revocation(emr_id, said_on.date(), ConsentSource(source), Category(category) if category else None, proof)
    with ready_database() as (_, db):
        done = revoke(db, agency_of(db, slug).id, said, account(), clock.now())
    shown = {"phones": done.phones, "last_day": f"{done.last_day:%Y-%m-%d}", "is_late": done.is_late}
    show(shown, as_json, _line)


def _line(done: dict[str, object]) -> str:
    when = f"the tenth business day was {done['last_day']}" if done["is_late"] else f"in time: by {done['last_day']}"
    late = "LATE, " if done["is_late"] else ""
    return f"No more of these texts go to {done['phones']} phone(s) from now on; {late}{when} (47 CFR 64.1200(a)(10))."
