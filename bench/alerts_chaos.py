"""The kill test of alerts: workers die at every point between climbing a ladder, claiming, sending and recording a page.

Each point is a trap in the database (or a slow Twilio): whoever comes to it waits there, and is killed there, with all other
workers. Exit 0 only if in the end every alert is taken or exhausted, and no nurse was paged twice for one step.
Run: python -m bench.alerts_chaos --alerts 500 --workers 3     (make chaos)
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time as machine
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import time, timedelta

import psycopg
from sqlalchemy import text
from sqlalchemy.engine import make_url

from bench.storm import NOON, Storm
from engage import log
from engage.agencies.model import Branch, Clinician, ShiftRow
from engage.alerts.opening import Reason, open_alert
from engage.alerts.rules.words import AlertKind
from engage.db import encryption
from engage.onboarding import NewAgency, found_agency
from engage.outreach.links import read_link
from engage.resources import shipped
from engage.simulation import invented
from engage.simulation.twilio import Behaviour, FakeTwilio
from engage.simulation.twilio.phones import SentText

PATIENTS_NUMBER, PAGES_NUMBER, NURSES = invented.phone(0), invented.phone(1), 12
PATIENCE = 60.0

# Where a worker is stopped and killed: before a statement, or in its commit, which then goes through without it.
_BEFORE, _IN_COMMIT = "BEFORE", "CONSTRAINT"
_TRAPS = {
    "climbing": (_BEFORE, "INSERT ON messages", "NEW.kind = 'page'"),
    "climbed": (_IN_COMMIT, "INSERT ON messages", "NEW.kind = 'page'"),
    "claiming": (_BEFORE, "UPDATE ON messages", "NEW.state = 'sending' AND OLD.state <> 'sending'"),
    "claimed": (_IN_COMMIT, "UPDATE ON messages", "NEW.state = 'sending' AND OLD.state <> 'sending'"),
    "recording": (_BEFORE, "UPDATE ON messages", "OLD.state = 'sending' AND NEW.state <> 'sending'"),
    "recorded": (_IN_COMMIT, "UPDATE ON messages", "OLD.state = 'sending' AND NEW.state <> 'sending'"),
    "taking": (_BEFORE, "UPDATE ON alerts", "NEW.state = 'acknowledged' AND OLD.state = 'open'"),
}
SENDING = "sending"  # Twilio has the page and has not answered yet
POINTS = ("climbing", "climbed", "claiming", "claimed", SENDING, "recording", "recorded", "taking")
_TRAP_LOCKS = 4711

_WAITING = """
SELECT count(*) FROM pg_locks l JOIN pg_stat_activity s ON s.pid = l.pid
WHERE l.locktype = 'advisory' AND l.classid = %s AND l.objid = %s AND NOT l.granted AND s.application_name <> 'engage web'
"""
_UNSETTLED = """
SELECT (SELECT count(*) FROM alerts WHERE state = 'open' AND exhausted_at IS NULL)
     + (SELECT count(*) FROM messages WHERE kind = 'page' AND state IN ('planned', 'sending', 'unknown'))
"""
_TWICE_A_STEP = """
SELECT COALESCE(sum(many - 1), 0) FROM (
    SELECT count(*) AS many FROM messages WHERE kind = 'page' AND retry_of IS NULL
    GROUP BY agency_id, alert_id, alert_round, alert_step, clinician_id, channel) AS steps
