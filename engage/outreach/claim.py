"""Claims what may leave now: looks who waits, shares the room, locks, gathers, decides, writes. One short transaction; sends nothing.

A message is claimed by moving it to `sending` with an attempt id and a lease; whoever dies after that leaves a row that
`reconcile` settles.
"""

import uuid
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from engage import log
from engage.db import Database, encryption
from engage.outreach.gather import Claimed, Terms, gather
from engage.outreach.paces import Paces
from engage.outreach.rules.batch import counting, marks
from engage.outreach.rules.draft import Drop, Ready, decide
from engage.outreach.rules.share import LAST_AWAITED, Lane, share
from engage.outreach.rules.words import Kind, Priority
from engage.patients.rules.permission import Hold, Refusal
from engage.sms.rules.statuses import MessageState

_PAUSE_UNREADABLE = timedelta(minutes=5)  # a key may be missing only on this machine: held, not lost

_EXPIRE = text("""
UPDATE messages SET state = 'expired', reason = 'too_late', ended_at = :now
WHERE id = ANY(ARRAY(SELECT id FROM messages WHERE state = 'planned' AND expires_at <= :now
                     ORDER BY expires_at LIMIT 5000 FOR UPDATE SKIP LOCKED))
""")

# Hops from one (agency, priority) to the next along the index, however many messages are planned for later.
_LANES = text("""
WITH RECURSIVE lane(agency_id, priority) AS (
    (SELECT agency_id, priority FROM messages WHERE state = 'planned' ORDER BY agency_id, priority LIMIT 1)
    UNION ALL
    SELECT next.agency_id, next.priority FROM lane, LATERAL (
        SELECT m.agency_id, m.priority FROM messages m
        WHERE m.state = 'planned' AND (m.agency_id, m.priority) > (lane.agency_id, lane.priority)
        ORDER BY m.agency_id, m.priority LIMIT 1) next
)
SELECT agency_id, priority,
       (SELECT count(*) FROM (SELECT FROM messages m WHERE m.agency_id = lane.agency_id AND m.priority = lane.priority
                              AND m.priority <= :lowest AND m.state = 'planned' AND m.due_at <= :now LIMIT :most) due) AS waiting
FROM lane
""")

# Each lane is one scan with its own LIMIT, and nothing is joined to it that could make PostgreSQL scan it again.
_PICK = text("""
SELECT due.id, lane.priority FROM unnest(CAST(:agencies AS bigint[]), CAST(:priorities AS smallint[]), CAST(:counts AS int[]))
     WITH ORDINALITY AS lane(agency_id, priority, count, place),
     LATERAL (SELECT m.id FROM messages m
              WHERE m.agency_id = lane.agency_id AND m.priority = lane.priority AND m.state = 'planned' AND m.due_at <= :now
              ORDER BY m.due_at LIMIT lane.count FOR UPDATE SKIP LOCKED) due
ORDER BY lane.place
""")

# Two workers may not decide about one phone at once: each would count the texts of the day without the other's.
_ONE_WORKER_A_PHONE = text("""
SELECT m.id FROM messages m
JOIN contacts c ON c.agency_id = m.agency_id AND c.id = m.contact_id
JOIN contacts first ON first.agency_id = c.agency_id
    AND first.id = (SELECT min(o.id) FROM contacts o WHERE o.agency_id = c.agency_id AND o.phone_hash = c.phone_hash)
WHERE m.id = ANY(:ids)
FOR NO KEY UPDATE OF first SKIP LOCKED
""")

_CLAIM = text("""
UPDATE messages m SET state = 'sending', attempts = attempts + 1, attempt_id = r.attempt_id, claimed_at = :now, lease_until = :lease,
    body = r.body, language = r.language, segments = r.segments, sender_id = r.sender_id, reason = NULL,
    also_for = CAST(r.named AS bigint[])
FROM unnest(CAST(:ids AS bigint[]), CAST(:attempts AS uuid[]), CAST(:bodies AS bytea[]), CAST(:languages AS text[]),
            CAST(:segments AS smallint[]), CAST(:senders AS bigint[]), CAST(:named AS text[])) AS r(id, attempt_id, body, language, segments, sender_id, named)
WHERE m.id = r.id
""")

