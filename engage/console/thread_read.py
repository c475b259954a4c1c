"""Reads the conversation with a patient, and her alerts: ids in, a thread out. Three statements for any length."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from engage.alerts.rules.words import AlertKind, AlertState
from engage.console.opening import opened
from engage.console.reasons_told import reason_told
from engage.console.rules.marking import Piece, marked, spans_of
from engage.console.rules.need import SERVICE, Next, Standing, next_of
from engage.console.rules.thread import Day, Ours, Theirs, delivery, thread
from engage.console.worklist_read import standing_of
from engage.outreach.rules.words import Channel, Kind
from engage.sms.rules.statuses import MessageState

MOST_TEXTS = 12
"""Of each direction on one page; older ones are a page further."""
_MOST_ALERTS = 30

# A text about two patients of one phone is part of both threads.
_OURS = text("""
SELECT m.id, COALESCE(m.claimed_at, m.send_at) AS at, m.send_at AS place, m.kind, m.channel, m.template, m.body, m.state, m.reason, m.segments, m.due_at, m.retry_of,
       c.relationship, c.name AS contact, k.first_name AS author, COALESCE(m.language, c.language) AS language
FROM messages m
JOIN contacts c ON c.agency_id = m.agency_id AND c.id = m.contact_id
LEFT JOIN clinicians k ON k.agency_id = m.agency_id AND k.id = m.written_by
WHERE m.agency_id = :agency AND m.id IN (
    (SELECT o.id FROM messages o WHERE o.agency_id = :agency AND o.patient_id = :patient AND o.contact_id IS NOT NULL AND o.send_at < :until
     ORDER BY o.send_at DESC LIMIT :most)
    UNION
    (SELECT o.id FROM messages o WHERE o.agency_id = :agency AND o.contact_id = ANY(CAST(:sharing AS bigint[])) AND o.also_for @> ARRAY[CAST(:patient AS bigint)]
     AND o.claimed_at < :until ORDER BY o.claimed_at DESC LIMIT :most))
ORDER BY m.send_at DESC LIMIT :most
""")
_SHARING = text("""
SELECT o.id FROM contacts c JOIN contacts o ON o.agency_id = c.agency_id AND o.phone_hash = c.phone_hash AND o.patient_id <> c.patient_id
WHERE c.agency_id = :agency AND c.patient_id = :patient
""")
_THEIRS = text("""
SELECT r.id, r.received_at AS at, r.received_at AS place, r.body, r.media, r.state, r.message_id, c.relationship, c.name AS contact, c.language, d.evidence, d.intents, d.score
FROM replies r
JOIN contacts c ON c.agency_id = r.agency_id AND c.id = r.contact_id
LEFT JOIN LATERAL (
    SELECT d.evidence, d.intents, d.score FROM readings d WHERE d.agency_id = r.agency_id AND d.reply_id = r.id ORDER BY d.id DESC LIMIT 1) d ON true
WHERE r.agency_id = :agency AND r.id IN (
    SELECT o.id FROM replies o WHERE o.agency_id = :agency AND o.received_at < :until
    AND o.contact_id IN (SELECT mine.id FROM contacts mine WHERE mine.agency_id = :agency AND mine.patient_id = :patient)
    UNION
    SELECT s.reply_id FROM scores s WHERE s.agency_id = :agency AND s.patient_id = :patient AND s.given_at < :until)
ORDER BY r.received_at DESC LIMIT :most
""")
_ALERTS = text("""
SELECT a.*, k.first_name AS holder, d.first_name AS closer, said.body, said.evidence, said.language FROM alerts a
LEFT JOIN LATERAL (
    SELECT r.body, d.evidence, c.language FROM alert_events e
    JOIN replies r ON r.agency_id = e.agency_id AND r.id = e.reply_id
    LEFT JOIN contacts c ON c.agency_id = r.agency_id AND c.id = r.contact_id
    LEFT JOIN readings d ON d.agency_id = r.agency_id AND d.reply_id = r.id
    WHERE a.state <> 'resolved' AND e.agency_id = a.agency_id AND e.alert_id = a.id AND e.kind IN ('opened', 'evidence')
    ORDER BY e.at DESC, e.id DESC, d.id DESC LIMIT 1) said ON true
LEFT JOIN clinicians k ON k.agency_id = a.agency_id AND k.id = a.acknowledged_by
LEFT JOIN clinicians d ON d.agency_id = a.agency_id AND d.id = a.resolved_by
WHERE a.agency_id = :agency AND a.patient_id = :patient
  AND (NOT :is_nurse OR NOT a.kind = ANY(CAST(:service AS text[])) OR a.acknowledged_by = :me OR EXISTS (
      SELECT FROM alert_events e WHERE e.agency_id = a.agency_id AND e.alert_id = a.id AND e.clinician_id = :me AND e.kind = 'paged'))
