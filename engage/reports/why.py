"""Gathers everything that is known of messages, for the story of each: ids in, facts out. Three queries for any number.

Reading personal data leaves a row in `audit_events`, in the same transaction. It changes nothing else.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from engage.agencies.model import AuditEvent
from engage.db import Database, encryption
from engage.errors import BadInput
from engage.outreach.rules.words import Anchor, Channel, Kind, Turn
from engage.patients.rules.words import Category, ConsentKind, ConsentSource
from engage.reports.rules.facts import Limits, MessageFacts, PageOf, Receipted, Said, Turned, Whom, WordingOf
from engage.sms.rules.codes import CodeTable
from engage.sms.rules.phones import masked
from engage.sms.rules.statuses import MessageState

# What stood at that moment: events that had been recorded by then, the last one said first. The caps count as the
# dispatcher counts (engage.outreach.gather), but only what was claimed before.
_FACTS = text("""
SELECT m.*, a.slug, a.texts_after, a.texts_until, p.texts_after AS own_after, p.texts_until AS own_until, a.daily_cap, a.weekly_cap, t.key AS touchpoint, t.anchor, d.decided_at,
       COALESCE(p.time_zone, b.time_zone, a.time_zone) AS zone, p.first_name AS patient,
       c.relationship, c.name AS contact_name, c.phone AS contact_phone,
       k.first_name AS clinician, k.role, k.phone AS clinician_phone, al.code AS alert_code, r.received_at AS answers_text_of,
       v.starts_on AS visited_on, s.phone AS sender_phone,
       consent.kind AS consent_kind, consent.source AS consent_source, consent.said_at AS consent_said_at,
       consent.recorded_at AS consent_recorded_at, consent.proof AS consent_proof,
       word.kind AS word_kind, word.source AS word_source, word.said_at AS word_said_at, word.recorded_at AS word_recorded_at,
       words.version AS wording_version, words.written_by AS wording_by, words.reviewed_by, words.reviewed_at, l.wanted,
       (SELECT max(w.version) FROM templates w WHERE w.agency_id = m.agency_id AND w.key = m.template AND w.language = l.wanted
        AND w.reviewed_at IS NULL AND w.retired_at IS NULL) AS waiting,
       COALESCE(sent.that_day, 0) AS that_day, COALESCE(sent.in_seven_days, 0) AS in_seven_days,
       (SELECT again.id FROM messages again WHERE again.agency_id = m.agency_id AND again.retry_of = m.id) AS tried_again_by
FROM messages m
JOIN agencies a ON a.id = m.agency_id
CROSS JOIN LATERAL (SELECT COALESCE(CASE WHEN m.state IN ('suppressed', 'expired', 'cancelled') THEN m.ended_at
                                         WHEN m.state <> 'planned' THEN m.claimed_at END, :now) AS decided_at) d
LEFT JOIN touchpoints t ON t.agency_id = m.agency_id AND t.id = m.touchpoint_id
LEFT JOIN patients p ON p.agency_id = m.agency_id AND p.id = m.patient_id
LEFT JOIN contacts c ON c.agency_id = m.agency_id AND c.id = m.contact_id
LEFT JOIN clinicians k ON k.agency_id = m.agency_id AND k.id = m.clinician_id
LEFT JOIN branches b ON b.agency_id = m.agency_id AND b.id = k.branch_id
LEFT JOIN alerts al ON al.agency_id = m.agency_id AND al.id = m.alert_id
LEFT JOIN replies r ON r.agency_id = m.agency_id AND r.id = m.reply_id
LEFT JOIN visits v ON v.agency_id = m.agency_id AND v.id = m.visit_id
LEFT JOIN senders s ON s.agency_id = m.agency_id AND s.id = m.sender_id
LEFT JOIN LATERAL (
    SELECT e.* FROM consent_events e
    WHERE e.agency_id = m.agency_id AND e.contact_id = m.contact_id AND e.category = m.category AND e.recorded_at <= d.decided_at
    ORDER BY e.said_at DESC, e.id DESC LIMIT 1) consent ON true
LEFT JOIN LATERAL (
    SELECT e.* FROM consent_events e
    WHERE e.agency_id = m.agency_id AND e.phone_hash = c.phone_hash AND e.contact_id IS NULL AND e.recorded_at <= d.decided_at
    ORDER BY e.said_at DESC, e.id DESC LIMIT 1) word ON true
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE o.claimed_at >= date_trunc('day', d.decided_at AT TIME ZONE p.time_zone) AT TIME ZONE p.time_zone) AS that_day,
           count(*) AS in_seven_days
    FROM contacts same JOIN messages o ON o.agency_id = same.agency_id AND o.contact_id = same.id
    WHERE m.kind = 'touchpoint' AND same.agency_id = m.agency_id AND same.phone_hash = c.phone_hash AND o.kind = 'touchpoint' AND o.id <> m.id
      AND NOT (o.state = 'undelivered' AND o.channel = 'sms')
      AND o.claimed_at >= (date_trunc('day', d.decided_at AT TIME ZONE p.time_zone) - interval '6 days') AT TIME ZONE p.time_zone
      AND (o.claimed_at < d.decided_at OR (o.claimed_at = d.decided_at AND o.id < m.id))
      AND o.state NOT IN ('planned', 'expired', 'cancelled', 'suppressed', 'failed')) sent ON true
