"""Rows that belong to no agency: the installation, the workers' ticks, the auditor's last run, and texts to a number nobody configured."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Identity, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from engage.db.base import Base, Instant
from engage.db.encryption import Encrypted


class Installation(Base):
    """One row: the mark of the secret that the phone look-up was made with."""

    __tablename__ = "installation"
    __table_args__ = (CheckConstraint("id = 1", name="is_one_row"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, server_default="1")
    lookup_fingerprint: Mapped[bytes]


class Tick(Base):
    """The last run of a verb in a worker: the proof that somebody is at work, for /readyz and the simulation."""

    __tablename__ = "ticks"

    worker: Mapped[str] = mapped_column(Text, primary_key=True)
    verb: Mapped[str] = mapped_column(Text, primary_key=True)
    began_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime] = mapped_column(Instant)
    failed: Mapped[bool] = mapped_column(server_default="false")


class Auditing(Base):
    """One row: whose turn it is to audit (`claimed_at`), what the last whole run found, and the ping to the outside.

    `findings`: how many of each, by its word; empty when all was clean. `repaired`: alerts made due again, in all.
    """

    __tablename__ = "auditing"
    __table_args__ = (CheckConstraint("id = 1", name="is_one_row"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, server_default="1")
    claimed_at: Mapped[datetime] = mapped_column(Instant)
    ran_at: Mapped[datetime | None] = mapped_column(Instant)
    failed_at: Mapped[datetime | None] = mapped_column(Instant)
    findings: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    repaired: Mapped[int] = mapped_column(BigInteger, server_default="0")
    ping_tried_at: Mapped[datetime | None] = mapped_column(Instant)
    pinged_at: Mapped[datetime | None] = mapped_column(Instant)


class UnroutedReply(Base):
    """A text that reached a number no agency has: kept so that nothing is lost, shown by `engage doctor`."""

    __tablename__ = "unrouted_replies"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    sid: Mapped[str] = mapped_column(Text, unique=True)
    sent_to: Mapped[str] = mapped_column(Text)
    phone: Mapped[str] = mapped_column(Encrypted("unrouted_replies.phone"))
    body: Mapped[str] = mapped_column(Encrypted("unrouted_replies.body"))
    received_at: Mapped[datetime] = mapped_column(Instant)
