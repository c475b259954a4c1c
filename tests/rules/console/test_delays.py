"""Waits after wrong passwords: none at first, then doubling, never for good."""

from datetime import timedelta

import pytest

from engage.console.rules.delays import Counted, wait


@pytest.mark.parametrize(
    ("counted", "failures", "seconds"),
    [
        (Counted.ADDRESS, 4, 0),
        (Counted.ADDRESS, 5, 2),
        (Counted.ADDRESS, 6, 4),
        (Counted.ADDRESS, 12, 256),
        (Counted.ADDRESS, 10_000, 900),
        (Counted.DEVICE, 5, 2),
        (Counted.ACCOUNT, 19, 0),  # from all over the world
        (Counted.ACCOUNT, 10_000, 60),  # a crowd cannot keep its owner away for longer than this
    ],
)
def test_waits(counted: Counted, failures: int, seconds: int) -> None:
    assert wait(counted, failures) == timedelta(seconds=seconds)
