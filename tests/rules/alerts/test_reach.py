"""On which channels a person can be paged, the best one first, and which comes after a failure."""

import pytest

from engage.alerts.rules.reach import Reach, after, channels

ANA = Reach(has_phone=True, has_email=True, has_stopped_texts=False, wanted=("sms", "voice", "email"))


@pytest.mark.parametrize(
    ("reach", "wish", "expected"),
    [
        (ANA, None, "sms voice email"),
        (ANA, "any", "sms voice email"),
        (ANA, "voice", "voice sms email"),  # the step's wish comes before her own order
        (Reach(True, True, True, ANA.wanted), None, "voice email"),  # STOP ends texts only
        (Reach(True, False, False, ANA.wanted), None, "sms voice"),
        (Reach(False, True, False, ANA.wanted), None, "email"),
        (Reach(False, False, False, ANA.wanted), None, ""),
        (Reach(True, True, False, ("email", "sms")), None, "email sms"),  # her own order, and no calls
        (Reach(True, True, False, ("sms",)), "voice", "voice sms"),  # the agency's ladder knows better
        (Reach(True, True, True, ("sms",)), None, ""),  # she wants texts only, and has stopped them
        (Reach(False, True, False, ("email",)), "voice", "email"),  # no phone to call
    ],
)
def test_channels(reach: Reach, wish: str | None, expected: str) -> None:
    assert " ".join(channels(reach, wish)) == expected


@pytest.mark.parametrize(
    ("tried", "expected"),
    [
        ((), "sms"),
        (("sms",), "voice"),
        (("sms", "voice"), "email"),
        (("voice",), "sms"),
        (("sms", "voice", "email"), None),
    ],
)
def test_the_next_channel(tried: tuple[str, ...], expected: str | None) -> None:
    assert after(tried, ANA) == expected
