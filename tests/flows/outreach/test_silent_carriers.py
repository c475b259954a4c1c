"""Carriers that never confirm must not keep a lost receipt from being asked for."""

from datetime import timedelta

from tests.cast import ROSE_PHONE
from tests.flows.outreach.desk import Desk
from tests.flows.outreach.test_claims import fill


def test_silent_carriers_do_not_hide_a_lost_receipt(desk: Desk) -> None:
    desk.phones[ROSE_PHONE].kind = "silent"
    fill(desk, 210)
    desk.dispatch()
    desk.deliver()
    desk.fake.behaviour.rate_callback_lost = 1
    lost = desk.answer(contact=desk.cast.marta_contact)
    desk.dispatch()
    desk.deliver()
    desk.time.tick(timedelta(minutes=20))
    for _ in range(4):
        desk.time.tick(timedelta(seconds=15))
        desk.reconcile()
    assert desk.state(lost) == "delivered"
    assert sum(request.method == "GET" for request in desk.fake.requests) < 450
