"""The world of a journey: Sunday noon in New York, frozen."""

from collections.abc import Iterator

import pytest
from freezegun import freeze_time

from tests.cast import NOON, Cast
from tests.journeys.talk import World, world_of


@pytest.fixture
def world(cast: Cast) -> Iterator[World]:
    """Sunrise with the fake Twilio, at noon on the Sunday before Rose's visit."""
    with freeze_time(NOON, real_asyncio=True) as time, world_of(cast, time) as made:
        yield made
