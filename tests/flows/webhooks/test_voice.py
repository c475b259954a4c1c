"""The door of calls: keys and reports, signed by Twilio and linked by us, or refused. Nothing that was pressed is lost."""

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from flask.testing import FlaskClient

from engage import clock
from engage.db import encryption
from engage.outreach.links import Link, call_callback, key_action, status_callback
from engage.replies.handle import handle
from engage.replies.lexicon import load_lexicon
from engage.simulation.twilio.webhooks import signature
from tests.cast import MONDAY, ROSE_PHONE, SUNRISE_NUMBER
from tests.flows.outreach.desk import TOKEN, Desk
from webhooks import create_app

SID = "CA" + "1" * 32


@pytest.fixture
def client(desk: Desk) -> FlaskClient:
    desk.sql("UPDATE contacts SET phone_kind = 'landline' WHERE id = :id", id=desk.cast.rose_contact)
    desk.sql("UPDATE agencies SET voice_reminders = true")
    app = create_app(desk.cast.db, desk.codes, auth_tokens=[TOKEN], public_url=desk.web)
    return app.test_client()


@pytest.fixture
def called(desk: Desk, client: FlaskClient) -> Link:
    """Rose is being called about her visit; its link. Twilio says nothing by itself."""
    desk.fake.behaviour.rate_callback_lost = 1
    message = desk.reminder(channel="voice", template="call-day-before")
    desk.dispatch()
    attempt = desk.row(message).attempt_id
    assert attempt is not None
    return Link(desk.cast.id, message, attempt)


def post(client: FlaskClient, desk: Desk, address: str, form: Mapping[str, str], token: str = TOKEN) -> Any:
    """A form as Twilio would sign it."""
    url = address.partition("#")[0]
    parts = urlsplit(url)
    headers = {"X-Twilio-Signature": signature(token, url, form.items())}
    return client.post(
        f"{parts.path}?{parts.query}",
        data=urlencode(form, errors="surrogatepass"),
        headers=headers,
        content_type="application/x-www-form-urlencoded",
    )


def key(client: FlaskClient, desk: Desk, link: Link, digit: str = "1", **more: str) -> Any:
    form = {"CallSid": SID, "To": ROSE_PHONE, "From": SUNRISE_NUMBER, "Digits": digit, "CallStatus": "in-progress"}
    return post(client, desk, key_action(desk.web, link), form | more)


def report(client: FlaskClient, desk: Desk, link: Link, status: str, **more: str) -> Any:
    return post(client, desk, call_callback(desk.web, link), {"CallSid": SID, "CallStatus": status} | more)


@pytest.mark.parametrize(
    ("digit", "body", "said"),
    [
        ("1", "Yes", "See you then"),
        ("2", "R", "find another time"),
        ("9", "STOP", "no more calls"),
        ("0", "0", "A person will call you"),  # people press it to reach somebody
        ("*", "*", "A person will call you"),
    ],
)
def test_a_key_is_stored_before_it_is_understood(
    desk: Desk, client: FlaskClient, called: Link, digit: str, body: str, said: str
) -> None:
    answer = key(client, desk, called, digit)
    assert (answer.status_code, answer.mimetype) == (200, "text/xml")
    assert said in answer.text
    (row,) = desk.sql("SELECT sid, contact_id, message_id, state FROM replies")
    assert row == (f"{SID}-{digit}", desk.cast.rose_contact, called.message_id, "stored")
    assert desk.state(called.message_id) == "delivered"
    handle(desk.cast.db, load_lexicon(desk.cast.config / "lexicon"), clock.now)
    (reading,) = desk.sql("SELECT asked_message_id FROM readings")
    assert reading == (called.message_id,)
    assert desk.count("SELECT count(*) FROM messages WHERE reply_id IS NOT NULL AND contact_id IS NOT NULL") == 0
    assert encryption.ring().open(bytes(desk.sql("SELECT body FROM replies")[0][0]), "replies.body") == body


def test_a_key_that_is_posted_twice_is_one_and_two_keys_are_two(desk: Desk, client: FlaskClient, called: Link) -> None:
    for digit in ("1", "1", "2"):
        assert key(client, desk, called, digit).status_code == 200
    assert desk.count("SELECT count(*) FROM replies") == 2


def test_a_key_answers_the_call_it_was_pressed_in_also_when_a_newer_question_is_open(
    desk: Desk, client: FlaskClient, called: Link
) -> None:
    desk.cast.visit(desk.cast.rose, on=MONDAY + timedelta(days=1))
    desk.reminder(channel="voice", template="call-day-before", occasion=str(MONDAY + timedelta(days=1)))
    desk.time.tick(timedelta(minutes=1))
    desk.dispatch()
    key(client, desk, called)
    handle(desk.cast.db, load_lexicon(desk.cast.config / "lexicon"), clock.now)
    assert desk.sql("SELECT asked_message_id FROM readings") == [(called.message_id,)]
    assert desk.sql("SELECT starts_on FROM visits WHERE answer = 'confirmed'") == [(MONDAY,)]


def test_nine_counts_from_this_moment_on(desk: Desk, client: FlaskClient, called: Link) -> None:
    key(client, desk, called, "9")
    assert desk.sql("SELECT kind FROM consent_events WHERE contact_id IS NULL") == [("opted_out",)]


