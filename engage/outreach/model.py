"""Rows of outreach: touchpoints, templates, messages, receipts. The messages are the outbox; there is no other queue."""

import uuid
from datetime import datetime, time
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, SmallInteger, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.orm import Mapped, mapped_column

import engage.agencies.model
import engage.outreach.planning.model
import engage.patients.model
import engage.visits.model  # noqa: F401 - its tables are referred to
from engage.db.base import AgencyRow, Base, Instant, of_agency, one_of, to_row
from engage.db.encryption import Encrypted
from engage.outreach.rules.words import Anchor, Asks, Channel, Kind, Turn, YesOpens
from engage.patients.rules.words import Category
from engage.sms.rules.statuses import MessageState


class Touchpoint(AgencyRow, Base):
    """One thing an agency says: anchor, offset and local time, how long it stays useful, to whom, in which words.

    `for_whom` and `taper` are the group it is for and the days on which it comes, as rules.groups reads them. A question that follows a
    score names the touchpoint that asked for it (`follows`), the highest score it follows, and the alert that a yes opens.
    """

    __tablename__ = "touchpoints"
    __table_args__ = (
        of_agency(),
        UniqueConstraint("agency_id", "key"),
        CheckConstraint(one_of("anchor", Anchor), name="anchor_is_known"),
        CheckConstraint(one_of("asks", Asks), name="asks_is_known"),
        CheckConstraint(one_of("category", Category), name="category_is_known"),
        CheckConstraint("(anchor IN ('visit_completed', 'score')) = (local_time IS NULL)", name="time_fits_the_anchor"),
        CheckConstraint(
            "(anchor = 'score') = (asks = 'yes_no') AND (anchor = 'score') = (follows IS NOT NULL)"
            " AND (anchor = 'score') = (follows_at_most IS NOT NULL) AND (anchor = 'score') = (yes_opens IS NOT NULL)",
            name="follow_up_is_whole",
        ),
        CheckConstraint(one_of("yes_opens", YesOpens), name="yes_opens_is_known"),
        CheckConstraint("useful_minutes BETWEEN 5 AND 10080", name="useful_for_a_while"),
        CheckConstraint("priority BETWEEN 3 AND 9", name="priority_is_below_pages"),
        CheckConstraint("spread_minutes BETWEEN 0 AND 180", name="spread_is_modest"),
    )

    key: Mapped[str] = mapped_column(Text)
    anchor: Mapped[str] = mapped_column(Text)
    offset_days: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    offset_minutes: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    local_time: Mapped[time | None]
    useful_minutes: Mapped[int] = mapped_column(SmallInteger)
    spread_minutes: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    category: Mapped[str] = mapped_column(Text)
    priority: Mapped[int] = mapped_column(SmallInteger)
    template: Mapped[str] = mapped_column(Text)
    asks: Mapped[str] = mapped_column(Text)
    only_monitored: Mapped[bool] = mapped_column(server_default="false")
    alert_at_most: Mapped[int | None] = mapped_column(SmallInteger)
    for_whom: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    taper: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    follows: Mapped[str | None] = mapped_column(Text)
    follows_at_most: Mapped[int | None] = mapped_column(SmallInteger)
    yes_opens: Mapped[str | None] = mapped_column(Text)
    is_active: Mapped[bool] = mapped_column(server_default="true")


class Override(AgencyRow, Base):
    """One patient's own programme: a touchpoint is off for them, or comes at another hour."""

    __tablename__ = "programme_overrides"
    __table_args__ = (
        of_agency(),
        to_row("patient_id", "patients"),
        to_row("touchpoint_id", "touchpoints"),
        UniqueConstraint("agency_id", "touchpoint_id", "patient_id"),
        CheckConstraint("is_off = (local_time IS NULL)", name="off_or_another_hour"),
    )

    patient_id: Mapped[int] = mapped_column(BigInteger)
    touchpoint_id: Mapped[int] = mapped_column(BigInteger)
    is_off: Mapped[bool]
    local_time: Mapped[time | None]
    set_by: Mapped[str] = mapped_column(Text)
    set_at: Mapped[datetime] = mapped_column(Instant)


