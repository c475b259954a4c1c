"""How long planning takes, and whether the minute tick is flat: `python -m bench.planning [--patients 100000 …] [--json]`.

Fills an embedded PostgreSQL with invented agencies (default programme), plans everything, and inserts the very same rows
bare for comparison; then ticks with nothing new, after 1 % of the patients changed, and over 1x, 10x, 100x older messages.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time as machine
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy import text

from engage import log
from engage.db import Database, encryption, migrate
from engage.db.embedded import EmbeddedPostgres, usable_data_dir
from engage.db.encryption import KeyRing
from engage.onboarding import NewAgency, found_agency
from engage.outreach.plan import plan
from engage.resources import shipped

NOW = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
HORIZON = timedelta(hours=26)
RING = KeyRing({"bench": b"b" * 32}, "only for measuring, never for patients")
ZONES = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")

# Every patient has a phone and consent, every fifth a daughter too; 3 % share their phone with somebody, 1 % have opted out,
# 2 % took a consent back, 5 % were discharged; 30 % have a visit tomorrow, 10 % had one this morning.
_FILL = (
    """
INSERT INTO patients (agency_id, branch_id, emr_id, first_name, last_name, time_zone, status, status_since)
SELECT a.id, b.id, 'p' || n, 'Pat', 'Test', (CAST(:zones AS text[]))[1 + n % 4],
       CASE WHEN n % 20 = 7 THEN 'discharged' ELSE 'active' END, :now
FROM agencies a JOIN branches b ON b.agency_id = a.id, generate_series(1, :each) AS n
""",
    """
INSERT INTO contacts (agency_id, patient_id, relationship, phone, phone_hash, phone_kind)
SELECT agency_id, id, 'patient', :sealed,
       sha256(convert_to(agency_id || 'p' || CASE WHEN id % 100 IN (1, 2, 3) THEN id - 1 ELSE id END, 'UTF8')), 'mobile' FROM patients
UNION ALL
SELECT agency_id, id, 'family', :sealed, sha256(convert_to(agency_id || 'd' || id, 'UTF8')), 'mobile' FROM patients WHERE id % 5 = 0
""",
    """
INSERT INTO consent_events (agency_id, contact_id, phone_hash, category, kind, source, said_at, recorded_at)
SELECT agency_id, id, phone_hash, category, 'granted', 'paper', CAST(:now AS timestamptz) - interval '30 days', :now
FROM contacts, unnest(ARRAY['visits', 'checkins', 'surveys']) AS category
""",
    """
INSERT INTO consent_events (agency_id, contact_id, phone_hash, category, kind, source, said_at, recorded_at)
SELECT agency_id, id, phone_hash, 'checkins', 'revoked', 'phone', CAST(:now AS timestamptz) - interval '9 days', :now
FROM contacts WHERE id % 50 = 11
UNION ALL
SELECT agency_id, NULL, phone_hash, NULL, 'opted_out', 'text', CAST(:now AS timestamptz) - interval '8 days', :now
FROM contacts WHERE id % 100 = 13
""",
    """
INSERT INTO episodes (agency_id, patient_id, emr_id, starts_on, ends_on)
SELECT agency_id, id, 'e' || id, CAST(:today AS date) - 30, CAST(:today AS date) + 30 FROM patients
""",
    """
INSERT INTO visits (agency_id, patient_id, emr_id, task, starts_on, starts_local, changed_at)
SELECT agency_id, id, 'v' || id, 'Skilled Nurse Visit', CAST(:today AS date) + 1, time '08:00' + id % 18 * interval '30 minutes', :now
FROM patients WHERE id % 10 < 3
""",
    """
INSERT INTO visits (agency_id, patient_id, emr_id, task, starts_on, starts_local, status, completed_at, changed_at)
SELECT agency_id, id, 'c' || id, 'Skilled Nurse Visit', CAST(:today AS date), time '10:00', 'completed',
       CAST(:now AS timestamptz) - interval '1 hour', :now
