"""The table of state hours: what ships, what it makes of a state, and how it says that a row is wrong."""

import tomllib
from datetime import date, time
from typing import Any

import pytest

from engage.errors import ConfigurationError
from engage.patients.rules.hours import Hours, Week, common
from engage.patients.rules.states import StateTable, parse_states
from tests.conftest import ROOT

SHIPPED = parse_states(tomllib.loads((ROOT / "config/states.toml").read_text(encoding="utf-8")))
ZONES = tomllib.loads((ROOT / "config/emr/zones.toml").read_text(encoding="utf-8"))
MONDAY, SATURDAY, SUNDAY = date(2026, 11, 23), date(2026, 11, 21), date(2026, 11, 22)
ROW = {"state": "FL", "after": time(8), "until": time(20), "source": "a law", "note": "eight to eight"}


def week(state: str) -> Week:
    found = SHIPPED.week(state)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("state", "day", "expected"),
    [
        ("FL", MONDAY, Hours(time(8), time(20))),
        ("OK", SUNDAY, Hours(time(8), time(20))),
        ("WA", MONDAY, Hours(time(8), time(20))),
        ("MD", MONDAY, Hours(time(8), time(20))),
        ("CT", MONDAY, Hours(time(9), time(20))),
        ("TX", SATURDAY, Hours(time(9), time(21))),
        ("TX", SUNDAY, Hours(time(12), time(21))),
        ("RI", MONDAY, Hours(time(9), time(18))),
        ("RI", SATURDAY, Hours(time(10), time(17))),
        ("LA", SUNDAY, Hours(time(8), time(20))),  # a patient in care is not left alone every Sunday
    ],
)
def test_what_ships(state: str, day: date, expected: Hours) -> None:
    assert week(state).on(day) == expected


@pytest.mark.parametrize("state", ["NY", "CA", None, "", "fl", "Florida"])
def test_a_state_without_a_row_adds_nothing(state: str | None) -> None:
    assert SHIPPED.week(state) is None


def test_an_empty_table_adds_nothing() -> None:
    assert StateTable().week("FL") is None


@pytest.mark.parametrize("state", sorted(SHIPPED.rows))
def test_a_row_is_about_a_state_and_stricter_than_the_country(state: str) -> None:
    assert state in ZONES["states"]
    country = Week.daily(time(8), time(21))
    assert common([country, week(state)]) == week(state) != country
    assert len(SHIPPED.rows[state].source) > 40  # somebody can check it


def test_days_of_their_own() -> None:
    open_on = {"after": time(12), "until": time(20)}
    (row,) = parse_states({"states": [ROW | {"saturday": open_on, "sunday": "closed"}]}).rows.values()
    assert [row.week.on(day) for day in (MONDAY, SATURDAY, SUNDAY)] == [
        Hours(time(8), time(20)),
        Hours(time(12), time(20)),
        None,
    ]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([], "no [[states]] row"),
        ([{"state": "FL"}], "row 1, state FL: after, note, source, until is missing"),
        ([ROW, ROW], "row 2, state FL: the state stands there twice"),
        ([ROW | {"hours": "8-20"}], "hours is not known"),
        ([ROW | {"state": "Florida"}], "two capital letters"),
        ([ROW | {"state": "fl"}], "two capital letters"),
        ([ROW | {"after": time(20)}], "the first before the second"),  # an empty span
        ([ROW | {"after": "8 AM"}], "times such as 08:00:00"),
        ([ROW | {"sunday": "shut"}], 'sunday needs after and until, times such as 08:00:00, the first before the second, or "closed"'),
        ([ROW | {"saturday": {"after": time(9)}}], "saturday needs"),
        ([ROW | {"source": " "}], "source is empty"),
        ([ROW | {"note": ""}], "note is empty"),
    ],
)  # fmt: skip
def test_a_wrong_row_is_named(rows: list[dict[str, Any]], says: str) -> None:
    with pytest.raises(ConfigurationError, match="states.toml") as problem:
        parse_states({"states": rows})
    assert says in str(problem.value)
