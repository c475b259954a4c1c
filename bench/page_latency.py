"""From a patient's "1" to her nurse's phone, while thousands of check-ins are going out: the whole program at work.

Web and workers as they run; the provider takes 80 ms. Patients who were asked before answer at random instants; each has
a nurse of her own, so that the page at the provider can be told from all others by its number.
Run: python -m bench.page_latency [--short] [--json] [--checkins 10000] [--patients 200] [--set ENGAGE_TICK_SECONDS=1]
"""

from __future__ import annotations

import argparse
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from random import Random

from sqlalchemy import text

from bench import load, patients
from bench.figures import Table, percentile
from bench.load import Shot
from bench.stage import ACCOUNT, TOKEN, Stage
from engage.simulation import invented

_SENT = text("""
SELECT count(DISTINCT clinician_id) FILTER (WHERE kind = 'page') AS pages, count(DISTINCT contact_id) FILTER (WHERE kind = 'answer') AS answers
FROM messages WHERE kind IN ('page', 'answer') AND state NOT IN ('planned', 'sending')
""")
_PATIENCE = 60.0


def main() -> None:
    """Print the table."""
    chosen, began = _parsed(), time.monotonic()
    with Stage(chosen.patients + chosen.checkins, nurses=chosen.patients) as stage:
        stage.start_web({"ENGAGE_WEB_WORKERS": str(chosen.web_workers)})
        settings = {"ENGAGE_DISPATCH_AT_ONCE": str(chosen.in_flight)} | dict(pair.split("=", 1) for pair in chosen.set)
        stage.start_workers(chosen.workers, settings)
        table = measure(stage, chosen.checkins, chosen.patients, chosen.delay_ms, chosen.seed)
    table.notes.append(
        f"{chosen.workers} workers with {chosen.in_flight} requests in flight each, {chosen.web_workers} web processes"
    )
    table.began = began
    table.show(as_json=chosen.json)


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--checkins", type=int, help="that are going out meanwhile (default 10,000)")
    parser.add_argument("--patients", type=int, help="who answer (default 200)")
    parser.add_argument("--delay-ms", type=float, default=80)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--web-workers", type=int, default=1)
    parser.add_argument("--in-flight", type=int, default=128)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], metavar="ENGAGE_X=Y", help="a setting of our workers")
    chosen = parser.parse_args()
    for name, value in zip(("checkins", "patients"), (3_000, 40) if chosen.short else (10_000, 200), strict=True):
        if getattr(chosen, name) is None:
            setattr(chosen, name, value)
    return chosen


def measure(stage: Stage, checkins: int, people: int, delay_ms: float, seed: int = 1) -> Table:
    """One run on a stage whose first `people` patients have a nurse each, and whose web and workers are there."""
    provider, web = stage.provider, f"{stage.web_url}/twilio/messages"
    provider.reset(delay_ms)
    with stage.db.system_session("bench") as session:
        patients.have_asked(session, people)
    dice = Random(seed)
    offsets = sorted(dice.random() for _ in range(people))
    answers = load.texts(web, ACCOUNT, TOKEN, secrets.token_hex(6), people, people, body="1")
    child = load.load(Shot(stage.web_port, answers, 32, offsets=offsets))
    # the web's first requests import and connect
    load.run(Shot(stage.web_port, [load.signed(f"{stage.web_url}/twilio/status", TOKEN, {"x": "y"})] * 32, 16))
    with stage.db.system_session("bench") as session:
        patients.make_due(session, checkins, skip=people)
    _until(lambda: provider.count() >= checkins // 10)
    seen, at = provider.count(), time.monotonic()
    # texts leave in batches: over less than a second the pace would be that of a batch, and the answers would come in one burst
    _until(lambda: provider.count() >= checkins // 4 and time.monotonic() - at > 1)
    pace = (provider.count() - seen) / (time.monotonic() - at)
    result = load.fire_from(child, stretch=0.8 * (checkins - provider.count()) / pace)
    stage.wait_until(lambda: provider.count() >= checkins, "the check-ins do not go out", 900)
    _until(lambda: _sent(stage) == (people, people), pause=0.2)
    if result.refused:
        raise SystemExit(f"the web refused {result.refused} answers")
    return _table(stage, result.appointed, people, checkins, result.latencies)


def _sent(stage: Stage) -> tuple[int, int]:
    """Nurses who were paged, and patients who were answered."""
    with stage.db.system_session("bench") as session:
        row = session.execute(_SENT).one()
        return row.pages, row.answers


def _until(happened: Callable[[], bool], pause: float = 0.01) -> None:
    """Wait; what does not happen in time is seen in the table."""
    until = time.monotonic() + _PATIENCE
    while not happened() and time.monotonic() < until:
        time.sleep(pause)


def _table(stage: Stage, appointed: Sequence[float], people: int, checkins: int, webhook: Sequence[float]) -> Table:
    arrivals = stage.provider.phones()
    ours = {
        invented.phone(number)
        for number in range(patients.FIRST_PATIENT + people, patients.FIRST_PATIENT + people + checkins)
    }
    last_checkin = max(at for at, to, _ in arrivals if to in ours)
    first: dict[str, float] = {}
    for at, to, _ in arrivals:
        first.setdefault(to, at)
    pages = _waits(first, patients.FIRST_NURSE, appointed)
    replies = _waits(first, patients.FIRST_PATIENT, appointed)
    during = sum(at < last_checkin for at in appointed)
    table = Table(f"From a patient's answer to the provider, while {checkins:,} check-ins go out")
    for what, waits in (
        ("page to the nurse", pages),
        ("answer to the patient", replies),
        ("answer of the webhook", webhook),
    ):
        table.rows.append({"what": what, "count": len(waits), **_spread(waits)})
    p99 = percentile(pages, 0.99)
    table.verdicts[f"{len(pages)} of {people} pages arrived"] = len(pages) == people
    table.verdicts[f"p99 of the pages {p99:.2f} s, under 1 s"] = p99 < 1
    table.notes.append(
        f"{during} of {people} patients answered before the last check-in had left; times count from the appointed instant of the POST"
    )
    return table


def _waits(first: Mapping[str, float], begin: int, appointed: Sequence[float]) -> list[float]:
    """From each patient's POST to the first text to her (or to her nurse)."""
    numbers = [invented.phone(begin + place) for place in range(len(appointed))]
    return [first[number] - at for number, at in zip(numbers, appointed, strict=True) if number in first]


def _spread(waits: Sequence[float]) -> dict[str, float]:
    """In seconds."""
    return {
        "p50_s": round(percentile(waits, 0.5), 3),
        "p90_s": round(percentile(waits, 0.9), 3),
        "p99_s": round(percentile(waits, 0.99), 3),
        "max_s": round(max(waits, default=float("nan")), 3),
    }


if __name__ == "__main__":
    main()
