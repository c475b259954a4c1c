"""engage why: tells why a text was or was not sent, from the rows alone; each look is put on record."""

import json
from datetime import date, timedelta

import click
from sqlalchemy import select

from engage import clock
from engage.agencies.model import Agency
from engage.cli.session import account, agency_of, begin, json_option, ready_database
from engage.cli.why_told import day_json, day_text, message_json, message_text
from engage.db import Database
from engage.errors import BadInput, NotFound
from engage.reports.why import Asking, find_message, why
from engage.reports.why_not import why_on
from engage.settings import Settings, read_toml
from engage.sms.rules.codes import CodeTable, parse_codes

_USAGE = "Say which: engage why MESSAGE, or engage why --patient P --on 2026-11-23."


@click.command("why")
@click.argument("named", metavar="[MESSAGE]", required=False)
@click.option("--patient", metavar="P", help="The patient's id in the EMR, or MRN: tells a whole day.")
@click.option("--on", metavar="DATE", help="With --patient: the day, e.g. 2026-11-23, where the patient lives.")
@click.option("--agency", "slug", metavar="ID", help="The agency's short id; with --patient, where there are several.")
@click.option("--text", "with_text", is_flag=True, help="Show the words of the text too; they are personal.")
@click.option("--proof", "with_proof", is_flag=True, help="Show the stored proof of consent too.")
@json_option
def why_command(
    named: str | None,
    patient: str | None,
    on: str | None,
    slug: str | None,
    with_text: bool,
    with_proof: bool,
    as_json: bool,
) -> None:
    """Tell in plain words why a text was, or was not, sent.

    MESSAGE is the number of a message or Twilio's id of it (SM..., CA...). Times are those where the patient lives.
    The look is put on record with the name of your account on this machine.
    """
    if (named is None) == (patient is None) or (patient is None) != (on is None):
        raise BadInput(_USAGE)
    day = None if on is None else _date(on)
    settings = begin()
    codes = parse_codes(read_toml(settings.config_dir / "twilio-codes.toml"))
    with ready_database(settings) as (_, db):
        asking = Asking(account(), clock.now(), with_text, with_proof)
        if named is not None:
            _tell_message(db, codes, named, slug, asking, as_json)
        elif patient is not None and day is not None:
            _tell_day(db, codes, settings, patient, day, slug, asking, as_json)


def _tell_message(db: Database, codes: CodeTable, named: str, slug: str | None, asking: Asking, as_json: bool) -> None:
    agency_id, message_id = find_message(db, named, _agency(db, slug).id if slug else None)
    facts = why(db, codes, agency_id, message_id, asking)
    click.echo(json.dumps(message_json(facts), ensure_ascii=False) if as_json else message_text(facts))


def _tell_day(
    db: Database,
    codes: CodeTable,
    settings: Settings,
    patient: str,
    on: date,
    slug: str | None,
    asking: Asking,
    as_json: bool,
) -> None:
    horizon = timedelta(hours=settings.plan_horizon_hours)
    found = why_on(db, codes, _agency(db, slug).id, patient, on, horizon, asking)
    click.echo(json.dumps(day_json(found), ensure_ascii=False) if as_json else day_text(found))


def _agency(db: Database, slug: str | None) -> Agency:
    """The agency that is meant: the named one, or the only one there is."""
    if slug is None:
        with db.system_session("find the agency") as session:
            known = session.scalars(select(Agency.slug).order_by(Agency.slug)).all()
        if len(known) != 1:
            raise BadInput(f"Say which agency with --agency; there are: {', '.join(known) or 'none yet'}.")
        slug = known[0]
    try:
        return agency_of(db, slug)
    except NotFound as unknown:
        raise BadInput(str(unknown)) from None


def _date(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise BadInput(f"--on: {value!r} is not a date such as 2026-11-23.") from None
