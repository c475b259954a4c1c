"""Sending a text again: only what certainly did not leave, once however often it is clicked, and decided like any other text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from freezegun import freeze_time
from freezegun.api import FrozenDateTimeFactory

from tests.cast import NOON, Cast
from tests.flows.console.conftest import SignIn
from tests.flows.console.test_patient import shown
from tests.flows.outreach.desk import Desk, desk_of

FAILED = {
    "state": "failed",
    "reason": "config_alarm",
    "attempts": 1,
    "claimed_at": NOON,
    "ended_at": NOON,
    "error_code": 30034,
}


@pytest.fixture
def time() -> Iterator[FrozenDateTimeFactory]:
    with freeze_time(NOON, real_asyncio=True) as frozen:
        yield frozen  # type: ignore[misc]


@pytest.fixture
def desk(cast: Cast, time: FrozenDateTimeFactory) -> Iterator[Desk]:
    with desk_of(cast, time) as made:
        yield made


@pytest.fixture
def boss(signed_in: SignIn) -> FlaskClient:
    return signed_in("manager")


def again(message: int) -> str:
    return f"/console/messages/{message}/again"


def test_a_failed_text_is_sent_again_once(cast: Cast, desk: Desk, boss: FlaskClient) -> None:
    message = desk.reminder(**FAILED)
    shown(boss.get("/console/messages").text, "Send again…", again(message))
    page = boss.get(again(message)).text
    shown(page, "It would leave at once, and say:", "Rose", "Something is set up wrongly", "Send again")
    assert desk.dispatch().sent == 0  # a look changes nothing
    shown(boss.post(again(message), follow_redirects=True).text, "sent again as a new text", "says the same already")
    shown(boss.post(again(message), follow_redirects=True).text, "sent again as a new text")  # a second click
    ((made, old, expires),) = desk.sql("SELECT id, retry_of, expires_at FROM messages WHERE id <> :id", id=message)
    assert (old, expires) == (message, desk.row(message).expires_at)
    assert desk.dispatch().sent == 1
    desk.deliver()
    assert len(desk.texts()) == 1
    assert (desk.row(message).state, desk.row(made).state) == ("failed", "delivered")
    assert desk.sql("SELECT event, reason FROM message_events WHERE message_id = :id", id=message) == [
        ("tried_again", "sent_again")
    ]
    audited = desk.sql("SELECT subject_id, detail ->> 'again' FROM audit_events WHERE action = 'message.again'")
    assert audited == [(message, str(made))]
    shown(boss.get(f"/console/patients/{cast.rose}/texts/{message}").text, "asked for it to be sent again")
    assert "Send again…" not in boss.get("/console/messages").text


def test_who_may_not_be_texted_now_is_not(cast: Cast, desk: Desk, boss: FlaskClient, signed_in: SignIn) -> None:
    message = desk.checkin(**FAILED, expires_at=NOON + timedelta(hours=24))
    desk.time.tick(timedelta(hours=11))  # eleven in the evening
    boss = signed_in("manager")
    shown(boss.get(again(message)).text, "It would wait until Mon Nov 23 8:00 AM", "outside the agency")
    desk.sql(
        "INSERT INTO consent_events (agency_id, phone_hash, kind, source, said_at, recorded_at)"
        " SELECT agency_id, phone_hash, 'opted_out', 'text', :now, :now FROM contacts WHERE id = :id",
        id=cast.rose_contact, now=NOON,
    )  # fmt: skip
    page = boss.get(again(message)).text
    shown(page, "It would not leave now", "The person has said STOP", "Write by hand")
    assert "<button>Send again" not in page
    shown(boss.post(again(message), follow_redirects=True).text, "It was not sent again")
    assert desk.count("SELECT count(*) FROM messages") == 1


def test_what_is_refused_between_the_click_and_the_sending_is_refused(
    cast: Cast, desk: Desk, boss: FlaskClient
) -> None:
    message = desk.reminder(**FAILED)
    boss.post(again(message))
    desk.sql("UPDATE visits SET status = 'cancelled'")
    assert desk.dispatch().sent == 0
    assert desk.sql("SELECT state, reason FROM messages WHERE retry_of IS NOT NULL") == [("cancelled", "visit_changed")]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"state": "unknown", "reason": "lease_lapsed"}, "may have left"),
        ({"state": "expired", "reason": "too_late"}, "may have left"),  # it was tried: a receipt may still come
        ({"state": "failed", "reason": "permanent_number"}, "this phone gets no texts"),
        ({"state": "failed", "reason": "retry_later", "expires_at": NOON + timedelta(minutes=1)}, "its time is over"),
        ({"state": "suppressed", "reason": "deceased"}, "may not be texted"),
    ],
)
def test_why_it_is_not_offered(values: dict[str, object], says: str, desk: Desk, boss: FlaskClient) -> None:
    sent = {"attempt_id": "00000000-0000-0000-0000-000000000001", "body": "x"}
    ended = {} if values["state"] == "unknown" else {"ended_at": NOON}
    message = desk.checkin(**{"attempts": 1, "claimed_at": NOON, **sent, **ended, **values})
    desk.time.tick(timedelta(minutes=2))
    shown(boss.get("/console/messages").text, says)
    page = boss.get(again(message)).text
    shown(page, says)
    assert "<button>Send again" not in page
    boss.post(again(message))
    assert desk.count("SELECT count(*) FROM messages") == 1


def test_whose_text_it_is(cast: Cast, desk: Desk, signed_in: SignIn) -> None:
    message, note = desk.checkin(**FAILED), desk.note()
    far = "INSERT INTO branches (agency_id, emr_id, name, time_zone) VALUES (:a, 'far', 'Far', 'America/New_York') RETURNING id"
    ((branch,),) = desk.sql(far, a=cast.id)
    strangers = {
        404: (signed_in("manager", branches=(branch,)), signed_in("manager", agency=cast.other_id)),
        403: (signed_in("nurse"), signed_in("auditor")),
    }
    for status, people in strangers.items():
        for person in people:
            assert person.get(again(message)).status_code == person.post(again(message)).status_code == status
    assert desk.count("SELECT count(*) FROM messages WHERE retry_of IS NOT NULL") == 0
    desk.sql(
        "UPDATE messages SET state = 'failed', reason = 'retry_later', ended_at = :now WHERE id = :id",
        id=note,
        now=NOON,
    )
    shown(signed_in("manager").get(again(note)).text, "of this kind is not sent again")
