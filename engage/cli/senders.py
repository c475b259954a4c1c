"""engage sender list, set: the numbers texts leave from, and how fast each may send. A number is shown by its last digits."""

from decimal import Decimal, InvalidOperation
from typing import Any

import click
from sqlalchemy import select, text

from engage import clock
from engage.agencies.model import AuditEvent, Sender
from engage.cli.session import account, agency_of, json_option, ready_database, show
from engage.errors import BadInput, NotFound
from engage.sms.rules.phones import PhoneRefusal, masked, parse_phone

_SENDERS = text("""
SELECT a.slug AS agency, s.phone, s.purpose, b.name AS branch, s.messaging_service_sid IS NOT NULL AS through_a_service,
       s.segments_per_second, s.segments_per_day
FROM senders s JOIN agencies a ON a.id = s.agency_id
LEFT JOIN branches b ON b.agency_id = s.agency_id AND b.id = s.branch_id
ORDER BY a.slug, s.purpose, s.id
""")
_NONE = "none"
_FASTEST = Decimal("99999.999")  # what the column holds
_MOST = 2**31 - 1
_ONE_AGENCY = click.option("--agency", "slug", metavar="ID", help="One agency's numbers; all of them without it.")


@click.group()
def sender() -> None:
    """Senders: the numbers texts leave from, and how fast."""


@sender.command("list")
@_ONE_AGENCY
@json_option
def list_senders(slug: str | None, as_json: bool) -> None:
    """Every number with what it is for, its branch, and how many segments it may send."""
    with ready_database() as (_, db):
        agency_id = agency_of(db, slug).id if slug else None
        door = db.system_session("list the senders") if agency_id is None else db.agency_session(agency_id)
        with door as session:
            rows = [_told(dict(row)) for row in session.execute(_SENDERS).mappings()]
    if not rows and not as_json:
        click.echo("No agency has a number yet: engage agency add.")
    for row in rows:
        show(row, as_json, _line)


@sender.command("set")
@click.argument("number")
@click.option("--segments-per-second", metavar="X", help="E.g. 3, or 1.25; none: no limit of ours.")
@click.option("--segments-per-day", metavar="N", help="E.g. 2000; none: no limit of ours.")
@_ONE_AGENCY
def set_pace(number: str, segments_per_second: str | None, segments_per_day: str | None, slug: str | None) -> None:
    """Say how fast NUMBER may send; what is not given stays as it is."""
    parsed = parse_phone(number)
    if isinstance(parsed, PhoneRefusal):
        raise BadInput(f"NUMBER cannot be used: {parsed.says}")
    changes: dict[str, Decimal | int | None] = {}
    if segments_per_second is not None:
        changes["segments_per_second"] = _rate(segments_per_second)
    if segments_per_day is not None:
        changes["segments_per_day"] = _daily(segments_per_day)
    if not changes:
        raise BadInput("Nothing to set: give --segments-per-second or --segments-per-day.")
    with ready_database() as (_, db):
        agency_id = agency_of(db, slug).id if slug else None
        with db.system_session("find a sender") as session:
            found = session.execute(select(Sender.agency_id, Sender.id).where(Sender.phone == parsed.e164)).first()
        if found is None or agency_id not in {None, found.agency_id}:
            raise NotFound("No such number is a sender here: engage sender list shows those there are.")
        with db.agency_session(found.agency_id) as session:
            row = session.scalars(select(Sender).where(Sender.id == found.id)).one()
            for name, value in changes.items():
                setattr(row, name, value)
            detail = {name: None if value is None else str(value) for name, value in changes.items()}
            event = {"actor": account(), "action": "sender.set", "subject": "sender", "subject_id": row.id}
            session.add(AuditEvent(agency_id=row.agency_id, at=clock.now(), detail=detail, **event))
            pace = _pace(row.segments_per_second, row.segments_per_day)
        click.echo(f"{masked(parsed.e164)} may send {pace}.")


def _told(row: dict[str, Any]) -> dict[str, Any]:
    rate = row["segments_per_second"]
    return {**row, "phone": masked(row["phone"]), "segments_per_second": None if rate is None else float(rate)}


def _line(row: dict[str, Any]) -> str:
    where = f", {row['branch']} only" if row["branch"] else ""
    service = ", through a messaging service" if row["through_a_service"] else ""
    pace = _pace(row["segments_per_second"], row["segments_per_day"])
    return f"{row['agency']}: {row['phone']} for {row['purpose']}{where}{service}; {pace}"


def _pace(rate: Decimal | float | None, daily: int | None) -> str:
    second = "any number of segments a second" if rate is None else f"{float(rate):g} segments a second"
    return f"{second}, {'any number' if daily is None else f'{daily:,}'} a day"


def _rate(value: str) -> Decimal | None:
    if value == _NONE:
        return None
    try:
        rate = Decimal(value)
    except InvalidOperation:
        rate = Decimal(0)
    if not (rate.is_finite() and Decimal("0.001") <= rate <= _FASTEST):
        raise BadInput(f"--segments-per-second: {value!r} is not a rate such as 3 or 1.25, nor {_NONE}.")
    return rate


def _daily(value: str) -> int | None:
    if value == _NONE:
        return None
    if not (value.isascii() and value.isdigit() and 0 < int(value) <= _MOST):
        raise BadInput(f"--segments-per-day: {value!r} is not a number such as 2000, nor {_NONE}.")
    return int(value)
