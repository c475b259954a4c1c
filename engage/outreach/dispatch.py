"""Sends what is due, exactly once: claim, gather, decide in one short transaction; send outside any; record.

A message is claimed by moving it to `sending` with an attempt id and a lease, and committing that before a byte leaves.
Whoever dies after that leaves a row that `reconcile` settles; nothing is ever sent again because its outcome is unknown.
"""

import threading
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import text
from sqlalchemy.orm import Session

from engage import clock, log
from engage.db import Database, encryption
from engage.outreach.calls import outbound_call
from engage.outreach.gather import Claimed, gather
from engage.outreach.links import Link, status_callback
from engage.outreach.record import record
from engage.outreach.rules.draft import Draft, Drop, Ready, decide
from engage.outreach.rules.words import Channel, Kind
from engage.patients.rules.permission import Hold, Refusal
from engage.sms.gateway import Gateway
from engage.sms.rules.codes import CodeTable
from engage.sms.rules.statuses import MessageState
from engage.sms.texts import OutboundText, Outcome, SendingStopped, Uncertain

_EXPIRE = text("""
UPDATE messages SET state = 'expired', reason = 'too_late', ended_at = :now
WHERE id = ANY(ARRAY(SELECT id FROM messages WHERE state = 'planned' AND expires_at <= :now AND due_at <= :now
                     ORDER BY due_at LIMIT 5000 FOR UPDATE SKIP LOCKED))
""")

# An array of ids, not a sub-select in FROM or IN: those are joined by some plans and then lock more than LIMIT says.
_DUE = text("""
SELECT id FROM messages WHERE state = 'planned' AND due_at <= :now AND expires_at > :now
ORDER BY priority, due_at LIMIT :most FOR UPDATE SKIP LOCKED
""")

_CLAIM = text("""
UPDATE messages m SET state = 'sending', attempts = attempts + 1, attempt_id = r.attempt_id, claimed_at = :now, lease_until = :lease,
    body = r.body, language = r.language, segments = r.segments, sender_id = r.sender_id, reason = NULL
FROM unnest(CAST(:ids AS bigint[]), CAST(:attempts AS uuid[]), CAST(:bodies AS bytea[]), CAST(:languages AS text[]),
            CAST(:segments AS smallint[]), CAST(:senders AS bigint[])) AS r(id, attempt_id, body, language, segments, sender_id)
WHERE m.id = r.id
""")

_HOLD = text("""
UPDATE messages m SET due_at = r.until, reason = r.reason
FROM unnest(CAST(:ids AS bigint[]), CAST(:untils AS timestamptz[]), CAST(:reasons AS text[])) AS r(id, until, reason) WHERE m.id = r.id
""")

_END = text("""
UPDATE messages m SET state = r.state, reason = r.reason, ended_at = :now
FROM unnest(CAST(:ids AS bigint[]), CAST(:states AS text[]), CAST(:reasons AS text[])) AS r(id, state, reason) WHERE m.id = r.id
""")


GRACE = timedelta(seconds=6)
"""How long a stopping process waits for texts on their way; what is still out then is unknown, and reconciled later."""
_PAUSE_UNREADABLE = timedelta(minutes=5)  # a key may be missing only on this machine: held, not lost
_GLANCE = 0.2  # seconds between two looks at whether we should stop


