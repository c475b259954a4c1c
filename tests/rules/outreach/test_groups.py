"""Whom a touchpoint is for, in words; and what of a rule can be read at all."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from engage.outreach.rules.groups import (
    Facts,
    Group,
    TaperStep,
    group_as_json,
    read_group,
    read_taper,
    taper_as_json,
    why_left_out,
)

MONDAY = date(2026, 11, 23)
ROSE = Facts("home_health", frozenset({"medicare"}), frozenset({"chf"}), frozenset({"SN", "PT"}), 3)


@pytest.mark.parametrize(
    ("group", "says"),
    [
        (Group(), None),
        (Group(lines=("home_health",)), None),
        (Group(lines=("hospice",)), "for hospice"),
        (Group(payers=("humana", "medicare")), None),  # any one of a list
        (Group(payers=("humana",)), "payer is humana"),
        (Group(tags=("chf", "copd")), None),
        (Group(tags=("copd",)), "tagged copd"),
        (Group(without_tags=("chf",)), "not for patients tagged chf"),
        (Group(disciplines=("PT",)), None),
        (Group(disciplines=("OT",)), "a visit of OT within 14 days"),
        (Group(from_day=3, until_day=3), None),  # both ends count
        (Group(from_day=4), "begins on day 4 of care, and this is day 3"),
        (Group(until_day=2), "ends with day 2"),
        (Group(tags=("chf",), payers=("humana",)), "payer"),  # all that is named must hold
    ],
)
def test_a_group(group: Group, says: str | None) -> None:
    found = why_left_out(group, (), ROSE, MONDAY)
    assert (found is None) if says is None else (found is not None and says in found)


def test_a_taper_thins_out() -> None:
    """Daily for 15 days, then Monday, Wednesday and Friday, then Mondays; it goes by the day of care, whatever day that is."""
    taper = (TaperStep(15), TaperStep(45, (0, 2, 4)), TaperStep(None, (0,)))
    came = [
        day
        for day in range(1, 61)
        if why_left_out(Group(), taper, replace(ROSE, care_day=day), MONDAY + timedelta(days=day - 1)) is None
    ]
    assert came[:15] == list(range(1, 16))
    thrice = [day for day in range(16, 46) if (MONDAY + timedelta(days=day - 1)).weekday() in {0, 2, 4}]
    assert [day for day in came if 15 < day <= 45] == thrice
    assert [day for day in came if day > 45] == [50, 57]
    assert why_left_out(Group(), (TaperStep(15),), replace(ROSE, care_day=16), MONDAY) is not None  # a last day ends it


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"payer": ["x"]}, "'payer' means nothing"),
        ({"tags": "chf"}, "list of words"),
        ({"tags": []}, "leave it out"),
        ({"tags": [1]}, "list of words"),
        ({"lines": ["clinic"]}, "hospice"),
        ({"tags": ["chf"], "without_tags": ["CHF "]}, "nobody would match"),
        ({"from_day": 16, "until_day": 15}, "nobody would match"),
        ({"from_day": 0}, "1 to 400"),
        ({"until_day": True}, "1 to 400"),
        ([], "table"),
    ],
)
def test_a_group_that_cannot_be_meant(said: Any, says: str) -> None:
    found = read_group(said)
    assert isinstance(found, str)
    assert says in found


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ([{"until_day": 15}, {"until_day": 15}], "never reached"),
        ([{}, {"until_day": 15}], "never reached"),
        ([{"days": []}], "days must be"),
        ([{"days": ["monday"]}], "mon, tue"),
        ([{"daily": True}], "nothing else"),
        ("daily", "list of steps"),
    ],
)
def test_a_taper_that_cannot_be_meant(said: Any, says: str) -> None:
    found = read_taper(said)
    assert isinstance(found, str)
    assert says in found


def test_one_form_for_one_meaning() -> None:
    group = read_group({"until_day": 15, "disciplines": ["pt", "SN"], "tags": ["CHF", "chf"]})
    assert isinstance(group, Group)
    assert list(group_as_json(group).items()) == [("disciplines", ["PT", "SN"]), ("tags", ["chf"]), ("until_day", 15)]
    assert read_group(group_as_json(group)) == group
    taper = read_taper([{"days": ["wed", "mon"], "until_day": 15}, {}])
    assert not isinstance(taper, str)
    assert taper_as_json(taper) == [{"until_day": 15, "days": ["mon", "wed"]}, {}]
    assert read_taper(taper_as_json(taper)) == taper
