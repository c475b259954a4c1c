"""Sends what goes by e-mail, once: claims a few, hands each to the mail server outside any transaction, records what came.

It is a verb of its own, so that a slow mail server delays no text, and a page by mail leaves when Twilio does not answer.
"""

import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import text

from engage import clock
from engage.db import Database
from engage.outreach.claim import Attempt, Batch, write
from engage.outreach.gather import Terms, gather
from engage.outreach.mailer import Mailer, MailFailed, MailTaken, OutboundMail
from engage.outreach.rules.draft import Drop, Ready, decide
from engage.patients.rules.permission import Hold

_AT_ONCE = 4
_MOST = 8
_LEASE = timedelta(minutes=3)
"""Longer than all of a claim can take; whose worker dies is told after it that nobody knows."""
_PAUSE_UNREADABLE = timedelta(minutes=5)

_PICK = text("""
SELECT id FROM messages WHERE channel = 'email' AND state = 'planned' AND due_at <= :now AND expires_at > :now
ORDER BY due_at LIMIT :most FOR UPDATE SKIP LOCKED
""")

_SENT = text("""
UPDATE messages SET state = 'sent', lease_until = NULL, sid = :sid, accepted_at = :now, sent_at = :now, reason = NULL
WHERE id = :id AND attempt_id = :attempt AND state IN ('sending', 'unknown')
""")
_FAILED = text("""
UPDATE messages SET state = 'failed', lease_until = NULL, ended_at = :now, reason = :reason
WHERE id = :id AND attempt_id = :attempt AND state IN ('sending', 'unknown')
""")


@dataclass(slots=True)
class Mailed:
    """What one run did."""

    sent: int = 0
    failed: int = 0
    held: int = 0
    dropped: int = 0


def send_mail(db: Database, mailer: Mailer | None, terms: Terms) -> Mailed:
    """Send what is due by e-mail; without a server it ends unsent, and whoever waits for it goes another way."""
    done = Mailed()
    while True:
        batch = _claim(db, replace(terms, has_mail=mailer is not None))
        done.held += len(batch.holds)
        done.dropped += len(batch.ends)
        if not batch.looked_at:
            return done
        if mailer is not None and batch.attempts:
            _send(db, mailer, batch.attempts, done)


def _claim(db: Database, terms: Terms) -> Batch:
    now, batch = clock.now(), Batch()
    with db.system_session("mail") as session:
        ids = list(session.scalars(_PICK, {"now": now, "most": _MOST}))
        if not ids:
            return batch
        claimed, unreadable = gather(session, ids, now, terms)
        batch.looked_at = len(ids)
        batch.holds = [(message_id, Hold(now + _PAUSE_UNREADABLE, "facts_unreadable")) for message_id in unreadable]
        for one in claimed:
            match decide(one.draft, now):
                case Ready() as ready:
                    batch.attempts.append(Attempt(one, uuid.uuid4(), ready))
                case Hold() as hold:
                    batch.holds.append((one.id, hold))
                case refused:
                    batch.ends.append((one.id, refused))
        write(session, batch, now + _LEASE, now)
    return batch


def _send(db: Database, mailer: Mailer, attempts: Sequence[Attempt], done: Mailed) -> None:
    def hand_over(attempt: Attempt) -> MailTaken | MailFailed:
        to = attempt.claimed.draft.to
        if to is None:
            raise AssertionError(f"decide() lets no mail through without an address: {Drop.NO_ADDRESS}")
        return mailer.send(OutboundMail(to, attempt.ready.body, attempt.attempt_id), clock.now())

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="mail") as pool:
        outcomes = list(pool.map(hand_over, attempts))
    now = clock.now()
    with db.system_session("mail") as session:
        for attempt, outcome in zip(attempts, outcomes, strict=True):
            values = {"id": attempt.claimed.id, "attempt": attempt.attempt_id, "now": now}
            match outcome:
                case MailTaken(sid):
                    session.execute(_SENT, values | {"sid": sid})
                    done.sent += 1
                case MailFailed(reason):
                    session.execute(_FAILED, values | {"reason": reason})
                    done.failed += 1