class FollowUp(AgencyRow, Base):
    """A question asked once after a low score: about which message of ours, because of which reply, until when, and what was said.

    reply_id and answered_by name rows of a station further up, so those references are nowhere but in the columns' names.
    """

    __tablename__ = "follow_ups"
    __table_args__ = (
        of_agency(),
        to_row("touchpoint_id", "touchpoints"),
        to_row("patient_id", "patients"),
        to_row("contact_id", "contacts"),
        to_row("asked_about", "messages"),
        to_row("message_id", "messages"),
        UniqueConstraint("agency_id", "touchpoint_id", "asked_about", "patient_id"),
        CheckConstraint("(said_yes IS NULL) = (answered_by IS NULL)", name="answer_is_whole"),
        Index("ix_follow_ups_contact", "agency_id", "contact_id", postgresql_where="said_yes IS NULL"),
    )

    touchpoint_id: Mapped[int] = mapped_column(BigInteger)
    patient_id: Mapped[int] = mapped_column(BigInteger)
    contact_id: Mapped[int] = mapped_column(BigInteger)
    asked_about: Mapped[int] = mapped_column(BigInteger)
    reply_id: Mapped[int] = mapped_column(BigInteger)
    message_id: Mapped[int | None] = mapped_column(BigInteger)
    until: Mapped[datetime] = mapped_column(Instant)
    said_yes: Mapped[bool | None]
    answered_by: Mapped[int | None] = mapped_column(BigInteger)


class Template(AgencyRow, Base):
    """The wording of a template in one language; the newest version that is reviewed and not retired is what leaves.

    A version is never changed but for its review and its retirement. `written_at` is empty for what an older release wrote.
    """

    __tablename__ = "templates"
    __table_args__ = (
        of_agency(),
        UniqueConstraint("agency_id", "key", "language", "version"),
        CheckConstraint("(reviewed_by IS NULL) = (reviewed_at IS NULL)", name="review_has_name_and_time"),
    )

    key: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(SmallInteger)
    wording: Mapped[str] = mapped_column(Text)
    written_by: Mapped[str] = mapped_column(Text)
    written_at: Mapped[datetime | None] = mapped_column(Instant)
    reviewed_by: Mapped[str | None] = mapped_column(Text)
    reviewed_at: Mapped[datetime | None] = mapped_column(Instant)
    retired_at: Mapped[datetime | None] = mapped_column(Instant)


