"""Shared fixtures: a real PostgreSQL for each test process, a fresh migrated database for each test, and the cast."""

from __future__ import annotations

import itertools
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from engage import log
from engage.db import Database, encryption, migrate
from engage.db.embedded import EmbeddedPostgres
from engage.db.encryption import KeyRing
from tests.cast import Cast, gather_cast

_PLENTY = 4 * 2**30
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
        tempfile.TemporaryDirectory(prefix="engage-", dir=_quick_folder()) as folder,
        EmbeddedPostgres(Path(folder), durable=False) as postgres,
    ):
        postgres.create_database("pattern")
        encryption.use(RING)
        pattern = Database(postgres.url("pattern"), pool_size=1)
        migrate.upgrade(pattern, RING)
        pattern.close()
        yield postgres


def _quick_folder() -> Path | None:
    """Memory, where the machine has plenty of it: a copied database then costs a third. Else the usual folder."""
    memory = Path("/dev/shm")
    is_large = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _PLENTY
    return memory if is_large else None


@pytest.fixture(scope="session")
def gathered(server: EmbeddedPostgres) -> Cast:
    """The cast in a database of its own, to copy from."""
    server.create_database("with_cast", template="pattern")
    encryption.use(RING)
    database = Database(server.url("with_cast"), pool_size=1)
    cast = gather_cast(database, ROOT / "config")
    database.close()
    return cast


_numbers = itertools.count(1)


@pytest.fixture
def db(server: EmbeddedPostgres, request: pytest.FixtureRequest) -> Iterator[Database]:
    """A fresh database, migrated; empty, but for the cast where the test has asked for it."""
    name, has_cast = f"test_{next(_numbers)}", "cast" in request.fixturenames
    if has_cast:
        request.getfixturevalue("gathered")
    server.create_database(name, template="with_cast" if has_cast else "pattern")
    encryption.use(RING)
    database = Database(server.url(name), pool_size=5)
    yield database
    database.close()
    server.drop_database(name)


@pytest.fixture
def cast(db: Database, gathered: Cast) -> Cast:
    """Two agencies, so that a stranger is in every test: the sunrise's people, and the other's."""
    return replace(gathered, db=db)


@pytest.fixture
def agency(cast: Cast) -> Cast:
    """The agency "sunrise" (.id, .slug), with "other" beside it."""
    return cast
