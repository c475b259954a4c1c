"""Stops of all sending, in one row that every worker reads: Twilio refuses us, or does not answer. Rows only.

When a stop has lasted its time, one worker (whoever moves the row) tries one text: it ends the stop or makes it longer.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import text

from engage.db import Database

PROBE = timedelta(seconds=30)
"""How long one worker has for its one text before another may try."""


class StopReason(StrEnum):
    """Why nothing is sent."""

    REFUSED = "refused"  # credentials, account or address: every text would be refused
    SILENT = "silent"  # no answers come: every text would be unknown


_FIRST_PAUSE = {StopReason.REFUSED: timedelta(minutes=1), StopReason.SILENT: timedelta(seconds=15)}
_LONGEST_PAUSE = timedelta(minutes=5)

_READ = text("SELECT until FROM sending_stops")
_PROBE = text("UPDATE sending_stops SET until = :until, tries = tries + 1 WHERE until <= :now RETURNING id")
_STOP = text("""
INSERT INTO sending_stops (id, reason, http_status, error_code, since, until) VALUES (1, :reason, :status, :code, :now, :now + :pause)
ON CONFLICT (id) DO UPDATE SET reason = EXCLUDED.reason, http_status = EXCLUDED.http_status, error_code = EXCLUDED.error_code,
    until = EXCLUDED.since + LEAST(:most, :pause * (2 ^ LEAST(sending_stops.tries, 10)))
""")


class Standing(StrEnum):
    """What a worker may do now."""

    FREE = "free"
    PROBE = "probe"  # one text, to see whether it goes
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Stopped:
    """Why sending stops; status and code are Twilio's, None when it did not answer."""

    reason: StopReason
    http_status: int | None = None
    code: int | None = None


def standing(db: Database, now: datetime) -> Standing:
    """Whether this worker may send; PROBE is given to one worker at a time."""
    with db.system_session("may we send") as session:
        until = session.scalar(_READ)
        if until is None:
            return Standing.FREE
        if until > now or session.execute(_PROBE, {"now": now, "until": now + PROBE}).first() is None:
            return Standing.STOPPED
        return Standing.PROBE


def stop(db: Database, stopped: Stopped, now: datetime) -> None:
    """Nobody sends for a while; longer each time that a try fails."""
    pause = _FIRST_PAUSE[stopped.reason]
    values = {"reason": stopped.reason, "status": stopped.http_status, "code": stopped.code, "now": now}
    with db.system_session("stop sending") as session:
        session.execute(_STOP, {**values, "most": _LONGEST_PAUSE, "pause": pause})


def go_on(db: Database) -> None:
    """Twilio works again."""
    with db.system_session("send again") as session:
        session.execute(text("DELETE FROM sending_stops"))
