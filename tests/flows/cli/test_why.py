"""engage why on real rows: the story of a text, and of a text that there was not."""

import base64
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from freezegun import freeze_time
from sqlalchemy import text, update

from engage.cli import main
from engage.outreach.model import MessageEvent
from engage.outreach.plan import plan
from engage.outreach.rules.words import Turn
from engage.patients.model import ConsentEvent, Contact, Patient
from tests.cast import MONDAY, NOON, ROSE_PHONE, Cast
from tests.flows.cli.conftest import Program, Said
from tests.flows.outreach.desk import Desk, desk_of


@pytest.fixture
def desk(cast: Cast) -> Iterator[Desk]:
    """Sunrise with the fake Twilio, at noon on the Sunday before Rose's visit."""
    with freeze_time(NOON, real_asyncio=True) as time, desk_of(cast, time) as made:
        yield made


@pytest.fixture
def engage(cast: Cast, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Program:
    """The program on the cast's database, with the keys of the tests."""
    monkeypatch.chdir(tmp_path)
    values = {
        "DATABASE_URL": cast.db.url,
        "SECRET_KEY": "a secret that only tests use, and long enough",
        "ENCRYPTION_KEYS": f"test:{base64.b64encode(bytes([7]) * 32).decode()}",
        "LOG_LEVEL": "ERROR",
    }
    for name, value in values.items():
        monkeypatch.setenv(f"ENGAGE_{name}", value)

    def run(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["engage", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as leaving:
            main()
        printed = capsys.readouterr()
        return Said(int(leaving.value.code or 0), printed.out, printed.err)

    return run


def test_look(desk: Desk, engage: Program) -> None:
    cast = desk.cast
    cast.visit(cast.rose)
    m = desk.checkin()
    desk.dispatch(); desk.deliver()
    ans = desk.answer()
    desk.dispatch(); desk.deliver()
    note = desk.note(); desk.dispatch(); desk.deliver()
    plan(cast.db, datetime(2026,11,22,17,5,tzinfo=UTC))
    for x in (m, ans, note):
        _p(engage("why", str(x)).out)
    _p(engage("why", str(m), "--json", "--text", "--proof").out)
    s = engage("why", "--patient", "rose", "--on", "2026-11-23", "--agency", "sunrise")
    _p(s.out, s.err)
    s = engage("why", "--patient", "rose", "--on", "2026-11-22", "--agency", "sunrise")
    _p(s.out, s.err)
    s = engage("why", "--patient", "marta", "--on", "2026-11-25", "--agency", "sunrise")
    _p(s.out, s.err)



def _p(*a):
    with open('/tmp/out.txt','a') as f:
        f.write(" ".join(a)+"\n-----\n")
