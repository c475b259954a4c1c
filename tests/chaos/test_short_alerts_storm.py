"""The short form of the kill test of alerts: everybody is killed where it hurts, and every alert has its end, each step one page."""

import pytest

from bench.alerts_chaos import SENDING, run

# After a climb, between claim and send, between send and record, at the nurse's answer; `make chaos` strikes at four more.
POINTS = ("climbed", "claimed", SENDING, "taking")


@pytest.mark.slow
def test_every_alert_has_its_end_wherever_workers_die() -> None:
    verdict = run(30, 1, points=POINTS, patience=240)
    assert all(verdict.points.values()), verdict
    assert (verdict.forgotten, verdict.twice, verdict.twice_a_step, verdict.lost_steps) == (0, 0, 0, 0), verdict
    assert verdict.taken + verdict.exhausted == verdict.alerts, verdict
    assert min(verdict.taken, verdict.exhausted, verdict.restarts) > 0, verdict
    assert verdict.is_kept
