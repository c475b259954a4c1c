"""The hours of a week, and what several leave in common."""

from datetime import date, time

import pytest

from engage.patients.rules.hours import Hours, Week, common

MONDAY, SUNDAY = date(2026, 11, 23), date(2026, 11, 22)
AGENCY = Week.daily(time(8), time(21))
TEXAS = Week((*[Hours(time(9), time(21))] * 6, Hours(time(12), time(21))))
CLOSED_SUNDAYS = Week((*[Hours(time(8), time(20))] * 6, None))


@pytest.mark.parametrize(
    ("wall", "expected"),
    [
        (time(7, 59, 59, 999999), False),
        (time(8), True),
        (time(20, 59, 59, 999999), True),
        (time(21), False),  # the last minute does not count
        (time(8, fold=1), True),  # whichever of two hours of that name
    ],
)
def test_hours_have_their_beginning_and_not_their_end(wall: time, expected: bool) -> None:
    assert Hours(time(8), time(21)).has(wall) is expected


@pytest.mark.parametrize(
    ("weeks", "day", "expected"),
    [
        ([AGENCY], MONDAY, Hours(time(8), time(21))),
        ([AGENCY, TEXAS], MONDAY, Hours(time(9), time(21))),
        ([AGENCY, TEXAS], SUNDAY, Hours(time(12), time(21))),
        ([AGENCY, Week.daily(time(7), time(22))], MONDAY, Hours(time(8), time(21))),  # wider hours widen nothing
        ([AGENCY, TEXAS, Week.daily(time(10), time(20))], MONDAY, Hours(time(10), time(20))),
        ([AGENCY, CLOSED_SUNDAYS], SUNDAY, None),
        ([AGENCY, Week.daily(time(21), time(22))], MONDAY, None),  # they touch, and have no moment in common
        ([TEXAS, Week.daily(time(9), time(12))], SUNDAY, None),
        ([TEXAS, Week.daily(time(9), time(12))], MONDAY, Hours(time(9), time(12))),
    ],
)
def test_in_common(weeks: list[Week], day: date, expected: Hours | None) -> None:
    assert common(weeks).on(day) == expected
    assert common(reversed(weeks)).on(day) == expected


@pytest.mark.parametrize(
    ("week", "expected"),
    [
        (AGENCY, False),
        (common([TEXAS, Week.daily(time(9), time(12))]), False),  # on weekdays it does
        (common([AGENCY, Week.daily(time(1), time(8))]), True),
        (Week((None,) * 7), True),
    ],
)
def test_a_week_that_never_opens(week: Week, expected: bool) -> None:
    assert week.never_opens is expected
