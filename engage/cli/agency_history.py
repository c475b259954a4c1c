"""engage agency history: who changed what an agency says and does, newest first, from the audit. Reads only."""

from datetime import UTC
from typing import Any

import click
from sqlalchemy import select

from engage.agencies.model import AuditEvent
from engage.cli.session import agency_of, json_option, ready_database, show

_SUBJECTS = ("agency", "template", "sender")


@click.command("history")
@click.argument("slug", metavar="ID")
@click.option("--last", type=click.IntRange(1, 1000), default=20, show_default=True, help="So many changes.")
@json_option
def history(slug: str, last: int, as_json: bool) -> None:
    """Who changed programme, wording and numbers of the agency ID, when, and each line of it; newest first."""
    with ready_database() as (_, db):
        agency = agency_of(db, slug)
        with db.agency_session(agency.id) as session:
            events = session.scalars(
                select(AuditEvent)
                .where(AuditEvent.agency_id == agency.id, AuditEvent.subject.in_(_SUBJECTS))
                .order_by(AuditEvent.id.desc())
                .limit(last)
            ).all()
    for event in events:
        told = {
            "at": event.at.astimezone(UTC).isoformat(),
            "actor": event.actor,
            "action": event.action,
            "detail": event.detail,
        }
        show(told, as_json, _told)


def _told(event: dict[str, Any]) -> str:
    detail = dict(event["detail"])
    lines = detail.pop("changes", [])
    said = ", ".join(f"{name} {value}" for name, value in detail.items())
    head = f"{event['at'][:19]}Z  {event['actor']}: {event['action']}" + (f" ({said})" if said else "")
    return "\n".join([head, *(f"  {line}" for line in lines)])
