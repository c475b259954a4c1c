"""The program in this process, on a test's own database."""

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

    def run(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["engage", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as leaving:
            main()
        printed = capsys.readouterr()
        encryption.use(ring)
        return Said(int(leaving.value.code or 0), printed.out, printed.err)

    return run


def _forget():  # type: ignore[no-untyped-def]
    from sqlalchemy import text

    return text("DELETE FROM installation")
