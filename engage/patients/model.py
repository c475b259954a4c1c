"""Rows of a patient: contacts, consent events, payers, referral sources, episodes, payment periods."""

from datetime import date, datetime, time

from sqlalchemy import BigInteger, CheckConstraint, Index, SmallInteger, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from engage.agencies.model import KNOWN_ZONE
from engage.agencies.rules.people import Line
from engage.db.base import AgencyRow, Base, Instant, of_agency, one_of, to_row
from engage.db.encryption import Encrypted
from engage.patients.rules.words import (
    Category,
    ConsentKind,
    ConsentSource,
    EnrolmentPurpose,
    MaySee,
    PatientStatus,
    PhoneKind,
    Relationship,
    Settled,
)


class Payer(AgencyRow, Base):
    """Who pays for an episode."""

    __tablename__ = "payers"
    __table_args__ = (of_agency(), UniqueConstraint("agency_id", "emr_id"))

    emr_id: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    payer_class: Mapped[str | None] = mapped_column(Text)


class ReferralSource(AgencyRow, Base):
    """Who sent the patient."""

    __tablename__ = "referral_sources"
    __table_args__ = (of_agency(), UniqueConstraint("agency_id", "emr_id"))

    emr_id: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)


class Patient(AgencyRow, Base):
    """A patient. The time zone comes from the service address, else the branch; never from an area code.

    `texts_after` and `texts_until` are the patient's own wish; they narrow the agency's hours and never widen them. `tags` are
    words of the agency's own about diagnosis and risk ("chf", "high-risk"): groups of a programme are rules over them.
    """

    __tablename__ = "patients"
    __table_args__ = (
        of_agency(),
        to_row("branch_id", "branches"),
        to_row("case_manager_id", "clinicians"),
        UniqueConstraint("agency_id", "emr_id"),
        CheckConstraint(one_of("status", PatientStatus), name="status_is_known"),
        CheckConstraint("(status = 'deceased') = (died_on IS NOT NULL)", name="death_has_its_date"),
        CheckConstraint(
            "(texts_after IS NULL) = (texts_until IS NULL) AND (texts_after IS NULL OR texts_after < texts_until)",
            name="own_hours_are_open",
        ),
        CheckConstraint(KNOWN_ZONE, name="zone_is_known"),
        Index("ix_patients_agency_id_time_zone", "agency_id", "time_zone", postgresql_where="status = 'active'"),
    )

    branch_id: Mapped[int] = mapped_column(BigInteger)
    case_manager_id: Mapped[int | None] = mapped_column(BigInteger)
    emr_id: Mapped[str] = mapped_column(Text)
    mrn: Mapped[str | None] = mapped_column(Text)
    first_name: Mapped[str] = mapped_column(Text)
    last_name: Mapped[str] = mapped_column(Text)
    born_on: Mapped[date | None]
    language: Mapped[str] = mapped_column(Text, server_default="en")
    time_zone: Mapped[str] = mapped_column(Text)
    state: Mapped[str | None] = mapped_column(Text)
    zip_code: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default="active")
    status_since: Mapped[datetime] = mapped_column(Instant)
    died_on: Mapped[date | None]
    is_monitored: Mapped[bool] = mapped_column(server_default="true")
    texts_after: Mapped[time | None]
    texts_until: Mapped[time | None]
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")


class Contact(AgencyRow, Base):
    """A person and phone that may be texted for a patient, and what of the patient they may see.

    `texts_after` and `texts_until` are this person's own wish, which then counts instead of the patient's.
    """

    __tablename__ = "contacts"
    __table_args__ = (
        of_agency(),
        to_row("patient_id", "patients"),
        UniqueConstraint("agency_id", "patient_id", "phone_hash"),
        CheckConstraint(one_of("relationship", Relationship), name="relationship_is_known"),
        CheckConstraint(one_of("phone_kind", PhoneKind), name="phone_kind_is_known"),
        CheckConstraint(one_of("may_see", MaySee), name="may_see_is_known"),
        CheckConstraint(
            "(texts_after IS NULL) = (texts_until IS NULL) AND (texts_after IS NULL OR texts_after < texts_until)",
            name="own_hours_are_open",
        ),
        Index("ix_contacts_agency_id_phone_hash", "agency_id", "phone_hash"),
        Index("ix_contacts_landline", "agency_id", "patient_id", postgresql_where="phone_kind = 'landline'"),
    )

    patient_id: Mapped[int] = mapped_column(BigInteger)
    relationship: Mapped[str] = mapped_column(Text)
    name: Mapped[str | None] = mapped_column(Text)
    phone: Mapped[str] = mapped_column(Encrypted("contacts.phone"))
    phone_hash: Mapped[bytes]
    phone_kind: Mapped[str] = mapped_column(Text, server_default="unknown")
    language: Mapped[str | None] = mapped_column(Text)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    may_see: Mapped[str] = mapped_column(Text, server_default="scores")
    texts_after: Mapped[time | None]
    texts_until: Mapped[time | None]


