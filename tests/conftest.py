"""Shared fixtures: a real PostgreSQL for each test process, a fresh migrated database for each test, and the cast."""

from __future__ import annotations

import itertools
import logging
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from engage import log
from engage.db import Database, encryption, migrate
from engage.db.embedded import EmbeddedPostgres
from engage.db.encryption import KeyRing
from tests.cast import Cast, gather_cast

ROOT = Path(__file__).resolve().parent.parent
RING = KeyRing({"test": b"\x07" * 32}, "a secret that only tests use, and long enough")

# A test must not fail because the machine was busy; speed belongs to bench/. CI tries the same examples each time, so that a
# change is judged by itself; elsewhere every run looks for new ones.
hypothesis_settings.register_profile(
    "suite", deadline=None, derandomize=bool(os.environ.get("CI")), suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("suite")


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("ENGAGE_")]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _quiet_logs() -> None:
    log.configure("WARNING", as_json=True)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedPostgres]:
    """One PostgreSQL for this test process, with a migrated database to copy from."""
    with (
        tempfile.TemporaryDirectory(prefix="engage-") as folder,
        EmbeddedPostgres(Path(folder), durable=False) as postgres,
    ):
        postgres.create_database("pattern")
        encryption.use(RING)
        pattern = Database(postgres.url("pattern"), pool_size=1)
        migrate.upgrade(pattern, RING)
        pattern.close()
        yield postgres


_numbers = itertools.count(1)


@pytest.fixture
def db(server: EmbeddedPostgres) -> Iterator[Database]:
    """A fresh database, migrated and empty."""
    name = f"test_{next(_numbers)}"
    server.create_database(name, template="pattern")
    encryption.use(RING)
    database = Database(server.url(name), pool_size=5)
    yield database
    database.close()
    server.drop_database(name)


@pytest.fixture
def cast(db: Database) -> Cast:
    """Two agencies, so that a stranger is in every test: the sunrise's people, and the other's."""
    return gather_cast(db, ROOT / "config")


@pytest.fixture
def agency(cast: Cast) -> Cast:
    """The agency "sunrise" (.id, .slug), with "other" beside it."""
    return cast
