"""Sending, in texts a second: the real workers against the usual ways to send from rows, in one run on one machine.

Ours: due check-ins with patients, phones and consent, sent by `engage worker`. Peers: bench/peers. All of them: two worker
processes, the same requests in flight, the same PostgreSQL, the same provider at 0 and 80 ms.
Run: python -m bench.dispatch [--short] [--json] [--peers celery,procrastinate] [--set ENGAGE_DISPATCH_BATCH=500]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from shutil import which
from statistics import median

from sqlalchemy import text

from bench import patients
from bench.figures import Table, cpu_seconds, middle
from bench.stage import Stage, end, listens
from engage.db.processes import start_child
from engage.simulation.world import free_port

EVERYBODY = ("engage", "bare-aiohttp", "bare-sdk", "celery", "procrastinate", "apscheduler")
JOB_PER_MESSAGE = ("celery", "procrastinate", "apscheduler")
INSTALL = ".venv/bin/pip install -e '.[bench]'"
_TO_GO = text("SELECT EXISTS (SELECT FROM messages WHERE state IN ('planned', 'sending', 'unknown'))")
_SPAN = text("SELECT extract(epoch FROM max(accepted_at) - min(claimed_at)) FROM messages")


@dataclass(frozen=True)
class Load:
    """One measurement: how many messages, how slow the provider, how many requests in flight in each worker process."""

    messages: int
    delay_ms: float
    in_flight: int
    workers: int


def main() -> None:
    """Print the table."""
    chosen = _parsed()
    table = Table("Dispatch: texts a second, the provider's count over the middle eight tenths of each run")
    names = [name for name in chosen.peers.split(",") if _is_there(name, table)]
    delays = [float(delay) for delay in chosen.delays.split(",")]
    flights = [int(number) for number in chosen.in_flight.split(",")]
    rates: dict[tuple[str, float], float] = {}
    with Stage(max(chosen.messages, 100)) as stage:
        for delay, flight in zip(delays, flights, strict=True):
            for name in names:
                count = chosen.peer_messages if name in JOB_PER_MESSAGE else chosen.messages
                load = Load(count, delay, flight, chosen.workers)
                runs = [
                    run(stage, name, load, dict(pair.split("=", 1) for pair in chosen.set)) for _ in range(chosen.runs)
                ]
                rates[name, delay] = median(figures["per_second"] for figures in runs)
                table.rows.append(
                    {"who": name, "delay_ms": delay, "messages": count, "in_flight": flight, **middle(runs)}
                )
                if chosen.verbose:
                    print(table.text().splitlines()[-1], file=sys.stderr, flush=True)
    _judge(table, rates)
    _explain(table)
    table.notes += [
        f"medians of {chosen.runs} runs; {chosen.workers} worker processes each; everything on this machine, PostgreSQL durable",
        "cpu columns are CPU seconds per 1,000 texts, of the worker processes, of PostgreSQL, of the provider, of Redis",
        "a peer's queue was filled before its workers began, and that is not counted",
        "Engage checks permission, writes, encrypts and leases what the peers find ready in their rows",
    ]
    table.show(as_json=chosen.json)


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="one small run each, in a few minutes")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--verbose", action="store_true", help="say each row as it is measured")
    parser.add_argument("--peers", default=",".join(EVERYBODY), help="whom to measure, by name (default: %(default)s)")
    parser.add_argument("--messages", type=int, help="for Engage and the bare outboxes (default 40,000)")
    parser.add_argument("--peer-messages", type=int, help="for peers with a job per message (default 3,000)")
    parser.add_argument("--runs", type=int)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--delays", default="0,80", help="of the provider, ms")
    parser.add_argument("--in-flight", default="32,128", help="requests in flight per worker process, for each delay")
    parser.add_argument("--set", action="append", default=[], metavar="ENGAGE_X=Y", help="a setting of our workers")
    chosen = parser.parse_args()
    if chosen.delays.count(",") != chosen.in_flight.count(","):
        parser.error("--delays and --in-flight must have as many numbers: --delays 0 --in-flight 32")
    full = (40_000, 3_000, 3)
    short = (6_000, 1_000, 1)
    for name, value in zip(("messages", "peer_messages", "runs"), short if chosen.short else full, strict=True):
        if getattr(chosen, name) is None:
            setattr(chosen, name, value)
    return chosen


def _is_there(name: str, table: Table) -> bool:
    if name not in EVERYBODY:
        raise SystemExit(f"There is no peer {name!r}: choose from {', '.join(EVERYBODY)}.")
    missing = [
        module
        for module in {"celery": ("celery", "redis"), "procrastinate": ("procrastinate",)}.get(name, ())
        if find_spec(module) is None
    ]
    if missing:
        table.notes.append(f"{name} was not measured: {' and '.join(missing)} not installed ({INSTALL})")
    elif name == "celery" and which("redis-server") is None:
        table.notes.append(
            "celery was not measured: redis-server is not installed (on Debian: apt-get install redis-server)"
        )
        missing = ["redis-server"]
    return not missing


def _judge(table: Table, rates: Mapping[tuple[str, float], float]) -> None:
    """The targets, as far as they were measured."""
    for delay, target in ((0.0, 4_000), (80.0, 2_500)):
        ours = rates.get(("engage", delay))
        if ours is None:
            continue
        table.verdicts[f"{ours:,.0f}/s at {delay:.0f} ms, at least {target:,}"] = ours >= target
        for name in ("celery", "procrastinate"):
            if (name, delay) in rates:
                times = ours / rates[name, delay]
                table.verdicts[f"{times:.1f} times {name} at {delay:.0f} ms, at least 8"] = times >= 8


def _explain(table: Table) -> None:
    """What the difference to the bare outbox with aiohttp is spent on, in CPU seconds per 1,000 texts of all processes."""
    for delay in dict.fromkeys(row["delay_ms"] for row in table.rows):
        spent = {
            row["who"]: (float(str(row["cpu_workers"])), float(str(row["cpu_database"])))
            for row in table.rows
            if row["delay_ms"] == delay
        }
        if {"engage", "bare-aiohttp", "bare-sdk"} <= set(spent):
            ours, bare, sdk = spent["engage"], spent["bare-aiohttp"], spent["bare-sdk"]
            table.notes.append(
                f"at {delay:.0f} ms Engage spends {sum(ours) - sum(bare):+.2f} more than the bare outbox with aiohttp:"
                f" {sdk[0] - bare[0]:+.2f} is what a bare outbox pays for the SDK in threads,"
                f" {ours[0] - sdk[0]:+.2f} permission, wording, encryption, signed links and bookkeeping in the workers"
                f" (and their own way to the SDK), {ours[1] - bare[1]:+.2f} PostgreSQL"
            )


def run(stage: Stage, name: str, load: Load, settings: Mapping[str, str]) -> dict[str, float]:
    """One run of one of them; its figures."""
    stage.clear()
    stage.provider.reset(load.delay_ms)
    with ready(stage, name, load, settings) as (begin, is_over, groups):
        figures = watch(stage, load, begin, is_over, groups)
    if name == "engage":
        figures["claimed_to_accepted"] = load.messages / float(stage.ask(_SPAN))
    return figures


def watch(
    stage: Stage,
    load: Load,
    begin: Callable[[], None],
    is_over: Callable[[], bool],
    groups: Callable[[], Mapping[str, Sequence[int]]],
) -> dict[str, float]:
    """Begin, and look on: CPU time between the first and the last tenth, each message exactly once, the rate between them."""
    provider, marks = stage.provider, (load.messages // 10, load.messages - load.messages // 10)
    begin()
    spent: list[dict[str, float]] = []
    seen: list[int] = []
    for mark in marks:
        stage.wait_until(lambda mark=mark: provider.count() >= mark, "the texts do not arrive", 900)
        seen.append(provider.count())
        pids = groups() | {"database": [stage.database_pid], "provider": [provider.process.pid]}
        spent.append({what: cpu_seconds(*roots) for what, roots in pids.items()})
    stage.wait_until(is_over, "the rows are not settled", 900)
    report = provider.report()
    if (report["messages"], report["twice"]) != (load.messages, 0):
        raise SystemExit(
            f"{report['messages']} of {load.messages} messages arrived, {report['twice']} of them again: {stage.states()}"
        )
    thousands = (seen[1] - seen[0]) / 1000
    figures = {"per_second": (load.messages - 2 * (load.messages // 10)) / (report["nine_tenths"] - report["tenth"])}
    figures |= {f"cpu_{what}": (spent[1][what] - spent[0][what]) / thousands for what in spent[0]}
    return figures


@contextmanager
def ready(
    stage: Stage, name: str, load: Load, settings: Mapping[str, str]
) -> Iterator[tuple[Callable[[], None], Callable[[], bool], Callable[[], dict[str, Sequence[int]]]]]:
    """What begins it, what says that it is over, and whose CPU time counts."""
    processes: list[subprocess.Popen[bytes]] = []
    with ExitStack() as stack:
        stack.callback(lambda: [end(process) for process in processes])
        if name == "engage":
            flights = {"ENGAGE_DISPATCH_AT_ONCE": str(load.in_flight), **settings}
            processes += stage.start_workers(load.workers, flights)

            def begin() -> None:
                with stage.db.system_session("bench") as session:
                    patients.make_due(session, load.messages)

            yield begin, lambda: not stage.ask(_TO_GO), lambda: {"workers": [process.pid for process in processes]}
            return
        broker = stack.enter_context(_broker(stage)) if name == "celery" else None
        environment = _environment(stage, load, broker)
        _enqueue(stage, name, load, environment)
        left = "SELECT NOT EXISTS (SELECT FROM bench_outbox WHERE state <> 'accepted')"

        def launch() -> None:
            processes.extend(stage.launch(*command, more=environment) for command in _commands(name, load))

        def groups() -> dict[str, Sequence[int]]:
            return {"workers": [process.pid for process in processes], **({"broker": [broker[0]]} if broker else {})}

        yield launch, lambda: bool(stage.superuser.execute(left).fetchone()[0]), groups  # type: ignore[index]


@contextmanager
def _broker(stage: Stage) -> Iterator[tuple[int, int]]:
    """A Redis of our own: its process id and port."""
    port = free_port()
    command = [
        which("redis-server") or "",
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
    ]
    process = start_child(command, environment=stage.environment(), output=subprocess.DEVNULL, death_signal=15)
    try:
        stage.wait_until(lambda: listens(port), "redis did not begin")
        yield process.pid, port
    finally:
        end(process)


def _environment(stage: Stage, load: Load, broker: tuple[int, int] | None) -> dict[str, str]:
    redis = {"BENCH_REDIS": f"redis://127.0.0.1:{broker[1]}/0"} if broker else {}
    return {"BENCH_DSN": stage.plain_address, "BENCH_IN_FLIGHT": str(load.in_flight), **redis}


def _enqueue(stage: Stage, name: str, load: Load, environment: Mapping[str, str]) -> None:
    """Fill table and queue, in a process of its own: their libraries and settings stay there."""
    filling = stage.launch("bench.peers.filling", name, str(load.messages), str(load.workers), more=environment)
    if filling.wait() != 0:
        raise SystemExit(f"{name} could not be filled:\n{stage.log_file.read_text(errors='replace')[-2000:]}")


def _commands(name: str, load: Load) -> list[tuple[str, ...]]:
    numbers = [str(number) for number in range(load.workers)]
    match name:
        case "celery":
            quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "ERROR")
            pool = ("-P", "threads", "-c", str(load.in_flight))
            return [
                ("celery", "-A", "bench.peers.celery_task", "worker", "-n", f"w{n}@%h", *pool, *quiet) for n in numbers
            ]
        case "procrastinate":
            return [("bench.peers.procrastinate_job",) for _ in numbers]
        case "apscheduler":
            return [("bench.peers.apscheduler_jobs", number) for number in numbers]
        case _:
            return [("bench.peers.bare_outbox", name.removeprefix("bare-")) for _ in numbers]


if __name__ == "__main__":
    main()
