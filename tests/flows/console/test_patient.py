"""The page of a patient: the whole story, and what may be done there."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from freezegun.api import FrozenDateTimeFactory
from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.alerts.rules.words import AlertKind
from engage.outreach.gather import Terms, gather
from engage.outreach.rules.draft import decide
from engage.patients.rules.permission import Refusal
from engage.visits.model import Visit
from tests.cast import NOON, Cast
from tests.flows.alerts.ward import Ward
from tests.flows.console.conftest import SignIn
from tests.flows.console.shelf import Shelf


@pytest.fixture
def ward(cast: Cast) -> Ward:
    return Ward(cast)


@pytest.fixture
def ana(signed_in: SignIn, cast: Cast) -> FlaskClient:
    return signed_in("nurse", clinician=cast.ana)


def shown(text: str, *words: str) -> None:
    assert [word for word in words if word not in text] == []


def test_the_story_is_on_one_page(cast: Cast, ward: Ward, ana: FlaskClient) -> None:
    shelf = Shelf(cast)
    shelf.scored(NOON - timedelta(days=1), 4)
    low = shelf.scored(NOON, 1)
    shelf.said(NOON, "I feel dizzy", (("symptom", "dizzy"),))
    lost = shelf.asked(
        NOON, "Reminder", state="suppressed", reason="opted_out", sid=None, claimed_at=None, accepted_at=None
    )
    cast.visit(cast.rose)
    ward.opens(AlertKind.LOW_SCORE, reply=low)
    page = ana.get(f"/console/patients/{cast.rose}").text
    shown(page, "<h1>Rose Miller", "Low score", "<svg", "Given by", "Skilled Nurse Visit", "Ana Tester", "Check-ins")
    shown(page, ">dizzy</mark>", "Not sent", "The person has said STOP", 'href="tel:+12025550111"', "It leaves at once")
    assert page.count("<h1") == 1
    looks = ward.sql("SELECT subject_id FROM audit_events WHERE action = 'read' AND subject = 'patient'")
    assert looks == [(cast.rose,)]

    story = ana.get(f"/console/patients/{cast.rose}/texts/{lost}").text
    shown(story, "Not sent.", "The rule:", "What it rested on")
    assert ana.get(f"/console/patients/{cast.rose}/texts/999999").status_code == 404
    assert ana.get(f"/console/patients/{cast.rose}?until=2026-11-21T12:00:00%2B00:00").status_code == 200
    assert ana.get(f"/console/patients/{cast.rose}?until=nonsense").status_code == 200


def test_she_writes_by_hand(
    cast: Cast, ward: Ward, ana: FlaskClient, signed_in: SignIn, time: FrozenDateTimeFactory
) -> None:
    here = f"/console/patients/{cast.rose}"
    answer = ana.post(f"{here}/write", data={"words": "How is the leg? Ana"}, follow_redirects=True)
    shown(answer.text, "on its way", "automation keeps quiet", "How is the leg? Ana", "Waits")
    assert ward.sql("SELECT kind, written_by, contact_id FROM messages") == [("hand", cast.ana, cast.rose_contact)]
    shown(ana.post(f"{here}/write", data={"words": " "}, follow_redirects=True).text, "1600")
    shown(ana.post(f"{here}/cost", data={"words": "é" * 10 + "ć"}).text, "1 segment", "ć make it dearer")
    time.tick(timedelta(hours=11))  # eleven in the evening; nobody stays signed in for so long
    ana = signed_in("nurse", clinician=cast.ana)
    shown(ana.get(here).text, "outside the agency", "It would leave at Mon Nov 23 8:00 AM")
    ward.sql("UPDATE contacts SET phone_kind = 'landline' WHERE id = :id", id=cast.rose_contact)
    shown(ana.get(here).text, "A text would not leave.", "landline")


def test_snooze_level_and_pause(cast: Cast, ward: Ward, ana: FlaskClient) -> None:
    here = f"/console/patients/{cast.rose}"
    shown(ana.post(f"{here}/snooze", data={"days": "3"}, follow_redirects=True).text, "for 3 days", "Snoozed until")
    shown(ana.post(f"{here}/snooze", data={"days": "99"}, follow_redirects=True).text, "31 days")
    shown(ana.post(f"{here}/level", data={"baseline": "3", "drop_by": ""}, follow_redirects=True).text, "Saved")
    assert ward.sql("SELECT baseline, drop_by FROM patient_levels") == [(3, None)]
    shown(ana.post(f"{here}/level", data={"baseline": "9"}, follow_redirects=True).text, "not from 1 to 5")
    shown(
        ana.post(f"{here}/pause", data={"status": "hospitalized"}, follow_redirects=True).text, "pause", "In hospital"
    )
    shown(ana.post(f"{here}/pause", data={"status": "deceased"}, follow_redirects=True).text, "Choose whether")
    assert ward.sql("SELECT status FROM patients WHERE id = :id", id=cast.rose) == [("hospitalized",)]
    actions = [
        action
        for (action,) in ward.sql(
            "SELECT action FROM audit_events WHERE subject = 'patient' AND action <> 'read' ORDER BY id"
        )
    ]
    assert actions == ["patient.level", "patient.level", "patient.status"]


def test_a_daughter_s_phone_is_added(cast: Cast, ward: Ward, ana: FlaskClient) -> None:
    here = f"/console/patients/{cast.rose}/contact"
    joan = {
        "phone": "(202) 555-0144",
        "name": "Joan",
        "relationship": "family",
        "how": "phone",
        "agreed": ["visits", "nonsense"],
    }
    shown(ana.post(here, data=joan, follow_redirects=True).text, "The phone is on record", "Joan", "tel:+12025550144")
    assert ward.sql(
        "SELECT category, kind, source FROM consent_events WHERE contact_id = (SELECT max(id) FROM contacts)"
    ) == [("visits", "granted", "phone")]
    shown(ana.post(here, data=joan, follow_redirects=True).text, "on record already")
    shown(ana.post(here, data=joan | {"phone": "12"}, follow_redirects=True).text, "too few digits")
    shown(ana.post(here, data=joan | {"how": "hearsay"}, follow_redirects=True).text, "Say whose phone")
    assert ward.sql("SELECT count(*) FROM audit_events WHERE action = 'contact.add'") == [(1,)]


def test_a_phone_ends_with_what_it_agreed_to(cast: Cast, ward: Ward, ana: FlaskClient, signed_in: SignIn) -> None:
    here = f"/console/patients/{cast.rose}"
    joan = {
        "phone": "(202) 555-0144",
        "name": "Joan",
        "relationship": "family",
        "how": "phone",
        "agreed": ["visits", "surveys"],
    }
    ana.post(f"{here}/contact", data=joan)
    ((contact,),) = ward.sql("SELECT max(id) FROM contacts")
    Shelf(cast).asked(
        NOON, "", contact, state="planned", sid=None, claimed_at=None, accepted_at=None, ended_at=None, body=None
    )
    shown(ana.get(here).text, "End this phone", "Moved out")
    end = f"{here}/phones/{contact}/end"
    shown(ana.post(end, data={"because": "bored"}, follow_redirects=True).text, "Say why the phone ends")
    page = ana.post(end, data={"because": "moved_out"}, follow_redirects=True).text
    shown(page, "The phone has ended, with what it agreed to", "(ended)", "Visits: no", "Surveys: no")
    stands = "SELECT category, kind, source FROM consent_events WHERE contact_id = :id ORDER BY id"
    assert ward.sql(stands, id=contact)[2:] == [("surveys", "revoked", "staff"), ("visits", "revoked", "staff")]
    assert ward.sql("SELECT ended_at FROM contacts WHERE id = :id", id=contact) == [(NOON,)]
    told = ward.sql(
        "SELECT subject_id, detail ->> 'because', detail -> 'ended' FROM audit_events WHERE action = 'contact.end'"
    )
    assert told == [(cast.rose, "moved_out", ["surveys", "visits"])]
    ((planned,),) = ward.sql("SELECT id FROM messages")
    with cast.db.agency_session(cast.id) as session:  # what is queued does not leave
        assert look_ahead(session, planned) is Refusal.CONTACT_ENDED
    shown(ana.post(end, data={"because": "other"}, follow_redirects=True).text, "ended already")  # a second click

    shown(
        ana.post(f"{here}/contact", data=joan | {"agreed": ["visits"]}, follow_redirects=True).text, "on record"
    )  # back again
    assert ward.sql("SELECT ended_at, name FROM contacts WHERE id = :id", id=contact) == [(None, "Joan")]
    assert ward.sql(stands, id=contact)[4:] == [("visits", "granted", "phone")]
    others = f"/console/patients/{cast.marta}/phones/{contact}/end"
    shown(ana.post(others, data={"because": "other"}, follow_redirects=True).text, "no such phone")
    for phone in (contact, cast.rose_contact):
        page = ana.post(f"{here}/phones/{phone}/end", data={"because": "not_theirs"}, follow_redirects=True).text
    shown(page, "Nobody is left who can be texted")
    assert signed_in("auditor").post(end, data={"because": "other"}).status_code == 403
    assert signed_in("nurse", agency=cast.other_id).post(end, data={"because": "other"}).status_code == 404


def look_ahead(session: Session, message: int) -> object:
    (claimed,), _ = gather(session, [message], NOON, Terms())
    return decide(claimed.draft, NOON)


def test_words_say_their_language(cast: Cast, ward: Ward, ana: FlaskClient) -> None:
    """A screen reader must change its voice for them (WCAG 3.1.2)."""
    shelf = Shelf(cast)
    said = shelf.said(NOON, "me duele el pecho", (("urgent", "duele"),), contact=cast.marta_contact)
    shelf.said(NOON, "qwxz", (("unclear", "qwxz"),), contact=cast.marta_contact)
    shelf.asked(NOON, "How do you feel?", cast.marta_contact)  # Spanish was not reviewed then: it left in English
    ward.opens(AlertKind.URGENT, patient=cast.marta, reply=said)
    cast.visit(cast.marta)
    ward.sql("UPDATE visits SET answer = 'wants_another_time', answered_at = :now", now=NOON)
    with cast.db.agency_session(cast.id) as session:
        session.scalars(select(Visit)).one().wanted = "el jueves"
    page = ana.get(f"/console/patients/{cast.marta}").text
    shown(
        page,
        '<blockquote class="said" lang="es">',
        '<p lang="es">me <mark',
        '<p lang="en">How do you feel?',
        '<q lang="es">el jueves',
    )
    shown(ana.get("/console/worklist?whose=agency").text, '<blockquote class="said" lang="es">')
    shown(ana.get("/console/visits").text, '<q lang="es">el jueves')
    shown(ana.get("/console/messages/unreadable").text, '<blockquote class="said" lang="es">qwxz')


def test_only_whom_an_account_may_see(cast: Cast, signed_in: SignIn, ana: FlaskClient) -> None:
    assert ana.get(f"/console/patients/{cast.stranger}").status_code == 404
    assert signed_in("nurse", agency=cast.other_id).get(f"/console/patients/{cast.rose}").status_code == 404
    ward = Ward(cast)
    ward.sql(
        "INSERT INTO branches (agency_id, emr_id, name, time_zone) VALUES (:agency, 'far', 'Far', 'America/New_York')", agency=cast.id
    )  # fmt: skip
    ((far,),) = ward.sql("SELECT id FROM branches WHERE emr_id = 'far'")
    elsewhere = signed_in("nurse", branches=(far,))
    for path in ("", "/write", "/pause", "/cost"):
        ask = elsewhere.post if path else elsewhere.get
        assert ask(f"/console/patients/{cast.rose}{path}", data={}).status_code == 404
    auditor = signed_in("auditor")
    page = auditor.get(f"/console/patients/{cast.rose}")
    assert page.status_code == 200
    assert "<textarea" not in page.text
    for act in ("write", "snooze", "level", "pause", "cost"):
        assert auditor.post(f"/console/patients/{cast.rose}/{act}").status_code == 403
