"""Whether years of rows make anything slower: sending, texts in, receipts and pages over 1, 10 and 100 times the old messages.

Old: delivered check-ins of the last half year, each with its receipt, every fourth with an answer.
Run: python -m bench.growth [--short] [--json] [--rows 20000] [--factors 1,10,100]
"""

from __future__ import annotations

import argparse
import time
from uuid import UUID

from sqlalchemy import text

from bench import dispatch, load, page_latency, patients, webhook
from bench.dispatch import Load
from bench.figures import Table, milliseconds
from bench.load import Shot
from bench.stage import ACCOUNT, TOKEN, Stage, end
from engage.outreach.links import Link, status_callback

_ACCEPTED = text(
    "SELECT agency_id, id, attempt_id, sid FROM messages WHERE state = 'accepted' ORDER BY id LIMIT :count"
)


def main() -> None:
    """Print the table."""
    chosen = _parsed()
    factors = [int(factor) for factor in chosen.factors.split(",")]
    table = Table("Growth: the same work over more and more old rows")
    have = 0
    with Stage(chosen.patients, nurses=chosen.answers) as stage:
        for factor in factors:
            began = time.monotonic()
            patients.grow_old(stage.superuser, stage.town, have, chosen.rows * factor)
            have = chosen.rows * factor
            stage.clear()
            filled = time.monotonic() - began
            table.rows.append({"old_messages": have, **measure(stage, chosen), "filled_in_s": round(filled)})
    first, last = table.rows[0], table.rows[-1]
    if len(factors) > 1:
        for what in ("sent_per_second", "texts_in_per_second", "receipts_per_second"):
            share = float(str(last[what])) / float(str(first[what]))
            table.verdicts[f"{what}: {share:.0%} of what it was at {first['old_messages']:,} rows, at least 80 %"] = (
                share >= 0.8
            )
    table.notes.append(
        "PostgreSQL durable, 128 MB of shared_buffers; 2 workers with 32 in flight, 2 web processes of 8 threads; provider at 0 ms, 80 for pages"
    )
    table.show(as_json=chosen.json)


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--factors", help="times as many old messages (default 1,10,100)")
    parser.add_argument("--rows", type=int, default=20_000, help="old messages at 1 (default 20,000)")
    parser.add_argument("--patients", type=int, default=20_000)
    parser.add_argument("--messages", type=int, help="sent for the rate (default 15,000)")
    parser.add_argument("--texts", type=int, help="in and receipts, for their rates (default 8,000)")
    parser.add_argument("--answers", type=int, help="patients whose nurse is paged (default 100)")
    chosen = parser.parse_args()
    short = {"factors": "1,10", "messages": 1_500, "texts": 600, "answers": 20}
    full = {"factors": "1,10,100", "messages": 15_000, "texts": 8_000, "answers": 100}
    for name, value in (short if chosen.short else full).items():
        if getattr(chosen, name) is None:
            setattr(chosen, name, value)
    return chosen


def measure(stage: Stage, chosen: argparse.Namespace) -> dict[str, object]:
    """Everything once, on the rows that are there; what it made is removed again."""
    load_ = Load(chosen.messages, 0, 32, 2)
    with dispatch.ready(stage, "engage", load_, {}) as (begin, is_over, groups):
        sent = dispatch.watch(stage, load_, begin, is_over, groups)
    web = webhook.start_real_web(stage, 2, 8)
    doors: webhook.Doors = {"engage": (stage.web_port, f"{stage.web_url}/twilio/messages", web)}
    webhook.saturate(stage, doors, "engage", 500, 16)
    texts_in = webhook.saturate(stage, doors, "engage", chosen.texts, 16)
    receipts = _receipts(stage, min(chosen.texts, chosen.messages))
    stage.clear()
    workers = stage.start_workers(2, {"ENGAGE_DISPATCH_AT_ONCE": "128"})
    pages = page_latency.measure(stage, min(chosen.messages, chosen.patients - chosen.answers), chosen.answers, 80)
    for process in (*workers, web):
        end(process)
    stage.clear()
    return {
        "sent_per_second": sent["per_second"],
        "cpu_workers": sent["cpu_workers"],
        "cpu_database": sent["cpu_database"],
        "texts_in_per_second": texts_in["per_second"],
        "in_p99_ms": texts_in["p99_ms"],
        "receipts_per_second": receipts["per_second"],
        "receipt_p99_ms": receipts["p99_ms"],
        "page_p99_s": pages.rows[0]["p99_s"],
    }


def _receipts(stage: Stage, count: int) -> dict[str, float]:
    """Twilio says "delivered" about `count` messages that have just been sent."""
    with stage.db.system_session("bench") as session:
        rows = session.execute(_ACCEPTED, {"count": count}).all()
    requests = [
        load.signed(
            _address(stage, row.agency_id, row.id, row.attempt_id),
            TOKEN,
            load.receipt_form(ACCOUNT, row.sid, "", "delivered"),
        )
        for row in rows
    ]
    result = load.run(Shot(stage.web_port, requests, 16))
    if result.refused:
        raise SystemExit(f"the web refused {result.refused} receipts")
    return {"per_second": result.per_second, **milliseconds(result.latencies)}


def _address(stage: Stage, agency: int, message: int, attempt: UUID) -> str:
    return status_callback(stage.web_url, Link(agency, message, attempt)).partition("#")[0]


if __name__ == "__main__":
    main()
