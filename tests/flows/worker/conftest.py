"""A town whose clock is the machine's."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cast import Cast
from tests.flows.worker.program import Town, town_of


@pytest.fixture
def town(cast: Cast) -> Iterator[Town]:
    """Sunrise and the fake Twilio in real time, in a folder that another account can reach."""
    with tempfile.TemporaryDirectory(prefix="engage-test-") as folder:
        Path(folder).chmod(0o755)
        with town_of(cast, Path(folder)) as made:
            yield made
