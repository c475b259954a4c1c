"""The pace of a number: how many segments a second and a day, wherever the count stands."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engage.outreach.rules.pace import BURST, Pace, room, take, today, wait

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
DAY = date(2026, 3, 2)
SLOW = Pace(3, None, NOW, DAY, 0)
CAPPED = Pace(None, 100, NOW, DAY, 95)


@pytest.mark.parametrize(
    ("pace", "segments"),
    [
        (SLOW, 6),  # two seconds' worth
        (replace(SLOW, free_at=NOW + timedelta(seconds=1)), 3),
        (replace(SLOW, free_at=NOW + timedelta(seconds=1.9)), 1),  # there is time, so there is room for one
        (replace(SLOW, free_at=NOW + BURST), 0),
        (replace(SLOW, free_at=NOW - timedelta(days=9)), 6),  # a quiet week saves nothing up
        (replace(SLOW, per_second=0.1), 1),
        (CAPPED, 5),
        (replace(CAPPED, used=130), 0),
        (replace(CAPPED, day=DAY - timedelta(days=1)), 100),  # yesterday's count is over
        (replace(CAPPED, per_second=1), 2),
    ],
)
def test_the_room_of_a_number(pace: Pace, segments: int) -> None:
    assert room(pace, NOW) == segments


def test_a_full_day_waits_for_midnight_in_california() -> None:
    hold = wait(CAPPED, 6, NOW)
    assert hold is not None
    assert (hold.until, hold.reason) == (datetime(2026, 3, 3, 8, 0, tzinfo=UTC), "sender_day_cap")
    assert wait(CAPPED, 5, NOW) is None
    assert today(datetime(2026, 3, 3, 7, 59, tzinfo=UTC)) == DAY


@given(
    st.floats(0.05, 200),
    st.lists(st.tuples(st.integers(1, 4), st.floats(0, 5)), min_size=1, max_size=60),
)
def test_over_any_time_a_number_keeps_its_pace(per_second: float, texts: list[tuple[int, float]]) -> None:
    """Whoever waits until `until` and then goes sends at most the pace, a burst ahead and the last text too long."""
    pace, now, sent = Pace(per_second, None, NOW, DAY, 0), NOW, 0
    for segments, later in texts:
        now += timedelta(seconds=later)
        hold = wait(pace, segments, now)
        if hold is not None:
            assert hold.until > now
            now = hold.until
            assert wait(pace, segments, now) is None
        pace = take(pace, segments, now)
        sent += segments
        elapsed = (now - NOW + BURST).total_seconds()
        assert sent <= elapsed * per_second + segments + 0.01 * per_second + 1e-6
