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
    """What a reply was read to mean, by which rules, with the words that say so, and what was done about it.

    `read_with`: replies of the minute before whose words were read together with it.
    """

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
    read_with: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{}")
    intents: Mapped[list[str]] = mapped_column(ARRAY(Text))
    score: Mapped[int | None] = mapped_column(SmallInteger)
    confidence: Mapped[float]
    needs_person: Mapped[bool]
    evidence: Mapped[str] = mapped_column(Encrypted("readings.evidence"))
    outcome: Mapped[dict[str, Any]] = mapped_column(JSONB)
    read_at: Mapped[datetime] = mapped_column(Instant)


class Score(AgencyRow, Base):
    """A number a patient gave: 1-5 to a check-in, 1-10 to a survey. Never a vital sign.

    One counts for a question and patient, the last; a corrected one stays and names the reply that took its place. Who gave
    it is kept as it was then: the contact, and what that person is to the patient.
    """

    __tablename__ = "scores"
    __table_args__ = (
        of_agency(),
        to_row("patient_id", "patients"),
        to_row("reply_id", "replies"),
        to_row("message_id", "messages"),
        to_row("contact_id", "contacts"),
        to_row("superseded_by", "replies"),
        UniqueConstraint("agency_id", "reply_id", "patient_id", "scale"),
        CheckConstraint("scale IN (5, 10) AND value BETWEEN 1 AND scale", name="value_is_on_the_scale"),
        Index("ix_scores_patient", "agency_id", "patient_id", "given_at"),
        Index("ix_scores_message", "agency_id", "message_id"),
        Index("ix_scores_given", "agency_id", "given_at", postgresql_include=["message_id"]),
    )

    patient_id: Mapped[int] = mapped_column(BigInteger)
    reply_id: Mapped[int] = mapped_column(BigInteger)
    message_id: Mapped[int] = mapped_column(BigInteger)
    contact_id: Mapped[int | None] = mapped_column(BigInteger)
    relationship: Mapped[str | None] = mapped_column(Text)
    scale: Mapped[int] = mapped_column(SmallInteger)
    value: Mapped[int] = mapped_column(SmallInteger)
    given_at: Mapped[datetime] = mapped_column(Instant)
    superseded_by: Mapped[int | None] = mapped_column(BigInteger)


class Clarification(AgencyRow, Base):
    """A question that we asked back, at most once a message and reason: whose a score is, or what an answer meant."""

    __tablename__ = "clarifications"
    __table_args__ = (
        of_agency(),
        to_row("reply_id", "replies"),
        to_row("message_id", "messages"),
        to_row("patient_id", "patients"),
        UniqueConstraint("agency_id", "message_id", "why"),
        CheckConstraint("why IN ('whose', 'meaning')", name="why_is_known"),
        CheckConstraint("(why = 'whose') = (value IS NOT NULL AND scale IS NOT NULL)", name="whose_has_its_score"),
        CheckConstraint(
            "(settled_at IS NULL) = (settled_how IS NULL) AND settled_how IN ('answered', 'person')",
            name="end_says_how",
        ),
        Index("ix_clarifications_open", "until", postgresql_where="settled_at IS NULL"),
        Index("ix_clarifications_phone", "agency_id", "phone_hash", postgresql_where="settled_at IS NULL"),
    )

    reply_id: Mapped[int] = mapped_column(BigInteger)
    message_id: Mapped[int] = mapped_column(BigInteger)
    patient_id: Mapped[int] = mapped_column(BigInteger)
    phone_hash: Mapped[bytes]
    why: Mapped[str] = mapped_column(Text)
    scale: Mapped[int | None] = mapped_column(SmallInteger)
    value: Mapped[int | None] = mapped_column(SmallInteger)
    until: Mapped[datetime] = mapped_column(Instant)
    settled_at: Mapped[datetime | None] = mapped_column(Instant)
    settled_how: Mapped[str | None] = mapped_column(Text)


class PatientLevel(AgencyRow, Base):
    """What a nurse set for one patient: the usual level, own thresholds (None: the agency's), and a snooze that ends by itself."""

    __tablename__ = "patient_levels"
    __table_args__ = (
        of_agency(),
        to_row("patient_id", "patients"),
        UniqueConstraint("agency_id", "patient_id"),
        CheckConstraint("baseline BETWEEN 1 AND 5 AND alert_at_most BETWEEN 1 AND 5", name="scores_are_on_the_scale"),
        CheckConstraint(
            "drop_by BETWEEN 0 AND 4 AND threes_in_a_row BETWEEN 0 AND 20 AND silent_after BETWEEN 0 AND 60",
            name="trends_are_sane",
        ),
    )

    patient_id: Mapped[int] = mapped_column(BigInteger)
    baseline: Mapped[int | None] = mapped_column(SmallInteger)
    alert_at_most: Mapped[int | None] = mapped_column(SmallInteger)
    drop_by: Mapped[int | None] = mapped_column(SmallInteger)
    threes_in_a_row: Mapped[int | None] = mapped_column(SmallInteger)
    silent_after: Mapped[int | None] = mapped_column(SmallInteger)
    snoozed_until: Mapped[datetime | None] = mapped_column(Instant)
    set_by: Mapped[str] = mapped_column(Text)
    set_at: Mapped[datetime] = mapped_column(Instant)


class SilenceWatch(Base):
    """How far the check-ins have been looked through for silences: one row."""

    __tablename__ = "silence_watch"
    __table_args__ = (CheckConstraint("id = 1", name="is_one_row"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, server_default="1")
    looked_until: Mapped[datetime] = mapped_column(Instant)