_HOLD = text("""
WITH held AS (
    UPDATE messages m SET due_at = r.until, reason = r.reason
    FROM unnest(CAST(:ids AS bigint[]), CAST(:untils AS timestamptz[]), CAST(:reasons AS text[])) AS r(id, until, reason)
    WHERE m.id = r.id RETURNING m.agency_id, m.id, m.reason, m.due_at)
INSERT INTO message_events (agency_id, message_id, at, event, reason, until)
SELECT agency_id, id, :now, 'held', reason, due_at FROM held WHERE reason <> 'sender_pace'
""")

_END = text("""
UPDATE messages m SET state = r.state, reason = r.reason, ended_at = :now
FROM unnest(CAST(:ids AS bigint[]), CAST(:states AS text[]), CAST(:reasons AS text[])) AS r(id, state, reason) WHERE m.id = r.id
""")

_CAN_WAIT = {Kind.TOUCHPOINT, Kind.ENROLMENT}
Verdict = Refusal | Drop


@dataclass(frozen=True, slots=True)
class Attempt:
    """A claimed message and the text it became."""

    claimed: Claimed
    attempt_id: uuid.UUID
    ready: Ready


@dataclass(slots=True)
class Batch:
    """What became of the messages that were looked at; `is_shared`: another worker was claiming for the same number."""

    looked_at: int = 0
    is_shared: bool = False
    attempts: list[Attempt] = field(default_factory=list)
    holds: list[tuple[int, Hold]] = field(default_factory=list)
    ends: list[tuple[int, Verdict]] = field(default_factory=list)


def expire(db: Database, now: datetime) -> None:
    """End what has lost its use, 5,000 at a time."""
    with db.system_session("expire") as session:
        session.execute(_EXPIRE, {"now": now})


@dataclass(frozen=True, slots=True)
class Take:
    """How much a claim may take: `most` messages, of them at most `unasked` for which nobody waits at a phone."""

    most: int
    unasked: int
    lease: timedelta


def claim(db: Database, take: Take, terms: Terms, now: datetime) -> Batch:
    """Decide about the next messages and claim those that may leave; an empty batch: nothing may be claimed now."""
    with db.system_session("dispatch", by_key=True) as session:
        lowest = int(max(Priority) if take.unasked > 0 else LAST_AWAITED)
        found = session.execute(_LANES, {"now": now, "most": take.most, "lowest": lowest})
        lanes = [lane for row in found if (lane := Lane(*row)).priority != Priority.MAIL]
        paces = Paces.of(session, {lane.agency_id for lane in lanes if lane.waiting}, now)
        taken = share(lanes, take.most, take.unasked, paces.may_leave)
        agencies = {lane.agency_id for lane in taken if not lane.is_awaited}
        locked = paces.lock(session, agencies)
        taken = [lane for lane in taken if lane.is_awaited or lane.agency_id in locked]
        ids = _pick(session, taken, now)
        is_shared = len(locked) < len(agencies)
        if not ids:
            return Batch(is_shared=is_shared)
        claimed, unreadable = gather(session, ids, now, terms)
        batch = _sorted(claimed, paces, now)
        batch.looked_at = len(ids)
        batch.holds += [(message_id, Hold(now + _PAUSE_UNREADABLE, "facts_unreadable")) for message_id in unreadable]
        write(session, batch, now + take.lease, now)
        paces.save(session)
    return batch


