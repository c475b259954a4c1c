"""By when a revocation of consent must be honored: the day it was said in, the last day out. Pure.

47 CFR 64.1200(a)(10): within a reasonable time, at most ten business days. Engage honors it the moment it is entered; the clock
is for what came on paper or by phone and waited for somebody to enter it.
"""

from collections.abc import Iterator
from datetime import date, timedelta

BUSINESS_DAYS = 10

# 5 U.S.C. 6103(a): those on a fixed date, and those on the nth weekday of a month (Monday is 0; -1: the last).
_FIXED = ((1, 1), (6, 19), (7, 4), (11, 11), (12, 25))
_FLOATING = ((1, 0, 3), (2, 0, 3), (5, 0, -1), (9, 0, 1), (10, 0, 2), (11, 3, 4))
_SATURDAY, _SUNDAY = 5, 6


def last_day(said_on: date) -> date:
    """The tenth business day after `said_on`: not a Saturday, a Sunday or a federal holiday."""
    day, left = said_on, BUSINESS_DAYS
    while left:
        day += timedelta(days=1)
        left -= is_business_day(day)
    return day


def is_business_day(day: date) -> bool:
    """Whether offices of the federal government are open."""
    return day.weekday() < _SATURDAY and day not in set(_holidays(day.year)) | set(_holidays(day.year + 1))


def _holidays(year: int) -> Iterator[date]:
    """The days off of the federal holidays of `year`; the first of them may lie in the year before."""
    for month, number in _FIXED:
        day = date(year, month, number)
        yield day + timedelta(days={_SATURDAY: -1, _SUNDAY: 1}.get(day.weekday(), 0))
    for month, weekday, place in _FLOATING:
        yield _nth(year, month, weekday, place)


def _nth(year: int, month: int, weekday: int, place: int) -> date:
    if place < 0:
        last = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
        return last - timedelta(days=(last.weekday() - weekday) % 7)
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (place - 1))
