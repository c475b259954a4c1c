"""A PostgreSQL server as our child: makes the cluster once, starts it, answers with an address, stops it.

It listens on a Unix socket in a folder closed to others, runs as another account when we are root, and ends with us.
What it logs holds no statement and no value.
"""

import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from types import MappingProxyType, TracebackType
from typing import BinaryIO, Self

import psycopg
from psycopg import sql
from sqlalchemy import URL

from engage import log
from engage.db.embedded import leftovers
from engage.db.embedded.account import Account, belong, clusters, prepare
from engage.db.embedded.binaries import PostgresBinaries, available_binaries, enterable, find_binaries
from engage.db.processes import start_child
from engage.errors import ConfigurationError

ROLE = DATABASE = "engage"
_PORT = 5432  # names the socket; there is no TCP
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "idle_in_transaction_session_timeout": "60s",
    "logging_collector": "off",
    # A statement or an error's detail can hold a patient's words: the client gets them, the log does not.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
_NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
_LONGEST_SOCKET = 103  # bytes of sockaddr_un.sun_path on macOS, without its closing zero; Linux has 107
_LARGEST_LOG = 10 * 2**20
_PAUSE = 0.004
_START_PATIENCE = 600.0  # recovery after a crash replays everything since the last checkpoint
_IMMEDIATE_PATIENCE = 10.0


