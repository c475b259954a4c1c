"""Encrypts every value again with the current key: old bytes in, new bytes out, a batch a transaction.

May be stopped and run again at any time, and runs while Engage works: both keys open everything until it is done.
"""

from sqlalchemy import Table, bindparam, func, inspect, literal, select, update
from sqlalchemy.dialects.postgresql import BYTEA

from engage.db import Base, Database, encryption
from engage.db.encryption import Encrypted

_BATCH = 2000


def rotate(db: Database) -> int:
    """How many values were under another key than the first of the ring, and now are not.

    Raises AssertionError when a table of the database has no model here: its values would stay under the old key.
    """
    with db.engine.connect() as connection:
        unknown = set(inspect(connection).get_table_names()) - set(Base.metadata.tables) - {"alembic_version"}
    if unknown:
        raise AssertionError(f"the models of {', '.join(sorted(unknown))} were not imported")
    return sum(
        _rotate(db, table, column.name)
        for table in _tables()
        for column in table.c
        if isinstance(column.type, Encrypted)
    )


def _tables() -> list[Table]:
    return list(Base.metadata.sorted_tables)


def _rotate(db: Database, table: Table, column: str) -> int:
    """Values of one column. The key's name stands at the front of the bytes, so the database itself finds the old ones."""
    ring, keys = encryption.ring(), list(table.primary_key.columns)
    mark = bytes((1, len(ring.current.encode()))) + ring.current.encode()
    is_old = func.substring(table.c[column], 1, len(mark)) != literal(mark, BYTEA)
    # Without SKIP LOCKED: a row that a dispatcher holds for a moment must not stay behind under the old key.
    old = (
        select(*keys, table.c[column].label("old"))
        .where(table.c[column].is_not(None), is_old)
        .order_by(*keys)
        .limit(_BATCH)
        .with_for_update()
    )
    change = (
        update(table).where(*(key == bindparam(f"key_{key.name}") for key in keys)).values({column: bindparam("new")})
    )
    count = 0
    while True:
        with db.system_session("rotate keys") as session:
            rows = session.execute(old).all()
            if not rows:
                return count
            values = [
                {f"key_{key.name}": row[place] for place, key in enumerate(keys)} | {"new": row.old} for row in rows
            ]
            session.connection().execute(change, values)
        count += len(rows)
