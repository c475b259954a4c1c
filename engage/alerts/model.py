"""Rows of alerts: ladders and their steps, alerts, and every event of an alert."""

from datetime import datetime, time
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Identity,
    Index,
    SmallInteger,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

import engage.outreach.model  # noqa: F401 - its tables are referred to
from engage.alerts.rules.words import AlertKind, AlertState, Channel, EventKind, Outcome, Who
from engage.db.base import AgencyRow, Base, Instant, of_agency, one_of, to_row
from engage.db.encryption import Encrypted


class Ladder(AgencyRow, Base):
    """Who is called, in which order, for some kinds of alert. `rounds`: how often it is climbed before it is exhausted.

    A branch may have its own under the same key; it then takes the place of the agency's for that branch's patients.
    """

    __tablename__ = "ladders"
    __table_args__ = (
        of_agency(),
        to_row("branch_id", "branches"),
        UniqueConstraint("agency_id", "key", "branch_id", postgresql_nulls_not_distinct=True),
        CheckConstraint("rounds BETWEEN 1 AND 20", name="rounds_are_few"),
    )

    branch_id: Mapped[int | None] = mapped_column(BigInteger)
    key: Mapped[str] = mapped_column(Text)
    rounds: Mapped[int] = mapped_column(SmallInteger, server_default="3")


class LadderStep(Base):
    """One step: page `who`, then wait that long for somebody to take the alert; `times` in a row, at its hours only.

    `position` is its place in the order; `id` stays with it when the ladder is edited, so that an open alert knows its place.
    """

    __tablename__ = "ladder_steps"
    __table_args__ = (
        of_agency(),
        ForeignKeyConstraint(["agency_id", "ladder_id"], ["ladders.agency_id", "ladders.id"], ondelete="CASCADE"),
        CheckConstraint(one_of("who", Who), name="who_is_known"),
        to_row("clinician_id", "clinicians"),
        CheckConstraint("wait_minutes BETWEEN 1 AND 1440", name="wait_is_sane"),
        CheckConstraint(one_of("channel", Channel), name="channel_is_known"),
        CheckConstraint("times BETWEEN 1 AND 10", name="times_are_few"),
        CheckConstraint("(who = 'person') = (clinician_id IS NOT NULL)", name="person_is_named"),
        CheckConstraint("discipline IS NULL OR who = 'on_call'", name="discipline_is_of_on_call"),
        CheckConstraint(
            "(hours_after IS NULL) = (hours_until IS NULL) AND (hours_after IS NULL OR hours_after <> hours_until)",
            name="hours_have_an_end",
        ),
    )

    agency_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    ladder_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    who: Mapped[str] = mapped_column(Text)
    wait_minutes: Mapped[int] = mapped_column(SmallInteger)
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    channel: Mapped[str] = mapped_column(Text, server_default="any")
    times: Mapped[int] = mapped_column(SmallInteger, server_default="1")
    discipline: Mapped[str | None] = mapped_column(Text)
    clinician_id: Mapped[int | None] = mapped_column(BigInteger)
    hours_after: Mapped[time | None]
    hours_until: Mapped[time | None]


class AlertRule(AgencyRow, Base):
    """How an agency treats a kind of alert: severity, ladder, how long an acknowledgement lasts.

    `takers`: how many people must take it before it counts as taken. `promise_minutes`: what the wording of the answer promises the
    patient, if it names a time.
    """

    __tablename__ = "alert_rules"
    __table_args__ = (
        of_agency(),
        to_row("ladder_id", "ladders"),
        UniqueConstraint("agency_id", "kind"),
        CheckConstraint(one_of("kind", AlertKind), name="kind_is_known"),
        CheckConstraint("severity BETWEEN 1 AND 3", name="severity_is_known"),
        CheckConstraint("acknowledged_minutes BETWEEN 5 AND 10080", name="acknowledgement_ends"),
        CheckConstraint("takers BETWEEN 1 AND 5", name="takers_are_few"),
        CheckConstraint("promise_minutes BETWEEN 5 AND 1440", name="promise_is_sane"),
    )

    kind: Mapped[str] = mapped_column(Text)
    severity: Mapped[int] = mapped_column(SmallInteger)
    ladder_id: Mapped[int] = mapped_column(BigInteger)
    acknowledged_minutes: Mapped[int] = mapped_column(SmallInteger)
    takers: Mapped[int] = mapped_column(SmallInteger, server_default="1")
    promise_minutes: Mapped[int | None] = mapped_column(SmallInteger)