class Stop(Protocol):
    """Says when to hand back what has not left yet; a threading.Event is one."""

    def is_set(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is taken at once, how many threads send it, how long a claim lasts, and where receipts go.

    `in_flight` is how long a text may be on its way: one that has not left that long before its lease ends does not leave,
    because reconciliation may by then have looked for it in Twilio's log and given it to somebody else.
    """

    public_url: str
    batch: int = 200
    threads: int = 32
    lease: timedelta = timedelta(seconds=90)
    in_flight: timedelta = timedelta(seconds=15)


@dataclass(slots=True)
class Dispatched:
    """What one run did."""

    sent: int = 0
    held: int = 0
    dropped: int = 0
    released: int = 0
    stopped_by: int | None = None


def dispatch(db: Database, gateway: Gateway, codes: CodeTable, limits: Limits, stop: Stop | None = None) -> Dispatched:
    """Send what is due, batch after batch, until nothing is left, `stop` is set, or Twilio says that nothing may be sent.

    A run may last long, so each batch asks the clock anew: a lease counts from the claim, not from the start of the run.
    """
    done = Dispatched()
    halted = stop or threading.Event()
    with db.system_session("expire") as session:
        session.execute(_EXPIRE, {"now": clock.now()})
    pool = ThreadPoolExecutor(limits.threads, thread_name_prefix="send")
    try:
        while not halted.is_set() and done.stopped_by is None:
            now = clock.now()
            ready, taken = _claim(db, limits, now, done)
            if not taken:
                break
            for outcomes in _send(pool, gateway, limits, ready, halted, now):
                record(db, codes, [(a.claimed.id, a.attempt_id, outcome) for a, outcome in outcomes], clock.now())
                _count(done, outcomes)
    finally:
        pool.shutdown(wait=not halted.is_set(), cancel_futures=True)
    return done


@dataclass(frozen=True, slots=True)
class Attempt:
    """A claimed message and the text it became."""

    claimed: Claimed
    attempt_id: uuid.UUID
    ready: Ready


def _claim(db: Database, limits: Limits, now: datetime, done: Dispatched) -> tuple[list[Attempt], int]:
    """Decide about the next batch; returns what may leave, and how many messages were looked at."""
    with db.system_session("dispatch") as session:
        ids = list(session.scalars(_DUE, {"now": now, "most": limits.batch}))
        if not ids:
            return [], 0
        claimed, unreadable = gather(session, ids, now)
        attempts, holds, ends = _sorted(claimed, now)
        holds += [(message_id, Hold(now + _PAUSE_UNREADABLE, "facts_unreadable")) for message_id in unreadable]
        _write(session, attempts, holds, ends, limits, now)
    done.held += len(holds)
    done.dropped += len(ends)
    return attempts, len(ids)


def _sorted(
    drafts: Sequence[Claimed], now: datetime
) -> tuple[list[Attempt], list[tuple[int, Hold]], list[tuple[int, Refusal | Drop]]]:
    attempts: list[Attempt] = []
    holds: list[tuple[int, Hold]] = []
    ends: list[tuple[int, Refusal | Drop]] = []
    leaving: Counter[tuple[int, int | None]] = Counter()  # what this batch sends: no row says so yet, but it counts
    for claimed in drafts:
        reader = (claimed.agency_id, claimed.contact_id)
        match decide(_counting(claimed.draft, leaving[reader]), now):
            case Ready() as ready:
                attempts.append(Attempt(claimed, uuid.uuid4(), ready))
                leaving[reader] += claimed.draft.kind is Kind.TOUCHPOINT
            case Hold() as hold:
                holds.append((claimed.id, hold))
            case refused:
                ends.append((claimed.id, refused))
    return attempts, holds, ends


def _counting(draft: Draft, more: int) -> Draft:
    """The draft with `more` texts to its reader counted for the caps."""
    if draft.reader is None or not more:
        return draft
    today, week = draft.reader.sent_today + more, draft.reader.sent_this_week + more
    return replace(draft, reader=replace(draft.reader, sent_today=today, sent_this_week=week))


def _decided(claimed: Claimed, now: datetime) -> Ready | Hold | Refusal | Drop:
    """One message whose facts are broken must not keep the others of its batch from leaving."""
    try:
        return decide(claimed.draft, now)
    except Exception:  # noqa: BLE001 - logged, and kept on the message as the reason why it did not leave
        log.get().exception("a message could not be decided", agency=claimed.agency_id, message=claimed.id)
        return Drop.COULD_NOT_DECIDE


def _write(
    session: Session,
    attempts: Sequence[Attempt],
    holds: Sequence[tuple[int, Hold]],
    ends: Sequence[tuple[int, Refusal | Drop]],
    limits: Limits,
    now: datetime,
) -> None:
    if attempts:
        seal = encryption.ring().seal
        columns = {
            "ids": [attempt.claimed.id for attempt in attempts],
            "attempts": [attempt.attempt_id for attempt in attempts],
            "bodies": [seal(attempt.ready.body, "messages.body") for attempt in attempts],
            "languages": [attempt.claimed.draft.language for attempt in attempts],
            "segments": [attempt.ready.segments for attempt in attempts],
            "senders": [attempt.claimed.sender_id for attempt in attempts],
        }
        session.execute(_CLAIM, {**columns, "now": now, "lease": now + limits.lease})
    if holds:
        ids, verdicts = zip(*holds, strict=True)
        untils, reasons = [hold.until for hold in verdicts], [hold.reason for hold in verdicts]
        session.execute(_HOLD, {"ids": list(ids), "untils": untils, "reasons": reasons})
    if ends:
        ids, causes = zip(*ends, strict=True)
        states, reasons = [_end_of(cause) for cause in causes], [str(cause) for cause in causes]
        session.execute(_END, {"ids": list(ids), "states": states, "reasons": reasons, "now": now})


def _end_of(cause: Refusal | Drop) -> str:
    if cause is Refusal.TOO_LATE:
        return MessageState.EXPIRED
    return MessageState.CANCELLED if cause in {Drop.VISIT_CHANGED, Drop.ALERT_TAKEN} else MessageState.SUPPRESSED


def _send(
    pool: ThreadPoolExecutor, gateway: Gateway, limits: Limits, attempts: Sequence[Attempt], halted: Stop, now: datetime
) -> Iterator[list[tuple[Attempt, Outcome | None]]]:
    """Outcomes as they come, several at a time; None for a text that has not left and is handed back.

    A machine that slept, or a provider so slow that the batch waits, must not send what reconciliation gives to somebody
    else: what has not left in time is handed back too.
    """
    start_before = now + limits.lease - limits.in_flight

    def send(attempt: Attempt) -> Outcome | None:
        if halted.is_set() or clock.now() >= start_before:
            return None
        if attempt.claimed.draft.channel is Channel.VOICE:
            link = Link(attempt.claimed.agency_id, attempt.claimed.id, attempt.attempt_id)
            return gateway.call(outbound_call(limits.public_url, link, attempt.claimed, attempt.ready.body))
        return gateway.send(_outbound(attempt, limits, now))

    waiting: dict[Future[Outcome | None], Attempt] = {pool.submit(send, attempt): attempt for attempt in attempts}
    patience = GRACE.total_seconds() / _GLANCE
    while waiting:
        finished, _ = wait(waiting, timeout=_GLANCE, return_when=FIRST_COMPLETED)
        outcomes = [(waiting.pop(future), _result(future)) for future in finished]
        if halted.is_set() or any(isinstance(outcome, SendingStopped) for _, outcome in outcomes):
            # what no thread has begun has not left, also when every thread hangs
            outcomes += [(waiting.pop(future), None) for future in list(waiting) if future.cancel()]
        patience -= halted.is_set() and not finished
        if patience <= 0:
            yield [(attempt, Uncertain("stopped while sending")) for attempt in waiting.values()]
            return
        if outcomes:
            yield outcomes


def _result(future: Future[Outcome | None]) -> Outcome | None:
    try:
        return future.result()
    except CancelledError:
        return None
    except Exception:  # noqa: BLE001 - a bug of ours on the way out: the text may have left, so it is settled as unknown
        log.get().exception("sending failed unexpectedly")
        return Uncertain("unexpected failure")


def _outbound(attempt: Attempt, limits: Limits, now: datetime) -> OutboundText:
    claimed = attempt.claimed
    link = Link(claimed.agency_id, claimed.id, attempt.attempt_id)
    if claimed.sender is None or claimed.draft.to is None:
        raise AssertionError("decide() lets no text through that has no sender or no phone")
    return OutboundText(
        to=claimed.draft.to,
        body=attempt.ready.body,
        status_callback=status_callback(limits.public_url, link),
        sender=claimed.sender,
        valid_for_seconds=max(60, int((claimed.draft.expires_at - now).total_seconds())),
    )


def _count(done: Dispatched, outcomes: Sequence[tuple[Attempt, Outcome | None]]) -> None:
    for _, outcome in outcomes:
        if outcome is None:
            done.released += 1
        elif isinstance(outcome, SendingStopped):
            done.released += 1
            if done.stopped_by is None:
                done.stopped_by = outcome.http_status
                log.get().error("sending stopped by Twilio", http_status=outcome.http_status, code=outcome.code)
        else:
            done.sent += 1
