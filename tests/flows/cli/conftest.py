"""The program in this process, on a test's own database."""

import base64
import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from engage.cli import main
from engage.db import Database, encryption, migrate
from engage.db.encryption import KeyRing
from engage.settings import parse_key_ring

SECRET = "a secret that only these tests use, long enough"
KEYS = "k1:" + "B" * 43 + "="


@dataclass(frozen=True)
class Said:
    """What the program printed, and its exit code."""

    code: int
    out: str
    err: str


Program = Callable[..., Said]


@pytest.fixture
def engage(
    db: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Program:
    """`engage("agency", "list")` runs the command on a fresh, migrated database."""
    ring = KeyRing(parse_key_ring(KEYS), SECRET)
    with db.system_session("test") as session:
        session.execute(_forget())
    migrate.upgrade(db, ring)
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "DATABASE_URL": db.url,
        "SECRET_KEY": SECRET,
        "ENCRYPTION_KEYS": KEYS,
        "LOG_LEVEL": "ERROR",
    }.items():
        monkeypatch.setenv(f"ENGAGE_{name}", value)

    return program(monkeypatch, capsys, ring)


def program(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], ring: KeyRing) -> Program:
    """Runs `engage ...` in this process; the last argument after "<" is standard input. `ring` is put back afterwards."""

    def run(*arguments: str) -> Said:
        words, _, said = " \0 ".join(arguments).partition(" \0 < \0 ")
        monkeypatch.setattr(sys, "argv", ["engage", *(words.split(" \0 ") if words else ())])
        monkeypatch.setattr(sys, "stdin", io.StringIO(said))
        capsys.readouterr()
        with pytest.raises(SystemExit) as leaving:
            main()
        printed = capsys.readouterr()
        encryption.use(ring)  # the program has put its own away
        return Said(int(leaving.value.code or 0), printed.out, printed.err)

    return run


def with_the_tests_keys(monkeypatch: pytest.MonkeyPatch, folder: Path, url: str) -> None:
    """Settings of the program for a database that was filled under the tests' own keys."""
    monkeypatch.chdir(folder)
    values = {
        "DATABASE_URL": url,
        "SECRET_KEY": "a secret that only tests use, and long enough",
        "ENCRYPTION_KEYS": f"test:{base64.b64encode(bytes([7]) * 32).decode()}",
        "LOG_LEVEL": "ERROR",
    }
    for name, value in values.items():
        monkeypatch.setenv(f"ENGAGE_{name}", value)


def _forget():  # type: ignore[no-untyped-def]
    from sqlalchemy import text

    return text("DELETE FROM installation")
