"""How much a run of the planner looks at: a row for every way in which two runs can follow each other."""

from datetime import UTC, datetime, timedelta

import pytest

from engage.outreach.rules.spans import Span, next_span

NOON = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
DAY = timedelta(hours=26)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("planned_until", "whole_at", "now", "after", "until"),
    [
        (None, None, NOON, None, NOON + DAY),  # never before
        (NOON + DAY, NOON, NOON + MINUTE, NOON + DAY, NOON + MINUTE + DAY),  # a minute later
        (NOON + DAY, NOON, NOON + 50 * MINUTE, NOON + DAY, NOON + 50 * MINUTE + DAY),  # after a pause: all of it
        (NOON + DAY, NOON, NOON, NOON + DAY, NOON + DAY),  # the same instant: nothing is new
        (NOON + DAY, NOON, NOON + HOUR, None, NOON + HOUR + DAY),  # an hour: everything anew
        (NOON + DAY, NOON, NOON - MINUTE, NOON + DAY, NOON + DAY),  # another worker's clock is behind: no step back
        (NOON + DAY, NOON, NOON - HOUR, None, NOON - HOUR + DAY),  # the clock was set back
        (NOON + 2 * DAY, NOON, NOON + MINUTE, None, NOON + MINUTE + DAY),  # the horizon was longer before
    ],
)
def test_the_next_span(
    planned_until: datetime | None, whole_at: datetime | None, now: datetime, after: datetime | None, until: datetime
) -> None:
    assert next_span(planned_until, whole_at, now, DAY) == Span(now, after, until)


def test_everything_when_asked_for() -> None:
    assert next_span(NOON + DAY, NOON, NOON + MINUTE, DAY, whole=True).is_whole


def test_the_changed_are_planned_as_far_as_everybody() -> None:
    span = next_span(NOON + DAY, NOON, NOON - MINUTE, DAY)
    assert not span.is_whole
    assert span.horizon == Span(NOON - MINUTE, None, NOON + DAY)
