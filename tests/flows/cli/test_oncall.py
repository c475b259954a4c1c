"""The rota, ladders and alert rules from the command line: what they print, and one clear sentence for every mistake."""

import json

import pytest
from sqlalchemy import text

from engage.db import Database
from tests.flows.cli.conftest import Program
from tests.flows.cli.test_commands import SUNRISE, is_one_sentence

A = ("--agency", "sunrise")
ALL_DAY = ("--from", "2026-12-24T08:00", "--to", "2026-12-24T20:00")


@pytest.fixture
def sunrise(engage: Program) -> Program:
    """An agency with a nurse on call around the clock, another nurse and a supervisor."""
    engage(*SUNRISE)
    for who, first, role, phone in (
        ("N1", "Ana", "nurse", "21"),
        ("N2", "Ben", "nurse", "22"),
        ("S1", "Sue", "supervisor", "23"),
    ):
        engage(
            "clinician",
            "add",
            who,
            *A,
            "--first-name",
            first,
            "--last-name",
            "Lopez",
            "--role",
            role,
            "--phone",
            f"20255501{phone}",
        )
    assert "no scheduler of Main" in engage("oncall", "add", "N1", *A).out.replace("can be paged", "of Main")
    return engage


def on_call(engage: Program, at: str, *more: str) -> list[str]:
    (line,) = engage("oncall", "--at", at, *A, *more, "--json").out.splitlines()
    return [person["clinician"] for person in json.loads(line)["on_call"]]


def test_a_rota_from_nothing(sunrise: Program, db: Database) -> None:
    assert on_call(sunrise, "2026-12-24T12:00") == ["N1"]
    assert sunrise("oncall", "override", *A, "--replace", "N1", "--with", "N2", *ALL_DAY).out.startswith(
        "Change 1: Ben Lopez stands in for Ana"
    )
    assert [on_call(sunrise, at) for at in ("2026-12-24T07:59", "2026-12-24T08:00", "2026-12-24T20:00-05:00")] == [
        ["N1"],
        ["N2"],
        ["N1"],
    ]
    swap = sunrise("oncall", "swap", "N1", "N2", *A, "--from", "2026-12-26T08:00", "--to", "2026-12-26T20:00", "--for-from", "2026-12-24T08:00", "--for-to", "2026-12-24T20:00")  # fmt: skip
    assert "Change 2" in swap.out
    assert "Change 3" in swap.out
    assert [on_call(sunrise, at) for at in ("2026-12-24T12:00", "2026-12-26T12:00")] == [["N1"], ["N2"]]
    assert sunrise("oncall", "add", "S1", *A, "--duty", "fallback").code == 0
    assert sunrise("oncall", "holiday", "2026-12-25", *A).out.startswith("2026-12-25 has the shifts of sun")
    assert sunrise("oncall", "add", "N2", *A, "--branch", "main", "--days", "sun", "--first-on", "2026-12-01").code == 0
    assert on_call(sunrise, "2026-12-25T12:00", "--branch", "main") == ["N1", "N2"]
    told = sunrise("oncall", "--at", "2026-12-25T12:00").out
    assert told.startswith(
        "sunrise, Main, 2026-12-25 12:00 America/New_York: Ana Lopez, Ben Lopez; fallback: Sue Lopez"
    )
    listed = sunrise("oncall", "list", *A).out
    assert "shift 1: Ana Lopez, on call" in listed
    assert "holiday 1: 2026-12-25 has the shifts of sun, every branch" in listed
    assert sunrise("oncall", "remove", "holiday", "1", *A).code == 0
    assert sunrise("oncall", "remove", "change", "1", *A).code == 0
    with db.system_session("test") as session:
        actions = (
            session.execute(text("SELECT action FROM audit_events WHERE subject = 'rota' ORDER BY id")).scalars().all()
        )
    assert [action.removeprefix("oncall.") for action in actions] == [
        "add",
        "override",
        "swap",
        "add",
        "holiday",
        "add",
        "remove",
        "remove",
    ]


