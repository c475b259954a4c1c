"""What a manager reads: shares of nothing are nothing, sums add up, and no cell is a formula. And what a wording becomes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from engage.console.rules.previews import previews
from engage.console.rules.rates import (
    Behind,
    Counts,
    Figures,
    Measure,
    Rate,
    Row,
    behind,
    cell,
    ordered,
    rate_of,
    total,
)
from engage.outreach.rules.checks import House, Purpose

MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)
ROWS = [
    Row(TUESDAY, "", Counts(visits=4, completed=3, missed=1, confirmed=2)),
    Row(2, "South", Counts(visits=1, alerts=2, waits=(120.0,))),
    Row(1, "North", Counts(asked=3, answered=2, scores=3, score_sum=9, low=1)),
]


def test_sums_add_up() -> None:
    everything = total(ROWS)
    assert (everything.visits, everything.missed_rate.share, everything.confirmed_rate.share) == (5, 0.25, 0.4)
    assert (everything.mean_score, everything.wait_minutes) == (3.0, 2.0)
    assert (everything.answered_rate, everything.taken_rate) == (Rate(2, 3), Rate(1, 2))
    assert (everything + Counts(waits=(600.0, 60.0))).wait_minutes == 2.0  # half of them, not the mean


def test_rows_are_read_in_order() -> None:
    days = [Row(TUESDAY, "", Counts(visits=9)), Row(MONDAY, "", Counts())]
    assert [row.key for row in ordered(days)] == [MONDAY, TUESDAY]
    others = [
        Row(None, "", Counts(visits=9)),
        Row(1, "A", Counts()),
        Row(3, "C", Counts(visits=4)),
        Row(2, "B", Counts(visits=4)),
    ]
    assert [row.key for row in ordered(others)] == [2, 3, 1, None]  # the largest first, nobody on record last
    assert Figures(tuple(others), Counts()).most == 9


@pytest.mark.parametrize(
    ("rate", "share", "is_of_few"),
    [(Rate(0, 0), None, False), (Rate(0, 1), 0.0, True), (Rate(5, 19), 5 / 19, True), (Rate(5, 20), 0.25, False)],
)
def test_a_share_of_nothing_is_nothing_and_one_of_few_is_marked(
    rate: Rate, share: float | None, is_of_few: bool
) -> None:
    assert (rate.share, rate.is_of_few) == (share, is_of_few)
    assert (total([]).mean_score, total([]).wait_minutes) == (None, None)


@pytest.mark.parametrize(
    ("measure", "told"),
    [
        (Measure.VISITS, [1, 2, 3]),  # the most first
        (Measure.CONFIRMED, [3, 2, 1]),  # the least confirmed first
        (Measure.MISSED, [2]),  # only who missed one
        (Measure.ANSWERED, [4, 2]),
        (Measure.SCORES, [2, 4]),  # the lowest mean first
        (Measure.LOW, [2]),
        (Measure.ALERTS, [4, 1]),
        (Measure.WAIT, [1]),  # nobody took the other's
    ],
)
def test_who_is_behind_a_figure(measure: Measure, told: list[int]) -> None:
    people = [
        Behind(1, Counts(visits=4, completed=4, confirmed=4, alerts=1, waits=(60.0,)), MONDAY),
        Behind(2, Counts(visits=3, missed=2, confirmed=2, asked=2, answered=1, scores=1, score_sum=1, low=1), MONDAY),
        Behind(3, Counts(visits=1), MONDAY),
        Behind(4, Counts(asked=3, scores=1, score_sum=5, alerts=2), MONDAY),
    ]
    assert [each.patient_id for each in behind(measure, people)] == told
    assert all(
        rate_of(measure, each.counts) is None or rate_of(measure, each.counts).whole for each in behind(measure, people)
    )  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, ""),
        (3, "3"),
        (-3, "-3"),  # a number is a number
        (0.5, "0.500"),
        ("North", "North"),
        ("=1+1", "'=1+1"),
        ("@sum", "'@sum"),
        ("-north", "'-north"),
        ("\tx", "'\tx"),
    ],
)
def test_a_cell_is_never_a_formula(value: object, told: str) -> None:
    assert cell(value) == told


HOUSE = House("Sunrise", "Sunrise Home Health", ("+12025550150",))
PRICE = Decimal("0.013")


def test_each_text_of_a_wording_with_its_price() -> None:
    purpose = Purpose("answer-confirmed", "en", None, None)
    usual, *_ = previews("{{ agency }}: Thank you, {{ patient }}.", purpose, HOUSE, PRICE)
    assert usual.words.startswith("Sunrise: Thank you, ")
    assert (usual.is_longest, usual.price) == (False, PRICE)
    assert usual.cost is not None
    assert previews("{{ 9**9 }}", purpose, HOUSE, PRICE) == ()  # never evaluated
    assert previews("{{ nonsense }}", purpose, HOUSE, PRICE) == ()
    (spoken, *_) = previews("Hello {{ patient }}.", Purpose("call-day-before", "en", None, None), HOUSE, PRICE)
    assert (spoken.cost, spoken.price) == (None, None)
