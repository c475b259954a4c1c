"""Rows for the pages of the console to show: texts out and in with their readings, scores and visits of the cast's people."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from engage.agencies.model import Sender
from engage.outreach.model import Message, Touchpoint
from engage.patients.model import Contact
from engage.replies.model import ReadingRow, Reply, Score
from tests.cast import Cast


@dataclass
class Shelf:
    """Puts rows there as the verbs would have left them."""

    cast: Cast
    made: int = 0

    def asked(
        self, at: datetime, words: str, contact: int | None = None, key: str = "morning-checkin", **values: Any
    ) -> int:
        """A delivered text of a touchpoint; its id."""
        contact = contact or self.cast.rose_contact
        self.made += 1
        with self.cast.db.agency_session(self.cast.id) as session:
            touchpoint = session.scalars(select(Touchpoint).where(Touchpoint.key == key)).one()
            message = Message(
                **(
                    {
                        "agency_id": self.cast.id,
                        "kind": "touchpoint",
                        "priority": touchpoint.priority,
                        "touchpoint_id": touchpoint.id,
                        "occasion": f"{at:%Y-%m-%d} {self.made}",
                        "patient_id": session.get_one(Contact, (self.cast.id, contact)).patient_id,
                        "contact_id": contact,
                        "template": touchpoint.template,
                        "category": touchpoint.category,
                        "asks": touchpoint.asks,
                        "planned_at": at,
                        "send_at": at,
                        "due_at": at,
                        "expires_at": at + timedelta(hours=3),
                        "state": "delivered",
                        "sid": f"SM{self.made:032x}",
                        "claimed_at": at,
                        "accepted_at": at,
                        "ended_at": at,
                        "body": words,
                        "language": "en",
                        "segments": 1,
                    }
                    | values
                )
            )
            session.add(message)
            session.flush()
            return message.id

    def said(
        self,
        at: datetime,
        words: str,
        marks: tuple[tuple[str, str], ...] = (),
        *,
        contact: int | None = None,
        asked: int | None = None,
        score: int | None = None,
        state: str = "handled",
    ) -> int:
        """What somebody wrote, read as `marks` (intent, words) say; its id."""
        contact = contact or self.cast.rose_contact
        self.made += 1
        evidence = [
            {
                "intent": intent,
                "words": part,
                "start": words.index(part),
                "end": words.index(part) + len(part),
                "rule": "test",
            }
            for intent, part in marks
        ]
        with self.cast.db.agency_session(self.cast.id) as session:
            whose = session.get_one(Contact, (self.cast.id, contact))
            reply = Reply(
                agency_id=self.cast.id,
                sid=f"SM{self.made:032x}",
                sender_id=session.scalars(select(Sender.id).order_by(Sender.id)).first(),
                contact_id=contact,
                phone=whose.phone,
                phone_hash=whose.phone_hash,
                body=words,
                received_at=at,
                state=state,
                handled_at=None if state == "stored" else at,
            )
            session.add(reply)
            session.flush()
            session.add(
                ReadingRow(
                    agency_id=self.cast.id,
                    reply_id=reply.id,
                    asked_message_id=asked,
                    rule_version="test",
                    intents=sorted({intent for intent, _ in marks}),
                    score=score,
                    confidence=1.0,
                    needs_person=False,
                    evidence=json.dumps({"evidence": evidence, "times": []}),
                    outcome={},
                    read_at=at,
                )
            )
            if score is not None and asked is not None:
                session.add(
                    Score(
                        agency_id=self.cast.id,
                        patient_id=whose.patient_id,
                        reply_id=reply.id,
                        message_id=asked,
                        contact_id=contact,
                        relationship=whose.relationship,
                        scale=5,
                        value=score,
                        given_at=at,
                    )
                )
            return reply.id

    def scored(self, at: datetime, value: int, contact: int | None = None) -> int:
        """A check-in and its answer; the id of the answer."""
        asked = self.asked(at - timedelta(minutes=5), "How do you feel today?", contact)
        return self.said(at, str(value), (("score", str(value)),), asked=asked, score=value, contact=contact)
