"""Texts from people to us: the signed webhook, its retries, STOP and START at the provider, TwiML answers."""

import socket
from datetime import timedelta

import pytest
from twilio.base.exceptions import TwilioRestException

ACCOUNT = "AC" + "0123456789abcdef" * 2
OURS = "+12025550100"
TOLL_FREE = "+18335550100"
PATIENT = "+12025550143"
SERVICE = "MG" + "ab" * 16


def test_a_text_is_posted_signed_with_everything_twilio_always_sends(fake, door, clock):
    sid = fake.text_in(PATIENT, OURS, "3 ’ 👍", at=clock() + timedelta(minutes=5))
    assert fake.deliver_due() == 0
    assert fake.deliver_due(clock.pass_(300)) == 1
    [posted] = door.posted
    assert posted.is_signed
    assert posted.path == "/twilio/messages"
    assert posted.token == sid
    assert posted.params == {
        "MessageSid": sid, "SmsSid": sid, "SmsMessageSid": sid, "SmsStatus": "received",
        "AccountSid": ACCOUNT, "ApiVersion": "2010-04-01", "From": PATIENT, "To": OURS,
        "Body": "3 ’ 👍", "NumMedia": "0", "NumSegments": "1",
        "FromCountry": "US", "FromCity": "", "FromState": "", "FromZip": "",
        "ToCountry": "US", "ToCity": "", "ToState": "", "ToZip": "",
    }  # fmt: skip


def test_pictures_and_services_say_so(fake, door):
    fake.add_service(SERVICE, [OURS])
    sid = fake.text_in(PATIENT, OURS, "", media=2)
    fake.deliver_due()
    params = door.posted[0].params
    assert sid.startswith("MM")
    assert params["MessagingServiceSid"] == SERVICE
    assert (params["NumMedia"], params["MediaContentType1"]) == ("2", "image/jpeg")
    assert params["MediaUrl0"] != params["MediaUrl1"]
    assert f"/Messages/{sid}/Media/ME" in params["MediaUrl1"]


def test_a_text_to_a_number_that_is_not_ours_is_a_mistake(fake):
    with pytest.raises(ValueError, match="add_number"):
        fake.text_in(PATIENT, "+12025550199", "hello")


def test_a_text_that_reached_nobody_can_be_swept_up(fake, client, door, clock):
    with socket.socket() as nobody:  # bound, never listening: connections are refused
        nobody.bind(("127.0.0.1", 0))
        fake.add_number(OURS, inbound_url=f"http://127.0.0.1:{nobody.getsockname()[1]}/twilio/messages")
        sid = fake.text_in(PATIENT, OURS, "worse today")
        fake.deliver_due()
    [failure] = fake.webhook_failures
    assert (failure.kind, failure.sid, failure.status, failure.attempts) == ("inbound", sid, None, 2)
    [found] = client.messages.list(to=OURS, date_sent_after=clock() - timedelta(hours=1))
    assert (found.sid, found.direction, found.status, found.body) == (sid, "inbound", "received", "worse today")


@pytest.mark.parametrize(
    ("fragment", "status", "attempts"),
    [
        ("", 500, 1),  # by default only a failed connection is tried again
        ("#rc=3&rp=5xx", 500, 4),
        ("#rc=3&rp=4xx", 500, 1),
        ("#rc=2&rp=all", 404, 3),
        ("#rc=2&rp=4xx,5xx", 429, 3),
        ("#rc=9&rp=all", 500, 2),  # out of range: the default, one retry
        ("#rc=0&rp=all", 500, 1),
    ],
)
def test_retries(fake, door, fragment, status, attempts):
    door.answer = lambda _: (status, "")
    fake.add_number(OURS, inbound_url=f"{door.url}/twilio/messages{fragment}")
    fake.text_in(PATIENT, OURS, "hello")
    fake.deliver_due()
    assert len(door.posted) == attempts
    assert len({p.token for p in door.posted}) == 1
    assert all(p.is_signed for p in door.posted)
    assert [f.attempts for f in fake.webhook_failures] == [attempts]


def test_a_retry_that_succeeds_is_no_failure(fake, door):
    door.answer = lambda _: (204 if len(door.posted) > 1 else 503, "")
    fake.add_number(OURS, inbound_url=f"{door.url}/twilio/messages#rc=1&rp=all")
    fake.text_in(PATIENT, OURS, "hello")
    fake.deliver_due()
    assert (len(door.posted), fake.webhook_failures) == (2, [])


def test_a_slow_answer_is_a_failure(fake, door):
    def slow(_):
        import time

        time.sleep(0.3)
        return 204, ""

    door.answer = slow
    fake.add_number(OURS, inbound_url=f"{door.url}/twilio/messages#rt=100")
    fake.text_in(PATIENT, OURS, "hello")
    fake.deliver_due()
    assert [f.status for f in fake.webhook_failures] == [None]
    assert len(door.posted) == 1


