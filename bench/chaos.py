"""The kill test: workers die at random, the database restarts, Twilio drops connections and loses receipts.

Prints what happened to every message. Exit 0 only if no text was lost and none was sent twice.
Run: python -m bench.chaos --messages 20000 --workers 4     (make chaos)
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time as machine
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from signal import SIGKILL, SIGTERM

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from engage import clock, log
from engage.db import Database, encryption, migrate
from engage.db.embedded import EmbeddedPostgres
from engage.db.encryption import KeyRing
from engage.db.processes import start_child
from engage.onboarding import NewAgency, found_agency
from engage.resources import shipped
from engage.settings import parse_key_ring
from engage.simulation import invented
from engage.simulation.twilio import Behaviour, FakeTwilio
from engage.simulation.world import environment_for, free_port

ACCOUNT = "AC" + "c" * 32
_INSERT = text("""
INSERT INTO messages (agency_id, kind, priority, touchpoint_id, occasion, patient_id, contact_id, template, category, asks,
                      planned_at, send_at, due_at, expires_at)
SELECT c.agency_id, 'touchpoint', t.priority, t.id, 'chaos', c.patient_id, c.id, t.template, t.category, t.asks,
       :now, :now, :now, CAST(:now AS timestamptz) + interval '6 hours'
FROM contacts c JOIN touchpoints t ON t.agency_id = c.agency_id AND t.key = 'morning-checkin'
""")
_PLANNED = text("SELECT count(*) FROM messages WHERE occasion = 'chaos' AND state = 'planned'")
_OPEN = text("SELECT count(*) FROM messages WHERE occasion = 'chaos' AND state IN ('planned', 'sending', 'unknown')")
_OUTSIDE = text("""
SELECT count(*) FROM messages m JOIN agencies a ON a.id = m.agency_id JOIN patients p ON p.agency_id = m.agency_id AND p.id = m.patient_id
WHERE m.occasion = 'chaos' AND m.attempts > 0 AND (m.claimed_at >= m.expires_at
    OR (m.claimed_at AT TIME ZONE p.time_zone)::time < a.texts_after OR (m.claimed_at AT TIME ZONE p.time_zone)::time >= a.texts_until)
""")
_UNTOLD = text("""
SELECT count(*) FROM messages m WHERE m.occasion = 'chaos' AND m.attempts > 1
    AND NOT EXISTS (SELECT FROM message_events e WHERE e.agency_id = m.agency_id AND e.message_id = m.id)
""")
_STATES = text("SELECT state, count(*) AS count FROM messages WHERE occasion = 'chaos' GROUP BY state")


@dataclass
class Verdict:
    """What came of it. `outside`: claimed outside the patient's hours or past their use; `untold`: tried again without a word why."""

    messages: int
    workers: int
    kills: int = 0
    restarts: int = 0
    lost: int = 0
    twice: int = 0
    outside: int = 0
    untold: int = 0
    attempts_over_one: int = 0
    seconds: float = 0
    states: dict[str, int] | None = None

    @property
    def is_kept(self) -> bool:
        """Nothing lost, nothing twice, nothing outside the window, and the ledger says what happened to each."""
        return self.lost == self.twice == self.outside == self.untold == 0


def run(
    messages: int, workers: int, *, seed: int = 1, restarts: int = 2, kill_every: float = 1.0, patience: float = 1500
) -> Verdict:
    """One storm over `messages` due messages; virtual time jumps ahead afterwards, so that leases need not be waited for."""
    began = machine.monotonic()
    verdict = Verdict(messages, workers)
    with ExitStack() as stack:
        storm = _Storm(stack, messages, workers, seed)
        _blow(storm, verdict, restarts, kill_every, began + patience)
        _calm(storm, began + patience)
        with storm.db.system_session("chaos") as session:
            verdict.states = {row.state: row.count for row in session.execute(_STATES)}
            again = text("SELECT count(*) FROM messages WHERE occasion = 'chaos' AND attempts > 1")
            verdict.attempts_over_one = session.execute(again).scalar_one()
            verdict.outside = session.execute(_OUTSIDE).scalar_one()
            verdict.untold = session.execute(_UNTOLD).scalar_one()
        got = Counter(message.to for message in storm.fake.messages)
        verdict.lost = messages - len(got)
        verdict.twice = sum(count - 1 for count in got.values())
    verdict.seconds = round(machine.monotonic() - began, 1)
    return verdict


