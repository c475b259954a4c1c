"""The audit's chain: made by the database for every writer, whole until somebody alters it; and the page that searches it."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import text

from engage.agencies.model import AuditEvent
from engage.db import Database, migrate
from engage.reports.chain import verify
from tests.cast import NOON, Cast
from tests.conftest import RING
from tests.flows.console.conftest import SignIn


def write(cast: Cast, count: int = 1, agency: int | None = None) -> None:
    where = agency or cast.id
    with cast.db.agency_session(where) as session:
        for number in range(count):
            detail = {"ä": number, "b": [1.50, None, True]}
            session.add(AuditEvent(agency_id=where, at=NOON, actor="cli:x", action="try", subject="y", detail=detail))


def tamper(db: Database, *statements: str) -> None:
    """As whoever owns the tables could: the promise is that it shows, not that it cannot be done."""
    with db.engine.begin() as connection:
        for table in ("audit_events", "audit_chain"):
            connection.execute(text(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY"))
        for statement in statements:
            connection.execute(text(statement))
        for table in ("audit_events", "audit_chain"):
            connection.execute(text(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY"))


def found(cast: Cast, kept: tuple[int, str] | None = None) -> tuple[int | None, str | None]:
    with cast.db.agency_session(cast.id) as session:
        chain = verify(session, kept)
    return chain.broken_event, chain.fault


def third(cast: Cast) -> int:
    with cast.db.agency_session(cast.id) as session:
        return int(session.scalars(text("SELECT event_id FROM audit_chain WHERE place = 3")).one())


def test_every_event_gets_its_place_whoever_writes_and_when(cast: Cast) -> None:
    """Eight at once, two agencies: no place twice, none left out, each agency by itself."""

    def busy(agency: int) -> Callable[[], None]:
        return lambda: [write(cast, 3, agency) for _ in range(5)] and None

    threads = [threading.Thread(target=busy(agency)) for agency in (cast.id, cast.other_id) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for agency in (cast.id, cast.other_id):
        with cast.db.agency_session(agency) as session:
            chain = verify(session)
            events = session.scalar(text("SELECT count(*) FROM audit_events"))
        assert (chain.is_whole, chain.length) == (True, events)
        assert chain.length >= 60


EVENT = "(SELECT event_id FROM audit_chain WHERE agency_id = {id} AND place = 3)"


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE audit_events SET actor = 'somebody else' WHERE agency_id = {id} AND id = {event}", "altered"),
        ("UPDATE audit_events SET detail = '{{}}' WHERE agency_id = {id} AND id = {event}", "altered"),
        (
            "UPDATE audit_events SET at = at + interval '1 microsecond' WHERE agency_id = {id} AND id = {event}",
            "altered",
        ),
        ("UPDATE audit_chain SET hash = sha256('x') WHERE agency_id = {id} AND place = 3", "altered"),
        ("DELETE FROM audit_chain WHERE agency_id = {id} AND event_id = {event}", "gap"),
    ],
)
def test_what_was_altered_is_found_at_the_first_place(cast: Cast, statement: str, fault: str) -> None:
    write(cast, 6)
    assert found(cast) == (None, None)
    event = third(cast)
    tamper(cast.db, statement.format(id=cast.id, event=event))
    broken, said = found(cast)
    assert said == fault
    assert broken in {event, event + 1}  # a gap shows at the next


def test_an_end_that_was_cut_off_needs_what_was_kept(cast: Cast) -> None:
    write(cast, 6)
    with cast.db.agency_session(cast.id) as session:
        chain = verify(session)
    last = "(SELECT max(place) FROM audit_chain WHERE agency_id = {id})"
    cut = f"WITH gone AS (DELETE FROM audit_chain WHERE agency_id = {{id}} AND place = {last} RETURNING event_id) SELECT 1"
    tamper(
        cast.db,
        "ALTER TABLE audit_chain DROP CONSTRAINT fk_audit_chain_agency_id_event_id",
        f"DELETE FROM audit_events WHERE agency_id = {cast.id} AND id = (SELECT max(id) FROM audit_events WHERE agency_id = {cast.id})",
    )
    assert found(cast)[1] == "removed"
    tamper(cast.db, cut.format(id=cast.id))
    assert found(cast) == (None, None)
    assert found(cast, (chain.length, chain.head)) == (None, "removed")


def test_reads_are_on_record_and_can_be_searched(signed_in: SignIn, cast: Cast) -> None:
    write(cast, 2)
    auditor = signed_in("auditor")
    assert "cli:x" in auditor.get("/console/audit/").text
    page = auditor.post("/console/audit/", data={"action": "read", "subject": "audit"}).text
    assert "cli:x" not in page
    assert "Pat Auditor" in page
    nothing = auditor.post(
        "/console/audit/", data={"actor": "nobody", "since": "2026-11-22", "until": "x", "subject_id": "9" * 30}
    )
    assert "Nothing fits" in nothing.text
    assert "Yes:" in auditor.post("/console/audit/verify").text
    tamper(cast.db, f"UPDATE audit_events SET actor = 'x' WHERE agency_id = {cast.id} AND actor = 'cli:x'")
    assert "No." in auditor.post("/console/audit/verify").text


def test_the_migration_chains_what_there_was(cast: Cast) -> None:
    """Rows of an older release, in the order of their ids; whatever is written afterwards goes on from them."""
    migrate.downgrade(cast.db, "0018_wording")
    write(cast, 4)
    migrate.upgrade(cast.db, RING)
    assert found(cast) == (None, None)
    write(cast, 2)
    with cast.db.agency_session(cast.id) as session:
        chain = verify(session)
        events = session.scalar(text("SELECT count(*) FROM audit_events"))
    assert (chain.is_whole, chain.length) == (True, events)
