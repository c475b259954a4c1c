"""The stage of a measurement: a durable PostgreSQL, the light provider and the real program in processes of their own.

PostgreSQL is the embedded one with its durable settings (fsync and synchronous_commit on). Everything ends with us.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from http.client import HTTPConnection
from pathlib import Path
from signal import SIGTERM
from typing import Any, Self

import psycopg
from sqlalchemy import text
from sqlalchemy.engine import make_url

from bench.patients import Town, forget_new, settle
from engage import log
from engage.db import Database, encryption, migrate
from engage.db.embedded import EmbeddedPostgres
from engage.db.encryption import KeyRing
from engage.db.processes import start_child
from engage.settings import parse_key_ring
from engage.simulation.world import environment_for, free_port

ROOT = Path(__file__).resolve().parent.parent
ACCOUNT = "AC" + "b" * 32
TOKEN = "a token only benches use"
PATIENCE = 120.0


class Provider:
    """The light provider of bench/provider.py in its own process, and what it knows."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._line = HTTPConnection("127.0.0.1", port, timeout=60)

    def count(self) -> int:
        """How many texts have come since the last reset."""
        return int(self._ask("GET", "/count"))

    def report(self) -> dict[str, Any]:
        """See Ledger.report."""
        return dict(self._ask("GET", "/report"))

    def phones(self) -> list[tuple[float, str, str]]:
        """Every text since the last reset: monotonic instant, number, words."""
        return [(at, to, body) for at, to, body in self._ask("GET", "/phones")]

    def reset(self, delay_ms: float) -> None:
        """Forget what came, and answer after `delay_ms` from now on."""
        self._ask("POST", f"/reset/{delay_ms}")

    def _ask(self, method: str, path: str) -> Any:
        self._line.request(method, path, headers={"Content-Length": "0"} if method == "POST" else {})
        return json.loads(self._line.getresponse().read())


