"""What the link of a mailed page shows and does: a token in, the state of its alerts out. Reading takes nothing, pressing does.

Mail servers open links to look for malware, so only a pressed button may take an alert. Nothing about a patient is shown.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import text

from engage.alerts.taking import Answer, Taken, acknowledge, pass_on, tell_others
from engage.db import Database
from engage.outreach.links import TakeLink
from engage.outreach.rules.wording import clock_words


class Press(StrEnum):
    """The two buttons."""

    TAKE = "take"
    NEXT = "next"


@dataclass(frozen=True, slots=True)
class Shown:
    """One alert of the page: its code, and who has it (None: nobody yet) since when, by the clock of its reader.

    `is_mine`: the reader has it. `is_closed`: it is done.
    """

    code: str
    who: str | None = None
    at: str | None = None
    is_mine: bool = False
    is_closed: bool = False


_PAGE = text("""
SELECT m.clinician_id, COALESCE(b.time_zone, a.time_zone) AS zone FROM messages m
JOIN agencies a ON a.id = m.agency_id
JOIN clinicians k ON k.agency_id = m.agency_id AND k.id = m.clinician_id AND (k.left_on IS NULL OR k.left_on > :today)
LEFT JOIN branches b ON b.agency_id = k.agency_id AND b.id = k.branch_id
WHERE m.agency_id = :agency AND m.id = :message AND m.kind = 'page'
""")
_ALERTS = text("""
SELECT DISTINCT al.id, al.code, al.state, al.severity, COALESCE(al.resolved_at, al.acknowledged_at) AS at,
       COALESCE(al.resolved_by, al.acknowledged_by) AS who_id, k.first_name AS who
FROM messages p
JOIN alerts al ON al.agency_id = p.agency_id AND al.id = p.alert_id
LEFT JOIN clinicians k ON k.agency_id = al.agency_id AND k.id = COALESCE(al.resolved_by, al.acknowledged_by)
WHERE p.agency_id = :agency AND (p.id = :message OR p.bundle_id = :message)
ORDER BY al.severity DESC, al.id
""")


def look(db: Database, link: TakeLink, now: datetime) -> list[Shown] | None:
    """The alerts of the page as they stand; None when the link is over or the page is not there. Changes nothing."""
    return _seen(db, link, None, now)


def press(db: Database, link: TakeLink, button: Press, now: datetime) -> list[Shown] | None:
    """Take what is open, or pass it on, and show the alerts as they stand then; None as `look`."""
    return _seen(db, link, button, now)


def _seen(db: Database, link: TakeLink, button: Press | None, now: datetime) -> list[Shown] | None:
    if now >= link.until:
        return None
    names = {"agency": link.agency_id, "message": link.message_id}
    with db.agency_session(link.agency_id) as session:
        page = session.execute(_PAGE, names | {"today": now.date()}).first()
        if page is None:
            return None
        for alert in session.execute(_ALERTS, names).all() if button is not None else ():
            # the page is about these rows; a code that was given to another alert since is not meant
            if alert.state == "resolved":
                continue
            if button is Press.TAKE:
                taken: Answer | None = acknowledge(session, link.agency_id, page.clinician_id, alert.code, now)
                if isinstance(taken, Taken) and alert.state == "open":
                    tell_others(
                        session, link.agency_id, taken, page.clinician_id, clock_words(now, page.zone, "en"), now
                    )
            else:
                pass_on(session, link.agency_id, page.clinician_id, alert.code, now)
        session.flush()
        return [
            Shown(
                row.code,
                row.who,
                clock_words(row.at, page.zone, "en") if row.at is not None else None,
                is_mine=row.who_id == page.clinician_id and row.state != "resolved",
                is_closed=row.state == "resolved",
            )
            for row in session.execute(_ALERTS, names)
        ]