"""


@dataclass
class Verdict:
    """What came of it. `forgotten`: neither taken nor exhausted; `twice`: texts beyond the first for one page of a nurse."""

    alerts: int
    workers: int
    points: dict[str, int] = field(default_factory=dict)
    kills: int = 0
    restarts: int = 0
    taken: int = 0
    exhausted: int = 0
    forgotten: int = 0
    pages: int = 0
    twice: int = 0
    twice_a_step: int = 0
    lost_steps: int = 0
    seconds: float = 0

    @property
    def is_kept(self) -> bool:
        """Everybody died everywhere, and every alert has its end, each nurse one page a step, and no step was ever lost."""
        ended = self.taken + self.exhausted == self.alerts and self.forgotten == 0
        return ended and self.twice == self.twice_a_step == self.lost_steps == 0 and all(self.points.values())


def run(
    alerts: int,
    workers: int,
    *,
    points: Sequence[str] = POINTS,
    seed: int = 1,
    restarts: int = 1,
    rounds: int = 1,
    patience: float = 900,
) -> Verdict:
    """A storm over `alerts` alerts, opened in waves: at each of `points`, `rounds` times, everybody is killed."""
    began = machine.monotonic()
    verdict = Verdict(alerts, workers, dict.fromkeys(points, 0))
    with ExitStack() as stack:
        weather = Behaviour(rate_drop_after=0.02, rate_callback_lost=0.05, rate_500_after=0.01, rate_429=0.01)
        storm = Storm(stack, seed, weather, [PATIENTS_NUMBER, PAGES_NUMBER])
        agency, patients = _fill(storm, alerts)
        _set_traps(storm)
        # Sweep and reconcile often: while the database is away the web loses codes that nurses text, and Twilio's log has them.
        storm.begin(workers, {"ENGAGE_PLAN_SECONDS": "1"})
        plan = [point for _ in range(rounds) for point in points]
        for number, point in enumerate(plan):
            wave = patients[number :: len(plan)]
            verdict.points[point] += _strike(storm, agency, point, wave)
            verdict.kills += workers
            storm.tick(timedelta(seconds=20))
            if number in {(place + 1) * len(plan) // (restarts + 1) for place in range(restarts)}:
                storm.restart_database()
                verdict.restarts += 1
        until = began + patience
        while machine.monotonic() < until and storm.ask(_UNSETTLED) != 0:
            storm.tick(timedelta(seconds=8))
            machine.sleep(0.1)
        _judge(storm, verdict)
    verdict.seconds = round(machine.monotonic() - began, 1)
    return verdict


def _fill(storm: Storm, alerts: int) -> tuple[int, list[int]]:
    """An agency with nurses of all habits, and as many patients as there will be alerts; its id, and theirs."""
    facts = NewAgency(
        "storm", "Storm Home Health", invented.phone(2), "America/New_York", PATIENTS_NUMBER, pages_phone=PAGES_NUMBER
    )
    agency = found_agency(storm.db, facts, shipped("config"), NOON)
    storm.add_patients(agency, alerts)
    with storm.db.agency_session(agency) as session:
        branch = session.query(Branch).one()
        people = []
        for number in range(NURSES):
            phone = invented.phone(10 + number)
            role = "supervisor" if number == NURSES - 1 else "nurse"
            person = Clinician(
                agency_id=agency,
                branch_id=branch.id,
                emr_id=f"N{number}",
                first_name=f"Nurse {number}",
                last_name="Storm",
                role=role,
                phone=phone,
                phone_hash=encryption.phone_hash(phone),
            )
            session.add(person)
            people.append(person)
            storm.fake.add_phone(phone, on_text=_Habit(storm, phone, number))
        session.flush()
        session.add(
            ShiftRow(
                agency_id=agency, clinician_id=people[-2].id, weekdays=list(range(7)), starts=time(0), ends=time(0)
            )
        )
        session.execute(text("UPDATE touchpoints SET is_active = false"))
        session.execute(text("UPDATE ladders SET rounds = 1"))
        session.execute(text("UPDATE ladder_steps SET wait_minutes = 2"))
        session.execute(text("UPDATE alert_rules SET acknowledged_minutes = 10080"))
        session.execute(
            text("UPDATE patients SET case_manager_id = (CAST(:nurses AS bigint[]))[1 + id % :many]"),
            {"nurses": [person.id for person in people[:-2]], "many": NURSES - 2},
        )
        patients = list(session.scalars(text("SELECT id FROM patients ORDER BY id")))
    return agency, patients


class _Habit:
    """What a nurse does with a page: most take it, every fourth never does, and she on call only now and then."""

    def __init__(self, storm: Storm, phone: str, number: int) -> None:
        self._storm = storm
        self._phone = phone
        self._share = 0.0 if number % 4 == 3 else 0.3 if number == NURSES - 2 else 0.8

    def __call__(self, page: SentText, fake: FakeTwilio) -> None:
        one = re.search(r"Reply (\d{4,6})", page.body)
        many = re.search(r": (\d{4,6}) .*ALL", page.body)  # she takes all of them, or the first
        if one is not None:
            answers = (one.group(1),)
        elif many is not None:
            answers = ("ALL", many.group(1))
        else:
            return
        if self._storm.dice.random() < self._share:
            fake.text_in(self._phone, PAGES_NUMBER, self._storm.dice.choice(answers))


def _superuser(storm: Storm) -> psycopg.Connection[tuple[object, ...]]:
    name = make_url(storm.server.url()).database
    url = make_url(storm.server.superuser_url).set(drivername="postgresql", database=name)
    return psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)


def _set_traps(storm: Storm) -> None:
    """Triggers that wait for a lock which nobody holds until a trap is armed."""
    with _superuser(storm) as connection:
        connection.execute(f"""
            CREATE FUNCTION storm_trap() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN PERFORM pg_advisory_xact_lock_shared({_TRAP_LOCKS}, TG_ARGV[0]::int); RETURN NEW; END $$""")
        for number, (name, (how, what, when)) in enumerate(_TRAPS.items()):
            kind = "TRIGGER" if how == _BEFORE else "CONSTRAINT TRIGGER"
            moment = "BEFORE" if how == _BEFORE else "AFTER"
            deferred = "" if how == _BEFORE else "DEFERRABLE INITIALLY DEFERRED"
            connection.execute(
                f"CREATE {kind} storm_{name} {moment} {what} {deferred} FOR EACH ROW WHEN ({when})"
                f" EXECUTE FUNCTION storm_trap({number})"
            )


@contextmanager
def _armed(storm: Storm, point: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with _superuser(storm) as connection:
        if point in _TRAPS:
            connection.execute("SELECT pg_advisory_lock(%s, %s)", (_TRAP_LOCKS, list(_TRAPS).index(point)))
        yield connection


def _strike(storm: Storm, agency: int, point: str, wave: list[int]) -> bool:
    """Open a wave of alerts and kill all workers when one of them is at `point`; whether one came there."""
    until, came = machine.monotonic() + PATIENCE, False
    slow = storm.fake.behaviour.rate_slow, storm.fake.behaviour.slow_seconds
    with _armed(storm, point) as connection:
        if point == SENDING:
            storm.fake.behaviour.slow_seconds, storm.fake.behaviour.rate_slow = 5.0, 1.0
        before = len(storm.fake.messages)
        now = storm.tick()
        with storm.db.agency_session(agency) as session:
            for patient in wave:
                open_alert(session, Reason(AlertKind.URGENT, agency, patient), now)
        while not came and machine.monotonic() < until:
            storm.tick()
            machine.sleep(0.02)
            if point == SENDING:
                came = len(storm.fake.messages) > before
            else:
                row = connection.execute(_WAITING, (_TRAP_LOCKS, list(_TRAPS).index(point))).fetchone()
                came = row is not None and row[0] != 0
        storm.kill_all()
        storm.fake.behaviour.rate_slow, storm.fake.behaviour.slow_seconds = slow
    return came


def _judge(storm: Storm, verdict: Verdict) -> None:
    """What the rows and Twilio's own log say."""
    # exhausted alerts open one of their own, that nobody was reached: it is counted only if it is forgotten
    for name, query in {
        "taken": "SELECT count(*) FROM alerts WHERE kind = 'urgent' AND state <> 'open'",
        "exhausted": "SELECT count(*) FROM alerts WHERE kind = 'urgent' AND state = 'open' AND exhausted_at IS NOT NULL",
        "forgotten": "SELECT count(*) FROM alerts WHERE state = 'open' AND exhausted_at IS NULL",
        "twice_a_step": _TWICE_A_STEP,
        "lost_steps": "SELECT count(*) FROM alert_events WHERE kind = 'repaired'",
    }.items():
        setattr(verdict, name, storm.ask(query))
    with storm.db.system_session("chaos") as session:
        pages = set(session.scalars(text("SELECT id FROM messages WHERE kind = 'page'")))
    sent: Counter[int] = Counter()
    for message in storm.fake.messages:
        with suppress(KeyError):
            link = read_link(message.client_ref["m"])
            if link is not None and link.message_id in pages:
                sent[link.message_id] += 1
    verdict.pages = len(sent)
    verdict.twice = sum(count - 1 for count in sent.values())


def main() -> None:
    """Print the verdict as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=500)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    log.configure("CRITICAL")
    verdict = run(chosen.alerts, chosen.workers, seed=chosen.seed, restarts=3, rounds=4)
    print(json.dumps(asdict(verdict)))
    sys.exit(0 if verdict.is_kept else 1)


if __name__ == "__main__":
    main()
