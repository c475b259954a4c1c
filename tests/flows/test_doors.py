"""Promise 5: the database itself keeps one agency's rows from another, whatever a query says."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

import engage.agencies.model
import engage.alerts.model
import engage.console.model
import engage.db.model
import engage.outreach.model
import engage.patients.model
import engage.replies.model
import engage.visits.model  # noqa: F401 - every table must be known
from engage.db import Base, Database
from tests.cast import Cast

AGENCY_TABLES = sorted(
    name for name, table in Base.metadata.tables.items() if "agency_id" in table.c or name == "agencies"
)
LEDGERS = [
    "alert_events",
    "audit_chain",
    "audit_events",
    "consent_events",
    "message_events",
    "patient_openings",
    "receipts",
]
INSERTED_ONLY = [*LEDGERS, "changes"]  # an agency may add to the planner's log; only the planner removes
SYSTEM_TABLES = sorted(set(Base.metadata.tables) - set(AGENCY_TABLES))


def key_of(table: str) -> str:
    return "id" if table == "agencies" else "agency_id"


def test_every_table_of_the_database_is_guarded(db: Database) -> None:
    with db.engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT relname, relrowsecurity AND relforcerowsecurity FROM pg_class"
                " WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'"
            )
        ).all()
    assert {name for name, guarded in rows if guarded} == set(Base.metadata.tables)


@pytest.mark.parametrize("table", AGENCY_TABLES)
def test_the_wrong_agency_sees_and_changes_nothing(table: str, cast: Cast) -> None:
    key = key_of(table)
    with cast.db.agency_session(cast.other_id) as session:
        assert (
            session.execute(text(f"SELECT count(*) FROM {table} WHERE {key} = :id"), {"id": cast.id}).scalar_one() == 0
        )
    if table in INSERTED_ONLY:
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            cast.db.agency_session(cast.other_id) as session,
        ):
            session.execute(text(f"DELETE FROM {table}"))
    else:
        with cast.db.agency_session(cast.other_id) as session:
            gone = session.execute(text(f"DELETE FROM {table} WHERE {key} = :id RETURNING 1"), {"id": cast.id}).all()
        assert gone == []


@pytest.mark.parametrize("table", ["patients", "messages", "alerts", "templates"])
def test_a_row_cannot_be_given_to_another_agency(table: str, cast: Cast) -> None:
    with cast.db.system_session("count") as session:
        mine = session.execute(
            text(f"SELECT count(*) FROM {table} WHERE agency_id = :id"), {"id": cast.id}
        ).scalar_one()
    if mine == 0:
        cast_insert_refused(cast, table)
        return
    with pytest.raises(ProgrammingError, match="row-level security"), cast.db.agency_session(cast.id) as session:
        session.execute(text(f"UPDATE {table} SET agency_id = :other"), {"other": cast.other_id})


def cast_insert_refused(cast: Cast, table: str) -> None:
    with pytest.raises(ProgrammingError, match="row-level security"), cast.db.agency_session(cast.other_id) as session:
        session.execute(text(f"INSERT INTO {table} (agency_id) VALUES (:id)"), {"id": cast.id})


@pytest.mark.parametrize("table", SYSTEM_TABLES)
def test_an_agency_has_no_right_to_the_installations_tables(table: str, cast: Cast) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), cast.db.agency_session(cast.id) as session:
        session.execute(text(f"SELECT * FROM {table}"))


@pytest.mark.parametrize("table", AGENCY_TABLES)
def test_outside_the_doors_even_the_owner_sees_nothing(table: str, cast: Cast) -> None:
    with cast.db.engine.connect() as connection:
        assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0


def test_nobody_here_is_superuser_or_may_bypass(cast: Cast) -> None:
    with cast.db.engine.connect() as connection:
        roles = connection.execute(
            text(
                "SELECT rolname FROM pg_roles WHERE rolname IN (current_user, 'engage_agency', 'engage_system') AND (rolsuper OR rolbypassrls)"
            )
        ).all()
    assert roles == []


def test_a_door_leaves_nothing_behind_in_the_pool(cast: Cast) -> None:
    with cast.db.agency_session(cast.id):
        pass
    with cast.db.engine.connect() as connection:
        role, agency = connection.execute(text("SELECT current_user, current_setting('engage.agency_id', true)")).one()
    assert role == "engage"
    assert agency in {None, ""}


@pytest.mark.parametrize("table", LEDGERS)
def test_the_ledgers_are_append_only(table: str, cast: Cast) -> None:
    for statement in (f"UPDATE {table} SET agency_id = agency_id", f"DELETE FROM {table}"):
        with pytest.raises(ProgrammingError, match="permission denied"), cast.db.agency_session(cast.id) as session:
            session.execute(text(statement))
        with pytest.raises(ProgrammingError, match="permission denied"), cast.db.system_session("try") as session:
            session.execute(text(statement))
