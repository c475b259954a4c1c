"""engage audit: look now whether an alert was forgotten, whosever turn it is; repairs what has lost its next step. engage audit verify:
whether the record of who did what is whole."""

import json
import sys

import click
from sqlalchemy import select

from engage import clock
from engage.agencies.model import Agency
from engage.alerts.auditor import look
from engage.alerts.rules.audit import sentence
from engage.cli.session import json_option, ready_database
from engage.errors import BadInput
from engage.reports.chain import SAYS, Chain
from engage.reports.chain import verify as verify_chain


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def audit(ctx: click.Context, as_json: bool) -> None:
    """Look for alerts that were forgotten, once. Exit 1 when something was found. The outside monitor is not told."""
    if ctx.invoked_subcommand is not None:
        return
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


@audit.command("verify")
@click.option("--agency", "slug", metavar="ID", help="Only this agency.")
@click.option(
    "--kept", metavar="PLACE:HASH", help="What an earlier run printed: tells a chain that was cut off or made anew."
)
@json_option
def verify(slug: str | None, kept: str | None, as_json: bool) -> None:
    """Look whether the record of who did what is whole: every row in its agency's chain, unaltered. Exit 1 when it is not."""
    noted = _kept(kept, slug)
    with ready_database() as (_, db):
        with db.system_session("audit verify") as session:
            agencies = session.execute(select(Agency.id, Agency.slug).order_by(Agency.slug)).all()
        wanted = [agency for agency in agencies if slug in {None, agency.slug}]
        if not wanted and slug is not None:
            raise BadInput(f"There is no agency {slug!r}.")
        is_whole = True
        for agency in wanted:
            with db.agency_session(agency.id) as session:
                found = verify_chain(session, noted)
            is_whole = is_whole and found.is_whole
            click.echo(_line(agency.slug, found, as_json))
    sys.exit(0 if is_whole else 1)


def _kept(kept: str | None, slug: str | None) -> tuple[int, str] | None:
    if kept is None:
        return None
    place, _, noted = kept.partition(":")
    if slug is None or not place.isdigit() or len(noted) != 64:
        raise BadInput("--kept is what engage audit verify printed, such as 812:9f…, and needs --agency.")
    return int(place), noted


def _line(slug: str, found: Chain, as_json: bool) -> str:
    if as_json:
        told = {"agency": slug, "events": found.length, "head": found.head, "broken": found.broken_event}
        return json.dumps(told | {"fault": found.fault})
    if found.fault is None:
        return f"{slug}: {found.length} events, whole. Keep elsewhere: {found.length}:{found.head}"
    where = (
        "compared with what was kept" if found.broken_event is None else f"first at audit event {found.broken_event}"
    )
    return f"{slug}: BROKEN, {where}: {SAYS[found.fault]}."
