"""What we commit is on the server's disk: a claim that a crash of the server forgets would be a text sent twice."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.orm import Session

from engage.db import Database

Entry = Callable[[Database], AbstractContextManager[Session]]


@pytest.mark.parametrize(
    "enter",
    [lambda db: db.system_session("test"), lambda db: db.agency_session(1)],
    ids=["system", "agency"],
)
def test_a_commit_waits_for_the_disk_on_a_server_that_would_not(db: Database, enter: Entry) -> None:
    with db.engine.connect() as plain:
        assert (
            plain.execute(text("SHOW synchronous_commit")).scalar_one() == "off"
        )  # the tests' server: else nothing is shown
    with enter(db) as session:
        assert session.execute(text("SHOW synchronous_commit")).scalar_one() == "local"


def test_nor_do_statements_in_one_go_forget(db: Database) -> None:
    assert db.at_once("test", "SELECT current_setting('synchronous_commit')", {}) == ("local",)


def test_a_stricter_server_stays_as_it_is(db: Database) -> None:
    strict = Database(
        make_url(db.address)
        .update_query_dict({"options": "-c synchronous_commit=remote_write"})
        .render_as_string(hide_password=False)
    )
    try:
        with strict.system_session("test") as session:
            assert session.execute(text("SHOW synchronous_commit")).scalar_one() == "remote_write"
    finally:
        strict.close()
