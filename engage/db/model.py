"""Rows that belong to no agency: the installation, the workers' ticks, and texts to a number nobody configured."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Identity, Text
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


class UnroutedReply(Base):
    """A text that reached a number no agency has: kept so that nothing is lost, shown by `engage doctor`."""

    __tablename__ = "unrouted_replies"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    sid: Mapped[str] = mapped_column(Text, unique=True)
    sent_to: Mapped[str] = mapped_column(Text)
    phone: Mapped[str] = mapped_column(Encrypted("unrouted_replies.phone"))
    body: Mapped[str] = mapped_column(Encrypted("unrouted_replies.body"))
    received_at: Mapped[datetime] = mapped_column(Instant)
