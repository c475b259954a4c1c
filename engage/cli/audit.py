"""engage audit: look now whether an alert was forgotten, whosever turn it is; repairs what has lost its next step."""

import json
import sys

import click

from engage import clock
from engage.alerts.auditor import look
from engage.alerts.rules.audit import sentence
from engage.cli.session import json_option, ready_database


@click.command()
@json_option
def audit(as_json: bool) -> None:
    """Look for alerts that were forgotten, once. Exit 1 when something was found. The outside monitor is not told."""
    with ready_database() as (_, db):
        done = look(db, clock.now())
    for found in done.found:
        if as_json:
            click.echo(json.dumps({"finding": found.finding, "count": found.count, "some": found.some}))
        else:
            said = sentence(found.finding, found.count)
            click.echo(f"{said[:1].upper()}{said[1:]} ({', '.join(found.some)}).")
    if done.is_clean and not as_json:
        click.echo("All is clean.")
    sys.exit(0 if done.is_clean else 1)