def test_the_fallback_is_told_why(fake, door):
    door.answer = lambda p: (500, "") if p.path == "/main" else (204, "")
    fake.add_number(OURS, inbound_url=f"{door.url}/main", fallback_url=f"{door.url}/fallback")
    fake.text_in(PATIENT, OURS, "hello")
    fake.deliver_due()
    assert [p.path for p in door.posted] == ["/main", "/fallback"]
    assert door.posted[1].params["ErrorUrl"] == f"{door.url}/main"
    assert (door.posted[1].params["ErrorCode"], door.posted[1].params["Body"]) == ("11200", "hello")
    assert door.posted[1].is_signed


def test_twiml_sends_a_text_back(fake, door, clock):
    read = []
    fake.add_phone(PATIENT, on_text=lambda text, _: read.append(text.body))
    door.answer = lambda _: (200, "<Response><Message>Thank you</Message></Response>")
    fake.text_in(PATIENT, OURS, "hello")
    fake.deliver_due(clock.pass_(60))
    assert read == ["Thank you"]
    assert [m.direction for m in fake.messages] == ["outbound-reply"]


@pytest.mark.parametrize("answer", ["", "<Response/>", "<?xml version='1.0'?><Response></Response>"])
def test_empty_twiml_sends_nothing(fake, door, clock, answer):
    door.answer = lambda _: (200, answer)
    fake.text_in(PATIENT, OURS, "hello")
    fake.deliver_due(clock.pass_(60))
    assert (fake.messages, fake.webhook_failures) == ([], [])


@pytest.mark.parametrize("answer", ["OK", "<html/>", "<Response><Whistle/></Response>"])
def test_an_answer_that_is_no_twiml_is_a_failure(fake, door, answer):
    door.answer = lambda _: (200, answer)
    fake.text_in(PATIENT, OURS, "hello")
    fake.deliver_due()
    assert [f.kind for f in fake.webhook_failures] == ["inbound"]


def code_of(send):
    try:
        send()
    except TwilioRestException as refused:
        return refused.code
    return None


@pytest.mark.parametrize(
    ("texts", "is_blocked"),
    [
        (["STOP"], True),
        (["stop "], True),
        (["Unsubscribe"], True),
        (["REVOKE"], True),
        (["OptOut"], True),
        (["CANCEL"], True),
        (["please stop"], False),  # only the whole message counts
        (["STOP now"], False),
        (["STOP", "START"], False),
        (["STOP", "UNSTOP"], False),
        (["STOP", "yes"], False),  # YES counts as START on a long code
        (["STOP", "y"], True),
        (["STOP", "HELP"], True),
        (["START"], False),
    ],
)
def test_stop_and_start_at_the_provider(fake, send, door, texts, is_blocked):
    for text in texts:
        fake.text_in(PATIENT, OURS, text)
    fake.deliver_due()
    assert [p.params["Body"] for p in door.posted] == texts  # still posted to us
    assert not any("OptOutType" in p.params for p in door.posted)
    assert code_of(send) == (21610 if is_blocked else None)
    assert code_of(lambda: send(to="+12025550144")) is None


def test_yes_does_not_undo_a_stop_on_a_toll_free_number(fake, send):
    fake.add_number(TOLL_FREE)
    for text in ("STOP", "YES"):
        fake.text_in(PATIENT, TOLL_FREE, text)
    fake.deliver_due()
    assert code_of(lambda: send(from_=TOLL_FREE)) == 21610
    assert code_of(send) is None  # the other number was never stopped


@pytest.mark.parametrize(
    ("mode", "by_service", "code"),
    [
        ("as_twilio", False, 21610),
        ("as_twilio", True, None),
        ("sync", True, 21610),
        ("callback", False, None),
    ],
)
def test_an_opt_out_is_told_at_once_or_by_callback(fake, send, door, clock, mode, by_service, code):
    fake.behaviour.opt_out_mode = mode
    fake.add_service(SERVICE, [OURS])
    fake.add_phone(PATIENT, opted_out=True)
    sender = {"from_": None, "messaging_service_sid": SERVICE} if by_service else {}
    assert code_of(lambda: send(**sender)) == code
    fake.deliver_due(clock.pass_(60))
    if code is None:
        assert door.statuses()[-1] == "failed"
        assert door.posted[-1].params["ErrorCode"] == "21610"
    assert not fake.add_phone(PATIENT).texts


def test_with_advanced_opt_out_twilio_answers_itself(build, door, clock):
    fake = build(advanced_opt_out=True)
    read = []
    fake.add_phone(PATIENT, on_text=lambda text, _: read.append(text.body))
    for n, text in enumerate(["HELP", "STOP", "HELP", "START", "hello"]):
        fake.text_in(PATIENT, OURS, text, at=clock() + timedelta(minutes=n))
    fake.deliver_due(clock.pass_(600))
    assert [p.params.get("OptOutType") for p in door.posted] == ["HELP", "STOP", "HELP", "START", None]
    assert [text.split()[-1] for text in read] == ["Apply.", "resubscribe.", "unsubscribe."]  # no HELP while stopped
