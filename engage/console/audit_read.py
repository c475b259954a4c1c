"""Searches the audit: a filter in, rows with the names of who acted out, newest first. Reads only; whoever asks is on record too."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

PAGE = 100

_SEARCH = text(
    """
    SELECT e.id, e.at, e.actor, c.name AS who, e.action, e.subject, e.subject_id, e.detail
    FROM audit_events e
    LEFT JOIN accounts c ON c.agency_id = e.agency_id AND e.actor = 'account:' || c.id
    WHERE (CAST(:before AS bigint) IS NULL OR e.id < :before)
      AND (CAST(:actor AS text) IS NULL OR e.actor = :actor)
      AND (CAST(:action AS text) IS NULL OR e.action = :action)
      AND (CAST(:subject AS text) IS NULL OR e.subject = :subject)
      AND (CAST(:subject_id AS bigint) IS NULL OR e.subject_id = :subject_id)
      AND (CAST(:since AS date) IS NULL OR e.at >= CAST(:since AS timestamp) AT TIME ZONE :zone)
      AND (CAST(:until AS date) IS NULL OR e.at < CAST(CAST(:until AS date) + 1 AS timestamp) AT TIME ZONE :zone)
    ORDER BY e.id DESC
    LIMIT :page
    """
)
_ACTIONS = text("SELECT DISTINCT action FROM audit_events ORDER BY action")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; None: anything. Days are the agency's, both included. `before`: rows older than this id."""

    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    subject_id: int | None = None
    since: date | None = None
    until: date | None = None
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Who did what to which row, when, from where."""

    id: int
    at: datetime
    actor: str
    who: str | None
    action: str
    subject: str
    subject_id: int | None
    detail: dict[str, Any]


def search(session: Session, wanted: Wanted, zone: str) -> list[Event]:
    """The newest events that fit, at most `PAGE`."""
    values = {name: getattr(wanted, name) for name in Wanted.__dataclass_fields__}
    rows = session.execute(_SEARCH, values | {"zone": zone, "page": PAGE})
    return [
        Event(row.id, row.at, row.actor, row.who, row.action, row.subject, row.subject_id, row.detail) for row in rows
    ]


def actions(session: Session) -> list[str]:
    """The actions there are."""
    return list(session.scalars(_ACTIONS))
