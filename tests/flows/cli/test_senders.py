"""engage sender: how fast each number may send, set by whoever knows its registration."""

import json

import pytest
from sqlalchemy import text

from engage.db import Database
from tests.flows.cli.conftest import Program
from tests.flows.cli.test_commands import SUNRISE, is_one_sentence

NUMBER = "+12025550100"


def test_a_number_has_no_limit_until_it_is_given_one(engage: Program) -> None:
    engage(*SUNRISE)
    said = engage("sender", "list")
    assert said.out.startswith("sunrise: …0100 for patients; any number of segments a second")
    assert NUMBER not in said.out
    assert (
        "…0100 may send 1.25 segments a second" in engage("sender", "set", NUMBER, "--segments-per-second", "1.25").out
    )
    assert "1.25 segments a second, 2,000 a day" in engage("sender", "set", NUMBER, "--segments-per-day", "2000").out
    told = json.loads(engage("sender", "list", "--agency", "sunrise", "--json").out)
    assert (told["agency"], told["purpose"], told["segments_per_second"], told["segments_per_day"]) == (
        "sunrise",
        "patients",
        1.25,
        2000,
    )
    assert (
        "any number of segments a second, 2,000" in engage("sender", "set", NUMBER, "--segments-per-second", "none").out
    )


def test_a_change_is_put_on_record(engage: Program, db: Database) -> None:
    engage(*SUNRISE)
    engage("sender", "set", NUMBER, "--segments-per-second", "3", "--segments-per-day", "none")
    with db.system_session("test") as session:
        row = session.execute(text("SELECT actor, subject, detail FROM audit_events WHERE action = 'sender.set'")).one()
    assert row.actor.startswith("cli:")
    assert (row.subject, row.detail) == ("sender", {"segments_per_second": "3", "segments_per_day": None})


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((NUMBER,), 2, ("Nothing to set",)),
        (("12345", "--segments-per-day", "5"), 2, ("too few digits",)),
        (("+12025550199", "--segments-per-day", "5"), 1, ("sender list",)),  # nobody's
        ((NUMBER, "--segments-per-day", "5", "--agency", "sunset"), 1, ("sender list",)),  # another agency's
        ((NUMBER, "--segments-per-day", "5", "--agency", "nowhere"), 1, ("no agency",)),
        *(((NUMBER, "--segments-per-second", wrong), 2, ("3 or 1.25",)) for wrong in ("0", "fast", "nan", "-1", "100000", "0.0001", "Infinity")),
        *(((NUMBER, "--segments-per-day", wrong), 2, ("2000",)) for wrong in ("0", "-1", "1.5", "many", "2147483648")),
    ],
)  # fmt: skip
def test_what_cannot_be_set_is_one_sentence(
    engage: Program, db: Database, arguments: tuple[str, ...], code: int, words: tuple[str, ...]
) -> None:
    engage(*SUNRISE)
    engage(*(word.replace("sunrise", "sunset").replace("0100", "0102") for word in SUNRISE))
    is_one_sentence(engage("sender", "set", *arguments), code, *words)
    with db.system_session("test") as session:
        assert session.scalars(text("SELECT segments_per_second, segments_per_day FROM senders")).all() == [None, None]
        assert session.scalars(text("SELECT 1 FROM audit_events WHERE action = 'sender.set'")).all() == []


def test_before_the_first_agency_there_is_no_number(engage: Program) -> None:
    assert "No agency has a number yet" in engage("sender", "list").out
