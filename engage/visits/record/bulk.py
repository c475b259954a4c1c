"""Many rows at once: COPY into a temporary table, then one statement. Runs in the caller's transaction; ends none."""

from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy.orm import Session

Values = Sequence[Any]


class Bulk:
    """The tables of one agency, as far as `session` (an agency session) may reach them."""

    def __init__(self, session: Session, agency_id: int) -> None:
        connection: psycopg.Connection[Any] = session.connection().connection.driver_connection  # type: ignore[assignment]
        self._cursor = connection.cursor()
        self.agency_id = agency_id
        self._numbers = count(1)

    def ask(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """Rows of a query; %(agency)s is the agency."""
        return self._cursor.execute(query.encode(), {"agency": self.agency_id, **values}).fetchall()

    def run(self, query: str, **values: Any) -> int:
        """How many rows a statement touched."""
        return self._cursor.execute(query.encode(), {"agency": self.agency_id, **values}).rowcount

    def stage(self, table: str, columns: Sequence[str], rows: Iterable[Values]) -> str:
        """A temporary table with `columns` typed as in `table`, filled with `rows`; gone with the transaction."""
        name = f"staged_{next(self._numbers)}_{table}"
        names = _names(columns)
        self._cursor.execute(
            sql.SQL("CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
                sql.Identifier(name), names, sql.Identifier(table)
            )
        )
        self.copy(name, columns, rows)
        return name

    def copy(self, table: str, columns: Sequence[str], rows: Iterable[Values]) -> None:
        """Fill a temporary table."""
        name = sql.Identifier(table)
        with self._cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(name, _names(columns))) as copy:
            for row in rows:
                copy.write_row(row)
        self._cursor.execute(sql.SQL("ANALYZE {}").format(name))  # nothing else ever looks at a temporary table's rows

    def stored(self, table: str, columns: Sequence[str], by: str, keys: Iterable[Any]) -> list[tuple[Any, ...]]:
        """`columns` of the rows of `table` whose column `by` is one of `keys`."""
        staged = self.stage(table, (by,), ((key,) for key in set(keys)))
        return self._cursor.execute(
            sql.SQL("SELECT {} FROM {} t JOIN {} k ON k.{by} = t.{by} WHERE t.agency_id = %s").format(
                _names(columns, "t"), sql.Identifier(table), sql.Identifier(staged), by=sql.Identifier(by)
            ),
            (self.agency_id,),
        ).fetchall()

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Values], returning: str = "id") -> list[Any]:
        """Insert `rows`; the value of `returning` and the id of each, in no order."""
        if not rows:
            return []
        staged = self.stage(table, columns, rows)
        return self._cursor.execute(
            sql.SQL("INSERT INTO {} (agency_id, {names}) SELECT %s, {names} FROM {} RETURNING {}, {}").format(
                sql.Identifier(table),
                sql.Identifier(staged),
                sql.Identifier(returning),
                sql.Identifier("id" if table != "visit_clinicians" else "visit_id"),
                names=_names(columns),
            ),
            (self.agency_id,),
        ).fetchall()

    def update(self, table: str, columns: Sequence[str], rows: Sequence[Values]) -> None:
        """Set `columns` of the rows whose id comes first in each of `rows`."""
        if not rows:
            return
        staged = self.stage(table, ("id", *columns), rows)
        assignments = sql.SQL(", ").join(sql.SQL("{0} = s.{0}").format(sql.Identifier(column)) for column in columns)
        self._cursor.execute(
            sql.SQL("UPDATE {} t SET {} FROM {} s WHERE t.agency_id = %s AND t.id = s.id").format(
                sql.Identifier(table), assignments, sql.Identifier(staged)
            ),
            (self.agency_id,),
        )


def _names(columns: Sequence[str], of: str | None = None) -> sql.Composed:
    parts = (sql.Identifier(of, column) if of else sql.Identifier(column) for column in columns)
    return sql.SQL(", ").join(parts)
