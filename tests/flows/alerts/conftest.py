"""The ward, at noon on the Sunday before Rose's visit."""

import pytest

from tests.cast import Cast
from tests.flows.alerts.ward import Ward


@pytest.fixture
def ward(cast: Cast) -> Ward:
    """Sunrise's alerts."""
    return Ward(cast)
