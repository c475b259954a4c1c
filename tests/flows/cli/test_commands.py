"""The command line as its users meet it: what it prints, and one clear sentence for every mistake."""

import json
from pathlib import Path

import pytest
from sqlalchemy import text

from engage import clock
from engage.alerts.opening import Reason, open_alert
from engage.alerts.rules.words import AlertKind
from engage.db import Database
from tests.flows.cli.conftest import KEYS, Program, Said

SUNRISE = (
    "agency", "add", "sunrise", "--name", "Sunrise Home Health", "--short-name", "Sunrise", "--phone", "(202) 555-0150",
    "--zone", "America/New_York", "--number", "+12025550100",
)  # fmt: skip
ANA = (
    "clinician",
    "add",
    "N1",
    "--agency",
    "sunrise",
    "--first-name",
    "Ana",
    "--last-name",
    "Lopez",
    "--role",
    "nurse",
)
VISITS = "visit_id,patient_id,first_name,last_name,phone,phone_owner,consent_visits,consent_source,consent_on,date,start,status,state,zip\n"


def is_one_sentence(said: Said, code: int, *words: str) -> None:
    assert said.code == code, said
    assert "Traceback" not in said.err + said.out
    assert all(word.lower() in (said.err + said.out).lower() for word in words), said


def test_an_agency_from_nothing_to_planned_messages(engage: Program, tmp_path: Path) -> None:
    assert engage(*SUNRISE).code == 0
    assert engage(*ANA, "--phone", "(202) 555-0121").out.startswith("Ana Lopez can be paged")
    assert engage("clinician", "shift", "N1", "--agency", "sunrise", "--from", "17:00", "--to", "08:00").code == 0
    file = tmp_path / "visits.csv"
    file.write_text(
        VISITS
        + f"V1,P1,Rose,Miller,2025550111,patient,yes,paper,2026-01-02,{clock.now():%Y-%m-%d},10:00,scheduled,NY,10001\n"
    )
    assert engage("import", "visits", str(file), "--agency", "sunrise", "--profile", "csv", "--dry-run").code == 0
    assert json.loads(engage("agency", "list", "--json").out)["patients"] == 0  # a dry run writes nothing
    assert engage("import", "visits", str(file), "--agency", "sunrise", "--profile", "csv").code == 0
    listed = json.loads(engage("agency", "list", "--json").out)
    assert (listed["patients"], listed["visits"]) == (1, 1)
    assert "No alert is open" in engage("alerts", "list", "--agency", "sunrise").out
    assert (
        engage("user", "add", "Sue@Example.org", "--agency", "sunrise", "--name", "Sue Grant", "--role", "manager").code
        == 0
    )
    is_one_sentence(
        engage("user", "add", "sue@example.org", "--agency", "sunrise", "--name", "Sue", "--role", "manager"),
        2,
        "account",
        "already",
    )
    assert json.loads(engage("report", "--json").out)["alerts"] == 0


def test_plan_again_and_plan_everything(engage: Program, monkeypatch: pytest.MonkeyPatch, db: Database) -> None:
    for name in ("PUBLIC_URL", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"):
        monkeypatch.setenv(f"ENGAGE_{name}", "https://engage.example.org" if name == "PUBLIC_URL" else "AC" + "0" * 32)
    assert engage(*SUNRISE).code == 0
    nothing = dict.fromkeys(("planned", "moved", "cancelled", "calls", "asked", "verified", "reminded", "silent"), 0)
    assert json.loads(engage("plan", "--json").out) == nothing
    whole_at = text("SELECT whole_at FROM planning")
    with db.system_session("test") as session:
        first = session.execute(whole_at).scalar_one()
    assert engage("plan").code == 0
    assert engage("plan", "--whole", "--json").code == 0
    with db.system_session("test") as session:
        assert session.execute(whole_at).scalar_one() > first


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sunrise": "Sun Rise!"}, ("short id", "small letters")),
        ({"America/New_York": "Eastern"}, ("time zone", "America/Chicago")),
        ({"(202) 555-0150": "12345"}, ("office number", "too few digits")),
        ({"+12025550100": "call me"}, ("number", "cannot be used")),
    ],
)
def test_a_wrong_fact_about_an_agency_is_one_sentence_and_writes_nothing(
    engage: Program, change: dict[str, str], words: tuple[str, ...]
) -> None:
    is_one_sentence(engage(*(change.get(word, word) for word in SUNRISE)), 2, *words)
    assert "no agency yet" in engage("agency", "list").out


PAGED_AS = ("--email", "ana@example.org", "--channels", "voice,email", "--quiet", "21:00-07:00")