class Message(AgencyRow, Base):
    """One text of ours to one phone: planned, claimed, sent, and what became of it.

    reply_id and alert_id name rows of stations further up, so those two references live in the migrations alone.
    `send_at` is when it should leave, `due_at` when it may next be claimed (later than `send_at` after a hold or a safe
    retry), `expires_at` when it has lost its use. `retry_of` is the message before it that failed: a second try is a message of
    its own, and a chain of them says one thing once. `bundle_id` is the page that speaks for this one too: both have one fate.
    The body is written from the facts of the moment it leaves, and frozen; what a person wrote by hand is there from the start.
    `also_for`: the other patients of the phone whom it names.
    """

    __tablename__ = "messages"
    __table_args__ = (
        of_agency(),
        to_row("touchpoint_id", "touchpoints"),
        to_row("patient_id", "patients"),
        to_row("contact_id", "contacts"),
        to_row("clinician_id", "clinicians"),
        to_row("visit_id", "visits"),
        to_row("sender_id", "senders"),
        to_row("retry_of", "messages"),
        to_row("written_by", "clinicians"),
        to_row("bundle_id", "messages"),
        CheckConstraint(one_of("kind", Kind), name="kind_is_known"),
        CheckConstraint(one_of("channel", Channel), name="channel_is_known"),
        CheckConstraint(
            "channel = 'sms' OR kind IN ('page', 'note') OR (channel = 'voice' AND kind = 'touchpoint' AND asks = 'confirm')",
            name="calls_are_reminders",
        ),
        CheckConstraint(one_of("asks", Asks), name="asks_is_known"),
        CheckConstraint(one_of("state", MessageState), name="state_is_known"),
        CheckConstraint("send_at < expires_at", name="is_useful_for_a_while"),
        CheckConstraint(
            "(kind = 'touchpoint') = (touchpoint_id IS NOT NULL AND occasion IS NOT NULL)",
            name="touchpoint_has_occasion",
        ),
        CheckConstraint("(kind IN ('page', 'note')) = (contact_id IS NULL)", name="pages_go_to_clinicians"),
        CheckConstraint("(contact_id IS NULL) = (clinician_id IS NOT NULL)", name="has_one_reader"),
        CheckConstraint("kind <> 'hand' OR body IS NOT NULL", name="hand_has_its_words"),
        CheckConstraint("(state = 'sending') = (lease_until IS NOT NULL)", name="sending_has_a_lease"),
        CheckConstraint(
            "state NOT IN ('sending', 'unknown') OR (attempt_id IS NOT NULL AND body IS NOT NULL)",
            name="attempt_has_its_body",
        ),
        CheckConstraint("state NOT IN ('accepted', 'sent', 'delivered') OR sid IS NOT NULL", name="accepted_has_sid"),
        CheckConstraint(
            "state NOT IN ('failed', 'undelivered', 'expired', 'cancelled', 'suppressed') OR reason IS NOT NULL",
            name="end_has_reason",
        ),
        CheckConstraint(
            "(state IN ('delivered', 'undelivered', 'failed', 'expired', 'cancelled', 'suppressed')) = (ended_at IS NOT NULL)",
            name="end_has_its_time",
        ),
        Index(
            "uq_messages_occasion",
            "agency_id",
            "touchpoint_id",
            "contact_id",
            "occasion",
            unique=True,
            postgresql_where="state <> 'cancelled' AND retry_of IS NULL",
        ),
        Index(
            "uq_messages_reply_id",
            "agency_id",
            "reply_id",
            "template",
            unique=True,
            postgresql_where="reply_id IS NOT NULL AND retry_of IS NULL",
        ),
        Index(
            "uq_messages_alert_step",
            "agency_id",
            "alert_id",
            "alert_round",
            "alert_step",
            "clinician_id",
            "channel",
            unique=True,
            postgresql_where="kind = 'page' AND retry_of IS NULL",
        ),
        Index("ix_messages_bundle", "agency_id", "bundle_id", postgresql_where="bundle_id IS NOT NULL"),
        Index("ix_messages_mail", "due_at", postgresql_where="channel = 'email' AND state = 'planned'"),
        Index(
            "ix_messages_pages_waiting",
            "agency_id",
            "clinician_id",
            postgresql_where="kind = 'page' AND state = 'planned'",
        ),
        Index("uq_messages_retry_of", "agency_id", "retry_of", unique=True, postgresql_where="retry_of IS NOT NULL"),
        Index("uq_messages_id", "id", unique=True),
        Index("uq_messages_sid", "sid", unique=True, postgresql_where="sid IS NOT NULL"),
        Index("ix_messages_due", "agency_id", "priority", "due_at", postgresql_where="state = 'planned'"),
        Index("ix_messages_expiry", "expires_at", postgresql_where="state = 'planned'"),
        Index("ix_messages_lease", "lease_until", postgresql_where="state = 'sending'"),
        Index("ix_messages_open_ends", "accepted_at", postgresql_where="state IN ('accepted', 'sent', 'unknown')"),
        Index(
            "ix_messages_undeliverable",
            "ended_at",
            postgresql_where="asks = 'confirm' AND state IN ('failed', 'undelivered', 'suppressed', 'expired')",
        ),
        Index(
            "ix_messages_refused",
            "ended_at",
            postgresql_where="state IN ('failed', 'undelivered') AND reason IN ('bug', 'config_alarm', 'unlisted')",
        ),
        Index("ix_messages_contact", "agency_id", "contact_id", "claimed_at"),
        Index("ix_messages_hand", "agency_id", "contact_id", "planned_at", postgresql_where="kind = 'hand'"),
        Index(
            "ix_messages_checkins",
            "claimed_at",
            postgresql_include=["agency_id", "patient_id", "id"],
            postgresql_where="asks = 'score_1_5' AND kind = 'touchpoint' AND state = 'delivered'",
        ),
        Index(
            "ix_messages_clinician",
            "agency_id",
            "clinician_id",
            "claimed_at",
            postgresql_where="clinician_id IS NOT NULL",
        ),
        Index("ix_messages_alert", "agency_id", "alert_id", postgresql_where="alert_id IS NOT NULL"),
        Index("ix_messages_patient", "agency_id", "patient_id", "send_at"),
        # a summary of page ranges: it costs the dispatcher nothing (decision 71)
        Index(
            "ix_messages_send_at",
            "send_at",
            postgresql_using="brin",
            postgresql_with={"pages_per_range": 32, "autosummarize": "on"},
        ),
    )

    kind: Mapped[str] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(Text, server_default="sms")
    priority: Mapped[int] = mapped_column(SmallInteger)
    touchpoint_id: Mapped[int | None] = mapped_column(BigInteger)
    occasion: Mapped[str | None] = mapped_column(Text)
    retry_of: Mapped[int | None] = mapped_column(BigInteger)
    bundle_id: Mapped[int | None] = mapped_column(BigInteger)
    patient_id: Mapped[int | None] = mapped_column(BigInteger)
    contact_id: Mapped[int | None] = mapped_column(BigInteger)
    clinician_id: Mapped[int | None] = mapped_column(BigInteger)
    visit_id: Mapped[int | None] = mapped_column(BigInteger)
    reply_id: Mapped[int | None] = mapped_column(BigInteger)
    alert_id: Mapped[int | None] = mapped_column(BigInteger)
    alert_round: Mapped[int | None] = mapped_column(SmallInteger)
    alert_step: Mapped[int | None] = mapped_column(SmallInteger)
    also_for: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    written_by: Mapped[int | None] = mapped_column(BigInteger)
    template: Mapped[str] = mapped_column(Text)
    params: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    category: Mapped[str | None] = mapped_column(Text)
    asks: Mapped[str] = mapped_column(Text, server_default="nothing")
    planned_at: Mapped[datetime] = mapped_column(Instant)
    send_at: Mapped[datetime] = mapped_column(Instant)
    due_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    state: Mapped[str] = mapped_column(Text, server_default="planned")
    reason: Mapped[str | None] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    attempt_id: Mapped[uuid.UUID | None] = mapped_column(PG_UUID(as_uuid=True))
    claimed_at: Mapped[datetime | None] = mapped_column(Instant)
    lease_until: Mapped[datetime | None] = mapped_column(Instant)
    sender_id: Mapped[int | None] = mapped_column(BigInteger)
    sid: Mapped[str | None] = mapped_column(Text)
    error_code: Mapped[int | None]
    body: Mapped[str | None] = mapped_column(Encrypted("messages.body"))
    language: Mapped[str | None] = mapped_column(Text)
    segments: Mapped[int | None] = mapped_column(SmallInteger)
    accepted_at: Mapped[datetime | None] = mapped_column(Instant)
    asked_at: Mapped[datetime | None] = mapped_column(Instant)
    sent_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)