CROSS JOIN LATERAL (SELECT CASE WHEN m.contact_id IS NULL THEN 'en' ELSE COALESCE(c.language, p.language, 'en') END AS wanted) l
LEFT JOIN LATERAL (
    SELECT w.version, w.written_by, w.reviewed_by, w.reviewed_at FROM templates w
    WHERE w.agency_id = m.agency_id AND w.key = m.template AND w.language = m.language
      AND w.reviewed_at IS NOT NULL AND GREATEST(w.reviewed_at, w.written_at) <= d.decided_at
      AND (w.retired_at IS NULL OR w.retired_at > d.decided_at)
    ORDER BY w.version DESC LIMIT 1) words ON true
WHERE m.id = ANY(:ids) ORDER BY m.send_at, m.id
""")
_TURNS = text(
    "SELECT message_id, at, event, reason, until FROM message_events WHERE message_id = ANY(:ids) ORDER BY id"
)
_RECEIPTS = text("""
SELECT message_id, received_at, status, error_code FROM receipts WHERE message_id = ANY(:ids) ORDER BY received_at, id
""")
_BY_ID = text("SELECT agency_id, id FROM messages WHERE id = :id")
_BY_SID = text("SELECT agency_id, id FROM messages WHERE sid = :sid")
# A text that was sent, lost and sent again has two of Twilio's ids; the row keeps one, the receipts tell the other.
_BY_RECEIPT = text("SELECT agency_id, message_id FROM receipts WHERE sid = :sid LIMIT 1")
_SID = re.compile(r"(?:SM|MM|CA)[0-9a-fA-F]{32}")
_LARGEST_ID = 2**63 - 1
_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, when, and for how much: the words of the text and of the proof are opened only when asked for."""

    actor: str
    now: datetime
    with_text: bool = False
    with_proof: bool = False


def find_message(db: Database, named: str, agency_id: int | None) -> tuple[int, int]:
    """Agency and id of the message named by its id or by Twilio's (SM…, CA…); within one agency if it is given.

    Raises BadInput when there is none.
    """
    if named.isascii() and named.isdigit() and int(named) <= _LARGEST_ID:
        queries: list[tuple[Any, dict[str, object]]] = [(_BY_ID, {"id": int(named)})]
    elif _SID.fullmatch(named):
        queries = [(_BY_SID, {"sid": named}), (_BY_RECEIPT, {"sid": named})]
    else:
        raise BadInput("MESSAGE is the number of a message (engage why 4711) or Twilio's id of it (SM…, CA…).")
    door = db.system_session("find a message") if agency_id is None else db.agency_session(agency_id)
    with door as session:
        for query, values in queries:
            if (found := session.execute(query, values).first()) is not None:
                return int(found[0]), int(found[1])
    where = "" if agency_id is None else " in this agency"
    raise BadInput(f"There is no message {named}{where}; engage why --patient lists those of a day.")


def why(db: Database, codes: CodeTable, agency_id: int, message_id: int, asking: Asking) -> MessageFacts:
    """Everything known of one message of an agency; the look is put on record."""
    with db.agency_session(agency_id) as session:
        (facts,) = messages(session, codes, [message_id], asking)
        record_look(session, agency_id, asking, "message", message_id)
    return facts


def messages(session: Session, codes: CodeTable, ids: Sequence[int], asking: Asking) -> list[MessageFacts]:
    """The facts of the messages `ids`, in the order in which they were to leave."""
    rows = session.execute(_FACTS, {"ids": list(ids), "now": asking.now}).all()
    turns = _by_message(session.execute(_TURNS, {"ids": list(ids)}).all(), _turned)
    receipts = _by_message(session.execute(_RECEIPTS, {"ids": list(ids)}).all(), lambda row: _receipted(row, codes))
    return [_facts(row, turns, receipts, codes, asking) for row in rows]


def record_look(
    session: Session, agency_id: int, asking: Asking, subject: str, subject_id: int, on: date | None = None
) -> None:
    """Put on record who looked at what: the answer shows personal data."""
    detail: dict[str, object] = {"text": asking.with_text, "proof": asking.with_proof}
    if on is not None:
        detail["on"] = on.isoformat()
    event = {"actor": asking.actor, "action": "why", "subject": subject, "subject_id": subject_id, "detail": detail}
    session.add(AuditEvent(agency_id=agency_id, at=asking.now, **event))


def opened(sealed: bytes | None, column: str) -> str | None:
    """What a sealed column holds; None also when this machine has not its key, which may be the very reason looked for."""
    return encryption.opened_or(sealed, column, None)


