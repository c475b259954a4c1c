"""The fake on a bad day: every way in which a create goes wrong, on order and by luck; the host that is down."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from freezegun import freeze_time
from twilio.base.exceptions import TwilioRestException

from engage import clock as real

OURS = "+12025550100"
PATIENT = "+12025550143"


def outcome_of(send):
    """What the sender sees: a status of HTTP, or the name of the connection's failure."""
    try:
        send()
    except TwilioRestException as refused:
        return refused.code
    except requests.ConnectionError:
        return "broken"
    except requests.Timeout:
        return "timeout"
    return 201


@pytest.mark.parametrize(
    ("order", "seen", "is_accepted"),
    [
        ("ok", 201, True),
        ("500_before", 20500, False),
        ("503_before", 20503, False),
        ("drop_before", "broken", False),
        ("500_after", 20500, True),
        ("503_after", 20503, True),
        ("drop_after", "broken", True),
        ("429:3", 20429, False),
        ("429", 20429, False),
        ("refuse:21610", 21610, False),
        ("refuse:20005", 20005, False),
        ("refuse:99999", 99999, False),  # a code of tomorrow
        ("slow:0.01", 201, True),
        ("slow:0.01+drop_after", "broken", True),
    ],
)
def test_one_create_goes_wrong_as_ordered_and_the_next_goes_well(fake, send, order, seen, is_accepted):
    fake.next_create(order)
    assert outcome_of(send) == seen
    assert len(fake.messages) == is_accepted
    assert outcome_of(send) == 201


def test_an_accepted_text_is_delivered_whatever_its_sender_saw(fake, send, door, clock):
    fake.next_create("drop_after")
    assert outcome_of(send) == "broken"
    fake.deliver_due(clock.pass_(60))
    assert door.posted[-1].params["MessageStatus"] == "delivered"
    assert door.posted[-1].path == "/twilio/status?m=17"  # the only way back to the row


def test_orders_are_kept_in_order(fake, send):
    fake.next_create("429:1", times=2)
    fake.next_create("500_after")
    assert [outcome_of(send) for _ in range(4)] == [20429, 20429, 20500, 201]


def test_an_unknown_order_is_a_mistake(fake):
    with pytest.raises(ValueError, match="explode"):
        fake.next_create("explode")


def test_429_says_when_to_come_again(fake, client, send):
    fake.next_create("429:7")
    outcome_of(send)
    answer = client.http_client._test_only_last_response
    assert answer.headers["Retry-After"] == "7"
    assert answer.headers["Twilio-Concurrent-Requests"] == "1"


def test_a_slow_create_is_accepted_though_nobody_waits_for_it(fake, client, send):
    client.http_client.timeout = 0.2
    fake.next_create("slow:30")
    assert outcome_of(send) == "timeout"
    assert len(fake.messages) == 1


def test_looking_goes_wrong_on_order_too(fake, client, send):
    message = send()
    fake.next_look("500_before")
    with pytest.raises(TwilioRestException):
        client.messages(message.sid).fetch()
    assert client.messages(message.sid).fetch().sid == message.sid
    assert outcome_of(send) == 201


@pytest.mark.parametrize(
    ("rates", "possible"),
    [
        ({"rate_429": 0.5}, {201, 20429}),
        ({"rate_500_before": 0.3, "rate_500_after": 0.3}, {201, 20500}),
        ({"rate_drop_after": 0.5}, {201, "broken"}),
        ({"rate_429": 0.3, "rate_drop_after": 0.3, "rate_500_after": 0.4}, {20429, "broken", 20500}),
    ],
)
def test_the_same_seed_gives_the_same_course(build, sdk, rates, possible):
    def course(seed):
        fake = build(seed=seed)
        client = sdk(fake)
        for name, rate in rates.items():
            setattr(fake.behaviour, name, rate)
        seen = [outcome_of(lambda: client.messages.create(to=PATIENT, from_=OURS, body="x")) for _ in range(40)]
        return seen, [m.sid for m in fake.messages]

    one, again, other = course(1), course(1), course(2)
    assert one == again
    assert one[1] != other[1]
    assert set(one[0]) == possible


def test_too_many_requests_at_once(fake, sdk, soon):
    fake.behaviour.concurrency_limit = 2
    fake.next_create("slow:0.5", times=2)
    clients = [sdk(fake) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        slow = [
            pool.submit(outcome_of, lambda c=c: c.messages.create(to=PATIENT, from_=OURS, body="x"))
            for c in clients[:2]
        ]
        soon(lambda: len(fake.messages) == 2)
        quick = [outcome_of(lambda c=c: c.messages.create(to=PATIENT, from_=OURS, body="x")) for c in clients[2:]]
        assert quick == [20429] * 4
        assert [f.result() for f in slow] == [201, 201]


def test_a_host_that_is_down_and_comes_back_remembers(fake, client, send):
    message = send("before")
    url = fake.url
    fake.stop()
    assert outcome_of(send) == "broken"
    fake.start()
    assert fake.url == url
    assert client.messages(message.sid).fetch().body == "before"


def test_in_real_time_it_delivers_by_itself(build, sdk, door, soon):
    fake = build(now=real.now)
    fake.behaviour.delivery_seconds = 0.01
    fake.run_in_real_time(0.005)
    fake.run_in_real_time(0.005)  # twice is once
    client = sdk(fake)
    client.messages.create(to=PATIENT, from_=OURS, body="x", status_callback=f"{door.url}/twilio/status")
    soon(lambda: len(door.posted) == 3)
    fake.pause()
    assert door.statuses() == ["sending", "sent", "delivered"]


def test_what_a_phone_raised_in_real_time_is_raised_by_pause(build, sdk, soon):
    fake = build(now=real.now)
    fake.behaviour.delivery_seconds = 0

    def refuse(text, _):
        raise AssertionError("nobody expected this")

    fake.add_phone(PATIENT, on_text=refuse)
    fake.run_in_real_time(0.005)
    sdk(fake).messages.create(to=PATIENT, from_=OURS, body="x")
    soon(lambda: fake.next_due_at() is None)
    with pytest.raises(AssertionError, match="nobody expected"):
        fake.pause()


@pytest.mark.parametrize("at_once", [1, 16])
def test_many_texts_all_arrive(build, sdk, door, clock, at_once):
    fake = build(webhooks_at_once=at_once)
    client = sdk(fake)
    for n in range(50):
        client.messages.create(to=PATIENT, from_=OURS, body="x", status_callback=f"{door.url}/s?m={n}")
    assert fake.deliver_due(clock.pass_(60)) == 150
    for message in fake.messages:
        assert door.statuses(message.sid) == ["sending", "sent", "delivered"]


def test_it_works_while_time_is_frozen(build, sdk, door):
    """Flows freeze Python's clock; the fake's sockets and pauses must go on, its virtual time must stand."""
    with freeze_time("2026-03-02 15:00") as frozen:
        fake = build(now=real.now, latency_ms=1)
        fake.next_create("slow:0.01")
        message = sdk(fake).messages.create(to=PATIENT, from_=OURS, body="x", status_callback=f"{door.url}/s")
        assert message.date_created == real.now()
        assert fake.deliver_due() == 0
        frozen.tick(60)
        assert fake.deliver_due() == 3
        fake.stop()
    assert door.statuses() == ["sending", "sent", "delivered"]
