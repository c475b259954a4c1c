"""When answering stops: the numbers at which it does, and the urgent answer's longer breath."""

import pytest

from engage.patients.rules.loops import Answered, is_loop


@pytest.mark.parametrize(
    ("lately", "in_a_day", "expected", "urgent"),
    [
        (0, 0, False, False),
        (5, 19, False, False),  # one more of each is allowed
        (6, 6, True, False),
        (0, 20, True, False),  # slowly round and round
        (11, 39, True, False),  # "call 911" may still go: the sixth is not its end, the twelfth is
        (12, 12, True, True),
        (0, 40, True, True),
    ],
)
def test_a_loop(lately: int, in_a_day: int, expected: bool, urgent: bool) -> None:
    assert is_loop(Answered(lately, in_a_day), is_urgent=False) is expected
    assert is_loop(Answered(lately, in_a_day), is_urgent=True) is urgent
