"""The first run on an empty database: behind the printed link an agency, its administrator, a checked Twilio, a test text."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from freezegun import freeze_time
from sqlalchemy import text

from engage import clock
from engage.console.first import FirstRun
from engage.console.sessions import begin
from engage.db import Database
from engage.simulation.twilio import FakeTwilio
from engage.sms.gateway import TwilioGateway
from tests.cast import ANA_PHONE, NOON, SUNRISE_NUMBER, gather_cast
from tests.conftest import ROOT
from tests.flows.console.conftest import QUICK, browser, codes
from tests.flows.outreach.desk import ACCOUNT, TOKEN
from webhooks import create_app

FIRST = "/console/first/"
AGENCY = {
    "slug": "sunrise",
    "name": "Sunrise Home Health",
    "short_name": "Sunrise",
    "line": "home_health",
    "phone": "(202) 555-0150",
    "time_zone": "America/New_York",
    "sender_phone": SUNRISE_NUMBER,
    "person": "Sue Park",
    "email": "sue@example.org",
}


@pytest.fixture
def fake() -> Iterator[FakeTwilio]:
    with freeze_time(NOON, real_asyncio=True), FakeTwilio(account_sid=ACCOUNT, auth_token=TOKEN, strict=True) as made:
        yield made


def app_of(db: Database, fake: FakeTwilio, token: str | None = "printed", auth: str = TOKEN) -> Flask:
    first = FirstRun(
        token=token,
        config_dir=ROOT / "config",
        problems=lambda: ["ENGAGE_SOMETHING is not set."],
        gateway=lambda: TwilioGateway(ACCOUNT, auth, api_url=fake.url, timeout_seconds=20),
    )
    return create_app(
        db, codes(), auth_tokens=["x"], public_url="https://engage.example.org", passwords=QUICK, first=first
    )


def administrator(app: Flask, db: Database) -> FlaskClient:
    with db.agency_session(1) as session:
        account = session.scalars(text("SELECT id FROM accounts")).one()
        token = begin(session, 1, account, clock.now(), address="192.0.2.1", agent="test", is_whole=True)
    client = browser(app)
    with client.session_transaction() as kept:
        kept["_user_id"] = token
    return client


def test_from_the_printed_link_to_a_test_text(db: Database, fake: FakeTwilio) -> None:
    app = app_of(db, fake)
    client = browser(app)
    assert client.get(FIRST).status_code == 404  # not without the link
    assert client.get(FIRST + "guessed").status_code == 404
    assert client.get(FIRST + "printed").location == FIRST
    assert "ENGAGE_SOMETHING" in client.get(FIRST).text
    for wrong in (
        {"time_zone": "Mars/Olympus"},
        {"sender_phone": "1"},
        {"slug": "S P"},
        {"email": "x@y"},
        {"line": ""},
    ):
        assert client.post(FIRST, data=AGENCY | wrong).status_code == 400
    with db.system_session("test") as session:
        assert session.scalar(text("SELECT count(*) FROM agencies")) == 0
    answer = client.post(FIRST, data=AGENCY)
    assert answer.status_code == 303
    assert client.get(answer.location).location == "/console/welcome"
    assert client.post("/console/welcome", data={"password": "five purple geese sing"}).status_code == 303
    assert client.get(FIRST + "printed").status_code == 404  # for ever
    assert client.post(FIRST, data=AGENCY | {"slug": "second"}).status_code == 404

    boss = administrator(app, db)
    fake.add_number(SUNRISE_NUMBER)
    fake.add_phone(ANA_PHONE)
    assert "Twilio answers" in boss.post(FIRST + "twilio").text
    assert "Twilio answers" in boss.post(FIRST + "twilio", data={"phone": ANA_PHONE}).text
    assert [message.to for message in fake.messages] == [ANA_PHONE]
    assert 'class="note wrong"' in boss.post(FIRST + "twilio", data={"phone": "12"}).text
    wrong = administrator(app_of(db, fake, auth="another token"), db)
    assert 'class="note wrong"' in wrong.post(FIRST + "twilio").text
    with db.agency_session(1) as session:
        found = session.execute(
            text("SELECT count(*), string_agg(detail::text, '') FROM audit_events WHERE action = 'test_text'")
        ).one()
    assert found[0] == 1
    assert ANA_PHONE not in found[1]


def test_without_a_secret_or_with_an_agency_there_is_no_first_run(db: Database, fake: FakeTwilio) -> None:
    for token in ("", "None"):
        assert browser(app_of(db, fake, None)).get(FIRST + (token or "x")).status_code == 404
    app = app_of(db, fake)
    client = browser(app)
    client.get(FIRST + "printed")
    gather_cast(db, ROOT / "config")  # somebody was quicker
    assert client.get(FIRST).status_code == 404
    assert client.post(FIRST, data=AGENCY | {"slug": "third"}).status_code == 404
