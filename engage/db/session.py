"""The only two doors to a session. Each is one transaction that commits at its end or leaves nothing.

`agency_session` drops to a role that row-level security binds to one agency; `system_session` sees all and says why.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from engage.errors import ConfigurationError

AGENCY_ROLE = "engage_agency"
SYSTEM_ROLE = "engage_system"
_ENTER = text(
    "SELECT set_config('role', :role, true), set_config('engage.agency_id', :agency, true),"
    # PostgreSQL would compile a query that looks dear; ours are short, and the compiling cost ten times their run.
    " set_config('engage.reason', :reason, true), set_config('jit', 'off', true)"
)


class Database:
    """A PostgreSQL database and its pool. Threads may share it; a forked process must make its own."""

    def __init__(self, url: str, *, pool_size: int = 10, name: str = "engage") -> None:
        self.url = url
        self._engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_pre_ping=True,
            hide_parameters=True,  # an error must not show a patient's words
            # prepare_threshold=None: a polling worker must not cache a plan that was made for an empty outbox.
            connect_args={"prepare_threshold": None, "application_name": name, "connect_timeout": 10},
        )

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
        with self._enter(AGENCY_ROLE, str(agency_id), "") as session:
            yield session

    @contextmanager
    def system_session(self, reason: str) -> Iterator[Session]:
        """A transaction over all agencies, for the verbs that serve every agency at once; `reason` names the verb."""
        with self._enter(SYSTEM_ROLE, "", reason) as session:
            yield session

    @contextmanager
    def _enter(self, role: str, agency: str, reason: str) -> Iterator[Session]:
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            session.execute(_ENTER, {"role": role, "agency": agency, "reason": reason})
            yield session

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