def test_a_key_before_our_own_row_says_that_it_was_sent(desk: Desk, client: FlaskClient, called: Link) -> None:
    """The answer to our POST is still on its way: the row is `sending` when the key comes."""
    desk.sql(
        "UPDATE messages SET state = 'sending', sid = NULL, accepted_at = NULL, lease_until = :now WHERE id = :id",
        now=clock.now(), id=called.message_id,
    )  # fmt: skip
    assert key(client, desk, called).status_code == 200
    assert (desk.state(called.message_id), desk.row(called.message_id).sid) == ("delivered", SID)


def test_reports_move_the_call_forward_in_any_order(desk: Desk, client: FlaskClient, called: Link) -> None:
    for status, more in (
        ("completed", {"AnsweredBy": "human"}),
        ("ringing", {}),
        ("completed", {"AnsweredBy": "human"}),
        ("in-progress", {}),
    ):
        assert report(client, desk, called, status, **more).status_code == 204
    assert desk.state(called.message_id) == "delivered"
    assert desk.count("SELECT count(*) FROM receipts") == 3


def test_an_agency_without_the_words_says_nothing_and_keeps_the_key(
    desk: Desk, client: FlaskClient, called: Link
) -> None:
    desk.sql("UPDATE templates SET reviewed_at = NULL, reviewed_by = NULL WHERE key LIKE 'call-%'")
    answer = key(client, desk, called)
    assert "<Say" not in answer.text
    assert desk.count("SELECT count(*) FROM replies") == 1


def test_wording_that_asks_for_nonsense_costs_only_the_words(desk: Desk, client: FlaskClient, called: Link) -> None:
    desk.sql("UPDATE templates SET wording = '{{ weather }}' WHERE key = 'call-confirmed'")
    answer = key(client, desk, called)
    assert (answer.status_code, "<Say" in answer.text) == (200, False)
    assert desk.count("SELECT count(*) FROM replies") == 1


# --- refused ------------------------------------------------------------------------------------------------------------


def untouched(desk: Desk, link: Link) -> None:
    assert desk.state(link.message_id) == "accepted"
    assert desk.count("SELECT (SELECT count(*) FROM replies) + (SELECT count(*) FROM receipts)") == 0


@pytest.mark.parametrize("path", ["/twilio/voice/answer", "/twilio/voice/status"])
def test_what_twilio_did_not_sign_is_refused(desk: Desk, client: FlaskClient, called: Link, path: str) -> None:
    token = key_action(desk.web, called).partition("?m=")[2].partition("#")[0]
    form = {"CallSid": SID, "CallStatus": "completed", "AnsweredBy": "human", "Digits": "1", "To": ROSE_PHONE}
    assert client.post(f"{path}?m={token}", data=form).status_code == 403
    forged = post(client, desk, f"{desk.web}{path}?m={token}", form, token="a stranger's")
    assert forged.status_code == 403
    assert client.get(f"{path}?m={token}").status_code == 405
    untouched(desk, called)


def links(desk: Desk, link: Link) -> dict[str, str]:
    """Addresses that Twilio signed, and that are not the one we gave it."""
    good = key_action(desk.web, link).partition("#")[0]
    other = Link(desk.cast.other_id, link.message_id, link.attempt_id)
    nobody = Link(desk.cast.id, link.message_id + 1000, link.attempt_id)
    nowhere = Link(10**6, 1, uuid.uuid4())
    receipt = status_callback(desk.web, link).partition("?m=")[2].partition("#")[0]
    return {
        "no link": f"{desk.web}/twilio/voice/answer",
        "an altered link": good[:-1] + ("A" if good[-1] != "A" else "B"),
        "the link of a text": f"{desk.web}/twilio/voice/answer?m={receipt}",
        "another agency's": key_action(desk.web, other),
        "a row that is not there": key_action(desk.web, nobody),
        "an agency that is not there": key_action(desk.web, nowhere),
    }


@pytest.mark.parametrize(
    "which",
    [
        "no link",
        "an altered link",
        "the link of a text",
        "another agency's",
        "a row that is not there",
        "an agency that is not there",
    ],
)
@pytest.mark.parametrize("door", ["answer", "status"])
def test_a_link_that_is_not_ours_finds_nothing(
    desk: Desk, client: FlaskClient, called: Link, which: str, door: str
) -> None:
    address = links(desk, called)[which].replace("/voice/answer", f"/voice/{door}")
    form = {"CallSid": SID, "CallStatus": "completed", "AnsweredBy": "human", "Digits": "9", "To": ROSE_PHONE}
    assert post(client, desk, address, form).status_code == 404
    untouched(desk, called)


def test_a_key_about_a_text_is_no_key(desk: Desk, client: FlaskClient, called: Link) -> None:
    message = desk.answer()
    assert key(client, desk, Link(desk.cast.id, message, uuid.uuid4())).status_code == 404
    untouched(desk, called)


@pytest.mark.parametrize(
    "more", [{"Digits": ""}, {"Digits": "12"}, {"CallSid": ""}, {"CallSid": "C" * 65}, {"To": ""}, {"Digits": "\x00"}]
)
def test_an_odd_key_is_a_bad_request(desk: Desk, client: FlaskClient, called: Link, more: dict[str, str]) -> None:
    assert key(client, desk, called, **{"digit": "1"} | more).status_code == 400
    untouched(desk, called)


@pytest.mark.parametrize("more", [{"AnsweredBy": "x" * 500}, {"AnsweredBy": "\x00"}])
def test_an_odd_listener_is_no_listener(desk: Desk, client: FlaskClient, called: Link, more: dict[str, str]) -> None:
    assert report(client, desk, called, "completed", **more).status_code == 204
    assert desk.row(called.message_id).reason == "machine"
