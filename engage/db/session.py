"""The only two doors to a session. Each is one transaction that commits at its end or leaves nothing.

`agency_session` drops to a role that row-level security binds to one agency; `system_session` sees all and says why.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DisconnectionError, OperationalError
from sqlalchemy.orm import Session

from engage.errors import ConfigurationError

AGENCY_ROLE = "engage_agency"
SYSTEM_ROLE = "engage_system"
# A claim that a crash of the server forgets is a text sent twice, a reply that it forgets is a patient nobody called: what we
# commit is on its disk, also on a server that was set up not to wait for that.
_KEPT = (
    " set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'local'"
    " ELSE current_setting('synchronous_commit') END, true)"
)
_ENTER = text(
    "SELECT set_config('role', :role, true), set_config('engage.agency_id', :agency, true),"
    # PostgreSQL would compile a query that looks dear; ours are short, and the compiling cost ten times their run.
    " set_config('engage.reason', :reason, true), set_config('jit', 'off', true),"
    " set_config('enable_seqscan', :scans, true), set_config('plan_cache_mode', :plans, true)," + _KEPT
)

_ENTER_AT_ONCE = (
    "SELECT set_config('role', %s, true), set_config('engage.agency_id', %s, true),"
    " set_config('engage.reason', %s, true), set_config('jit', 'off', true),"
    " set_config('enable_seqscan', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true)," + _KEPT
)
_PLAN_AFTER = 2  # runs
_MOST_PLANS = 500  # of one connection
_IDLE = 1.0  # seconds after which a connection is looked at before it is used: a restart of the database takes longer


def _note_use(_: Any, record: Any) -> None:
    record.info["used"] = time.monotonic()


def _ping_if_idle(dbapi_connection: Any, record: Any, _: Any) -> None:
    """Looking at each connection each time would be a round trip for every text."""
    if time.monotonic() - record.info.get("used", 0.0) < _IDLE:
        return
    try:
        dbapi_connection.execute("SELECT 1")
        dbapi_connection.rollback()
    except psycopg.Error:
        raise DisconnectionError from None  # the pool takes another one


class Database:
    """A PostgreSQL database and its pool. Threads may share it; a forked process must make its own."""

    def __init__(self, url: str, *, pool_size: int = 10, name: str = "engage", prepares: bool = False) -> None:
        """`prepares`: statements that come again and again are planned once; not for a worker (see below)."""
        self.url = url
        self._prepares = prepares
        self._engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_use_lifo=True,  # the connection that was used last has the plans
            hide_parameters=True,  # an error must not show a patient's words
            # prepare_threshold=None: a polling worker must not cache a plan that was made for an empty outbox.
            connect_args={
                "prepare_threshold": _PLAN_AFTER if prepares else None,
                "application_name": name,
                "connect_timeout": 10,
            },
        )
        event.listen(self._engine, "checkout", _ping_if_idle)
        event.listen(self._engine, "checkin", _note_use)

    @property
    def address(self) -> str:
        """The address as PostgreSQL's own library reads it; it holds the password."""
        return make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)

    @property
    def engine(self) -> Engine:
        """The pool below the doors: for migrations and `engage db check` only."""
        return self._engine

    @contextmanager
    def agency_session(self, agency_id: int) -> Iterator[Session]:
        """A transaction that can reach the rows of one agency and no others, whatever its queries say."""
        with self._enter(AGENCY_ROLE, str(agency_id), "", by_key=False) as session:
            yield session

    @contextmanager
    def system_session(self, reason: str, *, by_key: bool = False) -> Iterator[Session]:
        """A transaction over all agencies, for the verbs that serve every agency at once; `reason` names the verb.

        `by_key`: all its statements find their rows by keys and come again and again, as those for one reply or one batch
        do. No table is read as a whole, and a statement is planned once for a connection instead of each time.
        """
        with self._enter(SYSTEM_ROLE, "", reason, by_key=by_key) as session:
            yield session

    @contextmanager
    def _enter(self, role: str, agency: str, reason: str, *, by_key: bool) -> Iterator[Session]:
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            driver = cast("psycopg.Connection[Any]", session.connection().connection.driver_connection)
            driver.prepare_threshold = _PLAN_AFTER if by_key or self._prepares else None
            driver.prepared_max = _MOST_PLANS
            ways = {"scans": "off", "plans": "force_generic_plan"} if by_key else {"scans": "on", "plans": "auto"}
            session.execute(_ENTER, {"role": role, "agency": agency, "reason": reason, **ways})
            yield session

    def at_once(self, reason: str, statement: str, values: Mapping[str, object]) -> tuple[Any, ...] | None:
        """One statement as a system transaction of its own, and its first row: begin, role, statement and commit go out together.

        For the doors that many knock at. `statement` has psycopg's placeholders. Raises psycopg.Error.
        """
        pooled = self._engine.raw_connection()
        try:
            connection = cast("psycopg.Connection[tuple[Any, ...]]", pooled.driver_connection)
            with connection.pipeline():
                connection.execute(_ENTER_AT_ONCE, (SYSTEM_ROLE, "", reason))
                cursor = connection.execute(statement, values)
                connection.commit()
            return cursor.fetchone()
        finally:
            pooled.close()  # which rolls back what was not committed

    def check(self) -> None:
        """ConfigurationError, in one sentence, when the database does not answer or is too old."""
        try:
            with self._engine.connect() as connection:
                version: Any = connection.execute(
                    text("SELECT current_setting('server_version_num')::int")
                ).scalar_one()
        except OperationalError as problem:
            said = str(problem.orig).strip().splitlines()[-1] if problem.orig else "no answer"
            raise ConfigurationError(f"The database of ENGAGE_DATABASE_URL does not answer: {said}") from None
        if version < 150000:
            raise ConfigurationError(f"Engage needs PostgreSQL 15 or newer; this is {version // 10000}.")

    def close(self) -> None:
        """Give every connection back."""
        self._engine.dispose()
