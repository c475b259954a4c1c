"""How long the pages of the console take at the server: an agency with open alerts over very many messages in, median and p95 out.

Old: delivered check-ins of half a year up to now with receipts, an answer to every fourth, each with its score; five
visits a patient over five weeks; ten payers, forty referral sources.
Run: python -m bench.console [--short] [--json] [--patients 5000] [--alerts 300] [--messages 1000000] [--requests 100]
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import text

from bench import patients
from bench.figures import Table, percentile
from bench.stage import Stage
from engage import clock
from engage.agencies.model import Account
from engage.alerts.opening import Reason, open_alert
from engage.alerts.rules.words import AlertKind
from engage.console.sessions import begin
from engage.console.worklist_read import Reach, Whose, read_worklist
from engage.db import encryption
from engage.patients.rules.window import local_day
from engage.resources import shipped
from engage.settings import read_toml
from engage.sms.rules.codes import parse_codes
from webhooks import create_app

TARGET_MS = 150.0
_KINDS = (AlertKind.LOW_SCORE, AlertKind.SYMPTOM, AlertKind.CALLBACK, AlertKind.RESCHEDULE, AlertKind.URGENT)
_READ = """
INSERT INTO readings (agency_id, reply_id, rule_version, intents, score, confidence, needs_person, evidence, outcome, read_at)
SELECT agency_id, id, 'bench', ARRAY['score'], 4, 1, false, %(evidence)s, '{}', received_at FROM replies ON CONFLICT DO NOTHING
"""
_SCORED = """
INSERT INTO scores (agency_id, patient_id, reply_id, message_id, contact_id, relationship, scale, value, given_at)
SELECT r.agency_id, m.patient_id, r.id, m.id, m.contact_id, 'patient', 5, 1 + r.id %% 5, r.received_at
FROM replies r JOIN messages m ON m.agency_id = r.agency_id AND m.contact_id = r.contact_id AND m.claimed_at = r.received_at
WHERE r.received_at > %(since)s ON CONFLICT DO NOTHING
"""
_VISITED = """
INSERT INTO visits (agency_id, patient_id, emr_id, task, discipline, starts_on, starts_local, changed_at, status, completed_at, answer, answered_at)
SELECT p.agency_id, p.id, p.id || '-' || n, 'Skilled Nurse Visit', 'SN', on_day, '10:00', %(now)s, stands.status,
       CASE stands.status WHEN 'completed' THEN %(now)s::timestamptz END, CASE WHEN p.id %% 3 > 0 THEN 'confirmed' END, CASE WHEN p.id %% 3 > 0 THEN %(now)s::timestamptz END
