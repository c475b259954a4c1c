"""The scene of a kill test: a database that restarts, a fake Twilio, one web process, workers that die, a clock that jumps.

Everything in it is the real program in processes of its own; everything ends with the stack it was made on.
"""

from __future__ import annotations

import base64
import os
import secrets
import subprocess
import sys
import tempfile
import time as machine
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from signal import SIGKILL, SIGTERM

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from engage import clock
from engage.db import Database, encryption, migrate
from engage.db.embedded import EmbeddedPostgres
from engage.db.encryption import KeyRing
from engage.db.processes import start_child
from engage.settings import parse_key_ring
from engage.simulation.twilio import Behaviour, FakeTwilio
from engage.simulation.world import environment_for, free_port

ROOT = Path(__file__).resolve().parent.parent
ACCOUNT = "AC" + "c" * 32
NOON = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
"""In New York; the virtual clock begins here, follows the machine's, and jumps when told to."""

_PATIENTS = text("""
INSERT INTO patients (agency_id, branch_id, emr_id, first_name, last_name, time_zone, status_since)
SELECT :agency, (SELECT min(id) FROM branches WHERE agency_id = :agency), 'P' || n, 'Rose', 'Storm', 'America/New_York', :now
FROM generate_series(1, :count) n
""")


class Storm:
    """A migrated, empty database and a fake Twilio; `begin` starts the program on them."""

    def __init__(self, stack: ExitStack, seed: int, weather: Behaviour, numbers: Sequence[str]) -> None:
        self.dice = Random(seed)
        self._stack = stack
        self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="engage-chaos-")))
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="engage-chaos-")))
        self._machine_start = machine.monotonic()
        self._jumped = timedelta()
        self._clock = clock.ClockFile(self._folder / "clock", NOON)
        clock.follow(self._clock.path)
        stack.callback(clock.follow, None)
        self.server = EmbeddedPostgres(data, settings={"max_connections": "200"}, durable=False)
        self.server.start()
        stack.callback(self.server.stop)
        keys, secret = f"k:{base64.b64encode(os.urandom(32)).decode()}", secrets.token_urlsafe(48)
        ring = KeyRing(parse_key_ring(keys), secret)
        encryption.use(ring)
        self.db = Database(self.server.url(), pool_size=4, name="chaos")
        stack.callback(self.db.close)
        migrate.upgrade(self.db, ring)
        address, token = f"http://127.0.0.1:{free_port()}", secrets.token_hex(16)
        self.fake = FakeTwilio(
            account_sid=ACCOUNT, auth_token=token, seed=seed, behaviour=weather, webhooks_at_once=8, keep_requests=100
        )
        stack.enter_context(self.fake)
        for number in numbers:
            self.fake.add_number(number, inbound_url=f"{address}/twilio/messages")
        self.fake.run_in_real_time()
        stack.callback(self.fake.pause)
        self._environment = {
            "ENGAGE_DATABASE_URL": self.server.url(),
            "ENGAGE_SECRET_KEY": secret,
            "ENGAGE_ENCRYPTION_KEYS": keys,
            "ENGAGE_PUBLIC_URL": address,
            "ENGAGE_WEB_PORT": address.rsplit(":", 1)[1],
            "ENGAGE_TWILIO_ACCOUNT_SID": ACCOUNT,
            "ENGAGE_TWILIO_AUTH_TOKEN": token,
            "ENGAGE_TWILIO_API_URL": self.fake.url,
            "ENGAGE_CLOCK_FILE": str(self._clock.path),
            "ENGAGE_TICK_SECONDS": "0.2",
            "ENGAGE_PLAN_SECONDS": "4",
            "ENGAGE_DISPATCH_BATCH": "100",
            "ENGAGE_DISPATCH_AT_ONCE": "32",
            "ENGAGE_LEASE_SECONDS": "60",
            "ENGAGE_LOG_LEVEL": "ERROR",
        }
        self._log = stack.enter_context((self._folder / "log").open("wb"))
        self.workers: list[subprocess.Popen[bytes]] = []

    def add_patients(self, agency_id: int, count: int) -> None:
        """Patients P1, P2 … without phones."""
        with self.db.system_session("chaos") as session:
            session.execute(_PATIENTS, {"agency": agency_id, "count": count, "now": NOON})

    def begin(self, workers: int, more: Mapping[str, str] | None = None) -> None:
        """Start one web process and `workers` workers; `more` are settings by their names with ENGAGE_."""
        self._environment |= more or {}
        self._web = self._launch("web")
        self.workers = [self._launch("worker") for _ in range(workers)]
        self._stack.callback(self._end)

    def _launch(self, what: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "engage", what]
        # The processes start in another folder and must still run this checkout.
        environment = environment_for({**self._environment, "PYTHONPATH": str(ROOT)})
        return start_child(command, environment=environment, output=self._log, death_signal=SIGTERM)

    def tick(self, jump: timedelta = timedelta()) -> datetime:
        """Let virtual time go on with the machine's, and perhaps jump ahead; the present."""
        self._jumped += jump
        now = NOON + self._jumped + timedelta(seconds=machine.monotonic() - self._machine_start)
        self._clock.set(now)
        return now

    def kill_one(self) -> None:
        """A random worker dies without a word, and another one starts."""
        place = self.dice.randrange(len(self.workers))
        self._kill(place)
        self.workers[place] = self._launch("worker")

    def kill_all(self) -> None:
        """Every worker dies without a word, and others start."""
        for place in range(len(self.workers)):
            self._kill(place)
        self.workers = [self._launch("worker") for _ in self.workers]

    def _kill(self, place: int) -> None:
        self.workers[place].send_signal(SIGKILL)
        self.workers[place].wait()

    def restart_database(self) -> None:
        """The database goes away under everybody's hands and comes back."""
        self.server.stop(patience=0.1)
        self.server.start()

    def ask(self, statement: str) -> int | None:
        """The one number of a query; None while the database is away."""
        try:
            with self.db.system_session("chaos") as session:
                return int(session.execute(text(statement)).scalar_one())
        except DBAPIError:
            return None

    def said(self) -> str:
        """The end of what the processes wrote."""
        self._log.flush()
        return (self._folder / "log").read_text(errors="replace")[-3000:]

    def _end(self) -> None:
        for process in (*self.workers, self._web):
            process.send_signal(SIGTERM)
        for process in (*self.workers, self._web):
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