def _pick(session: Session, lanes: Sequence[Lane], now: datetime) -> list[int]:
    if not lanes:
        return []
    columns = {
        "agencies": [lane.agency_id for lane in lanes],
        "priorities": [lane.priority for lane in lanes],
        "counts": [lane.waiting for lane in lanes],
    }
    picked = session.execute(_PICK, {**columns, "now": now}).all()
    unasked = [row.id for row in picked if row.priority > LAST_AWAITED]
    ours = set(session.scalars(_ONE_WORKER_A_PHONE, {"ids": unasked})) if unasked else set()
    return [row.id for row in picked if row.priority <= LAST_AWAITED or row.id in ours]


def _sorted(drafts: Sequence[Claimed], paces: Paces, now: datetime) -> Batch:
    batch = Batch()
    leaving: Counter[Hashable] = Counter()  # what this batch sends: no row says so yet, but it counts
    for claimed in drafts:
        match _decided(claimed, leaving, paces, now):
            case Ready() as ready:
                batch.attempts.append(Attempt(claimed, uuid.uuid4(), ready))
                leaving.update(marks(claimed.draft))
            case Hold() as hold:
                batch.holds.append((claimed.id, hold))
            case refused:
                batch.ends.append((claimed.id, refused))
    return batch


def _decided(claimed: Claimed, leaving: Counter[Hashable], paces: Paces, now: datetime) -> Ready | Hold | Verdict:
    """One message whose facts are broken must not keep the others of its batch from leaving."""
    try:
        verdict = decide(counting(claimed.draft, leaving), now)
    except Exception:  # noqa: BLE001 - logged, and kept on the message as the reason why it did not leave
        log.get().exception("a message could not be decided", agency=claimed.agency_id, message=claimed.id)
        return Drop.COULD_NOT_DECIDE
    if not isinstance(verdict, Ready):
        return verdict
    hold = paces.admit(claimed.sender_id, verdict.segments, now, must=claimed.draft.kind not in _CAN_WAIT)
    if hold is None:
        return verdict
    return hold if hold.until < claimed.draft.expires_at else Drop.SENDER_BUSY


def write(session: Session, batch: Batch, lease_until: datetime, now: datetime) -> None:
    """Write down what was decided about the messages that this transaction holds."""
    if batch.attempts:
        session.execute(_CLAIM, {**_columns(batch.attempts), "now": now, "lease": lease_until})
    if batch.holds:
        ids, holds = zip(*batch.holds, strict=True)
        values = {"untils": [hold.until for hold in holds], "reasons": [hold.reason for hold in holds]}
        session.execute(_HOLD, {"ids": list(ids), **values, "now": now})
    if batch.ends:
        ids, causes = zip(*batch.ends, strict=True)
        states, reasons = [_end_of(cause) for cause in causes], [str(cause) for cause in causes]
        session.execute(_END, {"ids": list(ids), "states": states, "reasons": reasons, "now": now})


def _columns(attempts: Sequence[Attempt]) -> Mapping[str, list[Any]]:
    seal = encryption.ring().seal
    return {
        "ids": [attempt.claimed.id for attempt in attempts],
        "attempts": [attempt.attempt_id for attempt in attempts],
        "bodies": [seal(attempt.ready.body, "messages.body") for attempt in attempts],
        "languages": [attempt.claimed.draft.language for attempt in attempts],
        "segments": [attempt.ready.segments for attempt in attempts],
        "senders": [attempt.claimed.sender_id for attempt in attempts],
        "named": [_named(attempt) for attempt in attempts],
    }


def _named(attempt: Attempt) -> str | None:
    """The other patients whom the text names, as PostgreSQL writes an array: a reply to it may be about any of them."""
    others = [str(other.patient_id) for other in attempt.claimed.draft.companions if other.patient_id is not None]
    return "{" + ",".join(others) + "}" if others else None


def _end_of(cause: Verdict) -> str:
    if cause is Refusal.TOO_LATE:
        return MessageState.EXPIRED
    return MessageState.CANCELLED if cause in {Drop.VISIT_CHANGED, Drop.ALERT_TAKEN} else MessageState.SUPPRESSED
