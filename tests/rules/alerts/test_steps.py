"""A step of a ladder as people write it, and one sentence for every way to write it wrong."""

from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engage.alerts.rules.ladder import Hours
from engage.alerts.rules.steps import Written, read_step, write_step
from engage.alerts.rules.words import Channel, Who
from engage.errors import BadInput


@pytest.mark.parametrize(
    ("words", "step"),
    [
        ("nurse 10", Written(Who.NURSE, 10)),
        ("  on_call   15 ", Written(Who.ON_CALL, 15)),
        (
            "on_call:SN 15 x2 voice 17:00-08:00",
            Written(Who.ON_CALL, 15, "SN", 2, Channel.VOICE, Hours(time(17), time(8))),
        ),
        ("person:N7 1440 8:00-17:00", Written(Who.PERSON, 1440, "N7", hours=Hours(time(8), time(17)))),
        ("scheduler 60 any", Written(Who.SCHEDULER, 60, channel=Channel.ANY)),
    ],
)
def test_read(words: str, step: Written) -> None:
    assert read_step(words) == step


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("", ["nobody", "supervisor"]),
        ("doctor 10", ["'doctor'", "on_call"]),
        ("nurse", ["nothing", "1 to 1440"]),
        ("nurse ten", ["'ten'"]),
        ("nurse 0", ["'0'"]),
        ("nurse 1441", ["'1441'"]),
        ("nurse 10 x0", ["'x0'"]),
        ("nurse 10 fax", ["'fax'"]),
        ("nurse 10 17-8", ["'17-8'"]),
        ("nurse 10 17:00-25:00", ["25:00", "time of day"]),
        ("nurse 10 08:00-08:00", ["empty"]),
        ("nurse:SN 10", ["'nurse:SN'"]),
        ("person 10", ["person:ID"]),
    ],
)
def test_what_is_no_step(words: str, told: list[str]) -> None:
    with pytest.raises(BadInput) as refused:
        read_step(words)
    assert all(word in str(refused.value) for word in told), refused.value


walls = st.times().map(lambda wall: time(wall.hour, wall.minute))
hours = st.none() | st.tuples(walls, walls).filter(lambda two: two[0] != two[1]).map(lambda two: Hours(*two))


@given(
    st.sampled_from([(Who.NURSE, None), (Who.ON_CALL, None), (Who.ON_CALL, "PT"), (Who.PERSON, "N7")]),
    st.integers(1, 1440),
    st.integers(1, 10),
    st.sampled_from(Channel),
    hours,
)
def test_what_is_written_is_read_again(
    who: tuple[Who, str | None], minutes: int, times: int, channel: Channel, at: Hours | None
) -> None:
    step = Written(who[0], minutes, who[1], times, channel, at)
    assert read_step(write_step(step)) == step
