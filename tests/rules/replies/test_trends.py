"""Scores over days, against the patient's own level."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engage.replies.rules.trends import Thresholds, find_trend, is_muted, level_of

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
USUAL = Thresholds()


@pytest.mark.parametrize(
    ("before", "baseline", "level"),
    [
        ([], None, None),
        ([5, 5], None, None),  # too few
        ([5, 5, 4], None, 5),
        ([4, 5], 3, 3),  # the nurse's word, however few
        ([1, 1, 1, 1, 5, 5, 5, 5, 5, 4, 4], None, 5),  # the last seven
        ([5, 5, 4, 4], None, 4),  # the lower of two middles: fewer calls for nothing
    ],
)
def test_level(before: list[int], baseline: int | None, level: int | None) -> None:
    assert level_of(before, baseline) == level


@pytest.mark.parametrize(
    ("value", "before", "thresholds", "trend"),
    [
        (3, [5, 5, 5], USUAL, "drop"),
        (4, [5, 5, 5], USUAL, None),
        (3, [3, 3, 3], USUAL, None),  # whoever always feels a 3
        (1, [3, 3, 3], USUAL, "drop"),
        (3, [5, 5], USUAL, None),  # no level yet
        (3, [], replace(USUAL, baseline=5), "drop"),
        (2, [5, 5, 5], replace(USUAL, baseline=3), None),
        (3, [5, 5, 5], replace(USUAL, drop_by=0), None),
        (3, [4, 4, 4, 3], USUAL, "threes"),
        (3, [4, 4, 4, 3, 3], USUAL, None),  # told at the second
        (3, [4, 4, 4, 3, 4], USUAL, None),
        (3, [3], USUAL, "threes"),  # nothing is known of before
        (3, [3], replace(USUAL, baseline=3), None),
        (3, [4, 4, 4, 3], replace(USUAL, threes_in_a_row=3), None),
        (3, [4, 4, 4, 3, 3], replace(USUAL, threes_in_a_row=3), "threes"),
        (3, [4, 4, 4, 3], replace(USUAL, threes_in_a_row=0), None),
    ],
)
def test_find_trend(value: int, before: list[int], thresholds: Thresholds, trend: str | None) -> None:
    assert find_trend(value, before, thresholds) == trend


@given(st.integers(1, 5), st.lists(st.integers(1, 5), max_size=20))
def test_nothing_is_found_where_everything_is_off(value: int, before: list[int]) -> None:
    assert find_trend(value, before, Thresholds(drop_by=0, threes_in_a_row=0)) is None


@pytest.mark.parametrize(
    ("value", "until", "muted"),
    [
        (2, timedelta(hours=1), True),
        (1, timedelta(hours=1), False),  # much worse than yesterday is news to everybody
        (2, timedelta(), False),  # over by itself
        (2, None, False),
    ],
)
def test_a_snooze_ends_by_itself_and_never_mutes_a_one(value: int, until: timedelta | None, muted: bool) -> None:
    thresholds = replace(USUAL, snoozed_until=None if until is None else NOW + until)
    assert is_muted(value, thresholds, NOW) is muted
