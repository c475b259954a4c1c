"""What a nurse or an agency tells the program by hand: levels, snoozes, revocations, a text of her own, a replay."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from freezegun import freeze_time
from sqlalchemy import text

from engage import clock
from engage.outreach.plan import plan
from engage.replies.handle import handle
from engage.replies.inbox import InboundText, store
from engage.replies.lexicon import load_lexicon
from tests.cast import NOON, ROSE_PHONE, SUNRISE_NUMBER, Cast
from tests.conftest import RING, ROOT
from tests.flows.cli.conftest import Program, program, with_the_tests_keys

LEXICON = load_lexicon(ROOT / "config" / "lexicon")


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    """Sunday noon in New York."""
    with freeze_time(NOON, real_asyncio=True):
        yield


@pytest.fixture
def engage(cast: Cast, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Program:
    """The program on the cast's database, with the keys of the tests; the last argument after "<" is standard input."""
    with_the_tests_keys(monkeypatch, tmp_path, cast.db.url)
    return program(monkeypatch, capsys, RING)


def rows(cast: Cast, statement: str) -> list[Any]:
    with cast.db.agency_session(cast.id) as session:
        return [tuple(row) for row in session.execute(text(statement)).all()]


def audited(cast: Cast) -> set[str]:
    return {action for (action,) in rows(cast, "SELECT action FROM audit_events")}


def test_a_level_and_a_snooze_are_set_shown_and_forgotten(engage: Program, cast: Cast) -> None:
    at = ("patient", "level", "rose", "--agency", "sunrise")
    assert "As the agency has it" in engage(*at).out
    said = json.loads(engage(*at, "--baseline", "3", "--alert-at-most", "1", "--snooze-days", "7", "--json").out)
    assert (said["baseline"], said["alert_at_most"], said["snoozed_until"][:10]) == (3, 1, "2026-11-29")
    said = json.loads(engage(*at, "--drop-by", "3", "--snooze-days", "0", "--json").out)
    assert (said["baseline"], said["drop_by"], said["snoozed_until"]) == (3, 3, None)
    assert "As the agency has it" in engage(*at, "--as-the-agency").out
    assert engage(*at, "--snooze-days", "32").code == 2
    assert engage("patient", "level", "nobody", "--agency", "sunrise").code != 0
    assert "patient.level" in audited(cast)


def test_an_agency_s_thresholds(engage: Program, cast: Cast) -> None:
    assert "2 points below" in engage("agency", "trends", "--agency", "sunrise").out
    said = json.loads(engage("agency", "trends", "--agency", "sunrise", "--silent-after", "0", "--json").out)
    assert said == {"drop_by": 2, "threes": 2, "silent_after": 0}
    assert rows(cast, "SELECT silent_after FROM agencies") == [(0,)]


def test_a_revocation_on_paper_stops_at_once_and_says_whether_it_was_in_time(engage: Program, cast: Cast) -> None:
    cast.visit(cast.rose)
    at = ("consent", "revoke", "rose", "--agency", "sunrise", "--by", "paper")
    said = engage(*at, "--said-on", "2026-11-03", "--proof", "letter in the file")
    assert "LATE" in said.out
    assert "2026-11-18" in said.out  # Veterans Day does not count
    plan(cast.db, NOON)
    assert rows(
        cast,
        "SELECT count(*) FROM messages WHERE state = 'planned' AND patient_id = (SELECT id FROM patients WHERE emr_id = 'rose')",
    ) == [(0,)]
    assert rows(cast, "SELECT kind, source FROM consent_events WHERE contact_id IS NULL") == [("opted_out", "paper")]
    assert rows(cast, "SELECT kind FROM alerts") == [("opt_out",)]  # monitoring ends with the texts: a task
    store(cast.db, InboundText("SM1", ROSE_PHONE, SUNRISE_NUMBER, None, "START"), NOON)
    assert "agreed again" in engage(*at, "--said-on", "2026-11-20").err
    assert "has not come" in engage(*at, "--said-on", "2026-11-24").err
    only = engage(
        "consent",
        "revoke",
        "marta",
        "--agency",
        "sunrise",
        "--by",
        "phone",
        "--said-on",
        "2026-11-20",
        "--only",
        "surveys",
        "--json",
    )
    assert json.loads(only.out) == {"phones": 1, "last_day": "2026-12-07", "is_late": False}
    assert len(rows(cast, "SELECT id FROM alerts")) == 1  # her check-ins go on
    assert "consent.revoke" in audited(cast)


