"""The counts of senders that have a pace, for one claim: rows in, room and holds out, rows written back once."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from engage.outreach.rules import pace
from engage.outreach.rules.pace import Pace
from engage.patients.rules.permission import Hold

_LIMITED = """
SELECT agency_id, id, purpose, segments_per_second, segments_per_day, free_at, counted_on, counted_segments
FROM senders WHERE agency_id = ANY(:agencies) AND (segments_per_second IS NOT NULL OR segments_per_day IS NOT NULL)
"""
_READ = text(_LIMITED)
_LOCK = text(f"{_LIMITED} ORDER BY id FOR NO KEY UPDATE SKIP LOCKED")
_UNLIMITED = text("""
SELECT DISTINCT agency_id FROM senders
WHERE agency_id = ANY(:agencies) AND purpose = 'patients' AND segments_per_second IS NULL AND segments_per_day IS NULL
""")
_SAVE = text("""
UPDATE senders s SET free_at = r.free_at, counted_on = r.day, counted_segments = r.used
FROM unnest(CAST(:ids AS bigint[]), CAST(:frees AS timestamptz[]), CAST(:days AS date[]), CAST(:useds AS int[])) AS r(id, free_at, day, used)
WHERE s.id = r.id AND s.agency_id = ANY(:agencies)
""")


class Paces:
    """The senders' counts as this claim sees and changes them. `may_leave`: unasked segments by agency, where limited."""

    def __init__(self, rows: Iterable[Row[Any]], unlimited: set[int], now: datetime) -> None:
        self._now = now
        self._agency = {row.id: row.agency_id for row in rows}
        self._paces = {row.id: _pace(row, now) for row in rows}
        self._changed: set[int] = set()
        self.may_leave: Mapping[int, int] = self._room([row for row in rows if row.purpose == "patients"], unlimited)

    @classmethod
    def of(cls, session: Session, agencies: set[int], now: datetime) -> "Paces":
        """The counts of these agencies' senders, not locked yet."""
        if not agencies:
            return cls([], set(), now)
        rows = session.execute(_READ, {"agencies": list(agencies)}).all()
        limited = {row.agency_id for row in rows}
        unlimited = set(session.scalars(_UNLIMITED, {"agencies": list(limited)})) if limited else set()
        return cls(rows, unlimited, now)

    def lock(self, session: Session, agencies: set[int]) -> set[int]:
        """Hold the counts of these agencies until the transaction ends; returns those that nobody else holds."""
        limited = {agency for agency in self._agency.values() if agency in agencies}
        if not limited:
            return agencies
        rows = session.execute(_LOCK, {"agencies": list(limited)}).all()
        self._paces |= {row.id: _pace(row, self._now) for row in rows}
        held = {row.id for row in rows}
        return agencies - {
            agency for sender, agency in self._agency.items() if agency in limited and sender not in held
        }

    def admit(self, sender_id: int | None, segments: int, now: datetime, *, must: bool) -> Hold | None:
        """Count a text, or say until when it must wait; one that somebody waits for (`must`) is counted and goes."""
        known = self._paces.get(sender_id) if sender_id is not None else None
        if known is None or sender_id is None:
            return None
        hold = None if must else pace.wait(known, segments, now)
        if hold is None:
            self._paces[sender_id] = pace.take(known, segments, now)
            self._changed.add(sender_id)
        return hold

    def save(self, session: Session) -> None:
        """Write the counts that have changed."""
        if not self._changed:
            return
        ids = sorted(self._changed)
        counts = [self._paces[sender] for sender in ids]
        values = {
            "frees": [count.free_at for count in counts],
            "days": [count.day for count in counts],
            "useds": [count.used for count in counts],
            "agencies": list(set(self._agency.values())),
        }
        session.execute(_SAVE, {"ids": ids, **values})

    def _room(self, rows: Iterable[Row[Any]], unlimited: set[int]) -> Mapping[int, int]:
        rooms: dict[int, int] = {}
        for row in rows:
            if row.agency_id not in unlimited:
                rooms[row.agency_id] = rooms.get(row.agency_id, 0) + pace.room(self._paces[row.id], self._now)
        return rooms


def _pace(row: Row[Any], now: datetime) -> Pace:
    per_second = None if row.segments_per_second is None else float(row.segments_per_second)
    counted_on = row.counted_on or pace.today(now)
    return Pace(per_second, row.segments_per_day, row.free_at or now, counted_on, row.counted_segments)
