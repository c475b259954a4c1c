"""Removes what the console keeps of signing in and nobody needs any more, in every agency: rows out, counts back. The audit keeps the
facts, and nothing of patients is touched. By SQL of its own: worker and console know nothing of each other."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import TextClause, text

from engage.db import Database

SESSIONS = timedelta(days=90)
"""After a session ended, or was last used. So long managers are told of patients opened since they were last here."""
DEVICES = timedelta(days=180)
"""After somebody signed in wholly from a browser: its cookie ends then, too."""
LINKS = timedelta(days=30)
"""After a one-time link was used or ran out."""
DELAYS = timedelta(days=1)
"""After the last wrong try: it counts no more."""

_OLD: tuple[tuple[str, timedelta, TextClause], ...] = (
    (
        "sessions",
        SESSIONS,
        text("DELETE FROM console_sessions WHERE coalesce(ended_at, seen_at) < :before RETURNING 1"),
    ),
    ("devices", DEVICES, text("DELETE FROM known_devices WHERE made_at < :before RETURNING 1")),
    ("links", LINKS, text("DELETE FROM account_links WHERE coalesce(used_at, ends_at) < :before RETURNING 1")),
    ("delays", DELAYS, text("DELETE FROM sign_in_delays WHERE last_at < :before RETURNING 1")),
)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """How many rows of each left."""

    sessions: int = 0
    devices: int = 0
    links: int = 0
    delays: int = 0


def clean(db: Database, now: datetime) -> Cleaned:
    """Remove what is too old; idempotent, and any number of workers may do it at once."""
    with db.system_session("clean") as session:
        counts = {what: len(session.execute(statement, {"before": now - age}).all()) for what, age, statement in _OLD}
    return Cleaned(**counts)
