"""engage wording: words are checked, saved as a version that waits, reviewed by somebody else, and only then leave."""

import json
import shutil
from pathlib import Path

import pytest
from sqlalchemy import text

from engage.db import Database
from engage.outreach.gather import _WORDINGS
from tests.conftest import ROOT
from tests.flows.cli.conftest import Program
from tests.flows.cli.test_commands import SUNRISE, is_one_sentence

AT = ("--agency", "sunrise")
NEW = "{{ agency }}: Thanks. See you then! Questions? Call {{ phone }}."


@pytest.fixture
def sunrise(engage: Program) -> Program:
    assert engage(*SUNRISE).code == 0
    return engage


def in_force(db: Database, key: str = "answer-confirmed") -> str | None:
    """What the dispatcher would take."""
    with db.system_session("test") as session:
        agencies = [session.execute(text("SELECT id FROM agencies")).scalar_one()]
        rows = session.execute(_WORDINGS, {"agencies": agencies}).all()
    return next((str(row.wording) for row in rows if (row.key, row.language) == (key, "en")), None)


def test_words_leave_only_after_somebody_else_has_reviewed_them(sunrise: Program, db: Database) -> None:
    shipped = in_force(db)
    said = sunrise("wording", "set", "answer-confirmed", NEW, *AT, "--by", "Sue Park")
    assert (said.code, "Version 2 of answer-confirmed (en) is saved and waits" in said.out) == (0, True)
    assert in_force(db) == shipped
    assert "version 2 by Sue Park waits for a review" in sunrise("wording", "list", *AT).out
    is_one_sentence(sunrise("wording", "review", "answer-confirmed", *AT, "--by", " sue  park"), 2, "somebody else")
    reviewed = sunrise("wording", "review", "answer-confirmed", *AT, "--by", "Dana Cole, RN")
    assert (reviewed.code, NEW in reviewed.out) == (0, True)
    assert in_force(db) == NEW
    is_one_sentence(sunrise("wording", "review", "answer-confirmed", *AT, "--by", "Dana Cole, RN"), 1, "nothing waits")

    shown = [
        json.loads(line) for line in sunrise("wording", "show", "answer-confirmed", *AT, "--json").out.splitlines()
    ]
    assert [(row["version"], row["written_by"], row["reviewed_by"]) for row in shown] == [
        (2, "Sue Park", "Dana Cole, RN"),
        (1, "Engage", "Engage founding team"),
    ]
    with db.system_session("test") as session:
        events = session.execute(
            text("SELECT actor, action, detail FROM audit_events WHERE subject = 'template' ORDER BY id")
        ).all()
    assert [(event.action, event.detail["by"], event.detail["version"]) for event in events] == [
        ("wording.set", "Sue Park", 2),
        ("wording.review", "Dana Cole, RN", 2),
    ]
    assert all(event.actor.startswith("cli:") for event in events)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (
            ("set", "answer-confirmed", "{{ ''.__class__ }}", "--by", "Sue Park"),
            2,
            ("not_allowed", "Nothing was saved"),
        ),
        (("set", "answer-confirmed", "{{ agency }}: {{ 9**9**9 }}", "--by", "Sue Park"), 2, ("arithmetic",)),
        (("set", "day-of", "{{ agency }}: Reply CANCEL.", "--by", "Sue Park"), 2, ("prints_cancel", "no_way_out")),
        (("set", "survey", "{{ agency }}: Recommend us? 1 to 10. STOP", "--by", "Sue Park"), 2, ("asks_to_recommend",)),
        (("set", "day-off", "x", "--by", "Sue Park"), 1, ("did you mean 'day-of'",)),
        (("set", "day-of", "x", "--by", "Sue Park", "--language", "fr"), 2, ("Engage speaks en, es",)),
        (("set", "page", "x", "--by", "Sue Park", "--language", "es"), 2, ("English only",)),
        (("set", "day-of", "--by", "Sue Park"), 2, ("Give the text",)),
        (("set", "day-of", "  ", "--by", "Sue Park"), 2, ("is empty",)),
        (("set", "day-of", "x", "--by", " "), 2, ("name of a person",)),
        (("review", "day-of", "--by", "Sue Park"), 1, ("nothing waits",)),
        (("review", "day-of", "--by", "Sue Park", "--version", "7"), 1, ("no such version",)),
    ],
)
def test_what_cannot_be_saved_is_told_and_not_saved(
    sunrise: Program, db: Database, arguments: tuple[str, ...], code: int, words: tuple[str, ...]
) -> None:
    is_one_sentence(sunrise("wording", *arguments, *AT), code, *words)
    with db.system_session("test") as session:
        assert session.scalar(text("SELECT max(version) FROM templates")) == 1


def test_a_repair_is_proposed_and_made_only_when_it_is_accepted(sunrise: Program) -> None:
    words = "{{ agency }}: Hasta entonces, “Ana” está lista. Llame al {{ phone }}."
    options = (*AT, "--language", "es", "--by", "Sue Park")
    first = json.loads(sunrise("wording", "set", "answer-confirmed", words, *options, "--json").out)
    repairs = {finding["repair"] for finding in first["findings"]} - {None}
    assert repairs == {words.replace("“", '"').replace("”", '"')}
    shown = sunrise("wording", "show", "answer-confirmed", *AT, "--language", "es").out
    assert words in shown
    assert sunrise("wording", "set", "answer-confirmed", words, *options, "--repair").code == 0
    assert repairs.pop() in sunrise("wording", "show", "answer-confirmed", *AT, "--language", "es").out