ORDER BY a.state = 'resolved', a.severity DESC, a.opened_at DESC LIMIT :most
""")


@dataclass(frozen=True, slots=True)
class Conversation:
    """The newest texts in order; `older_until` is where the page before them ends, None when there are none."""

    days: tuple[Day, ...]
    older_until: datetime | None


@dataclass(frozen=True, slots=True)
class Concern:
    """One alert of the patient: open, with what the patient wrote last about it; or closed, with what was done."""

    id: int
    code: str
    kind: AlertKind
    standing: Standing
    next: Next
    next_at: datetime | None
    holder_id: int | None
    holder: str | None
    closer: str | None
    resolved_at: datetime | None
    outcome: str | None
    note: str | None
    minutes: int | None
    said: tuple[Piece, ...]
    language: str | None

    @property
    def is_resolved(self) -> bool:
        """Whether it is done."""
        return self.standing.state is AlertState.RESOLVED


def read_thread(
    session: Session,
    agency_id: int,
    patient_id: int,
    zone: str,
    until: datetime,
    patients_name: str,
    most: int = MOST_TEXTS,
) -> Conversation:
    """The texts before `until`, both ways, of all phones of the patient."""
    values: dict[str, Any] = {"agency": agency_id, "patient": patient_id, "until": until, "most": most}
    values["sharing"] = list(session.scalars(_SHARING, {"agency": agency_id, "patient": patient_id}))
    ours = session.execute(_OURS, values).all()
    theirs = session.execute(_THEIRS, values).all()
    full = [rows[-1].place for rows in (ours, theirs) if len(rows) == most]
    older = max(full) if full else None  # below it one side would be missing
    told = [_ours(row, patients_name) for row in ours if older is None or row.place >= older]
    heard = [_theirs(row, patients_name) for row in theirs if older is None or row.place >= older]
    return Conversation(thread(told, heard, zone), older)


def read_concerns(
    session: Session, agency_id: int, patient_id: int, me: int | None, is_nurse: bool, now: datetime
) -> Sequence[Concern]:
    """The alerts of the patient, unresolved ones first."""
    values = {"agency": agency_id, "patient": patient_id, "me": me, "is_nurse": is_nurse, "most": _MOST_ALERTS}
    rows = session.execute(_ALERTS, values | {"service": [str(kind) for kind in SERVICE]})
    return [_concern(row, now) for row in rows]


def _ours(row: Row[Any], patients_name: str) -> Ours:
    return Ours(
        id=row.id,
        at=row.at,
        kind=Kind(row.kind),
        channel=Channel(row.channel),
        template=row.template,
        words=opened(row.body, "messages.body"),
        delivery=delivery(MessageState(row.state), row.reason),
        to=row.contact or (patients_name if row.relationship == "patient" else None),
        is_to_patient=row.relationship == "patient",
        segments=row.segments,
        why=reason_told(row.reason) if row.reason else None,
        due_at=row.due_at,
        author=row.author,
        language=row.language,
    )


def _theirs(row: Row[Any], patients_name: str) -> Theirs:
    words, evidence = opened(row.body, "replies.body") or "", opened(row.evidence, "readings.evidence") or ""
    return Theirs(
        id=row.id,
        at=row.at,
        words=marked(words, spans_of(evidence)) or (Piece(""),),
        intents=tuple(row.intents or ()),
        score=row.score,
        by=row.contact or (patients_name if row.relationship == "patient" else None),
        is_by_patient=row.relationship == "patient",
        is_unread=row.state == "stored",
        pictures=row.media,
        is_pressed=row.message_id is not None,
        language=row.language,
    )


def _concern(row: Row[Any], now: datetime) -> Concern:
    standing = standing_of(row)
    follows, at = next_of(standing, now)
    words, evidence = opened(row.body, "replies.body"), opened(row.evidence, "readings.evidence")
    return Concern(
        id=row.id,
        code=row.code,
        kind=AlertKind(row.kind),
        standing=standing,
        next=follows,
        next_at=at,
        holder_id=row.acknowledged_by,
        holder=row.holder,
        closer=row.closer,
        resolved_at=row.resolved_at,
        outcome=row.outcome,
        note=opened(row.note, "alerts.note"),
        minutes=row.minutes_spent,
        said=marked(words, spans_of(evidence or "")) if words else (),
        language=row.language,
    )
