"""Reads the messages page: a search in, rows and counts out; and the texts in that nobody could read. Set-based."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from engage.console.opening import opened
from engage.console.reasons_told import reason_told
from engage.outreach.again import past_of
from engage.outreach.rules.again import Never, may_send_again

PAGE = 50

_SEEN = """
m.agency_id = :agency AND m.send_at >= :since AND m.send_at < :until
  AND (CAST(:state AS text) IS NULL OR m.state = :state) AND (CAST(:kind AS text) IS NULL OR m.kind = :kind)
  AND (CAST(:branches AS bigint[]) IS NULL OR EXISTS (SELECT FROM patients q WHERE q.agency_id = m.agency_id AND q.id = m.patient_id
       AND q.branch_id = ANY(CAST(:branches AS bigint[]))))
"""
_ROWS = text(f"""
SELECT m.id, m.send_at, m.kind, m.channel, m.template, m.state, m.reason, m.segments, m.patient_id, p.first_name, p.last_name, p.time_zone, t.key AS touchpoint,
       c.relationship, k.first_name AS clinician, m.attempts, m.expires_at,
       EXISTS (SELECT FROM messages o WHERE o.agency_id = m.agency_id AND o.retry_of = m.id) AS is_tried_again
FROM (SELECT m.* FROM messages m WHERE {_SEEN} ORDER BY m.send_at DESC, m.id DESC LIMIT :most OFFSET :skip) m
LEFT JOIN patients p ON p.agency_id = m.agency_id AND p.id = m.patient_id
LEFT JOIN contacts c ON c.agency_id = m.agency_id AND c.id = m.contact_id
LEFT JOIN clinicians k ON k.agency_id = m.agency_id AND k.id = m.clinician_id
LEFT JOIN touchpoints t ON t.agency_id = m.agency_id AND t.id = m.touchpoint_id
ORDER BY m.send_at DESC, m.id DESC
""")  # noqa: S608 - a part of our own
_COUNTS = text(f"""
SELECT m.state, count(*) AS many FROM messages m WHERE {_SEEN} GROUP BY m.state ORDER BY count(*) DESC
""")  # noqa: S608 - a part of our own
_UNREADABLE = text("""
SELECT r.id, r.received_at, r.body, r.state, c.patient_id, p.first_name, p.last_name, d.intents, COALESCE(c.language, p.language) AS language
FROM replies r
LEFT JOIN contacts c ON c.agency_id = r.agency_id AND c.id = r.contact_id
LEFT JOIN patients p ON p.agency_id = c.agency_id AND p.id = c.patient_id
LEFT JOIN LATERAL (SELECT d.intents, d.needs_person FROM readings d WHERE d.agency_id = r.agency_id AND d.reply_id = r.id ORDER BY d.id DESC LIMIT 1) d ON true
WHERE r.agency_id = :agency AND r.clinician_id IS NULL AND r.received_at >= :since AND r.state <> 'stored'
  AND (d.intents IS NULL OR d.intents = ARRAY['unclear'])
  AND (CAST(:branches AS bigint[]) IS NULL OR p.branch_id = ANY(CAST(:branches AS bigint[])))
  AND NOT EXISTS (SELECT FROM audit_events e WHERE e.agency_id = r.agency_id AND e.subject = 'reply' AND e.subject_id = r.id AND e.action = 'reply.label')
ORDER BY r.received_at DESC, r.id DESC LIMIT :most
""")


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for: a span of instants, a state, a kind, a page of the result."""

    agency_id: int
    branch_ids: frozenset[int] | None
    since: datetime
    until: datetime
    state: str | None = None
    kind: str | None = None
    page: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One message of the list, without its words. `never`: why it cannot be sent again; None where that can be looked into."""

    id: int
    at: datetime
    kind: str
    channel: str
    name: str
    state: str
    why: str | None
    segments: int | None
    patient_id: int | None
    patient: str | None
    clinician: str | None
    never: Never | None


@dataclass(frozen=True, slots=True)
class Unread:
    """A text that nobody could read, to be labelled by a person."""

    id: int
    at: datetime
    words: str
    language: str | None
    patient_id: int | None
    patient: str | None


def read_messages(session: Session, sought: Sought, now: datetime) -> tuple[Sequence[Line], dict[str, int]]:
    """A page of the messages, newest first, and how many there are of each state."""
    values = _values(sought)
    rows = session.execute(_ROWS, values | {"most": PAGE, "skip": sought.page * PAGE})
    return [_line(row, now) for row in rows], {row.state: row.many for row in session.execute(_COUNTS, values)}


def read_unreadable(
    session: Session, agency_id: int, branch_ids: frozenset[int] | None, since: datetime
) -> Sequence[Unread]:
    """The texts since then that nobody could read and nobody has labelled, newest first."""
    values = {"agency": agency_id, "branches": _sorted(branch_ids), "since": since, "most": PAGE}
    return [
        Unread(
            row.id,
            row.received_at,
            opened(row.body, "replies.body") or "",
            row.language,
            row.patient_id,
            f"{row.first_name} {row.last_name}" if row.first_name else None,
        )
        for row in session.execute(_UNREADABLE, values)
    ]


def _values(sought: Sought) -> dict[str, Any]:
    return {
        "agency": sought.agency_id,
        "branches": _sorted(sought.branch_ids),
        "since": sought.since,
        "until": sought.until,
        "state": sought.state,
        "kind": sought.kind,
    }


def _sorted(branch_ids: frozenset[int] | None) -> list[int] | None:
    return None if branch_ids is None else sorted(branch_ids)


def _line(row: Row[Any], now: datetime) -> Line:
    return Line(
        id=row.id,
        at=row.send_at,
        kind=row.kind,
        channel=row.channel,
        name=row.touchpoint or row.template,
        state=row.state,
        why=reason_told(row.reason) if row.reason else None,
        segments=row.segments,
        patient_id=row.patient_id,
        patient=f"{row.first_name} {row.last_name}" if row.first_name else None,
        clinician=row.clinician,
        never=may_send_again(past_of(row), now),
    )
