"""Texts that come in: the real web against a bare insert behind the same signature check, on the same server, in turns.

Saturation first (as many as are answered), then a steady pace, by default the 500 a second that Twilio posts at most to
one address, with latencies from the appointed instants.
Run: python -m bench.webhook [--short] [--json] [--web-workers 2] [--web-threads 8]
"""

from __future__ import annotations

import argparse
import secrets
import subprocess
from collections.abc import Mapping
from statistics import median

from sqlalchemy import text

from bench import load
from bench.figures import Table, cpu_seconds, middle, milliseconds
from bench.load import Shot
from bench.peers import bare_insert
from bench.stage import ACCOUNT, TOKEN, Stage, answers
from engage.simulation.world import free_port

PEOPLE = 5_000
_STORED = text("SELECT count(*) FROM replies")


def main() -> None:
    """Print the table."""
    chosen = _parsed()
    table = Table("Webhook: inbound texts, signature checked, stored and committed before the answer")
    with Stage(PEOPLE) as stage:
        doors = _open(stage, chosen.web_workers, chosen.web_threads)
        for who in doors:  # the first requests of a process import and connect
            saturate(stage, doors, who, 500, chosen.connections)
        runs = [
            (who, saturate(stage, doors, who, chosen.texts, chosen.connections))
            for _ in range(chosen.runs)
            for who in doors
        ]
        for who in doors:
            table.rows.append(
                {"who": who, "load": "saturated", **middle([figures for name, figures in runs if name == who])}
            )
        for who in doors:
            table.rows.append(
                {
                    "who": who,
                    "load": f"{chosen.pace:,.0f}/s for {chosen.seconds} s",
                    **sustain(stage, doors, who, chosen.pace, chosen.seconds),
                }
            )
    rates = {who: median(figures["per_second"] for name, figures in runs if name == who) for who in doors}
    share = rates["engage"] / rates["bare insert"]
    p99 = next(float(str(row["p99_ms"])) for row in table.rows if row["who"] == "engage" and row["load"] != "saturated")
    table.verdicts[f"{share:.0%} of the bare insert, at least 75 %"] = share >= 0.75
    table.verdicts[f"p99 {p99:.1f} ms at {chosen.pace:,.0f}/s, under 25 ms"] = p99 < 25
    table.notes += [
        f"granian with {chosen.web_workers} processes of {chosen.web_threads} threads for both; PostgreSQL durable; no worker runs",
        f"saturated: {chosen.connections} connections; medians of {chosen.runs} turns of {chosen.texts:,} texts",
        "Engage also finds the agency and the author, encrypts number and words, and heeds STOP; the bare insert does none of it",
        "the load generator runs on this machine too: cpu_load; all cpu columns are CPU seconds per 1,000 texts",
    ]
    table.show(as_json=chosen.json)


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--texts", type=int, help="in each turn (default 10,000)")
    parser.add_argument("--runs", type=int, help="turns of each (default 3)")
    parser.add_argument("--pace", type=float, default=500, help="texts a second of the steady part")
    parser.add_argument("--seconds", type=int, help="of the steady part (default 20)")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--web-workers", type=int, default=2)
    parser.add_argument("--web-threads", type=int, default=8)
    chosen = parser.parse_args()
    for name, value in zip(
        ("texts", "runs", "seconds"), (2_000, 1, 5) if chosen.short else (10_000, 3, 20), strict=True
    ):
        if getattr(chosen, name) is None:
            setattr(chosen, name, value)
    return chosen


Doors = Mapping[str, tuple[int, str, subprocess.Popen[bytes]]]
"""Port, address of inbound texts and process, by name."""


def _open(stage: Stage, workers: int, threads: int) -> Doors:
    web = start_real_web(stage, workers, threads)
    port = free_port()
    stage.superuser.execute(f"SET ROLE engage; {bare_insert.TABLE}; RESET ROLE")
    url = f"http://127.0.0.1:{port}"
    command = ["granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--workers", str(workers)]
    command += ["--blocking-threads", str(threads), "--no-log", "bench.peers.bare_insert:app"]
    bare = stage.launch(*command, more={"BENCH_DSN": stage.plain_address, "BENCH_BARE_URL": url})
    stage.wait_until(lambda: answers(port), "the bare web did not begin")
    return {
        "engage": (stage.web_port, f"{stage.web_url}/twilio/messages", web),
        "bare insert": (port, f"{url}/twilio/messages", bare),
    }


def start_real_web(stage: Stage, workers: int, threads: int) -> subprocess.Popen[bytes]:
    """`engage web` with so many processes and threads."""
    return stage.start_web({"ENGAGE_WEB_WORKERS": str(workers), "ENGAGE_WEB_THREADS": str(threads)})


def saturate(stage: Stage, doors: Doors, who: str, count: int, connections: int) -> dict[str, float]:
    """As many as are answered."""
    return _fire(stage, doors, who, count, connections, None)


def sustain(stage: Stage, doors: Doors, who: str, pace: float, seconds: int) -> dict[str, float]:
    """At a steady pace, over as many connections as are needed."""
    return _fire(stage, doors, who, int(pace * seconds), 64, pace)


def _fire(stage: Stage, doors: Doors, who: str, count: int, connections: int, pace: float | None) -> dict[str, float]:
    port, url, process = doors[who]
    requests = load.texts(url, ACCOUNT, TOKEN, secrets.token_hex(6), count, PEOPLE)
    before = stage.ask(_STORED)
    pids = {"web": process.pid, "database": stage.database_pid}
    spent = {what: cpu_seconds(pid) for what, pid in pids.items()}
    result = load.run(Shot(port, requests, connections, pace))
    spent = {what: cpu_seconds(pid) - spent[what] for what, pid in pids.items()}
    stored = stage.ask(_STORED) - before
    if result.refused or (who == "engage" and stored != count):
        raise SystemExit(f"{result.refused} texts to {who} were refused, {stored} of {count} stored")
    costs = {f"cpu_{what}": seconds / count * 1000 for what, seconds in (spent | {"load": result.cpu_seconds}).items()}
    return {"per_second": result.per_second, **milliseconds(result.latencies), **costs}


if __name__ == "__main__":
    main()
