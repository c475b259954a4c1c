"""Rows of the console: sessions, one-time links, recovery codes, passkeys, devices, single sign-on, branches of an account, patients
opened with a reason.

Of every secret of ours only a hash is stored. Only tables; decisions are in rules.
"""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

import engage.patients.model  # noqa: F401 - references point there
from engage.db.base import AgencyRow, Base, Instant, of_agency, to_row
from engage.db.encryption import Encrypted


class AccountBranch(AgencyRow, Base):
    """A branch whose patients an account sees; without one it sees every branch."""

    __tablename__ = "account_branches"
    __table_args__ = (
        of_agency(),
        to_row("account_id", "accounts"),
        to_row("branch_id", "branches"),
        UniqueConstraint("agency_id", "account_id", "branch_id"),
    )

    account_id: Mapped[int] = mapped_column(BigInteger)
    branch_id: Mapped[int] = mapped_column(BigInteger)


class AccountLink(AgencyRow, Base):
    """A one-time link that lets somebody choose a password: an invitation, or help for who lost theirs."""

    __tablename__ = "account_links"
    __table_args__ = (of_agency(), to_row("account_id", "accounts"), UniqueConstraint("token_hash"))

    account_id: Mapped[int] = mapped_column(BigInteger)
    token_hash: Mapped[bytes]
    made_at: Mapped[datetime] = mapped_column(Instant)
    made_by: Mapped[str] = mapped_column(Text)
    ends_at: Mapped[datetime] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)


class RecoveryCode(AgencyRow, Base):
    """Stands in for the second factor, once."""

    __tablename__ = "recovery_codes"
    __table_args__ = (
        of_agency(),
        to_row("account_id", "accounts"),
        UniqueConstraint("agency_id", "account_id", "code_hash"),
    )

    account_id: Mapped[int] = mapped_column(BigInteger)
    code_hash: Mapped[bytes]
    made_at: Mapped[datetime] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)


class Passkey(AgencyRow, Base):
    """A key kept by somebody's phone or computer that stands in for the code: its public half, and how often it says it was used."""

    __tablename__ = "passkeys"
    __table_args__ = (
        of_agency(),
        to_row("account_id", "accounts"),
        UniqueConstraint("agency_id", "credential_id"),
    )

    account_id: Mapped[int] = mapped_column(BigInteger)
    credential_id: Mapped[bytes]
    public_key: Mapped[bytes]
    uses: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)


class KnownDevice(AgencyRow, Base):
    """A browser from which somebody once signed in wholly: strangers' failures do not slow it down."""

    __tablename__ = "known_devices"
    __table_args__ = (of_agency(), to_row("account_id", "accounts"), UniqueConstraint("token_hash"))

    account_id: Mapped[int] = mapped_column(BigInteger)
    token_hash: Mapped[bytes]
    made_at: Mapped[datetime] = mapped_column(Instant)


class SignOn(AgencyRow, Base):
    """The provider (OpenID Connect) at which an agency's people may sign in, and how we are known there. One an agency.

    `email_domain`: only people with an e-mail there; none: no matter.
    """

    __tablename__ = "sign_ons"
    __table_args__ = (
        of_agency(),
        UniqueConstraint("agency_id"),
        CheckConstraint("email_domain = lower(email_domain)", name="domain_is_lower"),
    )

    issuer: Mapped[str] = mapped_column(Text)
    client_id: Mapped[str] = mapped_column(Text)
    client_secret: Mapped[str] = mapped_column(Encrypted("sign_ons.client_secret"))
    email_domain: Mapped[str | None] = mapped_column(Text)
    set_by: Mapped[str] = mapped_column(Text)
    set_at: Mapped[datetime] = mapped_column(Instant)


class AccountIdentity(AgencyRow, Base):
    """Who an account is at a provider: `subject`, the provider's own name for somebody, which it never gives to another."""

    __tablename__ = "account_identities"
    __table_args__ = (
        of_agency(),
        to_row("account_id", "accounts"),
        UniqueConstraint("agency_id", "issuer", "subject"),
        UniqueConstraint("agency_id", "account_id", "issuer"),
    )

    account_id: Mapped[int] = mapped_column(BigInteger)
    issuer: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    linked_at: Mapped[datetime] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)


class ConsoleSession(AgencyRow, Base):
    """Somebody who is signed in: `second_at` is when the second factor was given; before it nothing is open. `confirmed_at`: when they
    last proved anew that it is them, which grave changes ask for."""

    __tablename__ = "console_sessions"
    __table_args__ = (
        of_agency(),
        to_row("account_id", "accounts"),
        UniqueConstraint("token_hash"),
        Index("ix_console_sessions_open", "agency_id", "account_id", postgresql_where=text("ended_at IS NULL")),
    )

    account_id: Mapped[int] = mapped_column(BigInteger)
    token_hash: Mapped[bytes]
    begun_at: Mapped[datetime] = mapped_column(Instant)
    seen_at: Mapped[datetime] = mapped_column(Instant)
    second_at: Mapped[datetime | None] = mapped_column(Instant)
    confirmed_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    address: Mapped[str] = mapped_column(Text)
    agent: Mapped[str] = mapped_column(Text)


class PatientOpening(AgencyRow, Base):
    """Somebody opened a patient outside of their branches, with a reason, until `ends_at`. Append-only."""

    __tablename__ = "patient_openings"
    __table_args__ = (
        of_agency(),
        to_row("account_id", "accounts"),
        to_row("patient_id", "patients"),
        Index("ix_patient_openings_agency_id_account_id_ends_at", "agency_id", "account_id", "ends_at"),
    )

    account_id: Mapped[int] = mapped_column(BigInteger)
    patient_id: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Encrypted("patient_openings.reason"))
    opened_at: Mapped[datetime] = mapped_column(Instant)
    ends_at: Mapped[datetime] = mapped_column(Instant)


class SignInDelay(Base):
    """Failures to sign in since the last success, by a keyed hash of who and from where; of no agency: the address may be nobody's."""

    __tablename__ = "sign_in_delays"
    __table_args__ = (Index("ix_sign_in_delays_last_at", "last_at"),)

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    failures: Mapped[int] = mapped_column(Integer)
    last_at: Mapped[datetime] = mapped_column(Instant)
