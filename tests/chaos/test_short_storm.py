"""The short form of `make chaos`: real workers die by SIGKILL and the database restarts; nothing is lost, nothing sent twice."""

import pytest

from bench.chaos import run


@pytest.mark.slow
def test_a_short_storm() -> None:
    verdict = run(200, 2, restarts=1, kill_every=1.5, patience=240)
    assert verdict.states is not None
    assert (
        verdict.states.get("planned", 0) == verdict.states.get("sending", 0) == verdict.states.get("unknown", 0) == 0
    ), verdict
    assert verdict.kills > 0, verdict
    assert (verdict.lost, verdict.twice, verdict.outside, verdict.untold) == (0, 0, 0, 0), verdict