FROM patients WHERE id % 10 = 5
""",
)


def main() -> None:
    """Measure each number of patients that was asked for."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--patients", type=int, nargs="+", default=[100_000])
    asked.add_argument("--agencies", type=int, default=10)
    asked.add_argument(
        "--older", type=int, nargs="*", default=[1, 10], help="so many times the planned messages, from before"
    )
    asked.add_argument("--json", action="store_true")
    given = asked.parse_args()
    log.configure("ERROR")
    encryption.use(RING)
    results = []
    for patients in given.patients:
        results.append(measure(patients, given.agencies, given.older, runs=3 if patients <= 200_000 else 1))
        if not given.json:
            _print(results[-1])
    if given.json:
        print(json.dumps([asdict(result) for result in results], indent=1))


@dataclass
class Result:
    """Seconds, medians of `runs`; ticks in milliseconds, medians of 5. `ratio` is the whole plan over the bare insert."""

    patients: int
    runs: int
    rows: int = 0
    plan: float = 0
    bare_insert: float = 0
    ratio: float = 0
    derive_again: float = 0
    quiet_tick_ms: float = 0
    changed_tick: float = 0
    changed_rows: int = 0
    older_messages: dict[str, dict[str, float]] = field(default_factory=dict)


def measure(patients: int, agencies: int, older: Sequence[int], runs: int) -> Result:
    """Everything about one size, in a database of its own."""
    result = Result(patients, runs)
    with tempfile.TemporaryDirectory(prefix="engage-") as folder:
        server = EmbeddedPostgres(usable_data_dir(Path(folder) / "postgres"), durable=False)
        with server:
            db = Database(server.url())
            migrate.upgrade(db, RING)
            fill(db, patients, agencies)
            _own(db, _NO_REFERENCES.format(column="confrelid"))  # so that messages alone can be emptied
            _whole(db, result)
            _ticks(db, result)
            _growth(db, older, result)
            db.close()
    return result


def _whole(db: Database, result: Result) -> None:
    plans, bares, again = [], [], []
    for _ in range(result.runs):
        _empty(db)
        seconds, done = _timed(lambda: plan(db, NOW, HORIZON, whole=True))
        plans.append(seconds)
        result.rows = done.planned
        _vacuum(db, "messages")
        again.append(_timed(lambda: plan(db, NOW, HORIZON, whole=True))[0])
        _own(db, "CREATE TABLE aside (LIKE messages); GRANT ALL ON aside TO engage_system")
        _run(db, "INSERT INTO aside SELECT * FROM messages ORDER BY id")
        _empty(db)
        bares.append(_timed(lambda: _run(db, _BARE))[0])
        _own(db, "DROP TABLE aside")
    result.plan, result.bare_insert, result.derive_again = map(statistics.median, (plans, bares, again))
    result.ratio = round(result.plan / result.bare_insert, 2)


def _ticks(db: Database, result: Result) -> None:
    _vacuum(db)
    plan(db, NOW, HORIZON, whole=True)
    result.quiet_tick_ms = _quiet(db, 0)
    changed = []
    for hour in range(3):
        _run(
            db,
            "UPDATE visits SET starts_local = starts_local + interval '5 minutes' WHERE status = 'scheduled' AND patient_id % 100 = 1",
        )
        _run(db, "UPDATE patients SET time_zone = CASE time_zone WHEN 'America/Denver' THEN 'America/Chicago' ELSE 'America/Denver' END"
                 " WHERE id % 100 = 2")  # fmt: skip
        seconds, done = _timed(partial(plan, db, NOW + timedelta(minutes=20 + hour), HORIZON))
        changed.append(seconds)
        result.changed_rows = done.moved + done.planned + done.cancelled
    result.changed_tick = statistics.median(changed)


def _growth(db: Database, older: Sequence[int], result: Result) -> None:
    """Older messages, ended long ago, beside the planned ones: as many as were just planned, 10 times, 100 times."""
    _own(db, _NO_REFERENCES.format(column="conrelid"))  # they would only make the filling slow
    for times in older:
        while _count(db) < result.rows * times:
            _run(
                db,
                _OLDER.format(
                    so_many=min(result.rows, result.rows * times - _count(db)), days=_count(db) // result.rows + 1
                ),
            )
        _vacuum(db, "messages")
        plan(db, NOW, HORIZON, whole=True)
        quiet = _quiet(db, 20)
        _run(
            db,
            "UPDATE visits SET starts_local = starts_local + interval '5 minutes' WHERE status = 'scheduled' AND patient_id % 100 = 1",
        )
        changed = _timed(lambda: plan(db, NOW + timedelta(minutes=40), HORIZON))[0]
        result.older_messages[f"{times}x"] = {
            "older": _count(db),
            "quiet_tick_ms": quiet,
            "changed_tick": round(changed, 3),
        }


