"""Reads stored replies again with today's rules, as they stood when they came, and says what would be read differently.

Reads only: nothing is stored, sent or changed. The words of a reply leave the database only when they are asked for.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text

from engage.db import Database, encryption
from engage.replies.asked import find_context
from engage.replies.interpret import interpret
from engage.replies.model import ReadingRow, Reply
from engage.replies.pending import find_pending
from engage.replies.rules import Lexicon
from engage.replies.rules.together import WITHIN

_AT_ONCE = 200
_BEFORE = text("""
SELECT body FROM replies
WHERE agency_id = :agency AND phone_hash = :hash AND contact_id IS NOT NULL AND message_id IS NULL
  AND received_at >= :since AND (received_at, id) < (:received, :reply)
ORDER BY received_at, id LIMIT 10
""")


@dataclass(frozen=True, slots=True)
class Reread:
    """One reply: what was read then, by which rules, and what is read now."""

    reply_id: int
    received_at: datetime
    rule_version: str
    intents: tuple[str, ...]
    score: int | None
    intents_now: tuple[str, ...]
    score_now: int | None
    words: str

    @property
    def is_different(self) -> bool:
        """Whether anything a nurse would notice has changed."""
        return (self.intents, self.score) != (self.intents_now, self.score_now)


def replay(db: Database, agency_id: int, lexicon: Lexicon, since: datetime) -> Iterator[Reread]:
    """Every reply of a patient's phone from `since` on that was read, oldest first, read again."""
    last = 0
    while True:
        with db.agency_session(agency_id) as session:
            newest = (
                select(ReadingRow.reply_id, ReadingRow.rule_version, ReadingRow.intents, ReadingRow.score)
                .distinct(ReadingRow.reply_id)
                .order_by(ReadingRow.reply_id, ReadingRow.id.desc())
                .subquery()
            )
            rows = session.execute(
                select(Reply, newest.c.rule_version, newest.c.intents, newest.c.score)
                .join(newest, newest.c.reply_id == Reply.id)
                .where(Reply.id > last, Reply.received_at >= since, Reply.contact_id.is_not(None))
                .order_by(Reply.id)
                .limit(_AT_ONCE)
            ).all()
            done = []
            for reply, version, intents, score in rows:
                names = {"agency": agency_id, "hash": reply.phone_hash, "reply": reply.id}
                times = {"received": reply.received_at, "since": reply.received_at - WITHIN}
                before = [
                    encryption.ring().open(bytes(body), "replies.body")
                    for body in session.execute(_BEFORE, names | times).scalars()
                ]
                found = find_context(session, reply, reply.handled_at or reply.received_at)
                meanings = interpret(reply.body, found, before, find_pending(session, reply), lexicon)
                now = sorted({str(intent) for meaning in meanings for intent in meaning.reading.intents})
                if len(now) > 1 and "unclear" in now:
                    now.remove("unclear")
                read_now = next((m.reading.score for m in meanings if m.reading.score is not None), None)
                done.append(
                    Reread(
                        reply.id,
                        reply.received_at,
                        version,
                        tuple(intents),
                        score,
                        tuple(now),
                        read_now,
                        reply.body,
                    )
                )
        if not done:
            return
        yield from done
        last = done[-1].reply_id
