"""Opening an embedded database: two programs share one folder, its secrets are private and last, a wrong set-up is told."""

import base64
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from engage.db import encryption
from engage.db.opening import complete, opened, ring_of
from engage.errors import ConfigurationError
from engage.settings import Settings, load
from tests.conftest import RING

KEYS = f"k1:{base64.b64encode(bytes(32)).decode()}"
SECRET = "x" * 40

SECOND = """
import sys
from engage.db.opening import complete, opened
from engage.settings import load
with complete(load(data_dir=sys.argv[1]), durable=False) as filled, opened(filled) as (db, ring):
    with db.engine.connect() as connection:
        said = connection.exec_driver_sql("SELECT pg_postmaster_start_time()::text").scalar_one()
    print(said, ring.fingerprint.hex())
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that an account other than root can reach, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="engage-test-") as made:
        Path(made).chmod(0o755)
        yield Path(made) / "data"


@pytest.fixture(autouse=True)
def _ring_of_the_tests() -> Iterator[None]:
    yield
    encryption.use(RING)


def secret_of(filled: Settings) -> str:
    assert filled.secret_key is not None
    return filled.secret_key.get_secret_value()


@pytest.mark.slow
def test_a_second_program_attaches_to_the_server_of_the_first(folder: Path) -> None:
    with complete(load(data_dir=folder), durable=False) as filled, opened(filled) as (db, ring):
        with db.engine.connect() as connection:
            started = connection.exec_driver_sql("SELECT pg_postmaster_start_time()::text").scalar_one()
        command = [sys.executable, "-c", SECOND, str(folder)]
        second = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert second.stdout.strip() == f"{started} {ring.fingerprint.hex()}", second.stderr
        db.check()  # the second one has ended, and the server is still ours
    assert not (folder / "address").exists()


@pytest.mark.slow
def test_the_secrets_are_private_and_last(folder: Path) -> None:
    seen = []
    for _ in range(2):
        with complete(load(data_dir=folder), durable=False) as filled:
            ring_of(filled)
            seen.append(secret_of(filled))
            for name in ("secrets", "address"):
                assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    assert seen[0] == seen[1]
    assert len(seen[0]) >= 32
    assert not list(folder.glob("*.partly"))


@pytest.mark.slow
def test_keys_that_are_set_are_stronger_than_those_that_were_made(folder: Path) -> None:
    with complete(load(data_dir=folder, secret_key=SECRET, encryption_keys=KEYS), durable=False) as filled:
        assert secret_of(filled) == SECRET
        assert ring_of(filled).current == "k1"


def test_a_given_database_needs_given_keys() -> None:
    settings = load(database_url="postgresql://nobody@127.0.0.1:9/none")
    with (
        pytest.raises(ConfigurationError, match="ENGAGE_SECRET_KEY and ENGAGE_ENCRYPTION_KEYS must be set"),
        complete(settings),
    ):
        pass


def test_a_database_that_does_not_answer_is_told_in_a_sentence() -> None:
    settings = load(database_url="postgresql://nobody:hush@127.0.0.1:9/none", secret_key=SECRET, encryption_keys=KEYS)
    with (
        pytest.raises(ConfigurationError, match="does not answer") as told,
        complete(settings) as filled,
        opened(filled),
    ):
        pass
    assert "hush" not in str(told.value)
    assert filled.encryption_keys == SecretStr(KEYS)
    with pytest.raises(ConfigurationError, match="not set"):
        encryption.ring()  # a failed opening leaves no keys behind


def test_an_empty_database_asks_for_its_migrations(folder: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ENGAGE_")}
    code = "from engage.cli import main; main()"
    command = [sys.executable, "-c", code, "db", "check"]
    given = {
        "ENGAGE_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none",
        "ENGAGE_SECRET_KEY": SECRET,
        "ENGAGE_ENCRYPTION_KEYS": KEYS,
    }
    done = subprocess.run(command, capture_output=True, text=True, env=environment | given, check=False, timeout=60)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
