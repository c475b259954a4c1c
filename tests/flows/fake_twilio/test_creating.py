"""POST Messages.json: what is accepted, how it is shown, and what is refused with which code."""

from datetime import timedelta

import pytest
from twilio.base.exceptions import TwilioRestException

OURS = "+12025550100"
PATIENT = "+12025550143"
SERVICE = "MG" + "ab" * 16
EMPTY_SERVICE = "MG" + "cd" * 16


def test_an_accepted_text_is_shown_as_queued(fake, send, clock):
    message = send("Hello")
    assert message.status == "queued"
    assert message.sid.startswith("SM")
    assert (message.to, message.from_, message.body, message.num_segments) == (PATIENT, OURS, "Hello", "1")
    assert message.direction == "outbound-api"
    assert message.date_created == clock()
    assert message.date_sent is None
    assert message.price is None
    assert message.error_code is None
    assert message.subresource_uris["media"].endswith(f"/Messages/{message.sid}/Media.json")
    [kept] = fake.messages
    assert (kept.sid, kept.body, kept.client_ref) == (message.sid, "Hello", {"m": "17"})


def test_a_service_chooses_its_sender_later(fake, send):
    fake.add_service(SERVICE, [OURS])
    message = send(from_=None, messaging_service_sid=SERVICE)
    assert message.status == "accepted"
    assert message.from_ is None
    assert message.num_segments == "0"
    fake.deliver_due()
    assert (fake.messages[0].from_, fake.messages[0].segments) == (OURS, 1)


@pytest.mark.parametrize(
    ("code", "options"),
    [
        (21604, {"to": ""}),
        (21211, {"to": "123"}),
        (21211, {"to": "+11025550143"}),  # no area code begins with 1
        (21603, {"from_": None}),
        (21606, {"from_": "+12025550199"}),  # not a number of ours
        (21266, {"to": OURS}),
        (21602, {"body": ""}),
        (21602, {"body": " \n "}),
        (21619, {"body": None}),
        (21617, {"body": "x" * 1601}),
        (21609, {"status_callback": "engage.example/status"}),  # no scheme
        (21609, {"status_callback": "https://our_host.example/status"}),  # underscore
        (20001, {"validity_period": 0}),
        (20001, {"validity_period": 36001}),
        (21705, {"messaging_service_sid": "MG" + "00" * 16, "from_": None}),
        (21703, {"messaging_service_sid": EMPTY_SERVICE, "from_": None}),
        (35118, {"schedule_type": "fixed", "send_at": "2026-03-02T16:00:00Z"}),  # no service
        (35126, {"messaging_service_sid": SERVICE, "schedule_type": "later"}),
        (35117, {"messaging_service_sid": SERVICE, "schedule_type": "fixed"}),
        (35114, {"messaging_service_sid": SERVICE, "schedule_type": "fixed", "send_at": "2026-03-02T15:04:59Z"}),
        (35115, {"messaging_service_sid": SERVICE, "schedule_type": "fixed", "send_at": "2026-04-06T15:00:01Z"}),
        # Twilio's test credentials (facts/twilio.md §12)
        (21212, {"from_": "+15005550001"}),
        (21606, {"from_": "+15005550007"}),
        (21611, {"from_": "+15005550008"}),
        (21606, {"from_": "+15005550005"}),
        (21211, {"to": "+15005550001"}),
        (21612, {"to": "+15005550002"}),
        (21408, {"to": "+15005550003"}),
        (21610, {"to": "+15005550004"}),
        (21614, {"to": "+15005550009"}),
    ],
)
def test_refusals(fake, send, code, options):
    fake.add_service(SERVICE, [OURS])
    fake.add_service(EMPTY_SERVICE, [])
    with pytest.raises(TwilioRestException) as refused:
        send(**options)
    assert (refused.value.code, refused.value.status) == (code, 400)
    assert fake.messages == []
    assert fake.next_due_at() is None


@pytest.mark.parametrize(
    "options",
    [
        {"body": "x" * 1600},
        {"body": "€"},
        {"body": None, "media_url": ["https://engage.example/a.png"]},
        {"validity_period": 1},
        {"validity_period": 36000},
        {"to": "+442079460958"},
        {"max_price": 0.02, "smart_encoded": True, "risk_check": "disable"},  # carried, not judged
    ],
)
def test_what_is_accepted(fake, send, options):
    send(**options)
    assert len(fake.messages) == 1


def test_a_text_from_the_test_credentials_goes_nowhere(fake, send):
    assert send(from_="+15005550006").status == "queued"
    assert fake.next_due_at() is None


@pytest.mark.parametrize(("body", "segments"), [("a" * 160, "1"), ("a" * 161, "2"), ("ñá" * 36, "2"), ("’", "1")])
def test_segments_are_counted(send, body, segments):
    assert send(body).num_segments == segments


def test_wrong_credentials_and_api_keys(fake, sdk):
    stranger = sdk(fake, password="another")
    with pytest.raises(TwilioRestException) as refused:
        stranger.messages.create(to=PATIENT, from_=OURS, body="x")
    assert (refused.value.code, refused.value.status) == (20003, 401)
    fake.add_api_key("SK" + "1" * 32, "a secret")
    with_key = sdk(fake, username="SK" + "1" * 32, password="a secret")
    assert with_key.messages.create(to=PATIENT, from_=OURS, body="x").status == "queued"


def test_another_account_and_an_unknown_path_are_not_found(fake, client):
    with pytest.raises(TwilioRestException) as refused:
        client.api.v2010.accounts("AC" + "9" * 32).messages.create(to=PATIENT, from_=OURS, body="x")
    assert (refused.value.code, refused.value.status) == (20404, 404)
    with pytest.raises(TwilioRestException) as refused:
        client.messages("SM" + "9" * 32).fetch()
    assert refused.value.code == 20404
    with pytest.raises(TwilioRestException) as refused:
        client.applications("AP" + "9" * 32).fetch()
    assert refused.value.code == 20404


def test_a_scheduled_text_waits_and_can_be_cancelled(fake, client, send, clock, door):
    fake.add_service(SERVICE, [OURS])
    when = clock() + timedelta(minutes=20)
    options = {"messaging_service_sid": SERVICE, "from_": None, "schedule_type": "fixed", "send_at": when}
    kept, dropped = send("kept", **options), send("dropped", **options)
    assert kept.status == "scheduled"
    assert client.messages(dropped.sid).update(status="canceled").status == "canceled"
    fake.deliver_due(when + timedelta(minutes=1))
    assert door.statuses(dropped.sid) == ["canceled"]
    assert door.statuses(kept.sid) == ["queued", "sending", "sent", "delivered"]
    with pytest.raises(TwilioRestException) as refused:
        client.messages(kept.sid).update(status="canceled")
    assert refused.value.code == 30409


def test_strict_names_what_nobody_expected(build, sdk):
    fake = build(strict=True)
    sdk(fake).messages.create(to=PATIENT, from_=OURS, body="expected")
    fake.check()
    sdk(fake).messages.create(to="+12025550144", from_=OURS, body="to a stranger")
    with pytest.raises(AssertionError, match="to a stranger"):
        fake.check()
    assert [m.to for m in fake.unexpected] == ["+12025550144"]
