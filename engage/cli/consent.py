"""engage consent: what came on paper or by phone, granted or revoked, by kind of text and with its proof; and all that was ever said."""

from datetime import datetime

import click

from engage import clock
from engage.cli.session import account, agency_of, agency_option, json_option, ready_database, show
from engage.patients.granting import Granting, grant, show_consent
from engage.patients.rules.words import Category, ConsentSource
from engage.replies.revoke import Revocation, revoke

_HOW = [str(source.value) for source in (ConsentSource.PAPER, ConsentSource.PHONE, ConsentSource.STAFF)]


@click.group()
def consent() -> None:
    """Consent to be texted: enter what was granted or taken back, show what stands."""


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


@consent.command("grant")
@click.argument("emr_id", metavar="ID")
@agency_option
@click.option("--by", "source", type=click.Choice(_HOW), required=True, help="How it came to you.")
@click.option(
    "--said-on", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The day on which it was signed or said."
)
@click.option(
    "--only",
    "categories",
    type=click.Choice([str(c.value) for c in Category]),
    multiple=True,
    help="Only this kind of text; may be repeated. Without it: all three.",
)
@click.option("--proof", required=True, help="Who took it, or where the paper is; stored encrypted.")
@click.option("--contact", type=int, help="Whose phone (engage contact list); the patient's own without it.")
def grant_command(
    emr_id: str, slug: str, source: str, said_on: datetime, categories: tuple[str, ...], proof: str, contact: int | None
) -> None:
    """Enter that the patient whose id in the EMR is ID, or one of their contacts, agreed to be texted."""
    kinds = tuple(Category(category) for category in categories) or tuple(Category)
    said = Granting(emr_id, said_on.date(), ConsentSource(source), kinds, proof, contact)
    with ready_database() as (_, db):
        theirs = grant(db, agency_of(db, slug).id, said, account(), clock.now())
    click.echo(f"Contact {theirs} agreed to {', '.join(kinds)} on {said_on:%Y-%m-%d}.")


@consent.command("show")
@click.argument("emr_id", metavar="ID")
@agency_option
@json_option
def show_command(emr_id: str, slug: str, as_json: bool) -> None:
    """Show all that was ever said about texts to the phones of the patient whose id in the EMR is ID, with the proofs. It is audited."""
    with ready_database() as (_, db):
        found = show_consent(db, agency_of(db, slug).id, emr_id, account(), clock.now())
        for who, words in found:
            for word in words:
                told = {
                    "contact": who.id,
                    "who": who.relationship,
                    "about": word.category or "all texts to this phone",
                    "word": word.kind,
                    "by": word.source,
                    "said_at": word.said_at.isoformat(),
                    "proof": word.proof,
                }
                show(told, as_json, _said)
            if not words:
                show({"contact": who.id, "who": who.relationship, "word": None}, as_json, _said)


def _said(told: dict[str, object]) -> str:
    head = f"contact {told['contact']} ({told['who']})"
    if told["word"] is None:
        return f"{head}: nothing was ever said, so nothing is sent"
    proof = f"; proof: {told['proof']}" if told["proof"] else ""
    return f"{head}: {told['word']} {told['about']}, by {told['by']}, {str(told['said_at'])[:10]}{proof}"


def _line(done: dict[str, object]) -> str:
    when = f"the tenth business day was {done['last_day']}" if done["is_late"] else f"in time: by {done['last_day']}"
    late = "LATE, " if done["is_late"] else ""
    return f"No more of these texts go to {done['phones']} phone(s) from now on; {late}{when} (47 CFR 64.1200(a)(10))."
