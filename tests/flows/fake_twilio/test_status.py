"""A text's statuses in virtual time, and the signed callbacks they cause."""

from datetime import timedelta

import pytest

OURS = "+12025550100"
PATIENT = "+12025550143"
SERVICE = "MG" + "ab" * 16
WALKED = ["sending", "sent", "delivered"]


def test_a_text_walks_to_delivered_and_says_so(fake, send, door, clock):
    message = send()
    assert fake.deliver_due() == 0  # nothing is due at once
    clock.pass_(60)
    assert fake.deliver_due() == 3
    assert door.statuses() == WALKED
    assert all(p.is_signed and p.method == "POST" for p in door.posted)
    assert {p.path for p in door.posted} == {"/twilio/status?m=17"}
    assert {p.token for p in door.posted} == {f"{message.sid}-{status}" for status in WALKED}
    assert door.posted[-1].params == {
        "ApiVersion": "2010-04-01",
        "AccountSid": message.account_sid,
        "MessageSid": message.sid,
        "SmsSid": message.sid,
        "MessageStatus": "delivered",
        "SmsStatus": "delivered",
        "From": OURS,
        "To": PATIENT,
        "RawDlrDoneDate": "2603021500",
    }
    fetched = message.fetch()
    assert fetched.status == "delivered"
    assert fetched.price == "-0.00830"
    assert message.date_created <= fetched.date_sent <= fetched.date_updated


def test_the_owner_of_the_phone_reads_it_once_it_is_delivered(fake, send, door):
    read = []
    fake.add_phone(PATIENT, on_text=lambda text, _: read.append((text.body, text.from_, door.statuses())))
    send("Hello")
    fake.deliver_due(fake.next_due_at())
    assert read == []
    fake.deliver_due(fake.next_due_at() + timedelta(minutes=1))
    assert read == [("Hello", OURS, ["sending", "sent"])]
    assert [text.body for text in fake.add_phone(PATIENT).texts] == []  # a new phone starts empty


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("landline", "undelivered", "30006"),
        ("unreachable", "undelivered", "30003"),
        ("blocked", "undelivered", "30004"),
        ("gone", "undelivered", "30005"),
        ("filtered", "undelivered", "30007"),
        ("silent", "sent", None),  # the carrier never confirms: sent is final
    ],
)
def test_phones_that_do_not_confirm(fake, send, door, clock, kind, status, code):
    phone = fake.add_phone(PATIENT, kind=kind)
    message = send()
    fake.deliver_due(clock.pass_(60))
    assert door.statuses()[-1] == status
    assert door.posted[-1].params.get("ErrorCode") == code
    assert door.posted[-1].is_signed
    fetched = message.fetch()
    assert (fetched.status, fetched.error_code) == (status, code and int(code))
    assert len(phone.texts) == (1 if kind == "silent" else 0)


def test_a_text_that_waits_beyond_its_validity_fails(fake, send, door, clock):
    fake.behaviour.segments_per_second = 1 / 60  # a minute a text
    first, second = send("first", validity_period=30), send("second", validity_period=30)
    fake.deliver_due(clock() + timedelta(seconds=29))
    assert second.fetch().status == "queued"
    fake.deliver_due(clock() + timedelta(seconds=31))
    assert first.fetch().status == "delivered"
    assert (second.fetch().status, second.fetch().error_code) == ("failed", 30001)
    assert door.statuses(second.sid) == ["failed"]
    assert "RawDlrDoneDate" not in door.posted[-1].params


def test_a_sender_sends_no_faster_than_its_rate(fake, send, clock):
    fake.behaviour.segments_per_second = 1
    texts = [send("a" * 161) for _ in range(3)]  # two segments each
    fake.deliver_due(clock.pass_(60))
    sent = [text.fetch().date_sent for text in texts]
    assert [(b - a).total_seconds() for a, b in zip(sent, sent[1:], strict=False)] == [2, 2]


def test_a_service_tells_when_it_has_queued(fake, send, door, clock):
    fake.add_service(SERVICE, [OURS])
    send(from_=None, messaging_service_sid=SERVICE)
    fake.deliver_due(clock.pass_(60))
    assert door.statuses() == ["queued", *WALKED]
    assert {p.params["MessagingServiceSid"] for p in door.posted} == {SERVICE}


