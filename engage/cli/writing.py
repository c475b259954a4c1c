"""engage write: a text in somebody's own words to a patient, from standard input."""

import sys

import click

from engage import clock
from engage.cli.session import account, agency_of, agency_option, json_option, ready_database, show
from engage.replies.by_hand import write_by_hand


@click.command()
@agency_option
@click.option("--patient", required=True, help="The patient's id in the EMR.")
@click.option("--as", "writer", help="The id in the EMR of the clinician who writes; answers go to them.")
@json_option
def write(slug: str, patient: str, writer: str | None, as_json: bool) -> None:
    """Queue the text on standard input for a patient. For four hours automation then keeps quiet in that thread. It is audited."""
    words = sys.stdin.read()
    with ready_database() as (_, db):
        agency = agency_of(db, slug)
        message = write_by_hand(db, agency.id, patient, words, writer=writer, actor=account(), now=clock.now())
    show({"message": message}, as_json, lambda made: f"Queued as message {made['message']}; engage why tells its way.")