FROM patients p, generate_series(-2, 2) n,
LATERAL (SELECT %(today)s::date + 7 * n - CAST(p.id %% 7 AS int) AS on_day) day,
LATERAL (SELECT CASE WHEN on_day >= %(today)s::date THEN 'scheduled' WHEN (p.id + n) %% 25 = 0 THEN 'missed' ELSE 'completed' END AS status) stands
"""
_CAME = """
INSERT INTO visit_clinicians (agency_id, visit_id, clinician_id)
SELECT v.agency_id, v.id, (SELECT min(id) FROM clinicians) + v.patient_id % (SELECT count(*) FROM clinicians) FROM visits v
"""
_PAID = """
WITH paying AS (
    INSERT INTO payers (agency_id, emr_id, name) SELECT %(agency)s, n, 'Payer ' || n FROM generate_series(1, 10) n RETURNING id
), sending AS (
    INSERT INTO referral_sources (agency_id, emr_id, name) SELECT %(agency)s, n, 'Source ' || n FROM generate_series(1, 40) n RETURNING id
)
INSERT INTO episodes (agency_id, patient_id, emr_id, starts_on, payer_id, referral_source_id)
SELECT p.agency_id, p.id, 'E' || p.id || '-' || n, %(today)s::date - 60 * n, (SELECT min(id) FROM paying) + (p.id + n) %% 10, (SELECT min(id) FROM sending) + p.id %% 40
FROM patients p, generate_series(0, 1) n
"""
_APART = 15  # seconds: a million of them fill half a year
_LATELY = text(
    "SELECT c.patient_id, max(r.id) AS reply FROM replies r JOIN contacts c ON c.id = r.contact_id GROUP BY 1 ORDER BY 1 LIMIT :most"
)


def main() -> None:
    """Print the table."""
    chosen = _parsed()
    table = Table(f"Console: {chosen.patients:,} patients, {chosen.alerts} open alerts, {chosen.messages:,} messages")
    with Stage(chosen.patients, nurses=min(chosen.patients, 30)) as stage:
        _fill(stage, chosen)
        ask = _signed_in(stage)
        people = [row.patient_id for row in _rows(stage, chosen.alerts)]
        after = _second_page(stage)
        rng, today = random.Random(1), local_day(clock.now(), stage.town.zone)
        pages: dict[str, Callable[[], str]] = {
            "worklist": lambda: "/console/worklist?whose=agency",
            "worklist, next page": lambda: f"/console/worklist?whose=agency&after={after}",
            "worklist, live part": lambda: "/console/worklist/live?whose=agency&seen=0",
            "patient": lambda: f"/console/patients/{rng.choice(people)}",
            "messages of today": lambda: "/console/messages",
            "messages of a week": lambda: f"/console/messages?first={today - timedelta(days=6)}&last={today}",
            "visits, a week": lambda: "/console/visits?days=week",
            "dashboard, two weeks": lambda: "/console/dashboard",
            "dashboard by payer": lambda: "/console/dashboard?by=payer",
            "dashboard by clinician": lambda: "/console/dashboard?by=clinician",
            "people behind a figure": lambda: "/console/dashboard/people?measure=answered",
        }
        for name, path in pages.items():
            for _ in range(3):
                ask(path())  # the first ones plan their statements and compile the templates
            took = [ask(path()) for _ in range(chosen.requests)]
            row = {
                "page": name,
                "median_ms": round(percentile(took, 0.5) * 1000, 1),
                "p95_ms": round(percentile(took, 0.95) * 1000, 1),
            }
            table.rows.append({**row, "requests": chosen.requests})
            table.verdicts[f"{name}: p95 {row['p95_ms']} ms, at most {TARGET_MS:.0f} ms"] = (
                float(str(row["p95_ms"])) <= TARGET_MS
            )
    table.notes.append(
        "one request at a time through the whole app in this process, PostgreSQL durable, statements prepared; audit rows included"
    )
    table.show(as_json=chosen.json)


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--patients", type=int, help="default 5,000")
    parser.add_argument("--alerts", type=int, help="open ones (default 300)")
    parser.add_argument("--messages", type=int, help="old ones (default 1,000,000)")
    parser.add_argument("--requests", type=int, help="of each page (default 100)")
    chosen = parser.parse_args()
    short = {"patients": 500, "alerts": 50, "messages": 20_000, "requests": 20}
    full = {"patients": 5_000, "alerts": 300, "messages": 1_000_000, "requests": 100}
    for name, value in (short if chosen.short else full).items():
        if getattr(chosen, name) is None:
            setattr(chosen, name, value)
    return chosen


def _fill(stage: Stage, chosen: argparse.Namespace) -> None:
    """Old messages with answers, readings and scores; visits of some weeks; the open alerts, each with what the patient wrote."""
    patients.grow_old(stage.superuser, stage.town, 0, chosen.messages, apart=_APART, age=timedelta(0))
    seal, now = encryption.ring().seal, clock.now()
    evidence = seal(
        '{"evidence": [{"intent": "score", "words": "4", "start": 0, "end": 1, "rule": "bench"}], "times": []}',
        "readings.evidence",
    )
    with stage.superuser.transaction():
        stage.superuser.execute("SET LOCAL session_replication_role = replica")
        stage.superuser.execute(_READ, {"evidence": evidence})
        stage.superuser.execute(_SCORED, {"since": now - timedelta(days=180)})
        stage.superuser.execute(_VISITED, {"today": now.date(), "now": now})
        stage.superuser.execute(_CAME)
        stage.superuser.execute(_PAID, {"today": now.date(), "agency": stage.town.agency})
    for position, row in enumerate(_rows(stage, chosen.alerts)):
        with stage.db.agency_session(stage.town.agency) as session:
            kind = _KINDS[position % len(_KINDS)]
            open_alert(session, Reason(kind, stage.town.agency, row.patient_id, reply_id=row.reply), now)
    stage.superuser.execute("VACUUM ANALYZE")


def _second_page(stage: Stage) -> str:
    """Where the second page of the worklist begins; nothing where there is none."""
    with stage.db.agency_session(stage.town.agency) as session:
        found = read_worklist(session, Reach(stage.town.agency, None, None, is_nurse=False), Whose.AGENCY, clock.now())
    return found.next_after.written() if found.next_after else ""


def _rows(stage: Stage, most: int) -> list[object]:
    with stage.db.system_session("bench") as session:
        return list(session.execute(_LATELY, {"most": most}))


def _signed_in(stage: Stage) -> Callable[[str], float]:
    """A browser of a manager; asking for a page returns the seconds it took."""
    codes = parse_codes(read_toml(shipped("config") / "twilio-codes.toml"))
    app = create_app(stage.db, codes, auth_tokens=["x"], public_url="http://localhost")
    agency, now = stage.town.agency, clock.now()
    with stage.db.agency_session(agency) as session:
        account = Account(agency_id=agency, email="bench@example.org", name="Bench", role="manager", created_at=now)
        session.add(account)
        session.flush()
        token = begin(session, agency, account.id, now, address="192.0.2.1", agent="bench", is_whole=True)
    browser = app.test_client()
    with browser.session_transaction() as kept:
        kept["_user_id"] = token

    def ask(path: str) -> float:
        began = time.perf_counter()
        answer = browser.get(path)
        took = time.perf_counter() - began
        if answer.status_code != 200:
            raise SystemExit(f"{path} answered {answer.status_code}")
        return took

    return ask


if __name__ == "__main__":
    main()
