"""The table of Twilio's error codes, as shipped and as an operator may break it."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from engage.errors import ConfigurationError
from engage.sms.rules.calls import CallEnd
from engage.sms.rules.codes import CodeClass, CodeTable, NumberMark, parse_codes

ROOT = Path(__file__).parents[3]
THEIRS = ROOT.parent / "shared" / "data" / "sms" / "va_twilio_error_map.json"


@pytest.fixture(scope="module")
def table() -> CodeTable:
    return parse_codes(tomllib.loads((ROOT / "config" / "twilio-codes.toml").read_text("utf-8")))


@pytest.mark.parametrize(
    ("code", "kind", "mark"),
    [
        (20429, CodeClass.RETRY_LATER, None),
        (20003, CodeClass.STOP_ALL, None),
        (20005, CodeClass.STOP_ALL, None),
        (20503, CodeClass.UNKNOWN_OUTCOME, None),
        (21211, CodeClass.PERMANENT_NUMBER, NumberMark.INVALID),
        (21408, CodeClass.PERMANENT_MESSAGE, None),
        (21606, CodeClass.CONFIG_ALARM, None),
        (21610, CodeClass.OPTED_OUT, None),
        (21611, CodeClass.RETRY_LATER, None),
        (21614, CodeClass.PERMANENT_NUMBER, NumberMark.LANDLINE),
        (21617, CodeClass.BUG, None),
        (30001, CodeClass.RETRY_LATER, None),
        (30003, CodeClass.RETRY_LATER, NumberMark.UNREACHABLE),
        (30004, CodeClass.PERMANENT_MESSAGE, None),
        (30005, CodeClass.PERMANENT_NUMBER, NumberMark.INVALID),
        (30006, CodeClass.PERMANENT_NUMBER, NumberMark.LANDLINE),
        (30007, CodeClass.PERMANENT_MESSAGE, None),
        (30034, CodeClass.CONFIG_ALARM, None),
        (11200, CodeClass.CONFIG_ALARM, None),
        (99999, CodeClass.UNLISTED, None),
        (None, CodeClass.UNLISTED, None),  # failed without a code
    ],
)
def test_means(table: CodeTable, code: int | None, kind: CodeClass, mark: NumberMark | None) -> None:
    meaning = table.meaning(code)
    assert (meaning.code, meaning.kind, meaning.marks_number) == (code, kind, mark)


def test_a_nurse_reads_what_to_do(table: CodeTable) -> None:
    assert "call instead" in table.meaning(30006).says
    assert "STOP" in table.meaning(21610).says
    assert "99999" in table.meaning(99999).says


def test_only_what_may_work_later_is_tried_again(table: CodeTable) -> None:
    for code in [*table.rows, 99999, None]:
        meaning = table.meaning(code)
        assert meaning.may_retry == (meaning.kind is CodeClass.RETRY_LATER) == bool(meaning.wait)
        assert meaning.says.endswith(".")


def test_an_unlisted_code_is_permanent_and_visible(table: CodeTable) -> None:
    assert not table.meaning(99999).may_retry
    assert table.meaning(99999).needs_operator
    assert not table.meaning(30006).needs_operator


def _theirs() -> list[dict[str, str]]:
    return json.loads(THEIRS.read_text("utf-8")) if THEIRS.is_file() else []


# The US Veterans' map calls these permanent where Twilio's own page says trying again can help.
WE_TRY_AGAIN = {30003, 30008}


@pytest.mark.parametrize("row", _theirs())
def test_never_bolder_than_a_hospital_in_production(table: CodeTable, row: dict[str, str]) -> None:
    code = int(row["twilio_error"])
    if row["status"] == "permanent_failure" and code not in WE_TRY_AGAIN:
        assert not table.meaning(code).may_retry


GOOD = {"code": 30003, "class": "retry_later", "says": "Off.", "source": "docs", "retries": 1, "wait_minutes": 5}


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([], "no [[codes]] row"),
        ([GOOD, GOOD], "stands there twice"),
        ([{**GOOD, "class": "maybe"}], "maybe"),
        ([{**GOOD, "marks_number": "haunted"}], "haunted"),
        ([{**GOOD, "retries": 0}], "retry_later"),
        ([{**GOOD, "class": "bug"}], "retry_later"),  # retries that would never happen
        ([{**GOOD, "code": "abc"}], "abc"),
        ([{**GOOD, "sasy": "typo"}], "sasy is not known"),
        ([{"code": 30003, "class": "bug"}], "says, source is missing"),
    ],
)
def test_a_broken_table_is_named(rows: list[dict[str, Any]], complaint: str) -> None:
    with pytest.raises(ConfigurationError) as problem:
        parse_codes({"codes": rows})
    assert complaint in str(problem.value)


# --- calls ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "retries"),
    [
        (CallEnd.BUSY, 1),
        (CallEnd.NO_ANSWER, 1),
        (CallEnd.MACHINE, 0),
        (CallEnd.FAILED, 0),
        (CallEnd.CANCELED, 0),
        (CallEnd.NO_KEY, 0),
    ],
)
def test_an_end_of_a_call(table: CodeTable, end: CallEnd, retries: int) -> None:
    meaning = table.call(end)
    assert (meaning.code, meaning.retries, meaning.needs_operator) == (None, retries, False)
    assert "+" not in meaning.says


def test_every_end_of_a_call_is_in_the_shipped_table(table: CodeTable) -> None:
    assert set(table.calls) == set(CallEnd)


def test_an_end_that_the_table_lacks_is_permanent() -> None:
    codes = parse_codes({"codes": [{"code": 1, "class": "bug", "says": "x", "source": "x"}]})
    assert not codes.call(CallEnd.BUSY).may_retry


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"end": "asleep", "class": "bug", "says": "x", "source": "x"}, "end must be one of busy, no_answer"),
        ({"class": "bug", "says": "x", "source": "x"}, "end must be one of"),
        ({"end": "busy", "class": "bug", "source": "x"}, "call busy: says is missing"),
        ({"end": "busy", "code": 5, "class": "bug", "says": "x", "source": "x"}, "code is not known"),
        ({"end": "busy", "class": "bug", "says": "x", "source": "x", "retries": 1}, "belong to the class retry_later"),
    ],
)
def test_a_broken_row_about_calls_is_named(row: dict[str, Any], says: str) -> None:
    good = {"code": 1, "class": "bug", "says": "x", "source": "x"}
    with pytest.raises(ConfigurationError, match="row 1") as problem:
        parse_codes({"codes": [good], "calls": [row]})
    assert says in str(problem.value)
