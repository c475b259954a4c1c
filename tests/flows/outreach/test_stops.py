"""All sending stops, for everybody, and goes on by itself: refused credentials, a provider that does not answer."""

from datetime import timedelta

from engage import clock
from engage.outreach.dispatch import Flow, Limits, dispatch
from engage.outreach.rules.pressure import BREAK_AFTER
from engage.reports.health import health
from tests.flows.outreach.desk import Desk
from tests.flows.outreach.test_fairness import crowd


def until(desk: Desk) -> timedelta | None:
    rows = desk.sql("SELECT until - since FROM sending_stops")
    return rows[0][0] if rows else None


def test_a_silent_provider_opens_the_breaker_and_one_text_closes_it(desk: Desk) -> None:
    crowd(desk, desk.cast.id, 20)
    desk.fake.next_create("500_before", times=BREAK_AFTER)
    assert desk.dispatch(at_once=1).stopped == "silent"
    assert desk.count("SELECT count(*) FROM messages WHERE state = 'unknown'") == BREAK_AFTER
    assert until(desk) == timedelta(seconds=15)
    asked = len(desk.fake.requests)
    assert desk.dispatch().sent == 0  # nobody asks while it is open
    assert len(desk.fake.requests) == asked
    desk.time.tick(timedelta(seconds=16))
    assert desk.dispatch().sent == 20 - BREAK_AFTER
    assert until(desk) is None
    assert desk.settle().given_back == BREAK_AFTER
    desk.dispatch()
    assert desk.sql("SELECT DISTINCT state FROM messages") == [("accepted",)]
    assert len(desk.fake.messages) == 20


def test_the_breaker_waits_longer_each_time_a_try_fails(desk: Desk) -> None:
    crowd(desk, desk.cast.id, BREAK_AFTER + 4)
    desk.fake.next_create("500_before", times=100)
    desk.dispatch(at_once=1)
    pauses = []
    for _ in range(3):
        desk.time.tick(timedelta(minutes=6))
        asked = len(desk.fake.requests)
        desk.dispatch(at_once=8)
        assert len(desk.fake.requests) == asked + 1  # one text, whatever waits
        pauses.append(desk.sql("SELECT until - :now FROM sending_stops", now=clock.now())[0][0].total_seconds())
    assert pauses == sorted(set(pauses))


def test_too_many_requests_cuts_what_is_on_its_way_at_once(desk: Desk) -> None:
    crowd(desk, desk.cast.id, 16)
    flow = Flow()
    desk.fake.next_create("429", times=4)
    dispatch(desk.cast.db, desk.gateway, desk.codes, Limits(desk.web, at_once=8), flow=flow)
    assert flow.pressure is not None
    assert flow.pressure.limit < 8
    desk.time.tick(timedelta(minutes=1))
    dispatch(desk.cast.db, desk.gateway, desk.codes, Limits(desk.web, at_once=8), flow=flow)
    assert len(desk.fake.messages) == 16


def test_a_stop_is_said_on_readyz_and_why(desk: Desk) -> None:
    desk.answer()
    desk.fake.next_create("refuse:20003")
    desk.dispatch()
    (problem,) = [said for said in health(desk.cast.db, clock.now()).problems if "sent" in said]
    assert "HTTP 401" in problem
    assert "AUTH_TOKEN" in problem
