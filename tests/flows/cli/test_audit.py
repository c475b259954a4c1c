"""engage audit: clean is exit 0, a finding is exit 1 with its ids and without anybody's name."""

import json

from sqlalchemy import text

from engage.db import Database
from tests.cast import NOON, gather_cast
from tests.conftest import ROOT
from tests.flows.cli.conftest import Program


def test_it_looks_now_and_says_what_it_finds(engage: Program, db: Database) -> None:
    said = engage("audit")
    assert (said.code, said.out) == (0, "All is clean.\n")
    cast = gather_cast(db, ROOT / "config")
    with db.system_session("test") as session:
        session.execute(
            text("UPDATE clinicians SET texts_stopped_at = :now, page_channels = '{sms}' WHERE id = :ben"),
            {"now": NOON, "ben": cast.ben},
        )
    said = engage("audit", "--json")
    assert said.code == 1
    assert json.loads(said.out) == {"finding": "unreachable", "count": 1, "some": [f"{cast.id}/{cast.ben}"]}
    assert "1 person(s) with a shift" in engage("audit").out
