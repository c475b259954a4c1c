"""The desk again: our web over HTTP, in frozen time."""

from collections.abc import Iterator

import pytest
from freezegun import freeze_time

from tests.cast import NOON, Cast
from tests.flows.outreach.desk import Desk, desk_of


@pytest.fixture
def desk(cast: Cast) -> Iterator[Desk]:
    """Sunrise with the fake Twilio and our web, in frozen time."""
    with freeze_time(NOON, real_asyncio=True) as time, desk_of(cast, time) as made:
        yield made