_NO_REFERENCES = """
DO $$ DECLARE found record; BEGIN
    FOR found IN SELECT conrelid::regclass AS holder, conname FROM pg_constraint
                 WHERE {column} = 'messages'::regclass AND contype = 'f' AND conrelid <> confrelid LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', found.holder, found.conname);
    END LOOP;
END $$
"""
_COLUMNS = """agency_id, kind, priority, touchpoint_id, occasion, patient_id, contact_id, visit_id, template, category, asks,
    planned_at, send_at, due_at, expires_at"""
_BARE = f"INSERT INTO messages ({_COLUMNS}) SELECT {_COLUMNS} FROM aside"
_OLDER = """
INSERT INTO messages (agency_id, kind, priority, touchpoint_id, occasion, patient_id, contact_id, template, category, asks, planned_at,
                      send_at, due_at, expires_at, state, reason, ended_at)
SELECT agency_id, kind, priority, touchpoint_id, 'older {days} ' || id, patient_id, contact_id, template, category, asks,
       planned_at - days, send_at - days, due_at - days, expires_at - days, 'expired', 'too_late', expires_at - days
FROM messages, (SELECT interval '1 day' * (10 + {days}) AS days) AS d WHERE state = 'planned' LIMIT {so_many}
"""


def _count(db: Database) -> int:
    with db.system_session("bench") as session:
        return int(session.execute(text("SELECT count(*) FROM messages WHERE state = 'expired'")).scalar_one())


def _quiet(db: Database, minute: int) -> float:
    """Milliseconds of a tick in a minute in which nothing begins and nothing has changed."""
    seconds = [_timed(lambda m=m: plan(db, NOW + timedelta(minutes=minute + m), HORIZON))[0] for m in range(1, 6)]
    return round(1000 * statistics.median(seconds), 1)


T = TypeVar("T")


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    began = machine.monotonic()
    done = work()
    return machine.monotonic() - began, done


def _run(db: Database, statement: str) -> None:
    with db.system_session("bench") as session:
        session.execute(text(statement))


def _empty(db: Database) -> None:
    _own(db, "TRUNCATE messages")


def _own(db: Database, statement: str) -> None:
    with db.engine.begin() as connection:
        connection.execute(text(statement))


def _vacuum(db: Database, table: str = "") -> None:
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"VACUUM ANALYZE {table}"))


def _print(result: Result) -> None:
    print(f"{result.patients:,} patients, {result.rows:,} messages; medians of {result.runs}")
    print(f"  plan everything        {result.plan:8.2f} s   {result.rows / result.plan:,.0f} rows/s")
    print(f"  bare INSERT ... SELECT {result.bare_insert:8.2f} s   ratio {result.ratio}")
    print(f"  derive everything again {result.derive_again:7.2f} s")
    print(f"  quiet tick             {result.quiet_tick_ms:8.1f} ms")
    print(f"  tick after 1 % changed {result.changed_tick:8.2f} s   {result.changed_rows:,} rows touched")
    for times, found in result.older_messages.items():
        print(
            f"  with {times:>4} older messages: quiet tick {found['quiet_tick_ms']:.1f} ms, 1 % of the visits moved {found['changed_tick']} s"
        )
    sys.stdout.flush()


def fill(db: Database, patients: int, agencies: int) -> None:
    """`patients` invented people in as many agencies, as the last import left them; statistics are fresh."""
    for number in range(agencies):
        new = NewAgency(f"bench-{number}", f"Bench {number}", "(202) 555-0150", ZONES[0], f"+120255501{number:02d}")
        found_agency(db, new, shipped("config"), NOW)
    values = {
        "zones": list(ZONES),
        "now": NOW,
        "today": NOW.date(),
        "each": patients // agencies,
        "sealed": encryption.ring().seal("+12025550143", "contacts.phone"),
    }
    with db.system_session("bench") as session:
        for statement in _FILL:
            session.execute(text(statement), values)
    _vacuum(db)


if __name__ == "__main__":
    main()
