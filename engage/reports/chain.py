"""Looks whether the audit of an agency is whole: every event in the chain, every link over the one before it. Reads only.

It computes the links by itself, not by the function in the database, which whoever altered the rows could have altered too.
"""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

_BROKEN = text(
    """
    WITH linked AS (
        SELECT c.place, c.hash, e.id, coalesce(e.id, c.event_id) AS event_id,
               lag(c.place, 1, 0::bigint) OVER in_order AS place_before,
               sha256(lag(c.hash, 1, ''::bytea) OVER in_order || convert_to(jsonb_build_array(e.agency_id, e.id,
                   (extract(epoch FROM e.at) * 1000000)::bigint, e.actor, e.action, e.subject, e.subject_id,
                   e.detail)::text, 'UTF8')) AS wanted
        FROM audit_events e FULL JOIN audit_chain c ON c.agency_id = e.agency_id AND c.event_id = e.id
        WINDOW in_order AS (ORDER BY c.place NULLS LAST)
    )
    SELECT place, event_id,
           CASE WHEN id IS NULL THEN 'removed' WHEN place IS NULL THEN 'unchained'
                WHEN place <> place_before + 1 THEN 'gap' ELSE 'altered' END AS fault
    FROM linked
    WHERE id IS NULL OR place IS NULL OR place <> place_before + 1 OR hash <> wanted
    ORDER BY place NULLS LAST, event_id LIMIT 1
    """
)
_HEAD = text("SELECT place, encode(hash, 'hex') AS hash FROM audit_chain ORDER BY place DESC LIMIT 1")
_AT = text("SELECT encode(hash, 'hex') FROM audit_chain WHERE place = :place")

SAYS = {
    "removed": "the event was removed",
    "unchained": "the event is in no chain",
    "gap": "links before it are missing",
    "altered": "the event, or one before it, was altered",
}


@dataclass(frozen=True, slots=True)
class Chain:
    """What was found: how many links, the last one's hash (to be kept elsewhere), and the first that is broken."""

    length: int
    head: str
    broken_event: int | None = None
    fault: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing was found."""
        return self.fault is None


def verify(session: Session, kept: tuple[int, str] | None = None) -> Chain:
    """The chain of the session's agency. `kept`: place and hash noted earlier, which tell a chain that was made anew or cut off."""
    head = session.execute(_HEAD).one_or_none()
    length, last = (head.place, head.hash) if head else (0, "")
    broken = session.execute(_BROKEN).one_or_none()
    if broken is not None:
        return Chain(length, last, broken.event_id, broken.fault)
    if kept is not None and session.scalar(_AT, {"place": kept[0]}) != kept[1]:
        return Chain(length, last, None, "removed" if kept[0] > length else "altered")
    return Chain(length, last)
