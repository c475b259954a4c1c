"""Migrations: brings a database to the release of this copy of Engage, or tells how far it is from it."""

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from engage.db.encryption import KeyRing
from engage.db.session import Database
from engage.errors import ConfigurationError
from engage.resources import shipped

_LOCK = 0x456E67616765  # "Engage": one upgrade at a time, on any number of machines


def upgrade(db: Database, ring: KeyRing | None = None, to: str = "head") -> str:
    """Apply every migration up to `to` and remember the ring's fingerprint; returns the revision reached."""
    with db.engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
        connection.commit()
        try:
            command.upgrade(_config(connection), to)
            if ring is not None:
                _remember(connection, ring)
            return current(db) or ""
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
            connection.commit()


def downgrade(db: Database, to: str) -> None:
    """Undo migrations down to `to`; for tests and for an operator who knows why."""
    with db.engine.connect() as connection:
        command.downgrade(_config(connection), to)


def current(db: Database) -> str | None:
    """The revision the database is at; None when it is empty."""
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest() -> str:
    """The revision this copy of Engage works with."""
    return ScriptDirectory(str(shipped("migrations"))).get_current_head() or ""


def check(db: Database, ring: KeyRing | None = None) -> None:
    """ConfigurationError, in a sentence, unless the database is at this release and was made with this secret."""
    found, wanted = current(db), newest()
    if found != wanted:
        state = "is empty" if found is None else f"is at migration {found}"
        raise ConfigurationError(f"The database {state}, this Engage needs {wanted}: run engage db upgrade.")
    if ring is not None:
        with db.system_session("check the secret key") as session:
            stored = session.execute(text("SELECT lookup_fingerprint FROM installation")).scalar_one_or_none()
        if stored is not None and bytes(stored) != ring.fingerprint:
            raise ConfigurationError(
                "ENGAGE_SECRET_KEY is not the one this database was made with: no phone number would be found. "
                "Set it back to the first one."
            )


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(shipped("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _remember(connection: Connection, ring: KeyRing) -> None:
    connection.execute(text("SET LOCAL ROLE engage_system"))
    connection.execute(
        text("INSERT INTO installation (lookup_fingerprint) VALUES (:mark) ON CONFLICT DO NOTHING"),
        {"mark": ring.fingerprint},
    )
    connection.commit()
