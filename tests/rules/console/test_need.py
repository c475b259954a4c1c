"""What needs a nurse first, and what happens next."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from engage.alerts.rules.words import AlertState, Severity
from engage.console.rules.need import Next, Standing, next_of, order, place, read_place

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OPEN = Standing(1, Severity.SOON, AlertState.OPEN, NOW - 10 * MINUTE, NOW + 5 * MINUTE, None)
TAKEN = replace(OPEN, state=AlertState.ACKNOWLEDGED, next_due_at=NOW + 60 * MINUTE)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (replace(OPEN, severity=Severity.URGENT, opened_at=NOW), OPEN),  # the worst
        (replace(OPEN, opened_at=NOW - 11 * MINUTE), OPEN),  # the oldest
        (
            replace(OPEN, severity=Severity.ROUTINE, opened_at=NOW),
            replace(TAKEN, severity=Severity.URGENT),
        ),  # nobody has it
        (replace(OPEN, opened_at=NOW, promised_until=NOW - MINUTE), OPEN),  # a promise that is late, among equals
        (
            OPEN,
            replace(OPEN, opened_at=NOW - 9 * MINUTE, promised_until=NOW + MINUTE),
        ),  # one that is not late changes nothing
        (OPEN, replace(OPEN, id=2)),  # never by chance
    ],
)
def test_the_order(first: Standing, second: Standing) -> None:
    assert order(first, NOW) < order(second, NOW)


@pytest.mark.parametrize(
    "standing", [OPEN, TAKEN, replace(OPEN, promised_until=NOW - MINUTE, opened_at=NOW + timedelta(microseconds=7))]
)
def test_a_place_is_read_as_it_was_written(standing: Standing) -> None:
    found = place(standing, NOW)
    assert read_place(found.written()) == found
    assert found.opened_at == standing.opened_at  # to the microsecond, or the next page would repeat or leave out one


@pytest.mark.parametrize(
    "written", ["", "1-2-3", "2-1-1-1-1", "0-9-1-1-1", "0-1-1-1-1; DROP", "0-1-1-1-" + "9" * 30, "0-1-1-١-1"]
)
def test_what_is_no_place_is_none(written: str) -> None:
    assert read_place(written) is None


@pytest.mark.parametrize(
    ("standing", "told"),
    [
        (OPEN, (Next.STEP, NOW + 5 * MINUTE)),
        (replace(OPEN, next_due_at=NOW - MINUTE), (Next.AT_ONCE, NOW - MINUTE)),
        (replace(OPEN, next_due_at=None, exhausted_at=NOW), (Next.NOBODY_CAME, None)),
        (TAKEN, (Next.COMES_BACK, NOW + 60 * MINUTE)),
        (replace(TAKEN, try_again_at=NOW + 60 * MINUTE), (Next.TRY_AGAIN, NOW + 60 * MINUTE)),
    ],
)
def test_what_happens_next(standing: Standing, told: tuple[Next, datetime | None]) -> None:
    assert next_of(standing, NOW) == told