def test_how_somebody_wants_to_be_paged(engage: Program, db: Database) -> None:
    engage(*SUNRISE)
    assert engage(*ANA, "--phone", "(202) 555-0121", *PAGED_AS).code == 0
    assert engage(*ANA, "--phone", "(202) 555-0121").code == 0  # what is not named stays
    with db.system_session("test") as session:
        columns = "page_channels, quiet_from::text, quiet_until::text, email"
        *found, email = session.execute(text(f"SELECT {columns} FROM clinicians")).one()
    assert found == [["voice", "email"], "21:00:00", "07:00:00"]
    assert b"ana@" not in bytes(email)
    for option, words in {
        ("--email", "ana"): "e-mail",
        ("--channels", "sms,pigeon"): "sms, voice and email",
        ("--channels", "sms,sms"): "each once",
        ("--quiet", "night"): "--quiet",
    }.items():
        is_one_sentence(engage(*ANA, "--phone", "(202) 555-0121", *option), 2, words)


def test_an_alert_from_taken_to_done(engage: Program, db: Database) -> None:
    engage(*SUNRISE)
    engage(*ANA, "--phone", "(202) 555-0121")
    with db.system_session("test") as session:
        agency = session.execute(text("SELECT id FROM agencies")).scalar_one()
        open_alert(session, Reason(AlertKind.QUESTION, agency), clock.now())
        code = session.execute(text("SELECT code FROM alerts")).scalar_one()

    def alerts(verb: str, *more: str) -> Said:
        by = () if verb == "promise" else ("--as", "N1")
        return engage("alerts", verb, code, "--agency", "sunrise", *by, *more)

    assert "is Ana's now" in alerts("take").out
    assert "next person" in alerts("pass").out
    is_one_sentence(alerts("promise"), 2, "nobody who can be texted")
    assert "stays open and comes back at" in alerts("resolve", "--outcome", "no_answer", "--again", "15:30").out
    is_one_sentence(alerts("resolve", "--outcome", "no_answer", "--again", "later"), 2, "15:30")
    is_one_sentence(alerts("resolve", "--outcome", "called", "--again", "15:30"), 2, "no_answer")
    said = alerts("resolve", "--outcome", "called", "--minutes", "12", "--note", "Spoke to the daughter.")
    assert "is resolved: called" in said.out
    is_one_sentence(alerts("take"), 1, "already resolved by Ana")
    is_one_sentence(alerts("pass"), 1, "already resolved by Ana")
    with db.system_session("test") as session:
        row = session.execute(text("SELECT state, minutes_spent, note FROM alerts")).one()
    assert row[:2] == ("resolved", 12)
    assert b"daughter" not in bytes(row.note)


