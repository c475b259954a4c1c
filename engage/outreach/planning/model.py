"""Rows of the planner itself: the log of what it must look at again, and how far it has come. Nobody else reads them."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

import engage.agencies.model  # noqa: F401 - its tables are referred to
from engage.db.base import AgencyRow, Base, Instant, of_agency


class ChangeRow(AgencyRow, Base):
    """A patient (None: a whole agency) of whom something changed that planning depends on. Triggers write, the planner removes."""

    __tablename__ = "changes"
    __table_args__ = (of_agency(),)

    patient_id: Mapped[int | None] = mapped_column(BigInteger)


class PlanningRow(Base):
    """One row: every slot that begins up to `planned_until` is planned; at `whole_at` everything was last re-derived."""

    __tablename__ = "planning"
    __table_args__ = (
        CheckConstraint("id = 1", name="is_one_row"),
        CheckConstraint("(planned_until IS NULL) = (whole_at IS NULL)", name="has_both_or_neither"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, server_default="1")
    planned_until: Mapped[datetime | None] = mapped_column(Instant)
    whole_at: Mapped[datetime | None] = mapped_column(Instant)