class ConsentEvent(AgencyRow, Base):
    """One thing somebody said about being texted, with its proof. Append-only; what stands is read from the last ones."""

    __tablename__ = "consent_events"
    __table_args__ = (
        of_agency(),
        to_row("contact_id", "contacts"),
        CheckConstraint(one_of("kind", ConsentKind), name="kind_is_known"),
        CheckConstraint(f"category IS NULL OR {one_of('category', Category)}", name="category_is_known"),
        CheckConstraint(one_of("source", ConsentSource), name="source_is_known"),
        CheckConstraint(
            "(kind IN ('granted', 'revoked')) = (contact_id IS NOT NULL AND category IS NOT NULL)",
            name="says_whose_and_what",
        ),
        Index("ix_consent_events_contact", "agency_id", "contact_id", "category", "said_at", "id"),
        Index(
            "ix_consent_events_phone", "agency_id", "phone_hash", "said_at", "id", postgresql_where="contact_id IS NULL"
        ),
        Index(
            "uq_consent_events_reply",
            "agency_id",
            "reply_id",
            unique=True,
            postgresql_where="reply_id IS NOT NULL AND contact_id IS NULL",
        ),
    )

    contact_id: Mapped[int | None] = mapped_column(BigInteger)
    phone_hash: Mapped[bytes]
    category: Mapped[str | None] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    proof: Mapped[str | None] = mapped_column(Encrypted("consent_events.proof"))
    reply_id: Mapped[int | None] = mapped_column(BigInteger)
    said_at: Mapped[datetime] = mapped_column(Instant)
    recorded_at: Mapped[datetime] = mapped_column(Instant)


class Enrolment(AgencyRow, Base):
    """A phone was asked whether it may be texted, or whether it is still theirs; one open asking a phone.

    `basis` is how we came by the number, in words; what was agreed to stands in consent_events with the exact words. reply_id names
    a row of a station further up, so that reference is nowhere but in the column's name.
    """

    __tablename__ = "enrolments"
    __table_args__ = (
        of_agency(),
        to_row("contact_id", "contacts"),
        CheckConstraint(one_of("purpose", EnrolmentPurpose), name="purpose_is_known"),
        CheckConstraint(
            f"(settled_at IS NULL) = (settled_how IS NULL) AND {one_of('settled_how', Settled)}", name="end_says_how"
        ),
        Index("uq_enrolments_open", "agency_id", "phone_hash", unique=True, postgresql_where="settled_at IS NULL"),
        Index("ix_enrolments_phone", "agency_id", "phone_hash", "id"),
    )

    contact_id: Mapped[int] = mapped_column(BigInteger)
    phone_hash: Mapped[bytes]
    purpose: Mapped[str] = mapped_column(Text)
    categories: Mapped[list[str]] = mapped_column(ARRAY(Text))
    basis: Mapped[str] = mapped_column(Text)
    asked_by: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(Instant)
    reminded_at: Mapped[datetime | None] = mapped_column(Instant)
    until: Mapped[datetime] = mapped_column(Instant)
    settled_at: Mapped[datetime | None] = mapped_column(Instant)
    settled_how: Mapped[str | None] = mapped_column(Text)
    reply_id: Mapped[int | None] = mapped_column(BigInteger)


class Episode(AgencyRow, Base):
    """An episode of care (a 60-day certification), with payer and referral source."""

    __tablename__ = "episodes"
    __table_args__ = (
        of_agency(),
        to_row("patient_id", "patients"),
        to_row("payer_id", "payers"),
        to_row("referral_source_id", "referral_sources"),
        UniqueConstraint("agency_id", "emr_id"),
        CheckConstraint(one_of("line", Line), name="line_is_known"),
        CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="ends_after_it_begins"),
        Index("ix_episodes_agency_id_patient_id", "agency_id", "patient_id"),
    )

    patient_id: Mapped[int] = mapped_column(BigInteger)
    payer_id: Mapped[int | None] = mapped_column(BigInteger)
    referral_source_id: Mapped[int | None] = mapped_column(BigInteger)
    emr_id: Mapped[str] = mapped_column(Text)
    line: Mapped[str] = mapped_column(Text, server_default="home_health")
    start_of_care_on: Mapped[date | None]
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    discharged_on: Mapped[date | None]


class PaymentPeriod(AgencyRow, Base):
    """A 30-day payment period; fewer visits than `lupa_threshold` lose most of its payment. None: not known yet."""

    __tablename__ = "payment_periods"
    __table_args__ = (
        of_agency(),
        to_row("episode_id", "episodes"),
        UniqueConstraint("agency_id", "episode_id", "starts_on"),
        CheckConstraint("ends_on >= starts_on", name="ends_after_it_begins"),
        CheckConstraint("lupa_threshold BETWEEN 2 AND 9", name="threshold_is_sane"),
    )

    episode_id: Mapped[int] = mapped_column(BigInteger)
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    lupa_threshold: Mapped[int | None] = mapped_column(SmallInteger)
    hipps: Mapped[str | None] = mapped_column(Text)
    completed_visits: Mapped[int | None] = mapped_column(SmallInteger)