def test_a_fragment_is_obeyed_but_neither_sent_nor_signed(fake, send, door, clock):
    door.answer = lambda _: (500, "")
    send(status_callback=f"{door.url}/twilio/status?m=18#rc=2&rp=5xx")
    fake.deliver_due(clock.pass_(60))
    assert {p.path for p in door.posted} == {"/twilio/status?m=18"}
    assert all(p.is_signed for p in door.posted)
    assert [p.params["MessageStatus"] for p in door.posted] == [s for s in WALKED for _ in range(3)]
    assert [(f.kind, f.status, f.attempts) for f in fake.webhook_failures] == [("status", 500, 3)] * 3


@pytest.mark.parametrize("status", [400, 429, 500, 503])
def test_by_default_an_answer_is_never_retried(fake, send, door, clock, status):
    door.answer = lambda _: (status, "")
    send()
    fake.deliver_due(clock.pass_(60))
    assert door.statuses() == WALKED


def test_callbacks_get_lost(fake, send, door, clock):
    fake.behaviour.rate_callback_lost = 1
    message = send()
    fake.deliver_due(clock.pass_(60))
    assert door.posted == []
    assert message.fetch().status == "delivered"


def test_callbacks_come_twice_with_one_token(fake, send, door, clock):
    fake.behaviour.rate_callback_doubled = 1
    send()
    fake.deliver_due(clock.pass_(60))
    assert door.statuses() == [s for s in WALKED for _ in range(2)]
    assert len({p.token for p in door.posted}) == 3


def test_callbacks_overtake_each_other(fake, send, door, clock):
    for n in range(12):
        fake.behaviour.callbacks_reordered = 0.5
        send(status_callback=f"{door.url}/twilio/status?m={n}")
    fake.deliver_due(clock.pass_(60))
    orders = {tuple(door.statuses(message.sid)) for message in fake.messages}
    assert all(sorted(order) == sorted(WALKED) for order in orders)
    assert len(orders) > 1
    assert any(order[-1] != "delivered" for order in orders)


def test_callbacks_come_late(fake, send, door, clock):
    fake.behaviour.callback_delay = 600
    message = send()
    fake.deliver_due(clock.pass_(60))
    assert (message.fetch().status, door.posted) == ("delivered", [])
    fake.deliver_due(clock.pass_(600))
    assert door.statuses() == WALKED


def test_without_a_callback_url_nothing_is_posted(fake, send, door, clock):
    send(status_callback=None)
    fake.deliver_due(clock.pass_(60))
    assert (door.posted, fake.messages[0].status) == ([], "delivered")


def test_what_follows_from_an_event_runs_too_in_time_order(fake, send, door, clock):
    """A patient who answers each text within 10 s is heard in the same delivery."""

    def answer(text, twilio):
        twilio.text_in(PATIENT, OURS, "got it", at=text.arrived_at + timedelta(seconds=10))
        within = twilio.deliver_due(text.arrived_at + timedelta(seconds=10))
        assert within == 0  # the delivery under way will come to it

    fake.add_phone(PATIENT, on_text=answer)
    send()
    fake.deliver_due(clock.pass_(60))
    assert [p.params.get("Body", p.params.get("MessageStatus")) for p in door.posted] == [*WALKED, "got it"]
    assert fake.next_due_at() is None


def test_an_owner_who_answers_at_once_answers_at_that_instant(fake, send, clock):
    fake.add_phone(PATIENT, on_text=lambda _, twilio: twilio.text_in(PATIENT, OURS, "Y"))
    send()
    fake.deliver_due(clock() + timedelta(minutes=1))  # the clock itself stands still
    [sent], [reply] = fake.messages, fake.texts_in
    assert reply.created_at == sent.updated_at > clock()


def test_a_phone_that_raises_stops_the_delivery_there(fake, send, door, clock):
    def refuse(text, _):
        raise AssertionError(f"nobody expected {text.body}")

    fake.add_phone(PATIENT, on_text=refuse)
    send("this")
    with pytest.raises(AssertionError, match="nobody expected this"):
        fake.deliver_due(clock.pass_(60))
    assert fake.messages[0].status == "delivered"