def test_everything_an_agency_says_is_checked_and_shown(sunrise: Program, db: Database) -> None:
    said = sunrise("wording", "check", *AT)
    assert (said.code, "0 refused." in said.out) == (0, True)
    tried = sunrise("wording", "check", "day-of", "{{ agency }}: See bit.ly/x STOP", *AT, "--json")
    assert (tried.code, [finding["rule"] for finding in json.loads(tried.out)["findings"]]) == (1, ["has_link"])
    shown = sunrise("wording", "preview", "day-before", *AT).out
    assert "Sunrise: Alexandra and Christina will visit Guadalupe tomorrow" in shown
    assert "longest: 1 segment (GSM-7, 157 units), about $0.013" in shown
    # what got into the table by SQL is told, and cannot be released by a review
    with db.system_session("test") as session:
        session.execute(
            text("""
            INSERT INTO templates (agency_id, key, language, version, wording, written_by)
            SELECT id, 'day-of', 'en', 2, '{{ agency.__class__ }} STOP', 'nobody' FROM agencies""")
        )
    assert "1 refused." in sunrise("wording", "check", *AT).out
    is_one_sentence(sunrise("wording", "review", "day-of", *AT, "--by", "Sue Park"), 2, "cannot be released", "the dot")


def test_the_wording_of_a_config_folder_is_checked_before_an_agency_is_founded_with_it(
    engage: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "config"
    shutil.copytree(ROOT / "config", folder)
    file = folder / "messages" / "en.toml"
    file.write_text(
        file.read_text(encoding="utf-8").replace("Thank you. See you then.", "See bit.ly/x"), encoding="utf-8"
    )
    monkeypatch.setenv("ENGAGE_CONFIG_DIR", str(folder))
    is_one_sentence(engage(*SUNRISE), 2, "messages/en.toml, answer-confirmed: has_link")
    assert "has_link" in engage("doctor").out
    assert engage("agency", "list").out.startswith("There is no agency yet")


def test_a_month_is_priced_by_the_agency_s_own_census(sunrise: Program, db: Database) -> None:
    assert "no patient yet" in sunrise("wording", "cost", *AT).out
    with db.system_session("test") as session:
        session.execute(text(_CENSUS))
    told = json.loads(sunrise("wording", "cost", *AT, "--json").out)
    month = 365 / 12 / 28
    loads = {(load["template"], load["language"]): (load["texts"], load["segments"]) for load in told["loads"]}
    assert told["patients"] == 2
    assert loads["day-before", "es"] == (round(2 * month, 1), 1)  # two days, three visits
    assert loads["survey", "es"] == (round(3 * month, 1), 1)
    assert loads["morning-checkin", "es"] == (round(28 * month, 1), 1)  # monitored
    assert all(language == "es" for _, language in loads)  # the other has revoked
    texts = (2 + 2 + 28 + 28 + 3) * month
    assert told["dollars"] == pytest.approx(texts * (0.01265 + 0.5 * (0.0083 + 0.01265)), abs=0.001)
    assert told["dollars_a_patient"] == pytest.approx(told["dollars"] / 2, abs=0.001)
    assert "about $" in sunrise("wording", "cost", *AT).out


_CENSUS = """
WITH a AS (SELECT agency_id AS id, id AS branch FROM branches), p AS (
    INSERT INTO patients (agency_id, branch_id, emr_id, first_name, last_name, language, time_zone, status, status_since, is_monitored)
    SELECT a.id, a.branch, who, who, 'Ruiz', 'es', 'America/New_York', 'active', clock_timestamp(), true
    FROM a, (VALUES ('Marta'), ('Rosa')) AS w(who) RETURNING agency_id, id, first_name
), c AS (
    INSERT INTO contacts (agency_id, patient_id, relationship, phone, phone_hash, phone_kind)
    SELECT agency_id, id, 'patient', 'x'::bytea, first_name::bytea, 'mobile' FROM p RETURNING agency_id, id, phone_hash
), e AS (
    INSERT INTO consent_events (agency_id, contact_id, phone_hash, category, kind, source, said_at, recorded_at)
    SELECT agency_id, id, phone_hash, category, CASE WHEN phone_hash = 'Marta'::bytea THEN 'granted' ELSE 'revoked' END, 'paper',
           clock_timestamp(), clock_timestamp()
    FROM c, (VALUES ('visits'), ('checkins'), ('surveys')) AS k(category)
)
INSERT INTO visits (agency_id, patient_id, emr_id, task, starts_on, status, changed_at)
SELECT agency_id, id, first_name || n, 'Skilled Nurse Visit', CURRENT_DATE + day, 'scheduled', clock_timestamp()
FROM p, (VALUES (1, 1), (2, 1), (3, 4), (4, 40)) AS d(n, day)
"""
