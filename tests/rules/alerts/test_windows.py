"""A ladder by the hours of the day, as somebody reads it."""

from datetime import time, timedelta

import pytest

from engage.alerts.rules.ladder import Hours, Step
from engage.alerts.rules.windows import windows
from engage.alerts.rules.words import Who


def step(number: int, minutes: int, after: int | None = None, until: int | None = None, times: int = 1) -> Step:
    hours = Hours(time(after), time(until)) if after is not None and until is not None else None
    return Step(number, Who.NURSE, timedelta(minutes=minutes), times=times, hours=hours)


DAY, NIGHT, ALWAYS = step(1, 10, 8, 17), step(2, 5, 17, 8), step(3, 20)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((ALWAYS,), [(None, None, [(0, 3)], 20)]),
        ((step(4, 10, times=2), ALWAYS), [(None, None, [(0, 4), (10, 4), (20, 3)], 40)]),  # twice in a row
        ((DAY, ALWAYS), [(8, 17, [(0, 1), (10, 3)], 30), (17, 8, [(0, 3)], 20)]),
        ((DAY, NIGHT), [(8, 17, [(0, 1)], 10), (17, 8, [(0, 2)], 5)]),
        ((DAY,), [(None, None, [(0, 1)], 10)]),  # an hour with no step has them all: then it is the same at every hour
        ((DAY, step(5, 10, 9, 12)), [(8, 9, [(0, 1)], 10), (9, 12, [(0, 1), (10, 5)], 20), (12, 17, [(0, 1)], 10), (17, 8, [(0, 1), (10, 5)], 20)]),
    ],
)  # fmt: skip
def test_the_parts_of_the_day(steps: tuple[Step, ...], expected: list[tuple[object, ...]]) -> None:
    found = [
        (
            window.starts and window.starts.hour,
            window.ends and window.ends.hour,
            [(int(rung.after.total_seconds() // 60), rung.step.id) for rung in window.rungs],
            int(window.whole.total_seconds() // 60),
        )
        for window in windows(steps)
    ]
    assert found == expected
