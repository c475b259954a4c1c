"""Calls: dialled, answered or not, talked through TwiML, ended; the resource and the callbacks."""

from datetime import timedelta

import pytest
from twilio.base.exceptions import TwilioRestException

from engage.simulation.twilio import Pickup

OURS = "+12025550100"
NURSE = "+12025550150"
EVENTS = ["initiated", "ringing", "answered", "completed"]
ASK = (
    '<Response><Gather numDigits="1" timeout="5" action="/twilio/voice/key"><Say>Engage has an alert for you. '
    "Press 1 to take it.</Say></Gather><Say>We did not hear you.</Say></Response>"
)


@pytest.fixture
def page(client, door):
    """Calls the nurse through the SDK."""

    def page(**options):
        return client.calls.create(
            **{
                "to": NURSE,
                "from_": OURS,
                "url": f"{door.url}/twilio/voice/page?a=5",
                "status_callback": f"{door.url}/twilio/voice/status?a=5",
                "status_callback_event": EVENTS,
            }
            | options
        )

    return page


def answering(door, documents):
    door.answer = lambda p: (200, documents.get(p.path.partition("?")[0], ""))


def callbacks(door):
    return [p.params["CallStatus"] for p in door.posted if p.path.startswith("/twilio/voice/status")]


def test_a_nurse_takes_an_alert_by_pressing_1(fake, page, door, clock):
    fake.add_phone(NURSE, on_call=lambda call, _: Pickup("answer", "1"))
    answering(door, {"/twilio/voice/page": ASK, "/twilio/voice/key": "<Response><Say>Thank you.</Say></Response>"})
    call = page()
    assert (call.status, call.direction, call.duration) == ("queued", "outbound-api", None)
    fake.deliver_due(clock.pass_(120))
    assert callbacks(door) == ["initiated", "ringing", "in-progress", "completed"]
    assert [p.path for p in door.posted if "status" not in p.path] == ["/twilio/voice/page?a=5", "/twilio/voice/key"]
    assert all(p.is_signed for p in door.posted)
    key = next(p for p in door.posted if p.path == "/twilio/voice/key")
    assert (key.params["Digits"], key.params["CallSid"], key.params["To"]) == ("1", call.sid, NURSE)
    last = door.posted[-1].params
    assert last["CallbackSource"] == "call-progress-events"
    assert [last["SequenceNumber"], last["Duration"]] == ["3", "1"]
    fetched = call.fetch()
    assert (fetched.status, fetched.duration) == ("completed", last["CallDuration"])
    assert fetched.start_time < fetched.end_time
    assert fake.calls[0].said == ["Engage has an alert for you. Press 1 to take it.", "Thank you."]
    assert fake.calls[0].client_ref == {"a": "5"}


@pytest.mark.parametrize(
    ("pickup", "status", "answered"),
    [
        (Pickup("no-answer"), "no-answer", False),
        (Pickup("busy"), "busy", False),
        (Pickup("answer"), "completed", True),  # answers and presses nothing
        (Pickup("machine", "1"), "completed", True),  # a voicemail answers, and presses nothing
    ],
)
def test_a_call_that_nobody_takes(fake, page, door, clock, pickup, status, answered):
    fake.add_phone(NURSE, on_call=lambda call, _: pickup)
    answering(door, {"/twilio/voice/page": ASK})
    call = page(machine_detection="Enable", timeout=20)
    fake.deliver_due(clock.pass_(120))
    assert callbacks(door)[-1] == status
    assert not any("Digits" in p.params for p in door.posted)
    fetched = call.fetch()
    assert fetched.status == status
    expected = {"machine": "machine_start", "answer": "human"}.get(pickup.how)
    assert fetched.answered_by == expected
    assert ("We did not hear you." in fake.calls[0].said) == answered


def test_a_phone_without_an_owner_rings_and_a_dead_one_fails(fake, page, clock):
    fake.add_phone(NURSE)
    first = page(timeout=10)
    fake.deliver_due(clock.pass_(120))
    fake.add_phone(NURSE, kind="unreachable")
    second = page()
    fake.deliver_due(clock.pass_(120))
    assert [first.fetch().status, second.fetch().status] == ["no-answer", "failed"]


def test_keys_may_depend_on_what_was_said(fake, page, door, clock):
    fake.add_phone(NURSE, on_call=lambda call, _: Pickup(digits=lambda said: "2" if "Press 1" in said else ""))
    answering(door, {"/twilio/voice/page": ASK})
    page()
    fake.deliver_due(clock.pass_(120))
    assert fake.calls[0].pressed == ["2"]


def test_keys_are_used_up_question_by_question(fake, page, door, clock):
    fake.add_phone(NURSE, on_call=lambda call, _: Pickup(digits="12#345"))
    answering(
        door,
        {
            "/twilio/voice/page": '<Response><Gather action="/a"/></Response>',  # until #
            "/a": '<Response><Gather numDigits="2" action="/b"/></Response>',
            "/b": '<Response><Gather numDigits="4" timeout="2"/><Hangup/><Say>never said</Say></Response>',
        },
    )
    page()
    fake.deliver_due(clock.pass_(120))
    assert fake.calls[0].pressed == ["12", "34", "5"]
    assert fake.calls[0].said == []


