"""The program `engage` as its user starts it: real processes with the machine's clock, against the fake Twilio in real time."""

from __future__ import annotations

import base64
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import text

from engage import clock
from engage.outreach.outbox import Outgoing, queue
from engage.outreach.rules.words import Kind
from engage.simulation.twilio import FakeTwilio, Phone
from engage.simulation.twilio.webhooks import signature
from tests.cast import ROSE_PHONE, SUNRISE_NUMBER, SUNRISE_PAGES, Cast

ACCOUNT = "AC" + "0" * 32
TOKEN = "a token for tests"
SECRET = "a secret that only tests use, and long enough"
KEYS = f"test:{base64.b64encode(bytes([7]) * 32).decode()}"
PATIENCE = 180  # seconds a condition may take on a busy machine with a slow disk; reached only when it fails


def wait_until(happened: Callable[[], object], what: Callable[[], object] = lambda: "it did not happen") -> None:
    """Wait for another process."""
    until = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < until, what()
        time.sleep(0.05)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Program:
    """One `engage …` process and what it said."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    def said(self) -> str:
        """Its log so far."""
        return self.log.read_text(errors="replace")

    def stop(self) -> int:
        """Ask it to end (SIGTERM) and wait; its exit code. Fails the test when it is not gone in twelve seconds."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(12)

    def family(self) -> set[tuple[int, str]]:
        """It and all its descendants, each by process id and the time it began: ids are used again."""
        parents = {pid: (parent, began) for pid, parent, began, _ in _processes()}
        found = {self.pid}
        while more := {pid for pid, (parent, _) in parents.items() if parent in found} - found:
            found |= more
        return {(pid, parents[pid][1]) for pid in found if pid in parents}


def are_gone(family: set[tuple[int, str]]) -> bool:
    """Whether none of these processes is alive (a zombie is dead)."""
    return not family & {(pid, began) for pid, _, began, state in _processes() if not state.startswith("Z")}


def left_of(family: set[tuple[int, str]]) -> str:
    """Those of them that are alive, with what they are doing: why a test that waits for their end failed."""
    alive = {str(pid) for pid, _, began, state in _processes() if not state.startswith("Z") and (pid, began) in family}
    shown = ["ps", "-o", "pid,ppid,stat,wchan:30,lstart,args", "-p", ",".join(sorted(alive) or ["0"])]
    return subprocess.run(shown, capture_output=True, text=True, check=False).stdout


def _processes() -> list[tuple[int, int, str, str]]:
    """Every process of the machine: id, parent's id, when it began, state."""
    shown = subprocess.run(["ps", "-eo", "pid=,ppid=,stat=,lstart="], capture_output=True, text=True, check=True).stdout
    rows = (line.split(maxsplit=3) for line in shown.splitlines())
    return [(int(pid), int(parent), began, state) for pid, parent, state, began in rows]


@dataclass
class Town:
    """The cast, a fake Twilio in real time, and programs that may be started on them."""

    cast: Cast
    fake: FakeTwilio
    rose: Phone
    folder: Path
    port: int = field(default_factory=free_port)
    started: list[Program] = field(default_factory=list)

    @property
    def web(self) -> str:
        """Our public address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, *command: str, **more: str) -> Program:
        """Start `engage command`; environment variables by their name without ENGAGE_, an empty one is left out."""
        given = {
            "DATABASE_URL": self.cast.db.url,
            "SECRET_KEY": SECRET,
            "ENCRYPTION_KEYS": KEYS,
            "PUBLIC_URL": self.web,
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_API_URL": self.fake.url,
            "WEB_PORT": str(self.port),
            "DATA_DIR": str(self.folder / "data"),
            "TICK_SECONDS": "0.1",
            "PLAN_SECONDS": "0.4",
            "DISPATCH_AT_ONCE": "2",
        } | more
        plain = {name: value for name, value in os.environ.items() if not name.startswith("ENGAGE_")}
        log = self.folder / f"{command[0]}-{len(self.started)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "engage", *command],
                env=plain | {f"ENGAGE_{name}": value for name, value in given.items() if value},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        program = Program(process, log)
        self.started.append(program)
        return program

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of a GET; 0 while nobody listens."""
        try:
            with urllib.request.urlopen(f"{self.web}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.read().decode()
        except OSError:
            return 0, ""

    def is_ready(self) -> bool:
        """Whether /readyz says so."""
        return self.get("/readyz")[0] == 200

    def wait_until_ready(self) -> None:
        """Wait for /readyz."""
        wait_until(
            self.is_ready, lambda: "\n".join([str(self.get("/readyz")), *(each.said() for each in self.started)])
        )

    def post(self, form: Mapping[str, str], token: str = TOKEN) -> int:
        """Status of a signed inbound text."""
        url = f"{self.web}/twilio/messages"
        headers = {"X-Twilio-Signature": signature(token, url, form.items())}
        request = urllib.request.Request(url, data=urlencode(form).encode(), headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refusal:
            return refusal.code

    def answer(self) -> int:
        """Queue an answer to Rose; its id."""
        outgoing = Outgoing(
            self.cast.id,
            Kind.ANSWER,
            "answer-confirmed",
            contact_id=self.cast.rose_contact,
            patient_id=self.cast.rose,
        )
        with self.cast.db.agency_session(self.cast.id) as session:
            made = queue(session, outgoing, clock.now())
        assert made is not None
        return made

    def sql(self, statement: str, **values: object) -> list[Any]:
        """Rows of any statement, over all agencies."""
        with self.cast.db.system_session("test") as session:
            result = session.execute(text(statement), values)
            return [tuple(row) for row in result] if result.returns_rows else []

    def states(self) -> set[str]:
        """The states messages are in."""
        return {state for (state,) in self.sql("SELECT DISTINCT state FROM messages")}


@contextmanager
def town_of(cast: Cast, folder: Path) -> Iterator[Town]:
    """A town around the cast; touchpoints are off, so that nothing depends on the hour. Every program is ended."""
    with cast.db.system_session("test") as session:
        session.execute(text("UPDATE touchpoints SET is_active = false"))
    with FakeTwilio(account_sid=ACCOUNT, auth_token=TOKEN, strict=True) as fake:
        fake.behaviour.delivery_seconds = 0.1
        town = Town(cast, fake, fake.add_phone(ROSE_PHONE), folder)
        for number in (SUNRISE_NUMBER, SUNRISE_PAGES):
            fake.add_number(number, inbound_url=f"{town.web}/twilio/messages")
        fake.run_in_real_time()
        try:
            yield town
        finally:
            for program in town.started:
                program.process.kill()
                program.process.wait()
