"""Ten business days after a revocation; holidays and weekends do not count."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engage.patients.rules.deadlines import is_business_day, last_day


@pytest.mark.parametrize(
    ("day", "is_open"),
    [
        (date(2026, 11, 26), False),  # Thanksgiving
        (date(2026, 11, 27), True),  # the day after is none of the government's
        (date(2026, 7, 3), False),  # the 4th is a Saturday
        (date(2027, 7, 5), False),  # the 4th is a Sunday
        (date(2027, 12, 31), False),  # New Year's Day of 2028 is a Saturday
        (date(2026, 5, 25), False),  # the last Monday of May
        (date(2026, 5, 18), True),
        (date(2026, 1, 19), False),
        (date(2026, 2, 16), False),
        (date(2026, 6, 19), False),
        (date(2026, 9, 7), False),
        (date(2026, 10, 12), False),
        (date(2026, 11, 11), False),
        (date(2026, 12, 25), False),
        (date(2026, 11, 22), False),  # a Sunday
    ],
)
def test_business_days(day: date, is_open: bool) -> None:
    assert is_business_day(day) is is_open


@pytest.mark.parametrize(
    ("said_on", "last"),
    [
        (date(2026, 8, 3), date(2026, 8, 17)),  # two plain weeks
        (date(2026, 11, 20), date(2026, 12, 7)),  # over Thanksgiving
        (date(2026, 12, 23), date(2027, 1, 8)),  # over Christmas and New Year
        (date(2026, 8, 1), date(2026, 8, 14)),  # said on a Saturday
    ],
)
def test_last_day(said_on: date, last: date) -> None:
    assert last_day(said_on) == last


@given(st.dates(date(2020, 1, 1), date(2060, 1, 1)))
def test_ten_business_days_are_two_to_three_weeks(day: date) -> None:
    last = last_day(day)
    assert timedelta(days=12) <= last - day <= timedelta(days=21)
    assert is_business_day(last)