class Stage:
    """A context with everything on it; `settings` are PostgreSQL's over the embedded server's own."""

    def __init__(self, patients: int, nurses: int = 0, settings: Mapping[str, str] | None = None) -> None:
        self._stack = ExitStack()
        self._wanted = (patients, nurses)
        self._settings = {"max_connections": "300", **(settings or {})}

    def __enter__(self) -> Self:
        try:
            self._set_up()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _set_up(self) -> None:
        log.configure("ERROR")
        stack = self._stack
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="engage-bench-")))
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="engage-bench-")))
        self.log_file = self.folder / "log"
        self._log = stack.enter_context(self.log_file.open("wb"))
        self.server = EmbeddedPostgres(data, settings=self._settings)
        self.server.start()
        stack.callback(self.server.stop)
        keys, secret = f"k:{base64.b64encode(os.urandom(32)).decode()}", secrets.token_urlsafe(48)
        ring = KeyRing(parse_key_ring(keys), secret)
        encryption.use(ring)
        self.db = Database(self.server.url(), pool_size=2, name="bench")
        stack.callback(self.db.close)
        migrate.upgrade(self.db, ring)
        self.town: Town = settle(self.db, *self._wanted)
        self.superuser = stack.enter_context(psycopg.connect(self._superuser_address(), autocommit=True))
        self.superuser.execute("VACUUM ANALYZE")
        self.provider = self._start_provider()
        self.web_port = free_port()
        self.web_url = f"http://127.0.0.1:{self.web_port}"
        self._program = {
            "ENGAGE_DATABASE_URL": self.server.url(),
            "ENGAGE_SECRET_KEY": secret,
            "ENGAGE_ENCRYPTION_KEYS": keys,
            "ENGAGE_PUBLIC_URL": self.web_url,
            "ENGAGE_WEB_PORT": str(self.web_port),
            "ENGAGE_TWILIO_ACCOUNT_SID": ACCOUNT,
            "ENGAGE_TWILIO_AUTH_TOKEN": TOKEN,
            "ENGAGE_TWILIO_API_URL": self.provider.url,
            "ENGAGE_LOG_LEVEL": "ERROR",
            # Nothing but what we made due is due within the next hour: see bench/patients.py.
            "ENGAGE_PLAN_HORIZON_HOURS": "1",
        }

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Of the program and of every other process; `more` are settings by their names with ENGAGE_, or anything else."""
        # The processes start in another folder and must still run this checkout.
        return environment_for({**self._program, "PYTHONPATH": str(ROOT), **(more or {})})

    def launch(self, *command: str, more: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """A Python process `python -m command…`, ended with the stage at the latest."""
        whole = [sys.executable, "-m", *command]
        child = start_child(whole, environment=self.environment(more), output=self._log, death_signal=SIGTERM)
        self._stack.callback(end, child)
        return child

    def start_workers(self, count: int, more: Mapping[str, str] | None = None) -> list[subprocess.Popen[bytes]]:
        """`count` real workers, warm: each has run every verb once."""
        with self.db.system_session("bench") as session:
            session.execute(text("DELETE FROM ticks"))
        workers = [self.launch("engage", "worker", more=more) for _ in range(count)]
        ticked = text(
            "SELECT count(DISTINCT worker) FROM ticks WHERE verb = ANY(ARRAY['plan', 'dispatch', 'escalate'])"
        )
        self.wait_until(lambda: self.ask(ticked) == count, "the workers did not begin")
        time.sleep(0.5)
        return workers

    def start_web(self, more: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """The real web, answering."""
        web = self.launch("engage", "web", more=more)
        self.wait_until(lambda: answers(self.web_port), "the web did not begin")
        return web

    def ask(self, statement: Any, **values: object) -> Any:
        """The one value of a query."""
        with self.db.system_session("bench") as session:
            return session.execute(statement, values).scalar_one()

    def clear(self) -> None:
        """Remove what a run made, at the provider too. Nobody may be at work."""
        forget_new(self.superuser)
        self.provider.reset(0)

    def wait_until(self, happened: Callable[[], object], trouble: str, patience: float = PATIENCE) -> None:
        """Wait for other processes; says what they said when it takes too long."""
        until = time.monotonic() + patience
        while not happened():
            if time.monotonic() > until:
                self._log.flush()
                said = self.log_file.read_text(errors="replace").strip()[-2000:]
                raise SystemExit(f"{trouble}; messages: {self.states()}\n{said}")
            time.sleep(0.05)

    def states(self) -> dict[str, int]:
        """How many messages are in which state, for which reason."""
        with self.db.system_session("bench") as session:
            rows = session.execute(text("SELECT state, reason, count(*) FROM messages GROUP BY 1, 2"))
            return {" ".join(filter(None, (state, reason))): count for state, reason, count in rows}

    @property
    def database_pid(self) -> int:
        """The server's process id; its sessions are its children."""
        assert self.server.pid is not None
        return self.server.pid

    @property
    def plain_address(self) -> str:
        """Of the database for the role `engage`, as libpq reads it."""
        return make_url(self.server.url()).set(drivername="postgresql").render_as_string(hide_password=False)

    def _start_provider(self) -> Provider:
        port = free_port()
        process = start_child(
            [sys.executable, "-m", "bench.provider", "--port", str(port)],
            environment=environment_for({"PYTHONPATH": str(ROOT)}),
            output=self._log,
            death_signal=SIGTERM,
        )
        self._stack.callback(end, process)
        self.wait_until(lambda: listens(port), "the provider did not begin")
        return Provider(process, port)

    def _superuser_address(self) -> str:
        """Of the database itself: only for what a benchmark may do and Engage may not (truncate, fill past foreign keys)."""
        url = make_url(self.server.superuser_url).set(
            drivername="postgresql", database=make_url(self.server.url()).database
        )
        return url.render_as_string(hide_password=False)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end, and make it."""
    if process.poll() is None:
        process.send_signal(SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(15)
            return
        process.kill()
        process.wait()


def listens(port: int) -> bool:
    """Whether somebody accepts connections there."""
    line = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        line.connect()
    except OSError:
        return False
    finally:
        line.close()
    return True


def answers(port: int, path: str = "/healthz") -> bool:
    """Whether a GET is answered with 200."""
    line = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        line.request("GET", path)
        return line.getresponse().status == 200
    except OSError:
        return False
    finally:
        line.close()
