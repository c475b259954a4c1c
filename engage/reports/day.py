"""The counts of some days of an agency, or of all: what was planned, sent, answered, alerted. Reads only."""

from datetime import datetime
from typing import Any

from sqlalchemy import TextClause, text

from engage.db import Database

# Each query counts rows of one agency, or of all, between two instants; {} stands for the column that is compared.
_ONE = {
    # a second try is the same occasion again
    "planned": (
        "SELECT count(*) FROM messages WHERE kind = 'touchpoint' AND state <> 'cancelled' AND retry_of IS NULL AND {}",
        "send_at",
    ),
    "sent": ("SELECT count(*) FROM messages WHERE {}", "accepted_at"),
    "delivered": ("SELECT count(*) FROM messages WHERE state = 'delivered' AND {}", "accepted_at"),
    "replies": ("SELECT count(*) FROM replies WHERE {}", "received_at"),
    "alerts": ("SELECT count(*) FROM alerts WHERE {}", "opened_at"),
    "acknowledged": ("SELECT count(DISTINCT alert_id) FROM alert_events WHERE kind = 'acknowledged' AND {}", "at"),
    "resolved": ("SELECT count(*) FROM alerts WHERE {}", "resolved_at"),
}
_MANY = {
    "readings": ("SELECT i, count(*) FROM readings, unnest(intents) i WHERE {} GROUP BY i", "read_at"),
    "held": (
        "SELECT reason, count(*) FROM messages WHERE state IN ('suppressed', 'expired', 'failed', 'undelivered') AND {} GROUP BY reason",
        "ended_at",
    ),
    "alerts_by_kind": ("SELECT kind, count(*) FROM alerts WHERE {} GROUP BY kind", "opened_at"),
    "messages_by_state": ("SELECT state, count(*) FROM messages WHERE {} GROUP BY state", "send_at"),
}


def _query(parts: tuple[str, str]) -> TextClause:
    wording, column = parts
    span = f"{column} BETWEEN :since AND :until AND (CAST(:agency AS bigint) IS NULL OR agency_id = :agency)"
    return text(wording.format(span))


def counts(db: Database, since: datetime, until: datetime, agency_id: int | None = None) -> dict[str, Any]:
    """Counts between two instants; those under a name of their own are dicts from a word to a number."""
    values = {"since": since, "until": until, "agency": agency_id}
    with db.system_session("report") as session:
        one = {name: session.execute(_query(query), values).scalar_one() for name, query in _ONE.items()}
        many = {
            name: {str(word): number for word, number in session.execute(_query(query), values)}
            for name, query in _MANY.items()
        }
    return one | {name: dict(sorted(found.items())) for name, found in many.items()}