def test_a_text_of_one_s_own_is_queued_and_audited(engage: Program, cast: Cast) -> None:
    at = ("write", "--agency", "sunrise", "--patient", "rose")
    said = engage(*at, "--as", "ana", "--json", "<", "Ana here. How is the leg? {{ 1 }}")
    assert json.loads(said.out)["message"] > 0
    assert rows(cast, "SELECT kind, state, category, written_by IS NOT NULL FROM messages") == [
        ("hand", "planned", "checkins", True)
    ]
    assert engage(*at, "<", "   ").code == 2
    assert engage(*at, "<", "x" * 1700).code == 2
    assert "nobody" in engage(*at, "--as", "nobody", "<", "hello").err
    assert "write" in audited(cast)


def test_a_replay_shows_what_would_be_read_differently(engage: Program, cast: Cast) -> None:
    for sid, said in (("SM1", "I fell this morning"), ("SM2", "please call me"), ("SM3", "thank you")):
        store(cast.db, InboundText(sid, ROSE_PHONE, SUNRISE_NUMBER, None, said), NOON)
    handle(cast.db, LEXICON, clock.now)
    with cast.db.agency_session(cast.id) as session:  # as older rules might have read it
        session.execute(
            text("UPDATE readings SET intents = '{symptom}', rule_version = 'old' WHERE 'urgent' = ANY(intents)")
        )
    before = rows(cast, "SELECT count(*) FROM readings")
    at = ("understand", "--replay", "--since", "2026-11-01", "--agency", "sunrise")
    said = engage(*at, "--json")
    assert said.err == ""
    found, totals = [json.loads(line) for line in said.out.splitlines()]
    assert (found["intents"], found["intents_now"], found["rule_version"]) == (["symptom"], ["urgent"], "old")
    assert "words" not in found
    assert totals == {"read": 3, "different": 1, "urgent_now": 1, "urgent_no_more": 0}
    assert '"I fell this morning"' in engage(*at, "--words").out
    assert engage("understand", "--replay").code == 2
    assert rows(cast, "SELECT count(*) FROM readings") == before
    later = json.loads(
        engage(
            "understand",
            "--replay",
            "--since",
            f"{datetime(2026, 11, 23, tzinfo=UTC):%Y-%m-%d}",
            "--agency",
            "sunrise",
            "--json",
        ).out
    )
    assert later["read"] == 0
    assert "replay" in audited(cast)


