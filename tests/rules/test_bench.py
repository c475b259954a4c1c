"""What the benchmarks calculate: a wrong percentile or a miscounted message would be believed."""

import json
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from bench import provider
from bench.figures import percentile
from bench.memory import per_hundred_thousand
from bench.patients import afternoon_zone
from engage.db import encryption
from engage.outreach.links import Link, status_callback
from engage.simulation.twilio.messages import Message
from tests.conftest import RING

NOW = datetime(2026, 11, 22, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([1.0], 0.99, 1.0),
        (list(range(1, 101)), 0.5, 51),  # nearest rank, upwards
        (list(range(1, 101)), 0.99, 100),
        ([3, 1, 2], 0.0, 1),  # in any order
    ],
)
def test_percentile(values: list[float], share: float, expected: float) -> None:
    assert percentile(values, share) == expected


def test_the_slope_of_a_leak_and_of_none() -> None:
    assert per_hundred_thousand([(0, 100), (50_000, 101), (100_000, 102)]) == pytest.approx(2)
    assert per_hundred_thousand([(0, 100), (50_000, 101), (100_000, 100)]) == pytest.approx(0)
    assert per_hundred_thousand([(50_000, 100)]) == 0


@pytest.mark.parametrize("hour", range(24))
def test_it_is_noon_somewhere(hour: int) -> None:
    now = datetime(2026, 11, 22, hour, 34, tzinfo=UTC)
    assert now.astimezone(ZoneInfo(afternoon_zone(now))).hour == 14


def form(callback: str) -> bytes:
    from urllib.parse import urlencode

    return urlencode({"To": "+12025550143", "StatusCallback": callback, "Body": "Good morning"}).encode()


def test_two_attempts_of_a_message_are_the_same_message() -> None:
    encryption.use(RING)
    keys = {
        provider.key_of(form(status_callback("http://127.0.0.1:1", Link(7, 4711, UUID(int=attempt)))))
        for attempt in (1, 2)
    }
    assert keys == {"7/4711"}


@pytest.mark.parametrize(
    ("callback", "expected"),
    [
        ("http://127.0.0.1:1/twilio/status?m=peer-12-xxx#rc=4", "peer-12-xxx"),  # a peer's: as it stands
        ("", "+12025550143 Good morning"),
    ],
)
def test_a_message_without_our_link(callback: str, expected: str) -> None:
    assert provider.key_of(form(callback)) == expected


def test_the_light_provider_answers_like_the_fake_twilio() -> None:
    account = "AC" + "0" * 32
    real = Message(
        account, "SM" + "1" * 32, "+12025550143", "+12025550100", 'say "hi"', "outbound-api", "queued", NOW, 1
    )
    values = {
        "account": account,
        "sid": real.sid,
        "to": '"+12025550143"',
        "from": '"+12025550100"',
        "service": "null",
        "body": json.dumps(real.body),
        "date": "Sun, 22 Nov 2026 17:00:00 +0000",
    }
    assert json.loads(provider._RESOURCE % values) == real.resource()
