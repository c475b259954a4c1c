"""What one patient will get in the next days: the planner and the dispatcher run ahead of time, and everything is rolled back.

A patient in, a calendar out: each text with its hour and words, and for each touchpoint that says nothing, why. Sends nothing.
"""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from heapq import heapify, heappop, heappush
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from engage.db import Database
from engage.errors import BadInput
from engage.outreach.claim import Attempt, Batch, write
from engage.outreach.gather import Terms, gather
from engage.outreach.left_out import left_out
from engage.outreach.plan import plan_ahead
from engage.outreach.rules.draft import Ready, decide
from engage.outreach.rules.reasons import explain
from engage.patients.granting import patient_of
from engage.patients.rules.permission import Hold
from engage.patients.rules.window import local_day

MOST_DAYS = 60
_MOST_HOLDS = 6

_PLANNED = text("""
SELECT m.id, m.send_at, m.priority, m.touchpoint_id, t.key, c.relationship, (m.send_at AT TIME ZONE :zone)::date AS on_day
FROM messages m
JOIN touchpoints t ON t.agency_id = m.agency_id AND t.id = m.touchpoint_id
JOIN contacts c ON c.agency_id = m.agency_id AND c.id = m.contact_id
WHERE m.agency_id = :agency AND m.patient_id = :patient AND m.state = 'planned' AND m.kind = 'touchpoint' AND m.channel = 'sms'
  AND m.send_at < :until
ORDER BY m.send_at, m.priority, m.id
""")
# What speaks against a touchpoint on a day before any rule of groups: of the day it leaves on, about the day it is about.
_SILENT = text("""
SELECT t.id AS touchpoint_id, t.key, on_day, on_day - t.offset_days AS about, CASE
    WHEN NOT a.is_active THEN 'The agency is switched off.'
    WHEN NOT t.is_active THEN 'It is switched off.'
    WHEN p.status <> 'active' THEN 'The patient is ' || replace(p.status, '_', ' ') || '.'
    WHEN t.only_monitored AND NOT p.is_monitored THEN 'Only monitored patients get it.'
    WHEN t.anchor = 'every_day' AND EXISTS (SELECT FROM episodes e WHERE e.agency_id = p.agency_id AND e.patient_id = p.id)
         AND NOT EXISTS (SELECT FROM episodes e WHERE e.agency_id = p.agency_id AND e.patient_id = p.id AND e.starts_on <= on_day
                         AND COALESCE(e.discharged_on, 'infinity') >= on_day) THEN 'No episode of care holds that day.'
    WHEN t.anchor = 'visit_day' AND NOT EXISTS (
         SELECT FROM visits v WHERE v.agency_id = p.agency_id AND v.patient_id = p.id AND v.starts_on = on_day - t.offset_days
           AND v.status = 'scheduled' AND v.answer IS DISTINCT FROM 'does_not_want_it') THEN 'There is no visit it is about.'
    WHEN t.anchor = 'visit_completed' THEN 'It follows a visit that is done; none is known of yet.'
    WHEN NOT EXISTS (
         SELECT FROM contacts c WHERE c.agency_id = p.agency_id AND c.patient_id = p.id AND c.ended_at IS NULL
           AND c.phone_kind IN ('unknown', 'mobile') AND (c.may_see = 'scores' OR t.category = 'visits')
           AND (SELECT e.kind FROM consent_events e WHERE e.agency_id = c.agency_id AND e.contact_id = c.id AND e.category = t.category
                ORDER BY e.said_at DESC, e.id DESC LIMIT 1) = 'granted'
           AND (SELECT e.kind FROM consent_events e WHERE e.agency_id = c.agency_id AND e.phone_hash = c.phone_hash AND e.contact_id IS NULL
                ORDER BY e.said_at DESC, e.id DESC LIMIT 1) IS DISTINCT FROM 'opted_out')
         THEN 'Nobody who may be texted has agreed to ' || t.category || '.' END AS why
FROM patients p
JOIN agencies a ON a.id = p.agency_id
JOIN touchpoints t ON t.agency_id = p.agency_id AND t.anchor <> 'score'
CROSS JOIN unnest(CAST(:days AS date[])) AS d(on_day)
WHERE p.agency_id = :agency AND p.id = :patient ORDER BY on_day, t.local_time NULLS LAST, t.id
""")


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One touchpoint on one local day: the hour and the words of its text, or why there is none.

    `reason` is the stored word where a planned text would be dropped; `at` is the wall clock where the patient lives.
    """

    on: date
    touchpoint: str
    at: datetime | None = None
    to: str | None = None
    body: str | None = None
    why_not: str | None = None
    reason: str | None = None
    held: str | None = None


class _Undo(Exception):
    """Ends a transaction that was only looked at."""


@contextmanager
def undone(db: Database, reason: str) -> Iterator[Session]:
    """A system transaction of which nothing remains, whatever was written in it."""
    with suppress(_Undo), db.system_session(reason) as session:
        yield session
        raise _Undo


def preview(db: Database, agency_id: int, emr_id: str, days: int, terms: Terms, now: datetime) -> list[Foreseen]:
    """The calendar of the patient with this EMR id, from today on, day by day; nothing of it is kept.

    As if nothing else happened meanwhile: no visit moves, nobody answers. Raises NotFound for an unknown patient, BadInput for
    fewer than 1 or more than MOST_DAYS days.
    """
    if not 1 <= days <= MOST_DAYS:
        raise BadInput(f"--days must be from 1 to {MOST_DAYS}.")
    with db.agency_session(agency_id) as session:
        patient = patient_of(session, emr_id)
    zone = patient.time_zone
    calendar = [local_day(now, zone) + timedelta(days=ahead) for ahead in range(days)]
    with undone(db, "preview") as session:
        plan_ahead(session, now, now + timedelta(days=days + 1), {agency_id}, {(agency_id, patient.id)})
        names = {"agency": agency_id, "patient": patient.id, "zone": zone, "days": calendar}
        until = datetime.combine(calendar[-1] + timedelta(days=1), datetime.min.time(), ZoneInfo(zone))
        planned = session.execute(_PLANNED, {**names, "until": until}).all()
        texts = list(_sent(session, planned, terms, zone, now))
        silent = session.execute(_SILENT, names).all()
        outside = left_out(session, agency_id, patient.id, sorted({row.about for row in silent}))
    told = {(row.touchpoint_id, row.on_day) for row in planned}
    silences = [
        Foreseen(row.on_day, row.key, why_not=_why_silent(row, outside, now, zone))
        for row in silent
        if (row.touchpoint_id, row.on_day) not in told
    ]
    return sorted([*texts, *silences], key=lambda one: (one.on, one.at is None, one.at or now, one.touchpoint))


def _why_silent(row: Row[Any], outside: dict[tuple[int, date], str], now: datetime, zone: str) -> str:
    left = outside.get((row.touchpoint_id, row.about))
    is_over = row.on_day == local_day(now, zone)
    rest = (
        "Its time of today is over, or it has gone out already."
        if is_over
        else "Its time is not within the hours of that day."
    )
    return str(row.why or (f"{left[:1].upper()}{left[1:]}." if left else rest))


def _sent(session: Session, planned: Sequence[Row[Any]], terms: Terms, zone: str, now: datetime) -> Iterator[Foreseen]:
    """What the dispatcher would do with each, in the order of time; what leaves counts for the caps of the next."""
    by_id = {row.id: row for row in planned}
    waiting = [(max(row.send_at, now), row.priority, row.id, 0, "") for row in planned]
    heapify(waiting)
    while waiting:
        at, priority, message, tries, held = heappop(waiting)
        drafts, _ = gather(session, [message], at, terms)
        verdict = decide(drafts[0].draft, at) if drafts else None
        if isinstance(verdict, Hold) and tries < _MOST_HOLDS:
            heappush(waiting, (verdict.until, priority, message, tries + 1, verdict.reason))
            continue
        row, local = by_id[message], at.astimezone(ZoneInfo(zone))
        if isinstance(verdict, Ready):
            write(session, Batch(attempts=[Attempt(drafts[0], uuid.uuid4(), verdict)]), at + timedelta(minutes=2), at)
            yield Foreseen(local.date(), row.key, local, row.relationship, verdict.body, held=held or None)
        else:
            reason = str(verdict.reason if isinstance(verdict, Hold) else verdict or "facts_unreadable")
            yield Foreseen(row.on_day, row.key, to=row.relationship, why_not=explain(reason).says, reason=reason)
