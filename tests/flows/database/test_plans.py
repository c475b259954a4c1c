"""Which sessions keep the plans of their statements, and which plan anew: a polling verb must not keep a plan made for no rows."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from engage.db import Database

Entry = Callable[[Database], AbstractContextManager[Session]]
KEPT = text(
    "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%alert_rules%' AND statement NOT LIKE '%prepared%'"
)


def by_key(db: Database) -> AbstractContextManager[Session]:
    return db.system_session("test", by_key=True)


@pytest.mark.parametrize(
    ("enter", "kept", "scans"),
    [
        (by_key, 1, "off"),
        (lambda db: db.system_session("test"), 0, "on"),
        (lambda db: db.agency_session(1), 0, "on"),
    ],
    ids=["by key", "system", "agency"],
)
def test_plans_are_kept_only_where_rows_are_found_by_keys(db: Database, enter: Entry, kept: int, scans: str) -> None:
    one = Database(db.url, pool_size=1)
    for _ in range(10):
        with enter(one) as session:
            session.execute(text("SELECT id FROM alert_rules WHERE agency_id = :agency"), {"agency": 1}).all()
    with enter(one) as session:
        assert session.scalar(KEPT) == kept
        assert session.execute(text("SHOW enable_seqscan")).scalar_one() == scans
    one.close()


def test_a_connection_that_has_kept_plans_plans_anew_for_the_next_session(db: Database) -> None:
    one = Database(db.url, pool_size=1)
    with by_key(one):
        pass
    for _ in range(10):
        with one.system_session("test") as session:
            session.execute(text("SELECT id FROM alert_rules WHERE agency_id = :agency"), {"agency": 1}).all()
    with one.system_session("test") as session:
        assert session.scalar(KEPT) == 0
    one.close()


def test_a_text_and_its_commit_in_one_go_scan_no_table_either(db: Database) -> None:
    assert db.at_once("test", "SELECT current_setting('enable_seqscan')", {}) == ("off",)