def test_the_rota_is_checked_when_it_is_saved(sunrise: Program) -> None:
    said = sunrise("oncall", "remove", "shift", "1", *A)
    assert (said.code, "Main: nobody on call can be paged" in said.out) == (0, True)
    is_one_sentence(sunrise("oncall", "check", *A), 1, "nobody on call")
    assert sunrise("oncall", "add", "S1", *A, "--duty", "fallback").code == 0
    sunrise(
        "clinician",
        "add",
        "C1",
        *A,
        "--first-name",
        "Cy",
        "--last-name",
        "Lopez",
        "--role",
        "scheduler",
        "--phone",
        "2025550124",
    )
    is_one_sentence(sunrise("oncall", "check", *A), 0, "is whole")


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (("oncall", "--at", "noon"), 2, ("--at", "2026-11-24T02:00")),
        (("oncall", "--agency", "nowhere"), 1, ("no agency 'nowhere'",)),
        (("oncall", "--branch", "moon", *A), 1, ("no branch has the id 'moon'", "main")),
        (("oncall", "add", "N9", *A), 1, ("N9", "clinician add")),
        (("oncall", "add", "N1", *A, "--days", "someday"), 2, ("--days", "someday")),
        (("oncall", "add", "N1", *A, "--from", "25:00"), 2, ("--from", "17:00")),
        (("oncall", "add", "N1", *A, "--first-on", "soon"), 2, ("--first-on", "2026-12-25")),
        (("oncall", "add", "N1", *A, "--first-on", "2026-12-02", "--last-on", "2026-12-01"), 2, ("before",)),
        (("oncall", "override", *A, *ALL_DAY), 2, ("one of",)),
        (("oncall", "override", *A, "--replace", "N1", *ALL_DAY), 2, ("--with",)),
        (("oncall", "override", *A, "--replace", "N1", "--with", "N1", *ALL_DAY), 2, ("two people",)),
        (("oncall", "override", *A, "--add", "N1", "--from", "2026-12-24T20:00", "--to", "2026-12-24T08:00"), 2, ("not after",)),
        (("oncall", "override", *A, "--add", "N1", "--from", "2026-12-24T08:00Z", "--to", "2026-12-24T20:00"), 2, ("offset",)),
        (("oncall", "swap", "N1", "N2", *A, *ALL_DAY, "--for-from", "2026-12-24T19:00", "--for-to", "2026-12-25T08:00"), 2, ("overlap",)),
        (("oncall", "holiday", "christmas", *A), 2, ("christmas",)),
        (("oncall", "remove", "shift", "99", *A), 1, ("shift 99", "oncall list")),
        (("alerts", "ladder", "set", "nurse", *A, "--step", "doctor 5"), 2, ("doctor", "supervisor")),
        (("alerts", "ladder", "set", "nurse", *A, "--step", "person:N9 5"), 1, ("N9",)),
        (("alerts", "ladder", "set", "night", *A, "--branch", "main", "--step", "nurse 5"), 2, ("no ladder 'night'",)),
        (("alerts", "ladder", "remove", "nurse", *A), 2, ("urgent", "rules set")),
        (("alerts", "ladder", "remove", "night", *A), 1, ("no ladder 'night'",)),
        (("alerts", "rules", "set", "urgent", *A), 2, ("Nothing to change",)),
        (("alerts", "rules", "set", "urgent", *A, "--ladder", "night"), 1, ("'night'", "supervisor")),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence(
    sunrise: Program, db: Database, command: tuple[str, ...], code: int, words: tuple[str, ...]
) -> None:
    count = text(
        "SELECT (SELECT count(*) FROM audit_events), (SELECT count(*) FROM shifts), (SELECT count(*) FROM ladder_steps)"
    )
    with db.system_session("test") as session:
        before = session.execute(count).one()
    is_one_sentence(sunrise(*command), code, *words)
    with db.system_session("test") as session:
        assert session.execute(count).one() == before


def test_ladders_and_rules(sunrise: Program, db: Database) -> None:
    said = sunrise(
        "alerts",
        "ladder",
        "set",
        "nurse",
        *A,
        "--rounds",
        "2",
        "--step",
        "nurse 5",
        "--step",
        "person:N2 7 x2 17:00-08:00",
    )
    assert said.out.startswith("nurse, 2 rounds: nurse 5; person:N2 7 x2 17:00-08:00")
    assert sunrise("alerts", "ladder", "set", "nurse", *A, "--branch", "main", "--step", "supervisor 5 voice").code == 0
    shown = [json.loads(line) for line in sunrise("alerts", "ladder", "show", *A, "--json").out.splitlines()]
    assert [(row["ladder"], row["branch"], row["steps"]) for row in shown][:2] == [
        ("nurse", None, ["nurse 5", "person:N2 7 x2 17:00-08:00"]),
        ("nurse", "main", ["supervisor 5 voice"]),
    ]
    assert (
        sunrise(
            "alerts",
            "rules",
            "set",
            "callback",
            *A,
            "--severity",
            "3",
            "--ladder",
            "supervisor",
            "--acknowledged-minutes",
            "30",
        ).code
        == 0
    )
    rules = [json.loads(line) for line in sunrise("alerts", "rules", "show", *A, "--json").out.splitlines()]
    assert {"kind": "callback", "severity": 3, "ladder": "supervisor", "acknowledged_minutes": 30} in rules
    assert "callback: severity 3 (now)" in sunrise("alerts", "rules", "show", *A).out
    assert sunrise("alerts", "ladder", "remove", "nurse", *A, "--branch", "main").code == 0
    with db.system_session("test") as session:
        audited = session.execute(
            text("SELECT action, detail ->> 'said' FROM audit_events WHERE subject = 'ladder' ORDER BY id")
        ).all()
    assert [row[0] for row in audited] == ["ladder.set", "ladder.set", "rules.set", "ladder.remove"]
    assert all(row[1] for row in audited)
