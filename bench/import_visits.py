"""How long importing visits takes: `python bench/import_visits.py [--visits 100000] [--patients 10000] [--database-url URL]`.

Without an address an embedded server is started for it, with fsync off. Prints one line a case; nothing else is measured.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from engage import log
from engage.db import Database, encryption, migrate
from engage.db.embedded import EmbeddedPostgres, usable_data_dir
from engage.db.encryption import KeyRing
from engage.resources import shipped
from engage.visits.importer import import_file
from tests.flows.visits import axxess_sample

NOW = datetime(2026, 11, 22, 17, tzinfo=UTC)
RING = KeyRing({"bench": b"b" * 32}, "only for measuring, never for patients")
AGENCY = (
    "INSERT INTO agencies (slug, name, short_name, phone, time_zone, created_at) VALUES"
    " ('bench', 'Bench', 'Bench', '+12025550100', 'America/New_York', now()) ON CONFLICT DO NOTHING"
)


def main() -> None:
    """Write the files, import them cold, again unchanged, and once more with every visit an hour later."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--visits", type=int, default=100_000)
    asked.add_argument("--patients", type=int, default=10_000)
    asked.add_argument("--database-url", help="an empty PostgreSQL database; postgresql+psycopg://…")
    given = asked.parse_args()
    log.configure("ERROR")
    encryption.use(RING)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = given.database_url
        if url is None:
            server = EmbeddedPostgres(usable_data_dir(folder / "postgres"), durable=False)
            url = stack.enter_context(server).url()
        db = Database(url)
        stack.callback(db.close)
        migrate.upgrade(db, RING)
        with db.system_session("bench") as session:
            session.execute(text(AGENCY))
        files = folder / "extracts"
        files.mkdir()
        visits, patients = axxess_sample.agency(given.patients, given.visits)
        later = folder / "PatientVisits_later.txt"
        axxess_sample.write(files / "PatientVisits.txt", visits)
        axxess_sample.write(files / "PatientInfo.txt", patients)
        moved = (
            line.replace(":00|", ":05|").replace(":30|", ":35|")
            for line in axxess_sample.agency(given.patients, given.visits)[0]
        )
        axxess_sample.write(later, moved)
        size = sum(file.stat().st_size for file in files.iterdir()) / 1e6
        print(f"{given.visits} visits, {given.patients} patients with two phones each, {size:.0f} MB")
        for name, path in (("new", files), ("the same again", files), ("half of the visits moved", later)):
            _measure(db, name, path)


def _measure(db: Database, name: str, path: Path) -> None:
    began, worked = time.monotonic(), time.process_time()
    report = import_file(db, "bench", path, "axxess", now=NOW, config_dir=shipped("config"), is_complete=True)
    seconds, cpu = time.monotonic() - began, time.process_time() - worked
    counts = {change.value: number for change, number in report.counts["visits"].items()}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name}: {seconds:.1f} s ({cpu:.1f} s of it in Python), visits {counts}, peak {peak:.0f} MB")


if __name__ == "__main__":
    main()
