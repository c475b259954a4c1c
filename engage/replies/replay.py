"""Reads stored replies again with today's rules, as they stood when they came, and says what would be read differently.

Reads only: nothing is stored, sent or changed. The words of a reply leave the database only when they are asked for.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import aliased

from engage.db import Database
from engage.replies.asked import find_context, texts_before
from engage.replies.interpret import interpret
from engage.replies.model import ReadingRow, Reply
from engage.replies.pending import find_pending
from engage.replies.readings import intents_and_score
from engage.replies.rules import Lexicon

_AT_ONCE = 200


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
            later = aliased(ReadingRow)
            newer = exists().where(later.reply_id == ReadingRow.reply_id, later.id > ReadingRow.id)
            rows = session.execute(
                select(Reply, ReadingRow.rule_version, ReadingRow.intents, ReadingRow.score)
                .join(ReadingRow, ReadingRow.reply_id == Reply.id)
                .where(Reply.id > last, Reply.received_at >= since, Reply.contact_id.is_not(None), ~newer)
                .order_by(Reply.id)
                .limit(_AT_ONCE)
            ).all()
            done = []
            for reply, version, intents, score in rows:
                before = list(texts_before(session, reply).values())
                found = find_context(session, reply, reply.handled_at or reply.received_at)
                meanings = interpret(reply.body, found, before, find_pending(session, reply), lexicon)
                now, score_now = intents_and_score([meaning.reading for meaning in meanings])
                done.append(
                    Reread(
                        reply.id,
                        reply.received_at,
                        version,
                        tuple(intents),
                        score,
                        tuple(now),
                        score_now,
                        reply.body,
                    )
                )
        if not done:
            return
        yield from done
        last = done[-1].reply_id
