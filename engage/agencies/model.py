"""Rows of an agency: branches, senders, clinicians, shifts, accounts, audit. Only tables; decisions are in rules."""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, Numeric, SmallInteger, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from engage.agencies.rules.people import AccountRole, Duty, Line, Purpose, Role, ShiftChangeKind
from engage.db.base import AgencyRow, Base, Instant, of_agency, one_of, to_row
from engage.db.encryption import Encrypted

# PostgreSQL raises on a zone it does not know; better when it is written than when the planner reads it.
KNOWN_ZONE = "timezone(time_zone, TIMESTAMP '2000-01-01') IS NOT NULL"


class Agency(Base):
    """A home-health or hospice agency. `phone` is its published office number, printed in every text.

    `healthcare_exemption`: it texts within 47 CFR 64.1200(a)(9)(iv), which allows far less; consent is asked for all the same.
    `most_segments`: a wording that would take more is not saved.
    """

    __tablename__ = "agencies"
    __table_args__ = (
        CheckConstraint("slug ~ '^[a-z0-9][a-z0-9-]{1,39}$'", name="slug_is_short"),
        CheckConstraint("texts_after < texts_until", name="window_is_open"),
        CheckConstraint("daily_cap BETWEEN 1 AND 20 AND weekly_cap BETWEEN 1 AND 140", name="caps_are_sane"),
        CheckConstraint("most_segments BETWEEN 1 AND 10", name="segments_are_few"),
        CheckConstraint(one_of("line", Line), name="line_is_known"),
        CheckConstraint(KNOWN_ZONE, name="zone_is_known"),
        CheckConstraint(
            "drop_by BETWEEN 0 AND 4 AND threes_in_a_row BETWEEN 0 AND 20 AND silent_after BETWEEN 0 AND 60",
            name="trends_are_sane",
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    slug: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    short_name: Mapped[str] = mapped_column(Text)
    line: Mapped[str] = mapped_column(Text, server_default="home_health")
    phone: Mapped[str] = mapped_column(Text)
    time_zone: Mapped[str] = mapped_column(Text)
    texts_after: Mapped[time] = mapped_column(server_default="08:00")
    texts_until: Mapped[time] = mapped_column(server_default="21:00")
    daily_cap: Mapped[int] = mapped_column(SmallInteger, server_default="5")
    weekly_cap: Mapped[int] = mapped_column(SmallInteger, server_default="30")
    most_segments: Mapped[int] = mapped_column(SmallInteger, server_default="2")
    healthcare_exemption: Mapped[bool] = mapped_column(server_default="false")
    voice_reminders: Mapped[bool] = mapped_column(server_default="false")
    drop_by: Mapped[int] = mapped_column(SmallInteger, server_default="2")
    threes_in_a_row: Mapped[int] = mapped_column(SmallInteger, server_default="2")
    silent_after: Mapped[int] = mapped_column(SmallInteger, server_default="3")
    is_active: Mapped[bool] = mapped_column(server_default="true")
    created_at: Mapped[datetime] = mapped_column(Instant)


class Branch(AgencyRow, Base):
    """An office of an agency, with its own zone and phone."""

    __tablename__ = "branches"
    __table_args__ = (
        of_agency(),
        UniqueConstraint("agency_id", "emr_id"),
        CheckConstraint(KNOWN_ZONE, name="zone_is_known"),
    )

    emr_id: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    time_zone: Mapped[str] = mapped_column(Text)
    phone: Mapped[str | None] = mapped_column(Text)


class Sender(AgencyRow, Base):
    """A Twilio number or Messaging Service an agency texts from; one belongs to one agency only.

    The two paces are its limits (none: no limit of ours), the last three columns its count, shared by all workers.
    """

    __tablename__ = "senders"
    __table_args__ = (
        of_agency(),
        to_row("branch_id", "branches"),
        CheckConstraint(one_of("purpose", Purpose), name="purpose_is_known"),
        CheckConstraint("segments_per_second > 0 AND segments_per_day > 0", name="pace_is_positive"),
        UniqueConstraint("phone"),
        Index("ix_senders_messaging_service_sid", "messaging_service_sid", unique=True),
    )

    branch_id: Mapped[int | None] = mapped_column(BigInteger)
    purpose: Mapped[str] = mapped_column(Text)
    phone: Mapped[str] = mapped_column(Text)
    messaging_service_sid: Mapped[str | None] = mapped_column(Text)
    swept_until: Mapped[datetime | None] = mapped_column(Instant)
    segments_per_second: Mapped[Decimal | None] = mapped_column(Numeric(8, 3))
    segments_per_day: Mapped[int | None]
    free_at: Mapped[datetime | None] = mapped_column(Instant)
    counted_on: Mapped[date | None]
    counted_segments: Mapped[int] = mapped_column(server_default="0")


class Clinician(AgencyRow, Base):
    """A nurse, therapist, aide, scheduler or supervisor.

    `page_channels` are those on which they want pages, the first one first. Between `quiet_from` and `quiet_until`, wall time of
    the branch, nothing but an urgent page reaches them, unless they are on call.
    """

    __tablename__ = "clinicians"
    __table_args__ = (
        of_agency(),
        to_row("branch_id", "branches"),
        UniqueConstraint("agency_id", "emr_id"),
        CheckConstraint(one_of("role", Role), name="role_is_known"),
        CheckConstraint("(phone IS NULL) = (phone_hash IS NULL)", name="phone_has_its_hash"),
        CheckConstraint(
            "page_channels <@ ARRAY['sms', 'voice', 'email'] AND cardinality(page_channels) > 0",
            name="page_channels_are_known",
        ),
        CheckConstraint("(quiet_from IS NULL) = (quiet_until IS NULL)", name="quiet_has_both_ends"),
        Index("ix_clinicians_agency_id_phone_hash", "agency_id", "phone_hash"),
    )

    branch_id: Mapped[int | None] = mapped_column(BigInteger)
    emr_id: Mapped[str] = mapped_column(Text)
    first_name: Mapped[str] = mapped_column(Text)
    last_name: Mapped[str] = mapped_column(Text)
    discipline: Mapped[str | None] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    phone: Mapped[str | None] = mapped_column(Encrypted("clinicians.phone"))
    phone_hash: Mapped[bytes | None]
    texts_stopped_at: Mapped[datetime | None] = mapped_column(Instant)
    email: Mapped[str | None] = mapped_column(Encrypted("clinicians.email"))
    page_channels: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{sms,voice,email}")
    quiet_from: Mapped[time | None]
    quiet_until: Mapped[time | None]
    left_on: Mapped[date | None]


class ShiftRow(AgencyRow, Base):
    """A weekly pattern of hours, as wall time; the zone is the branch's. `duty`: on call, visiting, or the fallback."""

    __tablename__ = "shifts"
    __table_args__ = (
        of_agency(),
        to_row("branch_id", "branches"),
        to_row("clinician_id", "clinicians"),
        CheckConstraint(
            "weekdays <@ ARRAY[0,1,2,3,4,5,6]::smallint[] AND cardinality(weekdays) > 0", name="weekdays_exist"
        ),
        CheckConstraint("first_on IS NULL OR last_on IS NULL OR first_on <= last_on", name="ends_after_it_begins"),
        CheckConstraint(one_of("duty", Duty), name="duty_is_known"),
    )

    branch_id: Mapped[int | None] = mapped_column(BigInteger)
    clinician_id: Mapped[int] = mapped_column(BigInteger)
    weekdays: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    starts: Mapped[time]
    ends: Mapped[time]
    first_on: Mapped[date | None]
    last_on: Mapped[date | None]
    duty: Mapped[str] = mapped_column(Text, server_default="on_call")


class ShiftChange(AgencyRow, Base):
    """Somebody is added to the rota, taken off it, or replaced by another, between two wall times of the branch."""

    __tablename__ = "shift_changes"
    __table_args__ = (
        of_agency(),
        to_row("branch_id", "branches"),
        to_row("clinician_id", "clinicians"),
        to_row("instead_id", "clinicians"),
        CheckConstraint(one_of("kind", ShiftChangeKind), name="kind_is_known"),
        CheckConstraint("(kind = 'replace') = (instead_id IS NOT NULL)", name="replacement_is_named"),
        CheckConstraint("starts_local < ends_local", name="ends_after_it_begins"),
        Index("ix_shift_changes_agency_id_ends_local", "agency_id", "ends_local"),
    )

    branch_id: Mapped[int | None] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(Text)
    clinician_id: Mapped[int] = mapped_column(BigInteger)
    instead_id: Mapped[int | None] = mapped_column(BigInteger)
    starts_local: Mapped[datetime]
    ends_local: Mapped[datetime]


class HolidayRow(AgencyRow, Base):
    """A day on which the shifts of another weekday hold, Sunday's (6) unless said otherwise."""

    __tablename__ = "holidays"
    __table_args__ = (
        of_agency(),
        to_row("branch_id", "branches"),
        CheckConstraint("as_weekday BETWEEN 0 AND 6", name="weekday_exists"),
        UniqueConstraint("agency_id", "day_on", "branch_id", postgresql_nulls_not_distinct=True),
    )

    branch_id: Mapped[int | None] = mapped_column(BigInteger)
    day_on: Mapped[date]
    as_weekday: Mapped[int] = mapped_column(SmallInteger, server_default="6")


class Account(AgencyRow, Base):
    """Somebody who may sign in. `totp_at`: when the second factor was proved; `totp_step`: the last code that was used."""

    __tablename__ = "accounts"
    __table_args__ = (
        of_agency(),
        to_row("clinician_id", "clinicians"),
        UniqueConstraint("agency_id", "email"),
        CheckConstraint("email = lower(email) AND position('@' in email) > 1", name="email_is_lower_case"),
        CheckConstraint(one_of("role", AccountRole), name="role_is_known"),
        CheckConstraint("language IN ('en', 'es')", name="language_is_known"),
        CheckConstraint("totp_at IS NULL OR totp_secret IS NOT NULL", name="second_factor_has_a_secret"),
    )

    clinician_id: Mapped[int | None] = mapped_column(BigInteger)
    email: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Instant)
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    language: Mapped[str] = mapped_column(Text, server_default="en")
    password_hash: Mapped[str | None] = mapped_column(Text)
    password_at: Mapped[datetime | None] = mapped_column(Instant)
    totp_secret: Mapped[str | None] = mapped_column(Encrypted("accounts.totp_secret"))
    totp_at: Mapped[datetime | None] = mapped_column(Instant)
    totp_step: Mapped[int | None] = mapped_column(BigInteger)


class AuditEvent(AgencyRow, Base):
    """Who did what to which row, and when. Append-only: no role of ours may change or remove one."""

    __tablename__ = "audit_events"
    __table_args__ = (
        of_agency(),
        Index("ix_audit_events_agency_id_subject_subject_id", "agency_id", "subject", "subject_id"),
    )

    at: Mapped[datetime] = mapped_column(Instant)
    actor: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[int | None] = mapped_column(BigInteger)
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")


class AuditLink(Base):
    """The place of an event in its agency's chain: `hash` is over the link before it and the event. The database makes it."""

    __tablename__ = "audit_chain"
    __table_args__ = (of_agency(), to_row("event_id", "audit_events"), UniqueConstraint("agency_id", "event_id"))

    agency_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    place: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    event_id: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes]