class Receipt(AgencyRow, Base):
    """One delivery receipt of Twilio's about a message; the same one twice is one row."""

    __tablename__ = "receipts"
    __table_args__ = (
        of_agency(),
        to_row("message_id", "messages"),
        UniqueConstraint("agency_id", "message_id", "sid", "status"),
    )

    message_id: Mapped[int] = mapped_column(BigInteger)
    sid: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    error_code: Mapped[int | None]
    received_at: Mapped[datetime] = mapped_column(Instant)


class MessageEvent(AgencyRow, Base):
    """One turn of a message on its way, with its reason; `until` is the instant it then waits for. Append-only."""

    __tablename__ = "message_events"
    __table_args__ = (
        of_agency(),
        to_row("message_id", "messages"),
        CheckConstraint(one_of("event", Turn), name="event_is_known"),
        Index("ix_message_events_agency_id_message_id", "agency_id", "message_id"),
    )

    message_id: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(Instant)
    event: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    until: Mapped[datetime | None] = mapped_column(Instant)


class SendingStop(Base):
    """All sending has stopped, and until when before the next try. No row: all is well."""

    __tablename__ = "sending_stops"
    __table_args__ = (
        CheckConstraint("id = 1", name="is_one_row"),
        CheckConstraint("reason IN ('refused', 'silent')", name="reason_is_known"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, server_default="1")
    reason: Mapped[str] = mapped_column(Text)
    http_status: Mapped[int | None]
    error_code: Mapped[int | None]
    since: Mapped[datetime] = mapped_column(Instant)
    until: Mapped[datetime] = mapped_column(Instant)
    tries: Mapped[int] = mapped_column(SmallInteger, server_default="0")
