"""The kill test: workers die at random, the database restarts, Twilio drops connections and loses receipts.

Prints what happened to every message. Exit 0 only if no text was lost and none was sent twice.
Run: python -m bench.chaos --messages 20000 --workers 4     (make chaos)
"""

from __future__ import annotations

import argparse
import json
import sys
import time as machine
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import timedelta

from sqlalchemy import text

from bench.storm import NOON, Storm
from engage import log
from engage.db import encryption
from engage.onboarding import NewAgency, found_agency
from engage.resources import shipped
from engage.simulation import invented
from engage.simulation.twilio import Behaviour

_INSERT = text("""
INSERT INTO messages (agency_id, kind, priority, touchpoint_id, occasion, patient_id, contact_id, template, category, asks,
                      planned_at, send_at, due_at, expires_at)
SELECT c.agency_id, 'touchpoint', t.priority, t.id, 'chaos', c.patient_id, c.id, t.template, t.category, t.asks,
       :now, :now, :now, CAST(:now AS timestamptz) + interval '6 hours'
FROM contacts c JOIN touchpoints t ON t.agency_id = c.agency_id AND t.key = 'morning-checkin'
""")
_PLANNED = "SELECT count(*) FROM messages WHERE occasion = 'chaos' AND state = 'planned'"
_OPEN = "SELECT count(*) FROM messages WHERE occasion = 'chaos' AND state IN ('planned', 'sending', 'unknown')"
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
        weather = Behaviour(
            rate_drop_after=0.02, rate_callback_lost=0.05, rate_500_after=0.005, rate_500_before=0.005, rate_429=0.01
        )
        storm = Storm(stack, seed, weather, [invented.phone(0)])
        _fill(storm, messages)
        storm.begin(workers)
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


def _fill(storm: Storm, messages: int) -> None:
    """An agency with as many patients, each with a phone, consent and a check-in that is due."""
    facts = NewAgency("storm", "Storm Home Health", invented.phone(2), "America/New_York", invented.phone(0))
    agency = found_agency(storm.db, facts, shipped("config"), NOON)
    storm.add_patients(agency, messages)
    hashed, seal = encryption.phone_hash, encryption.ring().seal
    phones = [invented.phone(10 + number) for number in range(messages)]
    with storm.db.system_session("chaos") as session:
        values = {"agency": agency, "now": NOON}
        session.execute(text("UPDATE touchpoints SET is_active = false WHERE key <> 'morning-checkin'"))
        session.execute(
            text("UPDATE touchpoints SET local_time = '06:00', useful_minutes = 5 WHERE key = 'morning-checkin'"), {}
        )
        session.execute(
            text("""
            INSERT INTO contacts (agency_id, patient_id, relationship, phone, phone_hash, phone_kind)
            SELECT :agency, p.id, 'patient', x.phone, x.hash, 'mobile'
            FROM unnest(CAST(:phones AS bytea[]), CAST(:hashes AS bytea[])) WITH ORDINALITY AS x(phone, hash, n)
            JOIN patients p ON p.emr_id = 'P' || x.n
            """),
            {
                "agency": agency,
                "phones": [seal(e164, "contacts.phone") for e164 in phones],
                "hashes": [hashed(e164) for e164 in phones],
            },
        )
        session.execute(
            text("""
            INSERT INTO consent_events (agency_id, contact_id, phone_hash, category, kind, source, said_at, recorded_at)
            SELECT agency_id, id, phone_hash, 'checkins', 'granted', 'paper', :now, :now FROM contacts
            """),
            {"now": NOON},
        )
        session.execute(_INSERT, values)


def _blow(storm: Storm, verdict: Verdict, restarts: int, kill_every: float, until: float) -> None:
    """Kill and restart until most messages have been claimed; what died with its worker is for the calm after the storm."""
    left_at_kill: int | None = None  # on a slow machine nobody dies again before somebody has got on with the work
    next_kill, marks = machine.monotonic() + 3, [verdict.messages * (n + 1) // (restarts + 1) for n in range(restarts)]
    while machine.monotonic() < until:
        storm.tick()
        left = storm.ask(_PLANNED)
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


def _calm(storm: Storm, until: float) -> None:
    """No more deaths: leases lapse, Twilio's log is asked, what never left goes out."""
    while machine.monotonic() < until and storm.ask(_OPEN) != 0:
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