class Alert(AgencyRow, Base):
    """Somebody must act for a patient. While open it always has a next step with a time, or is exhausted and shown so.

    `climbed` are the ids of the steps that this round has climbed, in order; `step` is their number. `first_round`: where the
    present climb began, for a story that got worse begins again at the bottom.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        of_agency(),
        to_row("patient_id", "patients"),
        to_row("contact_id", "contacts"),
        to_row("branch_id", "branches"),
        to_row("ladder_id", "ladders"),
        to_row("acknowledged_by", "clinicians"),
        to_row("resolved_by", "clinicians"),
        CheckConstraint(one_of("kind", AlertKind), name="kind_is_known"),
        CheckConstraint("severity BETWEEN 1 AND 3", name="severity_is_known"),
        CheckConstraint(one_of("state", AlertState), name="state_is_known"),
        CheckConstraint("code ~ '^[0-9]{4,6}$'", name="code_is_digits"),
        CheckConstraint(
            "state <> 'open' OR next_due_at IS NOT NULL OR exhausted_at IS NOT NULL", name="open_has_next_step"
        ),
        CheckConstraint(
            "state <> 'acknowledged' OR (acknowledged_at IS NOT NULL AND next_due_at IS NOT NULL)",
            name="acknowledgement_ends",
        ),
        CheckConstraint(
            "(state = 'resolved') = (resolved_at IS NOT NULL AND outcome IS NOT NULL)", name="resolved_says_how"
        ),
        CheckConstraint(f"outcome IS NULL OR {one_of('outcome', Outcome)}", name="outcome_is_known"),
        CheckConstraint("minutes_spent BETWEEN 0 AND 1440", name="minutes_are_sane"),
        Index("uq_alerts_code", "agency_id", "code", unique=True, postgresql_where="state <> 'resolved'"),
        Index(
            "uq_alerts_reply_kind",
            "agency_id",
            "reply_id",
            "kind",
            "patient_id",  # one text may be about either of two patients on one phone
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where="reply_id IS NOT NULL",
        ),
        Index("ix_alerts_due", "next_due_at", postgresql_where="state <> 'resolved'"),
        Index(
            "ix_alerts_promised",
            "promised_until",
            postgresql_where="promised_until IS NOT NULL AND state <> 'resolved'",
        ),
        Index("ix_alerts_opened", "opened_at"),
        Index("ix_alerts_patient", "agency_id", "patient_id", "opened_at"),
    )

    patient_id: Mapped[int | None] = mapped_column(BigInteger)
    contact_id: Mapped[int | None] = mapped_column(BigInteger)
    reply_id: Mapped[int | None] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(Text)
    severity: Mapped[int] = mapped_column(SmallInteger)
    state: Mapped[str] = mapped_column(Text, server_default="open")
    code: Mapped[str] = mapped_column(Text)
    ladder_id: Mapped[int] = mapped_column(BigInteger)
    round: Mapped[int] = mapped_column(SmallInteger, server_default="1")
    step: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    branch_id: Mapped[int | None] = mapped_column(BigInteger)
    first_round: Mapped[int] = mapped_column(SmallInteger, server_default="1")
    climbed: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{}")
    next_due_at: Mapped[datetime | None] = mapped_column(Instant)
    exhausted_at: Mapped[datetime | None] = mapped_column(Instant)
    opened_at: Mapped[datetime] = mapped_column(Instant)
    acknowledged_at: Mapped[datetime | None] = mapped_column(Instant)
    acknowledged_by: Mapped[int | None] = mapped_column(BigInteger)
    resolved_at: Mapped[datetime | None] = mapped_column(Instant)
    resolved_by: Mapped[int | None] = mapped_column(BigInteger)
    outcome: Mapped[str | None] = mapped_column(Text)
    # read only when asked for: a note whose key is missing must not keep its alert from climbing
    note: Mapped[str | None] = mapped_column(Encrypted("alerts.note"), deferred=True)
    minutes_spent: Mapped[int | None] = mapped_column(SmallInteger)
    try_again_at: Mapped[datetime | None] = mapped_column(Instant)
    promised_until: Mapped[datetime | None] = mapped_column(Instant)


class AlertEvent(AgencyRow, Base):
    """One thing that happened to an alert. Append-only."""

    __tablename__ = "alert_events"
    __table_args__ = (
        of_agency(),
        to_row("alert_id", "alerts"),
        to_row("clinician_id", "clinicians"),
        to_row("message_id", "messages"),
        CheckConstraint(one_of("kind", EventKind), name="kind_is_known"),
        Index("ix_alert_events_alert", "agency_id", "alert_id", "at", "id"),
    )

    alert_id: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(Instant)
    kind: Mapped[str] = mapped_column(Text)
    clinician_id: Mapped[int | None] = mapped_column(BigInteger)
    message_id: Mapped[int | None] = mapped_column(BigInteger)
    reply_id: Mapped[int | None] = mapped_column(BigInteger)
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
