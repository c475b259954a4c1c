"""The doors of pages: keys and reports signed by Twilio and linked by us, and the link of a mail; anything else is refused."""

import uuid
from typing import Any

import pytest
from flask.testing import FlaskClient

from engage import clock
from engage.alerts.escalate import escalate
from engage.alerts.opening import Reason, open_alert
from engage.alerts.rules.words import AlertKind
from engage.outreach.links import Link, key_action, page_callback, page_key_action, take_link
from tests.cast import ANA_PHONE, SUNRISE_PAGES
from tests.flows.outreach.desk import TOKEN, Desk
from tests.flows.webhooks.test_voice import SID, post
from webhooks import create_app


@pytest.fixture
def client(desk: Desk) -> FlaskClient:
    return create_app(desk.cast.db, desk.codes, auth_tokens=[TOKEN], public_url=desk.web).test_client()


@pytest.fixture
def paged(desk: Desk) -> Link:
    """Ana is being called; Twilio says nothing by itself."""
    desk.fake.behaviour.rate_callback_lost = 1
    desk.sql("UPDATE clinicians SET page_channels = '{voice}' WHERE id = :ana", ana=desk.cast.ana)
    with desk.cast.db.agency_session(desk.cast.id) as session:
        open_alert(session, Reason(AlertKind.URGENT, desk.cast.id, desk.cast.rose), clock.now())
    escalate(desk.cast.db, clock.now())
    desk.dispatch()
    ((message, attempt),) = desk.sql("SELECT id, attempt_id FROM messages WHERE kind = 'page'")
    return Link(desk.cast.id, message, attempt)


def form(**more: str) -> dict[str, str]:
    return {"CallSid": SID, "To": ANA_PHONE, "From": SUNRISE_PAGES, "Digits": "4", "CallStatus": "in-progress"} | more


def alert(desk: Desk) -> Any:
    return desk.sql("SELECT state, acknowledged_by FROM alerts")[0]


def test_a_key_acts_once_however_often_it_is_posted(desk: Desk, client: FlaskClient, paged: Link) -> None:
    for _ in range(2):
        answer = post(client, desk, page_key_action(desk.web, paged), form())
        assert (answer.status_code, "is yours" in answer.text) == (200, True)
    assert alert(desk) == ("acknowledged", desk.cast.ana)
    assert desk.state(paged.message_id) == "delivered"
    assert desk.count("SELECT count(*) FROM alert_events WHERE kind = 'acknowledged'") == 1
    # the report at the end of the call comes later, and takes nothing back
    done = form(CallStatus="completed", AnsweredBy="human")
    assert post(client, desk, page_callback(desk.web, paged), done).status_code == 204
    assert desk.state(paged.message_id) == "delivered"


def test_a_report_without_a_key_is_a_failed_page_and_a_late_key_still_counts(
    desk: Desk, client: FlaskClient, paged: Link
) -> None:
    done = form(CallStatus="completed", AnsweredBy="human")
    assert post(client, desk, page_callback(desk.web, paged), done).status_code == 204
    assert desk.row(paged.message_id).reason == "no_key"
    assert "is yours" in post(client, desk, page_key_action(desk.web, paged), form()).text
    assert alert(desk) == ("acknowledged", desk.cast.ana)


def test_another_has_it_already(desk: Desk, client: FlaskClient, paged: Link) -> None:
    desk.sql(
        "UPDATE alerts SET state = 'acknowledged', acknowledged_by = :b, acknowledged_at = opened_at", b=desk.cast.ben
    )
    for digit in "45":
        answer = post(client, desk, page_key_action(desk.web, paged), form(Digits=digit))
        assert "already" in answer.text
    assert alert(desk) == ("acknowledged", desk.cast.ben)


@pytest.mark.parametrize("path", ["/twilio/voice/page/answer", "/twilio/voice/page/status"])
def test_what_twilio_did_not_sign_is_refused(desk: Desk, client: FlaskClient, paged: Link, path: str) -> None:
    token = page_key_action(desk.web, paged).partition("?m=")[2].partition("#")[0]
    assert client.post(f"{path}?m={token}", data=form()).status_code == 403
    assert post(client, desk, f"{desk.web}{path}?m={token}", form(), token="a stranger's").status_code == 403
    assert client.get(f"{path}?m={token}").status_code == 405
    assert alert(desk)[0] == "open"


def test_other_links_are_not_those_of_pages(desk: Desk, client: FlaskClient, paged: Link) -> None:
    base, tail = desk.web, "/twilio/voice/page/answer"
    reminder = key_action(base, paged).partition("?m=")[2]
    others = [
        f"{base}{tail}",
        f"{base}{tail}?m={reminder}",  # a reminder's
        page_key_action(base, Link(desk.cast.other_id, paged.message_id, paged.attempt_id)),
        page_key_action(base, Link(desk.cast.id, paged.message_id + 1000, uuid.uuid4())),
    ]
    assert [post(client, desk, address, form()).status_code for address in others] == [404] * 4
    assert alert(desk)[0] == "open"


def test_the_link_of_a_mail_is_for_its_page_alone(desk: Desk, client: FlaskClient, paged: Link) -> None:
    def path(agency: int, message: int) -> str:
        return take_link("", agency, message, clock.now())

    good = path(desk.cast.id, paged.message_id)
    refused = [
        path(desk.cast.other_id, paged.message_id),
        path(desk.cast.id, paged.message_id + 1000),
        "/page/" + page_key_action("", paged).partition("?m=")[2].partition("#")[0],
        "/page/x",
    ]
    assert [client.post(address, data={"press": "take"}).status_code for address in refused] == [410, 410, 404, 404]
    assert client.head(good).status_code == client.get(good).status_code == 200
    assert alert(desk)[0] == "open"
    desk.sql("UPDATE clinicians SET left_on = '2026-11-01' WHERE id = :ana", ana=desk.cast.ana)
    assert client.post(good, data={"press": "take"}).status_code == 410  # she does not work here any more
    assert alert(desk)[0] == "open"


def test_the_page_behind_the_link_loads_nothing_from_elsewhere(desk: Desk, client: FlaskClient, paged: Link) -> None:
    answer = client.get(take_link("", desk.cast.id, paged.message_id, clock.now()))
    assert "http" not in answer.text
    assert "<script" not in answer.text
    assert "Rose" not in answer.text
    for word in ("default-src 'none'", "frame-ancestors 'none'", "form-action 'self'"):
        assert word in answer.headers["Content-Security-Policy"]
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert client.get("/page/style.css").mimetype == "text/css"
