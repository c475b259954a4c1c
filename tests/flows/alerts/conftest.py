"""The ward, at noon on the Sunday before Rose's visit."""

import pytest

from tests.cast import Cast
from tests.flows.alerts.ward import Ward


@pytest.fixture
def ward(cast: Cast) -> Ward:
    """Sunrise's alerts; everybody is paged by text alone, the other channels have tests of their own."""
    made = Ward(cast)
    made.sql("UPDATE clinicians SET page_channels = '{sms}'")
    return made
