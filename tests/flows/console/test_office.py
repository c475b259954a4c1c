"""The pages of the office: visits board, messages, unreadable texts, dashboard, wording."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient

from tests.cast import NOON, Cast
from tests.flows.alerts.ward import Ward
from tests.flows.console.conftest import SignIn
from tests.flows.console.shelf import Shelf
from tests.flows.console.test_patient import shown


@pytest.fixture
def ward(cast: Cast) -> Ward:
    return Ward(cast)


@pytest.fixture
def clerk(signed_in: SignIn, cast: Cast) -> FlaskClient:
    return signed_in("scheduler", clinician=cast.sue)


def test_a_scheduler_moves_a_visit_and_the_patient_is_told(cast: Cast, ward: Ward, clerk: FlaskClient) -> None:
    visit = cast.visit(cast.marta)
    ward.sql("UPDATE visits SET answer = 'wants_another_time', answered_at = :now", now=NOON)
    shown(clerk.get("/console/visits").text, "Marta Ruiz", "Wants another time", "Ana Tester", "Mon Nov 23", "10:00 AM")
    shown(clerk.get(f"/console/visits/{visit}").text, 'value="2026-11-23"', 'value="10:00"')
    told = clerk.post(f"/console/visits/{visit}/move", data={"on": "2026-11-25", "starts": "14:30", "tell": "1"})
    shown(
        told.text, "Su visita de Ana cambia a", "2:30 PM", 'lang="es"'
    )  # in her language, for the scheduler to read first
    assert ward.sql("SELECT starts_on, answer FROM visits") == [(date(2026, 11, 25), None)]
    sent = clerk.post(f"/console/visits/{visit}/tell", data={"words": "Su visita cambia."}, follow_redirects=True)
    shown(sent.text, "on its way")
    assert ward.sql("SELECT kind, contact_id, written_by FROM messages") == [("hand", cast.marta_contact, cast.sue)]
    assert ward.sql("SELECT detail ->> 'before', detail ->> 'after' FROM audit_events WHERE action = 'visit.move'") == [
        ("2026-11-23 10:00", "2026-11-25 14:30")
    ]
    for wrong, says in (
        ({"on": "2026-11-21"}, "past"),
        ({"on": "2027-11-21"}, "120 days"),
        ({"on": "2026-11-25", "starts": "14:30"}, "already"),
        ({"on": "soon"}, "a date such as"),
    ):
        assert says in clerk.post(f"/console/visits/{visit}/move", data=wrong, follow_redirects=True).text


def test_a_visit_is_done_or_missed_with_a_reason(cast: Cast, ward: Ward, clerk: FlaskClient, signed_in: SignIn) -> None:
    today, done, later = cast.visit(cast.rose, NOON.date()), cast.visit(cast.rose, NOON.date()), cast.visit(cast.rose)
    assert (
        "Choose what became" in clerk.post(f"/console/visits/{today}/end", data={"how": ""}, follow_redirects=True).text
    )
    clerk.post(f"/console/visits/{today}/end", data={"how": "not_home"})
    clerk.post(f"/console/visits/{done}/end", data={"how": "completed"})
    assert (
        "still to come" in clerk.post(f"/console/visits/{later}/end", data={"how": "ill"}, follow_redirects=True).text
    )
    assert ward.sql("SELECT status FROM visits ORDER BY id") == [("missed",), ("completed",), ("scheduled",)]
    assert (
        "missed already" in clerk.post(f"/console/visits/{today}/end", data={"how": "ill"}, follow_redirects=True).text
    )
    assert ward.sql("SELECT detail ->> 'why' FROM audit_events WHERE action = 'visit.missed'") == [("not_home",)]
    assert signed_in("nurse").post(f"/console/visits/{later}/end", data={"how": "ill"}).status_code == 403
    elsewhere = signed_in("scheduler", agency=cast.other_id)
    for path in ("end", "move", "tell"):
        assert (
            elsewhere.post(f"/console/visits/{later}/{path}", data={"how": "ill", "on": "2026-11-25"}).status_code
            == 404
        )
    assert elsewhere.get(f"/console/visits/{later}").status_code == 404


def test_messages_are_found_and_unreadable_texts_labelled(cast: Cast, ward: Ward, signed_in: SignIn) -> None:
    shelf, boss = Shelf(cast), signed_in("manager")
    shelf.asked(NOON, "How do you feel?")
    shelf.asked(NOON, "Reminder", state="suppressed", reason="opted_out", sid=None, claimed_at=None, accepted_at=None)
    shelf.asked(NOON - timedelta(days=3), "Old one")
    reply = shelf.said(NOON, "qwxz 77", (("unclear", "qwxz 77"),))
    shelf.said(NOON, "thanks", (("thanks", "thanks"),))
    page = boss.get("/console/messages").text
    shown(page, "Delivered", "Not allowed", "The person has said STOP", "Rose Miller")
    assert "STOP" not in boss.get("/console/messages?state=delivered").text
    assert "No messages" in boss.get("/console/messages?first=2026-11-20&last=2026-11-21&kind=hand").text
    assert boss.get("/console/messages?first=x&state=y&page=z").status_code == 200

    page = boss.get("/console/messages/unreadable").text
    shown(page, "qwxz 77")
    assert "thanks</blockquote>" not in page
    boss.post(f"/console/messages/unreadable/{reply}", data={"intent": ["thanks", "nonsense"], "score": ""})
    assert ward.sql("SELECT detail -> 'intents' FROM audit_events WHERE action = 'reply.label'") == [(["thanks"],)]
    assert "Nothing waits here" in boss.get("/console/messages/unreadable").text
    stranger = signed_in("manager", agency=cast.other_id)
    assert stranger.post(f"/console/messages/unreadable/{reply}", data={"intent": "thanks"}).status_code == 404
    assert "qwxz" not in stranger.get("/console/messages/unreadable").text


def test_wording_is_written_by_one_and_released_by_another(cast: Cast, ward: Ward, signed_in: SignIn) -> None:
    author, other = signed_in("manager"), signed_in("administrator")
    here = "/console/wording/answer-confirmed/en"
    shown(author.get("/console/wording").text, "answer-confirmed", "version 1")
    shown(author.get(here).text, "1 segment", "about $")
    shown(
        author.post(f"{here}/preview", data={"words": "{{ agency }}: Thank you “{{ patient }}” 🙂."}).text,
        "segment",
        "GSM-7",
    )
    shown(author.post(here, data={"words": "{{ 9**9 }}"}).text, "Nothing was saved", "Refused:")
    shown(
        author.post(here, data={"words": "{{ agency }}: Thank you. See you then!"}, follow_redirects=True).text,
        "Version 2 is saved",
        "waits for a review",
    )
    refused = author.post(f"{here}/review", data={"version": "2"}, follow_redirects=True).text
    assert "leaves from now on" not in refused
    assert ward.sql(
        "SELECT reviewed_by FROM templates WHERE key = 'answer-confirmed' AND version = 2 AND agency_id = :a", a=cast.id
    ) == [(None,)]
    shown(
        other.post(f"{here}/review", data={"version": "2"}, follow_redirects=True).text, "Version 2 leaves from now on"
    )
    assert author.get("/console/wording/nothing/en").status_code == 404
    assert author.get("/console/wording/answer-confirmed/fr").status_code == 404
    assert signed_in("auditor").post(here, data={"words": "x"}).status_code == 403
    assert signed_in("scheduler").get("/console/wording").status_code == 403
