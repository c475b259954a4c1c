"""When a page may leave: limits of a person, quiet hours, and never a wait for an urgent one."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engage.outreach.rules.paging import Limit, Pager, Quiet, held_until, is_quiet, named, next_at, spoken

NOW = datetime(2026, 11, 22, 17, tzinfo=UTC)  # noon in New York
A_MINUTE = Limit(1, timedelta(minutes=1))
THREE = Limit(3, timedelta(minutes=15))
SMOOTH = Limit(3, timedelta(minutes=15), is_smooth=True)


def at(*minutes: float) -> list[datetime]:
    return [NOW + timedelta(minutes=minute) for minute in minutes]


@pytest.mark.parametrize(
    ("sent", "limits", "expected"),
    [
        ([], [A_MINUTE, THREE], None),
        ([0], [A_MINUTE, THREE], 1),
        ([-1], [A_MINUTE, THREE], None),  # a minute is over when it is over
        ([-12, -10, 0], [A_MINUTE, THREE], 3),  # facts/alerts.md: the fourth waits until the first is 15 minutes old
        ([-12, -10], [A_MINUTE, THREE], None),
        ([-14, -13, -12, -11], [THREE], 2),  # more than the limit have gone (urgent ones): the newest three count
        ([0], [SMOOTH], 5),  # the same: three in fifteen minutes, evenly
        ([-5, 0], [SMOOTH], 5),
        ([-15], [SMOOTH], None),
        ([0, -10, -12], [A_MINUTE, THREE], 3),  # in any order
        ([0], [], None),
    ],
)
def test_limits(sent: list[float], limits: list[Limit], expected: float | None) -> None:
    assert next_at(at(*sent), limits, NOW) == (None if expected is None else at(expected)[0])


@given(st.lists(st.floats(-30, 0), max_size=40), st.integers(1, 5), st.integers(1, 20))
def test_whoever_waits_is_then_within_the_limits(sent: list[float], most: int, span: int) -> None:
    """At the instant that is named, the pages of the span before it are fewer than the limit."""
    limit = Limit(most, timedelta(minutes=span))
    then = next_at(at(*sent), [limit], NOW) or NOW
    assert sum(instant > then - limit.span for instant in at(*sent)) < most


@pytest.mark.parametrize(
    ("after", "until", "hour", "expected"),
    [
        (21, 7, 12, False),
        (21, 7, 21, True),  # the first minute is quiet
        (21, 7, 3, True),  # over midnight
        (21, 7, 7, False),  # the last is not
        (13, 15, 14, True),  # within a day
        (13, 15, 12, False),
    ],
)
def test_quiet_hours_are_wall_time(after: int, until: int, hour: int, expected: bool) -> None:
    quiet = Quiet(time(after), time(until), "America/New_York")
    assert is_quiet(Pager(("4821",), 1, (), quiet), NOW.replace(hour=(hour + 5) % 24)) is expected


NIGHT = Pager(("4821",), 2, tuple(at(0)), Quiet(time(0), time(23, 59), "America/New_York"))


def test_nothing_holds_an_urgent_page_and_nobody_on_call_is_quiet() -> None:
    assert is_quiet(NIGHT, NOW)
    assert held_until(NIGHT, [A_MINUTE], NOW) == at(1)[0]
    urgent = replace(NIGHT, severity=3)
    assert not is_quiet(urgent, NOW)
    assert held_until(urgent, [A_MINUTE, THREE], NOW) is None
    assert not is_quiet(replace(NIGHT, is_on_call=True), NOW)


def test_many_codes_are_few_words() -> None:
    codes = [str(number) for number in range(1000, 1300)]
    assert named(codes[:2]) == "1000 1001"
    assert named(codes) == "1000 1001 1002 1003 1004 1005 1006 1007 and 292 more"
    assert spoken(["4821", "1177"]) == "4 8 2 1, and 1 1 7 7"