class _Storm:
    """The scene: database, fake Twilio, one web process, some workers, and a clock that follows the machine's until it jumps."""

    def __init__(self, stack: ExitStack, messages: int, workers: int, seed: int) -> None:
        self.dice = Random(seed)
        self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="engage-chaos-")))
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="engage-chaos-")))
        self._machine_start = machine.monotonic()
        self._start = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)  # noon in New York
        self._jumped = timedelta()
        self._clock = clock.ClockFile(self._folder / "clock", self._start)
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
        self._fill(messages)
        address, token = f"http://127.0.0.1:{free_port()}", secrets.token_hex(16)
        weather = Behaviour(
            rate_drop_after=0.02, rate_callback_lost=0.05, rate_500_after=0.005, rate_500_before=0.005, rate_429=0.01
        )
        self.fake = FakeTwilio(
            account_sid=ACCOUNT, auth_token=token, seed=seed, behaviour=weather, webhooks_at_once=8, keep_requests=100
        )
        stack.enter_context(self.fake)
        self.fake.add_number(invented.phone(0))
        self.fake.run_in_real_time()
        stack.callback(self.fake.pause)
        self._environment = environment_for(
            {
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
        )
        self._log = stack.enter_context((self._folder / "log").open("wb"))
        self._web = self._launch("web")
        self.workers = [self._launch("worker") for _ in range(workers)]
        stack.callback(self._end)

    def _fill(self, messages: int) -> None:
        facts = NewAgency("storm", "Storm Home Health", invented.phone(2), "America/New_York", invented.phone(0))
        agency = found_agency(self.db, facts, shipped("config"), self._start)
        hashed, seal = encryption.phone_hash, encryption.ring().seal
        phones = [invented.phone(10 + number) for number in range(messages)]
        with self.db.system_session("chaos") as session:
            values = {"agency": agency, "now": self._start, "count": messages}
            session.execute(text("UPDATE touchpoints SET is_active = false WHERE key <> 'morning-checkin'"))
            session.execute(
                text("UPDATE touchpoints SET local_time = '06:00', useful_minutes = 5 WHERE key = 'morning-checkin'"),
                {},
            )
            session.execute(
                text("""
                INSERT INTO patients (agency_id, branch_id, emr_id, first_name, last_name, time_zone, status_since)
                SELECT :agency, (SELECT min(id) FROM branches), 'P' || n, 'Rose', 'Storm', 'America/New_York', :now FROM generate_series(1, :count) n
                """),
                values,
            )
            session.execute(
                text("""
                INSERT INTO contacts (agency_id, patient_id, relationship, phone, phone_hash, phone_kind)
                SELECT :agency, p.id, 'patient', x.phone, x.hash, 'mobile'
                FROM unnest(CAST(:phones AS bytea[]), CAST(:hashes AS bytea[])) WITH ORDINALITY AS x(phone, hash, n)
                JOIN patients p ON p.emr_id = 'P' || x.n
                """),
                {
                    **values,
                    "phones": [seal(e164, "contacts.phone") for e164 in phones],
                    "hashes": [hashed(e164) for e164 in phones],
                },
            )
            session.execute(
                text("""
                INSERT INTO consent_events (agency_id, contact_id, phone_hash, category, kind, source, said_at, recorded_at)
                SELECT agency_id, id, phone_hash, 'checkins', 'granted', 'paper', :now, :now FROM contacts
                """),
                values,
            )
            session.execute(_INSERT, values)

    def _launch(self, what: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "engage", what]
        return start_child(command, environment=self._environment, output=self._log, death_signal=SIGTERM)

    def tick(self, jump: timedelta = timedelta()) -> None:
        """Let virtual time go on with the machine's, and perhaps jump ahead."""
        self._jumped += jump
        self._clock.set(self._start + self._jumped + timedelta(seconds=machine.monotonic() - self._machine_start))

    def kill_one(self) -> None:
        """A random worker dies without a word, and another one starts."""
        place = self.dice.randrange(len(self.workers))
        self.workers[place].send_signal(SIGKILL)
        self.workers[place].wait()
        self.workers[place] = self._launch("worker")

    def restart_database(self) -> None:
        """The database goes away under everybody's hands and comes back."""
        self.server.stop(patience=0.1)
        self.server.start()

    def left(self, *, to_send: bool = False) -> int | None:
        """How many messages have no end yet, or are still to be claimed; None while the database is away."""
        try:
            with self.db.system_session("chaos") as session:
                return int(session.execute(_PLANNED if to_send else _OPEN).scalar_one())
        except DBAPIError:
            return None

    def _end(self) -> None:
        for process in (*self.workers, self._web):
            process.send_signal(SIGTERM)
        for process in (*self.workers, self._web):
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _blow(storm: _Storm, verdict: Verdict, restarts: int, kill_every: float, until: float) -> None:
    """Kill and restart until most messages have been claimed; what died with its worker is for the calm after the storm."""
    left_at_kill: int | None = None  # on a slow machine nobody dies again before somebody has got on with the work
    next_kill, marks = machine.monotonic() + 3, [verdict.messages * (n + 1) // (restarts + 1) for n in range(restarts)]
    while machine.monotonic() < until:
        storm.tick()
        left = storm.left(to_send=True)
        if left is not None and left < max(verdict.messages // 50, 5):
            return
        if marks and left is not None and left <= marks[-1]:
            marks.pop()
            storm.restart_database()
            verdict.restarts += 1
        if machine.monotonic() >= next_kill and left is not None and left != left_at_kill:
            storm.kill_one()
            verdict.kills += 1
            left_at_kill = left
            next_kill = machine.monotonic() + kill_every
        machine.sleep(0.02)


def _calm(storm: _Storm, until: float) -> None:
    """No more deaths: leases lapse, Twilio's log is asked, what never left goes out."""
    while machine.monotonic() < until and storm.left() != 0:
        storm.tick(timedelta(seconds=2))
        machine.sleep(0.1)


def main() -> None:
    """Print the verdict as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    log.configure("CRITICAL")
    verdict = run(chosen.messages, chosen.workers, seed=chosen.seed)
    print(json.dumps(asdict(verdict)))
    sys.exit(0 if verdict.is_kept else 1)


if __name__ == "__main__":
    main()
