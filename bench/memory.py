"""What a worker holds after a million texts: resident memory after each round, and the slope that remains.

Rounds of 50,000 check-ins (there are not many more fictional numbers) at a provider that answers at once; between two
rounds the rows are removed, so that it is the worker's memory that is measured and not the database's.
Run: python -m bench.memory [--short] [--json] [--messages 1000000]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from sqlalchemy import text

from bench import patients
from bench.figures import Table, resident_megabytes
from bench.stage import Stage

_TO_GO = text("SELECT EXISTS (SELECT FROM messages WHERE state IN ('planned', 'sending', 'unknown'))")
_NOT_SENT = text("SELECT count(*) FROM messages WHERE state <> 'accepted'")
FLAT = 1.0
"""Megabytes for each 100,000 texts: ten in a million, which is what allocators and sampling do by themselves."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="20,000 texts in rounds of 4,000")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--messages", type=int, help="in all (default 1,000,000)")
    parser.add_argument("--round", type=int, help="between two samples (default 50,000)")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], metavar="ENGAGE_X=Y", help="a setting of our workers")
    chosen = parser.parse_args()
    whole = chosen.messages or (20_000 if chosen.short else 1_000_000)
    size = min(chosen.round or (4_000 if chosen.short else 50_000), whole)
    table = Table(f"Memory of a worker, sampled every {size:,} texts")
    samples: list[tuple[int, float]] = []
    with Stage(size) as stage:
        workers = [
            worker.pid
            for worker in stage.start_workers(chosen.workers, dict(pair.split("=", 1) for pair in chosen.set))
        ]
        table.notes.append(
            f"before the first text: {resident_megabytes(*workers):.1f} MB; {chosen.workers} worker processes"
        )
        for sent in range(size, whole + 1, size):
            began = time.monotonic()
            _send(stage, size)
            samples.append((sent, resident_megabytes(*workers)))
            table.rows.append(
                {"texts": sent, "megabytes": samples[-1][1], "per_second": size / (time.monotonic() - began)}
            )
            stage.clear()
    slope = per_hundred_thousand(samples[len(samples) // 5 :])
    if not chosen.short:
        table.verdicts[f"{slope:+.2f} MB for each 100,000 texts, at most {FLAT}"] = slope <= FLAT * chosen.workers
    table.notes.append(
        f"slope after the first fifth: {slope:+.2f} MB for each 100,000 texts; per_second is the whole round, no target"
    )
    table.show(as_json=chosen.json)


def _send(stage: Stage, count: int) -> None:
    with stage.db.system_session("bench") as session:
        patients.make_due(session, count)
    stage.wait_until(lambda: stage.provider.count() >= count and not stage.ask(_TO_GO), "the texts do not go out", 3600)
    if stage.ask(_NOT_SENT):
        raise SystemExit(f"not all were sent: {stage.states()}")


def per_hundred_thousand(samples: Sequence[tuple[int, float]]) -> float:
    """The slope of the straight line through the samples (least squares)."""
    if len(samples) < 2:
        return 0.0
    mean_x = sum(x for x, _ in samples) / len(samples)
    mean_y = sum(y for _, y in samples) / len(samples)
    spread = sum((x - mean_x) ** 2 for x, _ in samples)
    return 100_000 * sum((x - mean_x) * (y - mean_y) for x, y in samples) / spread


if __name__ == "__main__":
    main()