def phone_ends(sealed: bytes | None, column: str) -> str | None:
    """The last two digits of a sealed phone."""
    phone = opened(sealed, column)
    return phone[-2:] if phone else None


def first_name(name: str | None) -> str | None:
    """The first word of a contact's name."""
    return name.split()[0] if name and name.split() else None


def _by_message(rows: Sequence[Row[Any]], made: Callable[[Row[Any]], _Made]) -> Mapping[int, list[_Made]]:
    found: dict[int, list[_Made]] = defaultdict(list)
    for row in rows:
        found[row.message_id].append(made(row))
    return found


def _turned(row: Row[Any]) -> Turned:
    return Turned(row.at, Turn(row.event), row.reason, row.until)


def _receipted(row: Row[Any], codes: CodeTable) -> Receipted:
    says = codes.meaning(row.error_code).says if row.error_code else None
    return Receipted(row.received_at, row.status, row.error_code, says)


def _facts(
    row: Row[Any],
    turns: Mapping[int, list[Turned]],
    receipts: Mapping[int, list[Receipted]],
    codes: CodeTable,
    asking: Asking,
) -> MessageFacts:
    state = MessageState(row.state)
    anchor = Anchor(row.anchor) if row.anchor else None
    is_failed = state in {MessageState.FAILED, MessageState.UNDELIVERED}
    return MessageFacts(
        id=row.id,
        agency=row.slug,
        kind=Kind(row.kind),
        touchpoint=row.touchpoint,
        anchor=anchor,
        occasion_on=_occasion_on(row, anchor),
        category=Category(row.category) if row.category else None,
        template=row.template,
        language=row.language,
        segments=row.segments,
        whom=_whom(row),
        zone=row.zone,
        sender=masked(row.sender_phone) if row.sender_phone else None,
        page=PageOf(row.alert_code, row.alert_round, row.alert_step) if row.alert_code else None,
        answers_text_of=row.answers_text_of,
        planned_at=row.planned_at,
        send_at=row.send_at,
        due_at=row.due_at,
        expires_at=row.expires_at,
        claimed_at=row.claimed_at,
        lease_until=row.lease_until,
        accepted_at=row.accepted_at,
        ended_at=row.ended_at,
        state=state,
        reason=row.reason,
        attempts=row.attempts,
        sid=row.sid,
        error_code=row.error_code,
        code_says=codes.meaning(row.error_code).says if is_failed and row.error_code else None,
        turns=tuple(turns.get(row.id, ())),
        receipts=tuple(receipts.get(row.id, ())),
        decided_at=row.decided_at,
        consent=_said(row, "consent", asking),
        phone_word=_said(row, "word", asking),
        limits=_limits(row),
        channel=Channel(row.channel),
        retry_of=row.retry_of,
        tried_again_by=row.tried_again_by,
        text=opened(row.body, "messages.body") if asking.with_text else None,
        wording=_wording_of(row),
    )


def _limits(row: Row[Any]) -> Limits:
    """What bounded the text: the agency's hours and caps, what the phone had had, and the patient's own hours."""
    hours, caps = (row.texts_after, row.texts_until), (row.daily_cap, row.weekly_cap)
    return Limits(*hours, *caps, row.that_day, row.in_seven_days, row.own_after, row.own_until)


def _wording_of(row: Row[Any]) -> WordingOf:
    """The version that left, and one that waits for its review."""
    return WordingOf(row.wording_version, row.wording_by, row.reviewed_by, row.reviewed_at, row.wanted, row.waiting)


def _occasion_on(row: Row[Any], anchor: Anchor | None) -> date | None:
    """The local day a touchpoint is about: of its visits, of its check-in, of the visit that was completed."""
    if anchor is Anchor.VISIT_COMPLETED:
        return row.visited_on if isinstance(row.visited_on, date) else None
    return date.fromisoformat(row.occasion[:10]) if anchor is not None else None


def _whom(row: Row[Any]) -> Whom:
    if row.contact_id is None:
        ends = phone_ends(row.clinician_phone, "clinicians.phone")
        return Whom(row.clinician, row.role, None, is_clinician=True, phone_ends=ends)
    ends = phone_ends(row.contact_phone, "contacts.phone")
    return Whom(first_name(row.contact_name), row.relationship, row.patient, is_clinician=False, phone_ends=ends)


def _said(row: Row[Any], which: str, asking: Asking) -> Said | None:
    """The consent event that was joined under the name `which`."""
    of = row._mapping
    if of[f"{which}_kind"] is None:
        return None
    proof = of.get("consent_proof") if which == "consent" else None
    return Said(
        ConsentKind(of[f"{which}_kind"]),
        ConsentSource(of[f"{which}_source"]),
        of[f"{which}_said_at"],
        of[f"{which}_recorded_at"],
        has_proof=proof is not None,
        proof=opened(proof, "consent_events.proof") if asking.with_proof else None,
    )
