"""engage simulate-rules over an agency's real rows: what proposed rules would have cost, with ids and nobody's name."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from engage import clock
from engage.alerts.escalate import escalate
from engage.alerts.opening import Reason, open_alert
from engage.alerts.rules.words import AlertKind
from engage.db import Database
from engage.replies.handle import handle
from engage.replies.inbox import InboundText, store
from engage.replies.lexicon import load_lexicon
from tests.cast import MARTA_PHONE, ROSE_PHONE, STRANGER_PHONE, SUNRISE_NUMBER, Cast, gather_cast
from tests.conftest import ROOT
from tests.flows.cli.conftest import Program
from tests.flows.cli.test_commands import is_one_sentence

_CHECKIN = text("""
INSERT INTO messages (agency_id, kind, priority, touchpoint_id, occasion, patient_id, contact_id, template, category, asks, planned_at,
    send_at, due_at, expires_at, state, sid, attempt_id, body, claimed_at, accepted_at, ended_at)
SELECT c.agency_id, 'touchpoint', 4, t.id, 'x', c.patient_id, c.id, t.template, t.category, t.asks, :at, :at, :at,
    CAST(:at AS timestamptz) + interval '1 hour', 'delivered', 'SM' || c.id, gen_random_uuid(), 'x', :at, :at, :at
FROM contacts c JOIN touchpoints t ON t.agency_id = c.agency_id AND t.key = 'morning-checkin' WHERE c.agency_id = :agency
""")


def said(cast: Cast, phone: str, body: str, at: datetime) -> None:
    """Somebody texts, and it is understood."""
    sid = "SM" + f"{abs(hash((phone, body))):032x}"[:32]
    store(cast.db, InboundText(sid=sid, from_phone=phone, to=SUNRISE_NUMBER, service_sid=None, body=body), at)
    handle(cast.db, load_lexicon(cast.config / "lexicon"), lambda: at, 10)


@pytest.fixture
def yesterday(engage: Program, db: Database) -> Cast:
    """Rose said 2, Marta 3, a stranger something, and a visit reminder reached nobody."""
    engage("agency", "list")  # with the keys of the program
    cast = gather_cast(db, ROOT / "config")
    at = clock.now() - timedelta(days=1)
    with db.agency_session(cast.id) as session:
        session.execute(_CHECKIN, {"agency": cast.id, "at": at})
    said(cast, ROSE_PHONE, "2", at + timedelta(minutes=1))
    said(cast, MARTA_PHONE, "3", at + timedelta(minutes=2))
    said(cast, STRANGER_PHONE, "who is this", at + timedelta(minutes=3))
    with db.agency_session(cast.id) as session:
        open_alert(session, Reason(AlertKind.UNDELIVERABLE, cast.id, cast.marta), at + timedelta(minutes=4))
    escalate(db, at + timedelta(minutes=5))
    return cast


def ids(db: Database, query: str, cast: Cast) -> list[int]:
    with db.agency_session(cast.id) as session:
        return list(session.execute(text(query)).scalars())


def test_what_proposed_rules_would_have_cost(engage: Program, db: Database, yesterday: Cast, tmp_path: Path) -> None:
    def simulate(*more: str) -> dict[str, object]:
        done = engage("simulate-rules", "--agency", "sunrise", "--days", "2", "--json", *more)
        assert done.code == 0, done.err
        for secret in ("Rose", "Marta", "555", "who is this", "Miller"):
            assert secret not in done.out
        found = json.loads(done.out)
        assert isinstance(found, dict)
        return found

    (low,) = ids(db, "SELECT id FROM alerts WHERE kind = 'low_score'", yesterday)
    rose, marta = ids(db, "SELECT id FROM replies WHERE contact_id IS NOT NULL ORDER BY received_at", yesterday)
    same = simulate()
    assert (same["missed"], same["added"], same["replies"]) == ([], [], 2)
    assert same["present"] == same["proposed"]
    assert same["present"]["alerts"] == 3  # type: ignore[index]
    assert simulate("--read-again")["proposed"] == same["proposed"]
    assert simulate("--set", "alert_at_most=3")["added"] == [{"reply": marta, "kind": "low_score"}]
    fewer = simulate("--set", "morning-checkin.alert_at_most=1")
    assert fewer["missed"] == [{"alert": low, "kind": "low_score"}]
    assert fewer["proposed"]["alerts"] == 2  # type: ignore[index]
    with db.agency_session(
        yesterday.id
    ) as session:  # not for the proposal to blame: it was decided by another rule then
        session.execute(
            text("UPDATE readings SET score = 5, intents = '{score}' WHERE reply_id = :rose"), {"rose": rose}
        )
    assert (simulate()["missed"], simulate()["added"]) == ([], [])
    file = tmp_path / "rules.toml"
    file.write_text('[alert.low_score]\nladder = "supervisor"\n')
    moved = simulate("--rules", str(file))
    assert moved["missed"] == moved["added"] == []
    nurses = {nurse["clinician"] for nurse in moved["proposed"]["nurses"]}  # type: ignore[index]
    assert yesterday.sue in nurses
    shown = engage("simulate-rules", "--agency", "sunrise", "--days", "2", "--set", "alert_at_most=3").out
    assert f"1 alert(s) would have been added, for texts: {marta} (low_score)." in shown
    assert "pages a nurse a shift" in shown
    before = ids(db, "SELECT count(*) FROM alert_events", yesterday)
    simulate("--set", "nurse.rounds=1")
    assert ids(db, "SELECT count(*) FROM alert_events", yesterday) == before  # nothing is written


def test_bad_input_is_one_sentence(engage: Program, yesterday: Cast, tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text("[alert.low_score\n")
    for arguments, code, words in (
        (("--agency", "moon"), 1, "no agency"),
        (("--agency", "sunrise", "--days", "0"), 2, "--days"),
        (("--agency", "sunrise", "--set", "alert_at_most=12"), 2, "0 to 10"),
        (("--agency", "sunrise", "--rules", str(tmp_path / "none.toml")), 2, "cannot be read"),
        (("--agency", "sunrise", "--rules", str(tmp_path)), 2, "cannot be read"),
        (("--agency", "sunrise", "--rules", str(file)), 2, "not valid TOML"),
    ):
        is_one_sentence(engage("simulate-rules", *arguments), code, words)


def test_an_agency_where_nothing_happened(engage: Program, yesterday: Cast) -> None:
    found = json.loads(engage("simulate-rules", "--agency", "other", "--json").out)
    assert (found["replies"], found["present"]["alerts"], found["missed"], found["added"]) == (0, 0, [], [])