def test_twiml_in_the_request_needs_no_url(fake, page, door, clock):
    fake.add_phone(NURSE, on_call=lambda call, _: Pickup())
    page(url=None, twiml="<Response><Pause length='3'/><Say>Hello</Say></Response>", status_callback_event=None)
    fake.deliver_due(clock.pass_(120))
    assert fake.calls[0].said == ["Hello"]
    assert callbacks(door) == ["completed"]  # the default event
    assert fake.calls[0].seconds >= 3


def test_redirects_are_followed_but_not_for_ever(fake, page, door, clock):
    fake.add_phone(NURSE, on_call=lambda call, _: Pickup())
    answering(door, {"/twilio/voice/page": "<Response><Redirect/></Response>"})
    page()
    fake.deliver_due(clock.pass_(120))
    assert fake.calls[0].status == "completed"


@pytest.mark.parametrize("document", ["not XML", "<html/>", "<Response><Dial>+1</Dial></Response>"])
def test_bad_instructions_end_the_call_and_are_noted(fake, page, door, clock, document):
    fake.add_phone(NURSE, on_call=lambda call, _: Pickup())
    answering(door, {"/twilio/voice/page": document})
    call = page()
    fake.deliver_due(clock.pass_(120))
    assert call.fetch().status == "completed"
    assert [f.kind for f in fake.webhook_failures] == ["voice"]


def test_a_door_that_fails_ends_the_call(fake, page, door, clock):
    fake.add_phone(NURSE, on_call=lambda call, _: Pickup())
    door.answer = lambda p: (500, "")
    call = page(status_callback=None)
    fake.deliver_due(clock.pass_(120))
    assert call.fetch().status == "completed"
    assert [(f.kind, f.status) for f in fake.webhook_failures] == [("voice", 500)]


def test_a_call_is_ended_from_outside(fake, client, page, door, clock):
    fake.add_phone(NURSE, on_call=lambda call, _: Pickup())
    long = page(url=None, twiml="<Response><Pause length='60'/></Response>")
    fake.deliver_due(clock.pass_(10))
    assert client.calls(long.sid).update(status="completed").status == "completed"
    waiting = page()
    assert client.calls(waiting.sid).update(status="canceled").status == "canceled"
    fake.deliver_due(clock.pass_(600))
    assert (long.fetch().status, waiting.fetch().status) == ("completed", "canceled")
    assert callbacks(door)[-2:] == ["completed", "canceled"]
    with pytest.raises(TwilioRestException) as refused:
        client.calls(long.sid).update(status="completed")
    assert refused.value.code == 21220


def test_a_call_is_sent_to_other_instructions(fake, client, page, clock):
    fake.add_phone(NURSE, on_call=lambda call, _: Pickup())
    call = page(url=None, twiml="<Response><Pause length='60'/><Say>too late</Say></Response>")
    fake.deliver_due(clock.pass_(10))
    client.calls(call.sid).update(twiml="<Response><Say>new words</Say></Response>")
    fake.deliver_due(clock.pass_(120))
    assert fake.calls[0].said[-1] == "new words"
    assert fake.calls[0].seconds < 30


@pytest.mark.parametrize(
    ("code", "options"),
    [
        (21201, {"to": ""}),
        (21213, {"from_": ""}),
        (21205, {"url": None}),
        (21205, {"url": "not a url"}),
        (20001, {"url": None, "twiml": "x" * 4001}),
        (21217, {"to": "12"}),
        (21210, {"from_": "+12025550199"}),
        (21212, {"from_": "+15005550001"}),
        (21210, {"from_": "+15005550007"}),
        (21217, {"to": "+15005550001"}),
        (21214, {"to": "+15005550002"}),
        (21215, {"to": "+15005550003"}),
        (21216, {"to": "+15005550004"}),
    ],
)
def test_refusals(fake, page, code, options):
    with pytest.raises(TwilioRestException) as refused:
        page(**options)
    assert refused.value.code == code
    assert fake.calls == []


def test_creates_of_calls_go_wrong_on_order_too(fake, page):
    fake.next_create("500_after")
    with pytest.raises(TwilioRestException):
        page()
    assert len(fake.calls) == 1


def test_calls_are_listed(fake, client, page, clock):
    fake.add_phone(NURSE, on_call=lambda call, _: Pickup())
    begun = clock()
    done = page(url=None, twiml="<Response/>")
    fake.deliver_due(clock.pass_(120))
    queued = page()
    assert [c.sid for c in client.calls.list(to=NURSE)] == [queued.sid, done.sid]
    assert [c.sid for c in client.calls.list(status="completed")] == [done.sid]
    assert [c.sid for c in client.calls.list(start_time_after=begun - timedelta(minutes=1))] == [done.sid]
    assert client.calls(done.sid).delete()
    assert [c.sid for c in client.calls.list()] == [queued.sid]


def test_a_person_calls_us(build, door, clock):
    fake = build(voice_url=f"{door.url}/twilio/voice/in")
    answering(door, {"/twilio/voice/in": ASK})
    sid = fake.call_in(NURSE, OURS, digits="1")
    fake.deliver_due(clock.pass_(60))
    assert [p.path for p in door.posted] == ["/twilio/voice/in", "/twilio/voice/key"]
    assert door.posted[0].params["Direction"] == "inbound"
    assert (fake.calls[0].sid, fake.calls[0].pressed) == (sid, ["1"])
