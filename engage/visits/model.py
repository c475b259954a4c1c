"""Rows of a visit: when, who comes, what the patient said of it; and the runs of an import."""

from datetime import date, datetime, time
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

import engage.patients.model  # noqa: F401 - its tables are referred to
from engage.db.base import AgencyRow, Base, Instant, of_agency, one_of, to_row
from engage.db.encryption import Encrypted
from engage.visits.rules.words import VisitAnswer, VisitStatus


class Visit(AgencyRow, Base):
    """A planned or done visit. `starts_on` and `starts_local` are wall time at the patient's home; the time may be unknown."""

    __tablename__ = "visits"
    __table_args__ = (
        of_agency(),
        to_row("patient_id", "patients"),
        to_row("episode_id", "episodes"),
        UniqueConstraint("agency_id", "emr_id"),
        CheckConstraint(one_of("status", VisitStatus), name="status_is_known"),
        CheckConstraint(f"answer IS NULL OR {one_of('answer', VisitAnswer)}", name="answer_is_known"),
        CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name="answer_has_its_time"),
        CheckConstraint("(status = 'completed') = (completed_at IS NOT NULL)", name="completion_has_its_time"),
        Index("ix_visits_agency_id_patient_id_starts_on", "agency_id", "patient_id", "starts_on"),
        Index("ix_visits_starts_on", "starts_on", postgresql_where="status = 'scheduled'"),
        Index("ix_visits_completed_at", "completed_at", postgresql_where="completed_at IS NOT NULL"),
    )

    patient_id: Mapped[int] = mapped_column(BigInteger)
    episode_id: Mapped[int | None] = mapped_column(BigInteger)
    emr_id: Mapped[str] = mapped_column(Text)
    task: Mapped[str] = mapped_column(Text)
    discipline: Mapped[str | None] = mapped_column(Text)
    starts_on: Mapped[date]
    starts_local: Mapped[time | None]
    ends_local: Mapped[time | None]
    status: Mapped[str] = mapped_column(Text, server_default="scheduled")
    completed_at: Mapped[datetime | None] = mapped_column(Instant)
    answer: Mapped[str | None] = mapped_column(Text)
    answered_at: Mapped[datetime | None] = mapped_column(Instant)
    wanted: Mapped[str | None] = mapped_column(Encrypted("visits.wanted"))
    changed_at: Mapped[datetime] = mapped_column(Instant)


class VisitClinician(Base):
    """A clinician who comes on a visit; a visit may have two."""

    __tablename__ = "visit_clinicians"
    __table_args__ = (
        of_agency(),
        ForeignKeyConstraint(["agency_id", "visit_id"], ["visits.agency_id", "visits.id"], ondelete="CASCADE"),
        to_row("clinician_id", "clinicians"),
    )

    agency_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    visit_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    clinician_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)


class ImportRun(AgencyRow, Base):
    """One import of a file: which, when, and what came of its rows."""

    __tablename__ = "import_runs"
    __table_args__ = (of_agency(),)

    profile: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    file_sha256: Mapped[str] = mapped_column(Text)
    is_complete: Mapped[bool]
    ran_at: Mapped[datetime] = mapped_column(Instant)
    counts: Mapped[dict[str, Any]] = mapped_column(JSONB)
