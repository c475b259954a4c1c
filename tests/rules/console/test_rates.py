"""What a manager reads: shares of nothing are nothing, sums add up, and no cell is a formula. And what a wording becomes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from engage.console.rules.previews import previews
from engage.console.rules.rates import Counts, Row, by_branch, by_day, cell, total
from engage.outreach.rules.checks import House, Purpose

MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)
ROWS = [
    Row(TUESDAY, 1, "North", Counts(visits=4, completed=3, missed=1, confirmed=2)),
    Row(MONDAY, 2, "South", Counts(visits=1, alerts=2, taken=1, waited_s=120)),
    Row(MONDAY, 1, "North", Counts(asked=2, answered=3, score_sum=9, low=1)),
]


def test_sums_add_up() -> None:
    everything = total(ROWS)
    assert (everything.visits, everything.missed_share, everything.confirmed_share) == (5, 0.25, 0.4)
    assert (everything.mean_score, everything.mean_wait_minutes) == (3.0, 2.0)
    assert everything.answered_share == 1.0  # an answer to yesterday's question is not more than all of today's
    assert list(by_day(ROWS)) == [MONDAY, TUESDAY]
    assert by_branch(ROWS)["North"].missed == 1
    assert sum((counts.visits for counts in by_day(ROWS).values()), 0) == 5


def test_a_share_of_nothing_is_nothing() -> None:
    empty = total([])
    assert [
        empty.missed_share,
        empty.confirmed_share,
        empty.answered_share,
        empty.mean_score,
        empty.mean_wait_minutes,
    ] == [None] * 5


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
