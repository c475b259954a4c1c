"""Keeps what a reply was read to mean, with the words that say so and what was done about it. It decides nothing."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from engage.replies.model import ReadingRow, Reply
from engage.replies.rules import Intent, Reading


def keep_reading(
    session: Session,
    reply: Reply,
    readings: Sequence[Reading],
    asked_message_id: int | None,
    outcome: Mapping[str, Any],
    read_with: Sequence[int],
    now: datetime,
) -> list[str]:
    """Store one row for all that a reply says, and set the reply's state; returns the intents."""
    intents, score = intents_and_score(readings)
    needs_person = any(reading.needs_person for reading in readings)
    session.add(
        ReadingRow(
            agency_id=reply.agency_id,
            reply_id=reply.id,
            asked_message_id=asked_message_id,
            rule_version=readings[0].rule_version,
            read_with=list(read_with),
            intents=intents,
            score=score,
            confidence=min(reading.confidence for reading in readings),
            needs_person=needs_person,
            evidence=_evidence(readings),
            outcome=dict(outcome),
            read_at=now,
        )
    )
    reply.state = "needs_person" if needs_person else "handled"
    reply.handled_at = now
    return intents


def intents_and_score(readings: Sequence[Reading]) -> tuple[list[str], int | None]:
    """What all readings of one reply say together; the first score stands for it."""
    intents = sorted({str(intent) for reading in readings for intent in reading.intents})
    if len(intents) > 1 and Intent.UNCLEAR in intents:
        intents.remove(Intent.UNCLEAR)  # of one half only; the outcome says what was done about it
    return intents, next((reading.score for reading in readings if reading.score is not None), None)


def _evidence(readings: Sequence[Reading]) -> str:
    items = [
        {"intent": e.intent, "words": e.words, "start": e.start, "end": e.end, "rule": e.rule}
        for reading in readings
        for e in reading.evidence
    ]
    times = [
        {
            "on": t.on and t.on.isoformat(),
            "earliest": t.earliest and f"{t.earliest:%H:%M}",
            "latest": t.latest and f"{t.latest:%H:%M}",
        }
        for reading in readings
        for t in reading.times
    ]
    return json.dumps({"evidence": items, "times": times}, ensure_ascii=False)
