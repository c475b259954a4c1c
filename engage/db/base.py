"""What every table shares: names of constraints, and the composite key that begins with the agency."""

from sqlalchemy import BigInteger, ForeignKeyConstraint, Identity, MetaData
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

Instant = TIMESTAMP(timezone=True)


class Base(DeclarativeBase):
    """Every row of Engage. Invariants are constraints of the table, not checks in Python."""

    metadata = MetaData(naming_convention=NAMES)


class AgencyRow:
    """A row that belongs to one agency: key (agency_id, id), guarded by row-level security."""

    agency_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, sort_order=-2)
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True, sort_order=-1)


def of_agency() -> ForeignKeyConstraint:
    """The row's agency exists."""
    return ForeignKeyConstraint(["agency_id"], ["agencies.id"])


def to_row(column: str, table: str) -> ForeignKeyConstraint:
    """`column` names a row of `table` in the same agency: a reference can never cross agencies."""
    return ForeignKeyConstraint(["agency_id", column], [f"{table}.agency_id", f"{table}.id"])


def one_of(column: str, words: type) -> str:
    """SQL that allows only the values of the StrEnum `words`; enums stay text, so a new word is a cheap migration."""
    return f"{column} IN ({', '.join(repr(str(word.value)) for word in words)})"  # type: ignore[attr-defined]