def test_an_agency_is_founded_once(engage: Program) -> None:
    engage(*SUNRISE)
    is_one_sentence(engage(*SUNRISE), 2, "already")
    is_one_sentence(engage(*(word.replace("sunrise", "sunset") for word in SUNRISE)), 2, "belongs to another agency")


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (("alerts", "list", "--agency", "nowhere"), 1, ("no agency 'nowhere'",)),
        (("alerts", "show", "4821", "--agency", "sunrise"), 1, ("4821", "alerts list")),
        (("alerts", "resolve", "4821", "--agency", "sunrise", "--as", "N9", "--outcome", "called"), 1, ("N9",)),
        (("clinician", "shift", "N9", "--agency", "sunrise"), 1, ("N9", "clinician add")),
        (("user", "add", "nobody", "--agency", "sunrise", "--name", "X", "--role", "manager"), 2, ("e-mail",)),
        (("import", "visits", "not-there.csv", "--agency", "sunrise", "--profile", "csv"), 2, ("not-there.csv",)),
        (("import", "visits", ".", "--agency", "sunrise", "--profile", "csv"), 2, ()),
        (("segments",), 2, ("Give a text",)),
        (("segments", "--batch", "not-there"), 2, ("cannot be read",)),
        (("understand",), 2, ("Give a reply",)),
        (("understand", "--batch", "not-there"), 2, ("cannot be read",)),
        (("understand", "--context", "dream", "hi"), 2, ("dream",)),
        (("plan",), 2, ("ENGAGE_PUBLIC_URL",)),
        (("dance",), 2, ("dance",)),
        (("up",), 2, ("ENGAGE_PUBLIC_URL",)),
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_sentence(
    engage: Program, command: tuple[str, ...], code: int, words: tuple[str, ...]
) -> None:
    engage(*SUNRISE)
    is_one_sentence(engage(*command), code, *words)


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("DATABASE_URL", "mysql://x", ("ENGAGE_DATABASE_URL", "PostgreSQL")),
        ("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none", ("ENGAGE_DATABASE_URL", "does not answer")),
        ("SECRET_KEY", "short", ("ENGAGE_SECRET_KEY", "32 characters")),
        ("SECRET_KEY", "another secret key than the one of before", ("ENGAGE_SECRET_KEY", "not the one")),
        ("ENCRYPTION_KEYS", "k1:abc", ("ENGAGE_ENCRYPTION_KEYS", "32 bytes")),
        ("TICK_SECONDS", "often", ("ENGAGE_TICK_SECONDS", "number")),
        ("PUBLIC_URL", "engage.example.org", ("ENGAGE_PUBLIC_URL", "https://")),
        ("CONFIG_DIR", "/not/there", ("/not/there",)),
    ],
)
def test_a_wrong_setting_is_one_sentence_before_anything_runs(
    engage: Program, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv(f"ENGAGE_{variable}", value)
    said = engage("agency", "list")
    is_one_sentence(said, 2, *words)
    assert value not in said.err or variable not in {"SECRET_KEY", "ENCRYPTION_KEYS"}


def test_a_key_that_is_missing_is_named(engage: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENGAGE_SECRET_KEY")
    is_one_sentence(engage("agency", "list"), 2, "ENGAGE_SECRET_KEY must be set")


def test_doctor_names_each_missing_setting(engage: Program) -> None:
    said = engage("doctor")
    assert said.code == 1
    for name in (
        "ENGAGE_TWILIO_ACCOUNT_SID",
        "ENGAGE_TWILIO_AUTH_TOKEN",
        "ENGAGE_PUBLIC_URL",
        "engage agency add",
        "engage worker",
    ):
        assert name in said.out


def test_segments_counts_one_and_many(engage: Program, tmp_path: Path) -> None:
    assert engage("segments", "Buenos días").out.startswith("1 segment (UCS-2")
    file = tmp_path / "texts"
    file.write_text('"abc"\n"' + "a" * 161 + '"\n')
    assert [json.loads(line)["segments"] for line in engage("segments", "--batch", str(file)).out.splitlines()] == [
        1,
        2,
    ]


def test_understand_explains_itself(engage: Program, tmp_path: Path) -> None:
    found = json.loads(engage("understand", "--context", "checkin", "--lang", "en", "2 my leg is swollen").out)
    assert (found["intents"], found["score"]) == (["score", "symptom"], 2)
    assert any(item["intent"] == "symptom" for item in found["evidence"])
    file = tmp_path / "replies.tsv"
    file.write_text("context\tlang\ttext\nreminder\ten\tY\ncheckin\tes\tcinco\n")
    lines = [json.loads(line) for line in engage("understand", "--batch", str(file)).out.splitlines()]
    assert [line["intents"] for line in lines] == [["confirm"], ["score"]]


def test_new_keys_can_be_used_as_they_are(engage: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = dict(line.split("=", 1) for line in engage("db", "new-keys").out.splitlines())
    assert set(pairs) == {"ENGAGE_SECRET_KEY", "ENGAGE_ENCRYPTION_KEYS"}
    monkeypatch.setenv("ENGAGE_ENCRYPTION_KEYS", pairs["ENGAGE_ENCRYPTION_KEYS"])
    assert engage("db", "check").code == 0


def test_keys_are_rotated_in_every_table(engage: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    engage(*SUNRISE)
    engage(*ANA, "--phone", "(202) 555-0121")
    file = tmp_path / "visits.csv"
    file.write_text(
        VISITS
        + f"V1,P1,Rose,Miller,2025550111,patient,yes,paper,2026-01-02,{clock.now():%Y-%m-%d},10:00,scheduled,NY,10001\n"
    )
    assert engage("import", "visits", str(file), "--agency", "sunrise", "--profile", "csv").code == 0
    new = "k2:" + "C" * 43 + "="
    monkeypatch.setenv("ENGAGE_ENCRYPTION_KEYS", f"{new},{KEYS}")
    assert engage("db", "rotate-keys").out.startswith("3 values")  # Ana's phone, Rose's, and the proof of her consent
    assert engage("db", "rotate-keys").out.startswith("0 values")


def test_a_patient_comes_home_from_hospital(engage: Program, tmp_path: Path) -> None:
    engage(*SUNRISE)
    file = tmp_path / "visits.csv"
    file.write_text(
        VISITS
        + f"V1,P1,Rose,Miller,2025550111,patient,yes,paper,2026-01-02,{clock.now():%Y-%m-%d},10:00,scheduled,NY,10001\n"
    )
    engage("import", "visits", str(file), "--agency", "sunrise", "--profile", "csv")
    assert "hospitalized now" in engage("patient", "status", "P1", "--agency", "sunrise", "--set", "hospitalized").out
    assert "is active now" in engage("patient", "status", "P1", "--agency", "sunrise", "--set", "active").out
    is_one_sentence(engage("patient", "status", "P9", "--agency", "sunrise", "--set", "active"), 1, "P9")