class EmbeddedPostgres:
    """A server on the cluster in `data_dir`, with the role and database `engage`.

    `given` is the folder of PostgreSQL's programs (ENGAGE_POSTGRES_BIN), else they are found; `settings` are
    PostgreSQL's, over ours. `durable=False` is for tests and demonstrations: a crash of the machine may
    then cost the data. Use `usable_data_dir` first when the folder may be one that only root can enter. Not for use
    by two threads at once; the server ends with this process, not with the thread that called `start`.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        given: Path | None = None,
        settings: Mapping[str, str] = MappingProxyType({}),
        durable: bool = True,
    ) -> None:
        self.data_dir = data_dir.expanduser().resolve()
        self.log_file = self.data_dir / "postgres.log"
        self._given = given
        self._settings = dict(settings)
        self._durable = durable
        self._account: Account | None = None
        self._lock: int | None = None
        self._sockets: Path | None = None
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Start, making the cluster first if there is none; the address for the role `engage`.

        Raises ConfigurationError, in a sentence, when the folder, the programs or another server stand in the way.
        """
        if self.is_running:
            return self.url()
        self.stop()  # one that died by itself
        began = time.monotonic()
        try:
            self._account = prepare(self.data_dir)
            self._lock = leftovers.lock(self.data_dir)
            leftovers.remove_half_made(self.data_dir)
            binaries = self._matching_binaries()
            cluster = clusters(self.data_dir).get(binaries.major) or self._make_cluster(binaries)
            leftovers.make_way(cluster)
            self._sockets = self._make_socket_folder()
            self._launch(binaries, cluster)
            self._make_role_and_database()
        except BaseException as problem:
            self.stop()
            if isinstance(problem, PermissionError):
                raise ConfigurationError(
                    f"The database in {self.data_dir} belongs to another user ({problem.filename} cannot be used). "
                    "Run Engage as that user, or name another folder with ENGAGE_DATA_DIR."
                ) from None
            raise
        milliseconds = round((time.monotonic() - began) * 1000)
        log.get().info("embedded database started", postgres=binaries.major, milliseconds=milliseconds)
        return self.url()

    def stop(self, patience: float = 10.0) -> None:
        """Stop the server: sessions are ended, everything is written; after `patience` seconds at once, without that."""
        if self._child is not None:
            for how, seconds in (
                (signal.SIGINT, patience),
                (signal.SIGQUIT, _IMMEDIATE_PATIENCE),
                (signal.SIGKILL, None),
            ):
                self._child.send_signal(how)
                with suppress(subprocess.TimeoutExpired):
                    self._child.wait(seconds)
                    break
            if self._child.stdin is not None:
                self._child.stdin.close()
            self._child = None
        if self._sockets is not None and self._sockets.parent != self.data_dir:
            shutil.rmtree(self._sockets, ignore_errors=True)
        self._sockets = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def is_running(self) -> bool:
        """Whether the server is alive."""
        return self._child is not None and self._child.poll() is None

    @property
    def pid(self) -> int | None:
        """The server's process id while it is alive."""
        return self._child.pid if self._child is not None and self.is_running else None

    @property
    def superuser_url(self) -> str:
        """The address for the superuser, to the maintenance database; for tests and an operator, never for Engage."""
        return self._address("postgres", "postgres")

    def url(self, database: str = DATABASE) -> str:
        """The address of `database` for the role `engage`, which row-level security binds."""
        return self._address(ROLE, database)

    def create_database(self, name: str, template: str | None = None) -> str:
        """Make a database that belongs to `engage`, a copy of `template` if given; its address."""
        # FILE_COPY instead of writing every block to the log: 55 ms instead of 320 where nothing need be durable.
        pattern = sql.SQL(" TEMPLATE {} STRATEGY file_copy")
        copied = pattern.format(sql.Identifier(template)) if template else sql.SQL("")
        with self._superuser() as connection:
            command = sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(ROLE))
            connection.execute(command + copied)
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Remove the database, ending sessions that use it; none of that name is no error."""
        with self._superuser() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _matching_binaries(self) -> PostgresBinaries:
        """The first programs that fit the cluster that is there; any, if none is."""
        existing = clusters(self.data_dir)
        if not existing:
            return enterable(find_binaries(self._given), self._account)
        found = []
        for binaries in available_binaries(self._given):
            if binaries.major in existing:
                return enterable(binaries, self._account)
            found.append(str(binaries.major))
        made_by = " and ".join(map(str, sorted(existing)))
        raise ConfigurationError(
            f"The database in {self.data_dir} was made by PostgreSQL {made_by}, and the programs found are of version "
            f"{', '.join(found) or 'none'}. Install that version or name it with ENGAGE_POSTGRES_BIN; to move to another "
            "version, dump and restore."
        )

    def _make_cluster(self, binaries: PostgresBinaries) -> Path:
        """Make the cluster beside its place and move it there whole: a start that is killed leaves nothing half-made."""
        cluster = self.data_dir / f"pg{binaries.major}"
        making = self.data_dir / f"{cluster.name}.making-{token_hex(4)}"
        making.mkdir(0o700)
        if self._account is not None:
            self._account.take(making)
        how = ["--locale=C", "-E", "UTF8", "--auth=trust", "-U", "postgres", "--no-instructions", "--data-checksums"]
        how += [] if self._durable else ["--no-sync"]
        with tempfile.TemporaryFile() as said:
            child = self._start([binaries.program("initdb"), "-D", making, *how], said, signal.SIGTERM)
            failed = child.wait() != 0
            if child.stdin is not None:
                child.stdin.close()
            if failed:
                shutil.rmtree(making, ignore_errors=True)
                raise ConfigurationError(
                    f"PostgreSQL could not make a database in {self.data_dir}: {_last_words(said)}"
                )
        making.rename(cluster)
        if self._durable:
            descriptor = os.open(self.data_dir, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)
        return cluster

    def _make_socket_folder(self) -> Path:
        """A folder only the server's account can enter, with a path short enough for a socket."""
        mark = sha256(os.fsencode(self.data_dir)).hexdigest()[:12]
        places = [self.data_dir / "run"]
        places += [Path(root) / f"engage-{os.geteuid()}-{mark}" for root in (tempfile.gettempdir(), "/tmp")]  # noqa: S108
        for place in places:
            fits = len(os.fsencode(place / f".s.PGSQL.{_PORT}")) <= _LONGEST_SOCKET
            # PostgreSQL and its clients take a list of folders here, so no comma and no quotes.
            if not fits or set(str(place)) & set(",\"'"):
                continue
            with suppress(OSError):  # it is there, or may not be made: `_is_ours` will see
                place.mkdir(0o700)
            if not self._is_ours(place):
                continue
            if self._account is not None:
                self._account.take(place)
            for left in place.glob(".s.PGSQL.*"):  # the lock is ours: no server listens here
                left.unlink()
            return place
        raise ConfigurationError(
            f"There is no folder for the database's socket: {', '.join(map(str, places))} are too long or not ours. "
            "Name a shorter folder with ENGAGE_DATA_DIR."
        )

    def _is_ours(self, folder: Path) -> bool:
        """Whether it is a real folder, closed to others, that we made; a predictable name may have been taken."""
        try:
            found = folder.lstat()
        except OSError:
            return False
        owners = {os.geteuid(), self._account.uid if self._account else os.geteuid()}
        is_reachable = self._account is None or self._account.may_enter(folder.parent)
        return is_reachable and stat.S_ISDIR(found.st_mode) and found.st_uid in owners and not found.st_mode & 0o077

    def _launch(self, binaries: PostgresBinaries, cluster: Path) -> None:
        settings = _SETTINGS | ({} if self._durable else _NOT_DURABLE)
        if binaries.major >= 16:  # a role of 15 that may create roles may also grant them to itself
            settings["createrole_self_grant"] = "set, inherit"
        settings |= self._settings | {"unix_socket_directories": str(self._sockets), "port": str(_PORT)}
        command: list[str | Path] = [binaries.program("postgres"), "-D", cluster]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with self._open_log() as output:
            start_of_run = output.seek(0, os.SEEK_END)
            # SIGINT is PostgreSQL's fast shutdown: it ends sessions and writes everything.
            self._child = self._start(command, output, signal.SIGINT)
            if not self._becomes_ready(cluster, self._child):
                with self.log_file.open("rb") as said:
                    said.seek(start_of_run)
                    words = _last_words(said, start_of_run)
                raise ConfigurationError(f"PostgreSQL did not start: {words} ({self.log_file} has the rest.)")

    def _start(self, command: list[str | Path], output: BinaryIO, death_signal: int) -> subprocess.Popen[bytes]:
        # Not our environment: PGPORT and its kin would change what the server does.
        environment = {"PATH": os.defpath, "HOME": str(self.data_dir), "LC_ALL": "C", "TZ": "UTC"}
        kept = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
        environment |= {name: os.environ[name] for name in kept if name in os.environ}
        account = (self._account.uid, self._account.gid) if self._account else None
        return start_child(command, environment=environment, output=output, death_signal=death_signal, account=account)

    def _becomes_ready(self, cluster: Path, child: subprocess.Popen[bytes]) -> bool:
        until = time.monotonic() + _START_PATIENCE
        while child.poll() is None and time.monotonic() < until:
            lines = leftovers.pid_file_lines(cluster)
            if len(lines) >= 8 and int(lines[0]) == child.pid and lines[7].strip() == "ready":
                return True
            time.sleep(_PAUSE)
        return False

    def _open_log(self) -> BinaryIO:
        descriptor = os.open(self.log_file, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        belong(descriptor, self.data_dir)
        if os.fstat(descriptor).st_size > _LARGEST_LOG:
            os.ftruncate(descriptor, 0)
        return os.fdopen(descriptor, "ab")

    def _make_role_and_database(self) -> None:
        """Make what is missing, at every start: the first one may have been killed in between."""
        role, database = sql.Identifier(ROLE), sql.Identifier(DATABASE)
        rights = sql.SQL("LOGIN NOSUPERUSER NOCREATEDB CREATEROLE NOREPLICATION NOBYPASSRLS")
        as_it_should_be = (
            "rolcanlogin AND rolcreaterole AND NOT (rolsuper OR rolcreatedb OR rolreplication OR rolbypassrls)"
        )
        with self._superuser() as connection:
            found = connection.execute(
                f"SELECT (SELECT {as_it_should_be} FROM pg_roles WHERE rolname = %s),"  # noqa: S608 - our own words
                " EXISTS (SELECT FROM pg_database WHERE datname = %s)",
                (ROLE, DATABASE),
            ).fetchone()
            is_right, has_database = found or (None, False)
            if is_right is None:
                connection.execute(sql.SQL("CREATE ROLE {} {}").format(role, rights))
            elif not is_right:
                connection.execute(sql.SQL("ALTER ROLE {} {}").format(role, rights))
            if not has_database:
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, role))

    def _superuser(self) -> psycopg.Connection:
        # port and host are named, so that PGPORT and PGHOST of our environment do not count
        return psycopg.connect(host=str(self._sockets), port=_PORT, user="postgres", dbname="postgres", autocommit=True)

    def _address(self, user: str, database: str) -> str:
        if self._sockets is None:
            raise RuntimeError("The embedded database has no address before start().")
        query = {"host": str(self._sockets), "port": str(_PORT)}
        url = URL.create("postgresql+psycopg", username=user, host="", database=database, query=query)
        return url.render_as_string(hide_password=False)


def _last_words(said: BinaryIO, begin: int = 0) -> str:
    """Why the program gave up: the last line that says so, else the last line."""
    said.seek(begin)
    lines = [line.strip() for line in said.read().decode(errors="replace").splitlines() if line.strip()]
    blamed = [line for line in lines if "FATAL" in line or "error:" in line or "could not" in line]
    return (blamed or lines or ["it said nothing."])[-1]
