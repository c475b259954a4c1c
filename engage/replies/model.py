"""Rows of what people write to us: replies as they came, readings of them, scores."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, SmallInteger, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

import engage.outreach.model  # noqa: F401 - its tables are referred to
from engage.db.base import AgencyRow, Base, Instant, of_agency, to_row
from engage.db.encryption import Encrypted


class Reply(AgencyRow, Base):
    """A text somebody sent us, stored before it is understood, once by Twilio's id. Who wrote it is settled on arrival.

    `message_id` is our call in which it was said by pressing a key; a text has none, and what it answers is found out.
    """

    __tablename__ = "replies"
    __table_args__ = (
        of_agency(),
        to_row("sender_id", "senders"),
        to_row("contact_id", "contacts"),
        to_row("clinician_id", "clinicians"),
        to_row("message_id", "messages"),
        UniqueConstraint("sid"),
        CheckConstraint("state IN ('stored', 'handled', 'needs_person')", name="state_is_known"),
        CheckConstraint("(state = 'stored') = (handled_at IS NULL)", name="handled_has_its_time"),
        CheckConstraint("contact_id IS NULL OR clinician_id IS NULL", name="has_one_author"),
        Index("ix_replies_stored", "received_at", postgresql_where="state = 'stored'"),
        Index("ix_replies_contact", "agency_id", "contact_id", "received_at"),
        Index("ix_replies_phone", "agency_id", "phone_hash", "received_at"),
    )

    sid: Mapped[str] = mapped_column(Text)
    sender_id: Mapped[int] = mapped_column(BigInteger)
    contact_id: Mapped[int | None] = mapped_column(BigInteger)
    clinician_id: Mapped[int | None] = mapped_column(BigInteger)
    message_id: Mapped[int | None] = mapped_column(BigInteger)
    phone: Mapped[str] = mapped_column(Encrypted("replies.phone"))
    phone_hash: Mapped[bytes]
    body: Mapped[str] = mapped_column(Encrypted("replies.body"))
    media: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    provider_answered: Mapped[bool] = mapped_column(server_default="false")
    received_at: Mapped[datetime] = mapped_column(Instant)
    state: Mapped[str] = mapped_column(Text, server_default="stored")
    failures: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    handled_at: Mapped[datetime | None] = mapped_column(Instant)


class ReadingRow(AgencyRow, Base):
    """What a reply was read to mean, by which rules, with the words that say so, and what was done about it."""

    __tablename__ = "readings"
    __table_args__ = (
        of_agency(),
        to_row("reply_id", "replies"),
        to_row("asked_message_id", "messages"),
        UniqueConstraint("agency_id", "reply_id", "rule_version"),
        CheckConstraint("confidence BETWEEN 0 AND 1", name="confidence_is_a_share"),
    )

    reply_id: Mapped[int] = mapped_column(BigInteger)
    asked_message_id: Mapped[int | None] = mapped_column(BigInteger)
    rule_version: Mapped[str] = mapped_column(Text)
    intents: Mapped[list[str]] = mapped_column(ARRAY(Text))
    score: Mapped[int | None] = mapped_column(SmallInteger)
    confidence: Mapped[float]
    needs_person: Mapped[bool]
    evidence: Mapped[str] = mapped_column(Encrypted("readings.evidence"))
    outcome: Mapped[dict[str, Any]] = mapped_column(JSONB)
    read_at: Mapped[datetime] = mapped_column(Instant)


class Score(AgencyRow, Base):
    """A number a patient gave: 1-5 to a check-in, 1-10 to a survey. Never a vital sign."""

    __tablename__ = "scores"
    __table_args__ = (
        of_agency(),
        to_row("patient_id", "patients"),
        to_row("reply_id", "replies"),
        to_row("message_id", "messages"),
        UniqueConstraint("agency_id", "reply_id"),
        CheckConstraint("scale IN (5, 10) AND value BETWEEN 1 AND scale", name="value_is_on_the_scale"),
        Index("ix_scores_patient", "agency_id", "patient_id", "given_at"),
    )

    patient_id: Mapped[int] = mapped_column(BigInteger)
    reply_id: Mapped[int] = mapped_column(BigInteger)
    message_id: Mapped[int] = mapped_column(BigInteger)
    scale: Mapped[int] = mapped_column(SmallInteger)
    value: Mapped[int] = mapped_column(SmallInteger)
    given_at: Mapped[datetime] = mapped_column(Instant)