def test_consents_on_paper_and_contacts(engage: Program, cast: Cast) -> None:
    at = ("--agency", "sunrise")
    said = engage(
        "contact", "add", "rose", *at, "--phone", "(202) 555-0131", "--relationship", "proxy", "--name", "Dora"
    )
    assert "Nothing is sent before they agree" in said.out
    listed = [json.loads(line) for line in engage("contact", "list", "rose", *at, "--json").out.splitlines()]
    assert [(one["relationship"], one["may_see"], one["agreed_to"]) for one in listed] == [
        ("patient", "scores", ["checkins", "surveys", "visits"]),
        ("proxy", "visits", []),
    ]
    dora = str(listed[1]["id"])
    assert (
        engage("contact", "add", "rose", *at, "--phone", "2025550131", "--relationship", "family").code != 0
    )  # there already
    grant = ("consent", "grant", "rose", *at, "--by", "paper", "--contact", dora)
    assert "Without proof" in engage(*grant, "--said-on", "2026-11-20", "--proof", " ").err.replace(
        "without", "Without"
    )
    assert "not come yet" in engage(*grant, "--said-on", "2026-11-23", "--proof", "folder 12").err
    assert (
        "agreed to visits" in engage(*grant, "--said-on", "2026-11-20", "--proof", "folder 12", "--only", "visits").out
    )
    shown = engage("consent", "show", "rose", *at).out
    assert "granted visits, by paper, 2026-11-20; proof: folder 12" in shown
    assert (
        "may be told of visits only" in engage("contact", "enrol", dora, *at, "--basis", "x", "--only", "surveys").err
    )
    assert "agreed to all" in engage("contact", "enrol", dora, *at, "--basis", "x").err
    changed = engage("contact", "set", dora, *at, "--may-see", "scores", "--language", "es", "--hours", "10:00-18:00")
    assert "may see scores; language es; hours 10:00-18:00" in changed.out
    assert engage("contact", "set", dora, *at, "--language", "xx").code == 2
    assert engage("contact", "set", dora, *at, "--hours", "18:00-10:00").code == 2
    assert engage("contact", "set", "99999", *at, "--language", "es").code != 0
    assert "checkins, surveys" in engage("contact", "enrol", dora, *at, "--basis", "given by Rose").out
    assert "open question" in engage("contact", "enrol", dora, *at, "--basis", "given by Rose").err
    engage("consent", "revoke", "rose", *at, "--by", "phone", "--said-on", "2026-11-22")
    assert (
        "STOP" in engage(*grant, "--said-on", "2026-11-22", "--proof", "folder 13").err
    )  # only the phone takes that back
    ended = engage("contact", "end", dora, *at, "--because", "moved_out")
    assert "Ended, with consents to: visits. The patient has 1 phone left." in ended.out
    assert "ended already" in engage("contact", "end", dora, *at, "--because", "other").err
    assert {"contact.add", "contact.set", "contact.enrol", "contact.end", "consent.grant", "consent.show"} <= audited(
        cast
    )


def test_a_programme_is_looked_at_before_it_happens(engage: Program, cast: Cast, tmp_path: Path) -> None:
    at = ("--agency", "sunrise")
    cast.visit(cast.rose)
    assert engage("patient", "tag", "rose", *at, "--add", "CHF").out == "chf\n"
    assert engage("patient", "tag", "rose", *at, "--add", "two words").code == 2
    own = ("programme", "override", *at, "--patient", "rose")
    assert "morning-checkin: 08:30" in engage(*own, "--touchpoint", "morning-checkin", "--at", "08:30").out
    assert "survey: off" in engage(*own, "--touchpoint", "survey", "--off").out
    assert "follows a visit" in engage(*own, "--touchpoint", "survey", "--at", "08:30").err
    assert "day-before" in engage(*own, "--touchpoint", "day-befor", "--off").err  # names those there are
    assert engage(*own, "--touchpoint", "survey").code == 2
    shown = engage("programme", "preview", *at, "--patient", "rose", "--days", "2").out
    assert "Sun Nov 22\n  15:00  day-before to the patient: Sunrise: Ana will visit Rose tomorrow" in shown
    assert "08:30  morning-checkin" in shown
    assert "--   survey: " in shown
    assert "Ana will visit" not in engage("programme", "preview", *at, "--patient", "rose", "--no-texts", "--json").out
    assert engage("programme", "preview", *at, "--patient", "rose", "--days", "61").code == 2
    engage("agency", "export", "sunrise", "--to", str(tmp_path / "a.toml"))
    tried = json.loads(engage("programme", "dry-run", str(tmp_path / "a.toml"), "--json").out)
    assert tried == json.loads(engage("programme", "dry-run", *at, "--json").out)
    assert (tried["patients"], tried["assumed"], tried["days"]["2026-11-23"]["day-of"]) == (2, True, 1)
    assert "Nothing was kept" in engage("programme", "dry-run", *at).out
    assert engage("programme", "dry-run").code == 2
    assert rows(cast, "SELECT count(*) FROM messages") == [(0,)]
    assert "switched off for this patient" in engage("why", "--patient", "rose", "--on", "2026-11-23", *at).out
    assert {"patient.tag", "programme.override"} <= audited(cast)
