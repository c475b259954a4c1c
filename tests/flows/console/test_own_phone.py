"""A wording tried on the phone of whoever writes it: their own, a few times, with invented names, by the ordinary way of every text."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from freezegun.api import FrozenDateTimeFactory
from sqlalchemy import select

from engage.outreach.model import Message
from tests.cast import Cast
from tests.flows.alerts.ward import Ward
from tests.flows.console.conftest import SignIn

HERE = "/console/wording/day-before/en"
SAID = "{{ agency }}: {{ clinicians }} will visit {{ patient }} tomorrow, {{ day }}, {{ times }}. Reply Y if OK, R for another time. STOP ends texts."


@pytest.fixture
def ward(cast: Cast) -> Ward:
    return Ward(cast)


@pytest.fixture
def boss(signed_in: SignIn, cast: Cast) -> FlaskClient:
    return signed_in("manager", clinician=cast.sue)


def test_it_goes_to_their_own_phone_with_nobody_s_name(cast: Cast, ward: Ward, boss: FlaskClient) -> None:
    ward.sql(
        "UPDATE patients SET first_name = 'Wilhelmina-Rose' WHERE id = :i", i=cast.rose
    )  # the longest name there is
    words = ward.sql("SELECT count(*) FROM templates")
    page = boss.post(f"{HERE}/phone", data={"words": SAID + " Bye."}).text
    assert "on its way to your own phone" in page
    assert SAID.rsplit("}}", maxsplit=1)[-1] + " Bye." in page  # what was written is still there
    with cast.db.agency_session(cast.id) as session:
        message = session.scalars(select(Message)).one()
        assert (message.kind, message.template, message.clinician_id, message.contact_id) == (
            "note",
            "trial",
            cast.sue,
            None,
        )
        assert message.body is not None
        assert message.body.startswith("(Test) Sunrise: Alexandra will visit Guadalupe tomorrow")
        assert message.body.endswith("Bye.")
    assert ward.sql("SELECT count(*) FROM templates") == words  # nothing was saved
    event = ward.sql(
        "SELECT actor LIKE 'account:%', detail ->> 'template', detail ->> 'from' IS NOT NULL FROM audit_events WHERE action = 'wording.test'"
    )
    assert event == [(True, "day-before", True)]


def test_not_too_often(cast: Cast, ward: Ward, boss: FlaskClient, time: FrozenDateTimeFactory) -> None:
    def sent() -> bool:
        return "on its way" in boss.post(f"{HERE}/phone", data={"words": SAID}).text

    assert [sent() for _ in range(4)] == [True, True, True, False]
    time.tick(timedelta(minutes=11))
    assert sent()
    ward.sql("UPDATE messages SET state = 'suppressed', reason = 'loop_guard', ended_at = now()")
    for _ in range(3):
        time.tick(timedelta(minutes=11))
        assert [sent() for _ in range(2)] == [True, True]
        boss.get("/console/worklist")
    time.tick(timedelta(minutes=11))
    assert not sent()  # ten in a day
    assert ward.sql("SELECT count(*) FROM messages") == [(10,)]


@pytest.mark.parametrize(
    ("change", "path", "words", "says"),
    [
        ("UPDATE clinicians SET phone = NULL, phone_hash = NULL", HERE, SAID, "no phone of yours"),
        ("UPDATE clinicians SET left_on = '2026-11-22'", HERE, SAID, "no phone of yours"),
        ("UPDATE clinicians SET texts_stopped_at = now()", HERE, SAID, "text START"),
        ("UPDATE accounts SET clinician_id = NULL", HERE, SAID, "no phone of yours"),
        ("SELECT 1", HERE, "{{ patient }} has cancer", "could not be sent"),
        ("SELECT 1", HERE, "", "could not be sent"),
        ("SELECT 1", "/console/wording/call-page/en", "{{ agency }} {{ spoken }}", "spoken"),
    ],
)  # fmt: skip
def test_what_does_not_go(
    cast: Cast, ward: Ward, boss: FlaskClient, change: str, path: str, words: str, says: str
) -> None:
    ward.sql(change)
    assert says in boss.post(f"{path}/phone", data={"words": words}).text
    assert ward.sql("SELECT count(*) FROM messages") == [(0,)]


def test_a_phone_that_the_last_text_did_not_reach_is_not_tried(cast: Cast, ward: Ward, boss: FlaskClient) -> None:
    boss.post(f"{HERE}/phone", data={"words": SAID})
    ward.sql("UPDATE messages SET state = 'undelivered', reason = 'unreachable', sid = 'SM1', ended_at = now()")
    assert "did not arrive" in boss.post(f"{HERE}/phone", data={"words": SAID}).text


def test_who_reviewed_it_and_when_and_the_other_language(cast: Cast, boss: FlaskClient, signed_in: SignIn) -> None:
    page = boss.get(HERE).text
    assert "reviewed by Engage founding team (Nov 2" in page
    assert "/console/wording/day-before/es" in page
    assert "/console/wording/page/es" not in boss.get("/console/wording/page/en").text  # nurses get English
    assert "Send it to my own phone" not in boss.get("/console/wording/call-page/en").text
    assert "Send it to my own phone" not in signed_in("auditor").get(HERE).text
    assert signed_in("auditor").post(f"{HERE}/phone", data={"words": SAID}).status_code == 403
