"""What counts by phone at the moment of sending: caps, the healthcare exemption, one text for all, and loops of machines."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from engage import clock
from engage.db import encryption
from engage.outreach.outbox import Outgoing, queue
from engage.outreach.plan import plan
from engage.outreach.rules.words import Kind
from engage.patients.model import ConsentEvent, Contact, Patient
from engage.patients.rules.words import Category
from tests.cast import BEN_PHONE, MARTA_PHONE, NOON, ROSE_PHONE
from tests.flows.outreach.desk import Desk

MONDAY = date(2026, 11, 23)


def housemate(
    desk: Desk, name: str = "Al", phone: str = ROSE_PHONE, *, consents: tuple[Category, ...] = tuple(Category), **patient: Any
) -> tuple[int, int]:  # fmt: skip
    """Another patient of Sunrise's on a phone, by default Rose's; ids of the patient and of the contact."""
    cast = desk.cast
    with cast.db.agency_session(cast.id) as session:
        made = Patient(
            **(
                {
                    "agency_id": cast.id,
                    "branch_id": cast.branch,
                    "case_manager_id": cast.ana,
                    "emr_id": name.lower(),
                    "first_name": name,
                    "last_name": "Miller",
                    "time_zone": "America/New_York",
                    "status_since": NOON,
                }
                | patient
            )
        )
        session.add(made)
        session.flush()
        contact = contact_of(desk, made.id, phone)
        session.add(contact)
        session.flush()
        session.add_all(consent(desk, contact, category) for category in consents)
        return made.id, contact.id


def contact_of(desk: Desk, patient: int, phone: str) -> Contact:
    return Contact(
        agency_id=desk.cast.id,
        patient_id=patient,
        relationship="patient",
        phone=phone,
        phone_hash=encryption.phone_hash(phone),
        phone_kind="mobile",
    )


def consent(desk: Desk, contact: Contact, category: str, kind: str = "granted") -> ConsentEvent:
    return ConsentEvent(
        agency_id=desk.cast.id,
        contact_id=contact.id,
        phone_hash=contact.phone_hash,
        category=category,
        kind=kind,
        source="paper",
        said_at=datetime(2026, 11, 2, tzinfo=UTC),
        recorded_at=datetime(2026, 11, 2, tzinfo=UTC),
    )


def reminder(desk: Desk, patient: int, contact: int, key: str = "day-before", day: date = MONDAY, **values: Any) -> int:
    """A reminder of a day's visits that is due now; its id."""
    (touchpoint,) = desk.sql(
        "SELECT id FROM touchpoints WHERE agency_id = :id AND key = :key", id=desk.cast.id, key=key
    )
    return desk.checkin(
        contact,
        **(
            {
                "patient_id": patient,
                "touchpoint_id": touchpoint.id,
                "occasion": day.isoformat(),
                "template": key,
                "category": "visits",
                "asks": "confirm",
            }
            | values
        ),
    )


def ends(desk: Desk, *messages: int) -> list[tuple[str, str | None]]:
    rows = [desk.row(message) for message in messages]
    return [(row.state, row.reason) for row in rows]


# --- one text for all who share a phone ----------------------------------------------------------------------------------


def test_one_reminder_names_everybody_with_a_visit(desk: Desk) -> None:
    al, al_contact = housemate(desk)
    desk.cast.visit(desk.cast.rose, at=time(10))
    desk.cast.visit(al, at=time(9), clinicians=(desk.cast.ben,))
    first = reminder(desk, desk.cast.rose, desk.cast.rose_contact)
    second = reminder(desk, al, al_contact)
    desk.dispatch()
    desk.deliver()
    assert ends(desk, first, second) == [("delivered", None), ("suppressed", "shared_phone")]
    (text,) = desk.texts()
    assert "Rose and Al" in text
    assert "Ben and Ana" in text
    assert "9:00 AM and 10:00 AM" in text


@pytest.mark.parametrize("batch", [1, 200])
def test_the_check_in_is_one_text_too(desk: Desk, batch: int) -> None:
    al, al_contact = housemate(desk)
    first = desk.checkin(occasion="2026-11-22")
    second = desk.checkin(al_contact, patient_id=al, occasion="2026-11-22")
    tomorrow = desk.checkin(al_contact, patient_id=al, occasion="2026-11-23")  # another occasion
    desk.dispatch(batch=batch)
    desk.deliver()
    assert ends(desk, first, second, tomorrow) == [
        ("delivered", None),
        ("suppressed", "shared_phone"),
        ("delivered", None),
    ]
    assert sum("Rose and Al" in text for text in desk.texts()) == 1
    assert sum("Al and Rose" in text for text in desk.texts()) == 1  # Rose would have had tomorrow's too


def test_a_spanish_reader_is_told_in_spanish(desk: Desk) -> None:
    housemate(desk, "Luis", MARTA_PHONE)
    desk.checkin(desk.cast.marta_contact, occasion="2026-11-22")
    desk.dispatch()
    desk.deliver()
    assert "Marta y Luis" in desk.texts(MARTA_PHONE)[0]


@pytest.mark.parametrize(
    ("al", "statement"),
    [
        ({"consents": (Category.CHECKINS,)}, ""),  # agreed to something else
        ({"status": "hospitalized"}, ""),
        ({"status": "deceased", "died_on": date(2026, 11, 1)}, ""),
        ({}, "UPDATE contacts SET ended_at = planned.at FROM (SELECT TIMESTAMPTZ '2026-11-20' AS at) planned WHERE patient_id = :al"),
        ({}, "UPDATE visits SET status = 'cancelled' WHERE patient_id = :al"),
        ({}, "UPDATE visits SET answer = 'does_not_want_it', answered_at = changed_at WHERE patient_id = :al"),
        ({}, "UPDATE visits SET starts_on = '2026-11-24' WHERE patient_id = :al"),
    ],
)  # fmt: skip
def test_who_would_not_have_had_the_reminder_is_not_named(desk: Desk, al: dict[str, Any], statement: str) -> None:
    other, _ = housemate(desk, **al)
    desk.cast.visit(desk.cast.rose, at=time(10))
    desk.cast.visit(other, at=time(9), clinicians=(desk.cast.ben,))
    if statement:
        desk.sql(statement, al=other)
    reminder(desk, desk.cast.rose, desk.cast.rose_contact)
    desk.dispatch()
    desk.deliver()
    (text,) = desk.texts()
    assert "visit Rose" in text
    assert "Al" not in text
    assert "Ben" not in text
    assert "9:00" not in text


@pytest.mark.parametrize(
    ("changed", "statement"),
    [
        ({"is_monitored": False}, ""),
        ({"consents": (Category.VISITS,)}, ""),
        # Al is asked on his own phone, as the planner does: the patient before the family
        ({}, "UPDATE contacts SET relationship = 'family' WHERE patient_id = :al AND phone_hash = :shared"),
        ({}, "INSERT INTO episodes (agency_id, patient_id, emr_id, starts_on, discharged_on) VALUES (:agency, :al, 'E9', '2026-09-01', '2026-11-01')"),
    ],
)  # fmt: skip
def test_who_would_not_have_had_the_check_in_is_not_named(desk: Desk, changed: dict[str, Any], statement: str) -> None:
    al, _ = housemate(desk, **changed)
    if statement:
        with desk.cast.db.agency_session(desk.cast.id) as session:
            own = contact_of(desk, al, BEN_PHONE)
            session.add(own)
            session.flush()
            session.add(consent(desk, own, "checkins", "granted" if "family" in statement else "revoked"))
        shared = encryption.phone_hash(ROSE_PHONE)
        desk.sql(statement, al=al, **({"shared": shared} if ":shared" in statement else {"agency": desk.cast.id}))
    desk.checkin(occasion="2026-11-22")
    desk.dispatch()
    desk.deliver()
    assert "Good morning Rose." in desk.texts()[0]


def test_a_reminder_without_a_visit_of_its_own_leaves_the_other_s_in_place(desk: Desk) -> None:
    al, al_contact = housemate(desk)
    desk.cast.visit(al, at=time(9))
    first = reminder(desk, desk.cast.rose, desk.cast.rose_contact)
    second = reminder(desk, al, al_contact)
    desk.dispatch()
    assert ends(desk, first, second) == [("cancelled", "visit_changed"), ("accepted", None)]


@pytest.mark.parametrize("state", ["sending", "accepted", "sent", "delivered", "undelivered", "unknown"])
def test_a_text_that_may_have_arrived_has_told(desk: Desk, state: str) -> None:
    al, al_contact = housemate(desk)
    first = desk.checkin(occasion="2026-11-22")
    desk.dispatch()
    ended = "ended_at = claimed_at, reason = 'unlisted'" if state in {"delivered", "undelivered"} else "ended_at = NULL"
    lease = "claimed_at + interval '90 s'" if state == "sending" else "NULL"
    desk.sql(
        f"UPDATE messages SET state = :state, lease_until = {lease}, {ended} WHERE id = :id", state=state, id=first
    )
    second = desk.checkin(al_contact, patient_id=al, occasion="2026-11-22")
    desk.dispatch()
    assert ends(desk, second) == [("suppressed", "shared_phone")]


def test_a_text_that_did_not_arrive_has_not(desk: Desk) -> None:
    al, al_contact = housemate(desk)
    desk.fake.next_create("refuse:21617")
    first = desk.checkin(occasion="2026-11-22")
    desk.dispatch(batch=1)
    second = desk.checkin(al_contact, patient_id=al, occasion="2026-11-22")
    desk.dispatch()
    assert [state for state, _ in ends(desk, first, second)] == ["failed", "accepted"]


def test_two_phones_of_one_patient_are_no_shared_phone(desk: Desk) -> None:
    """A daughter who gets her mother's reminders too is told on her own phone."""
    with desk.cast.db.agency_session(desk.cast.id) as session:
        daughter = contact_of(desk, desk.cast.rose, MARTA_PHONE)
        session.add(daughter)
        session.flush()
        session.add(consent(desk, daughter, "visits"))
        daughter_id = daughter.id
    desk.cast.visit(desk.cast.rose)
    messages = [reminder(desk, desk.cast.rose, who) for who in (desk.cast.rose_contact, daughter_id)]
    desk.dispatch()
    assert ends(desk, *messages) == [("accepted", None)] * 2


def test_a_survey_is_about_one_visit(desk: Desk) -> None:
    """Two patients, two visits, two questions: their answers must not be mixed."""
    al, al_contact = housemate(desk)
    for patient in (desk.cast.rose, al):
        visit = desk.cast.visit(patient, on=date(2026, 11, 22), at=time(9))
        desk.sql(
            "UPDATE visits SET status = 'completed', completed_at = :at WHERE id = :id",
            id=visit,
            at=NOON - timedelta(hours=2),
        )
    plan(desk.cast.db, NOON)
    desk.dispatch()
    desk.deliver()
    assert sum("How did" in text for text in desk.texts()) == 2


# --- caps ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [1, 200])
def test_the_daily_cap_is_the_phone_s(desk: Desk, batch: int) -> None:
    desk.sql("UPDATE agencies SET daily_cap = 2 WHERE id = :id", id=desk.cast.id)
    al, al_contact = housemate(desk)
    mine = [desk.checkin(), desk.checkin(al_contact, patient_id=al)]
    over = [desk.checkin(al_contact, patient_id=al), desk.checkin()]
    desk.dispatch(batch=batch)
    assert ends(desk, *mine, *over) == [("accepted", None)] * 2 + [("suppressed", "daily_cap")] * 2


def test_every_kind_of_touchpoint_counts(desk: Desk) -> None:
    desk.sql("UPDATE agencies SET weekly_cap = 2 WHERE id = :id", id=desk.cast.id)
    desk.cast.visit(desk.cast.rose)
    messages = [desk.checkin(), reminder(desk, desk.cast.rose, desk.cast.rose_contact), desk.checkin()]
    for message in messages:
        desk.sql("UPDATE messages SET priority = 3 + :place WHERE id = :id", id=message, place=messages.index(message))
    desk.dispatch()
    assert ends(desk, *messages) == [("accepted", None)] * 2 + [("suppressed", "weekly_cap")]


def test_another_agency_on_the_same_phone_has_its_own_count(desk: Desk) -> None:
    """Agencies do not see each other's rows, so neither do their caps: separation comes first."""
    desk.sql("UPDATE agencies SET daily_cap = 1")
    shared = encryption.phone_hash(ROSE_PHONE)
    desk.sql("UPDATE contacts SET phone_hash = :hash WHERE id = :id", hash=shared, id=desk.cast.stranger_contact)
    earlier = desk.checkin(desk.cast.marta_contact)
    desk.dispatch()
    desk.sql(
        "UPDATE messages m SET agency_id = :other, patient_id = :patient, contact_id = :contact, sender_id = NULL, touchpoint_id ="
        " (SELECT id FROM touchpoints WHERE agency_id = :other AND key = 'morning-checkin') WHERE m.id = :id",
        id=earlier,
        other=desk.cast.other_id,
        patient=desk.cast.stranger,
        contact=desk.cast.stranger_contact,
    )
    message = desk.checkin()
    desk.dispatch()
    assert ends(desk, message) == [("accepted", None)]


# --- the strict healthcare exemption ----------------------------------------------------------------------------------------


def test_the_exemption_allows_one_a_day_and_three_a_week(desk: Desk) -> None:
    desk.sql("UPDATE agencies SET healthcare_exemption = true WHERE id = :id", id=desk.cast.id)
    reasons = []
    for day in range(5):
        desk.time.move_to(NOON + timedelta(days=day))
        first, second = desk.checkin(), desk.checkin()
        desk.dispatch()
        reasons.append([reason or state for state, reason in ends(desk, first, second)])
    assert reasons == [["accepted", "exemption_cap"]] * 3 + [["exemption_cap", "exemption_cap"]] * 2


def test_the_exemption_has_no_room_for_surveys_or_for_long_texts(desk: Desk) -> None:
    desk.sql("UPDATE agencies SET healthcare_exemption = true WHERE id = :id", id=desk.cast.id)
    survey = desk.checkin(template="survey", category="surveys")
    desk.sql("UPDATE templates SET wording = wording || repeat(' more', 9) WHERE key = 'morning-checkin'")
    long = desk.checkin(desk.cast.marta_contact)
    desk.dispatch()
    assert ends(desk, survey, long) == [("suppressed", "exemption_purpose"), ("suppressed", "exemption_length")]


# --- loops -------------------------------------------------------------------------------------------------------------------


def asks_again(desk: Desk, times: int, template: str = "answer-confirmed", **where: int) -> list[str]:
    """What becomes of answers, one after the other, each in a run of its own."""
    found = []
    for _ in range(times):
        message = desk.answer(template, **where)
        desk.dispatch()
        state, reason = ends(desk, message)[0]
        found.append(reason or state)
    return found


def test_seven_answers_in_ten_minutes_are_one_too_many(desk: Desk) -> None:
    assert asks_again(desk, 7) == ["accepted"] * 6 + ["loop_guard"]
    assert asks_again(desk, 6, "answer-urgent") == ["accepted"] * 6  # "call 911" goes on for twice as long
    assert asks_again(desk, 1, "answer-urgent") == ["loop_guard"]
    assert asks_again(desk, 1, contact=desk.cast.marta_contact) == ["accepted"]
    desk.time.tick(timedelta(minutes=10))
    assert asks_again(desk, 1) == ["accepted"]


def test_twenty_answers_in_a_day_are_enough(desk: Desk) -> None:
    found = []
    for _ in range(21):
        found += asks_again(desk, 1)
        desk.time.tick(timedelta(minutes=20))
    assert found == ["accepted"] * 20 + ["loop_guard"]
    desk.time.tick(timedelta(hours=18))
    assert asks_again(desk, 1) == ["accepted"]


def test_a_phone_is_one_loop_whoever_it_answers_for(desk: Desk) -> None:
    _, al_contact = housemate(desk)
    assert asks_again(desk, 6) == ["accepted"] * 6
    assert asks_again(desk, 1, contact=al_contact) == ["loop_guard"]


def test_a_nurse_s_machine_is_stopped_as_well(desk: Desk) -> None:
    notes = []
    for _ in range(7):
        notes.append(desk.note())
        desk.dispatch()
    assert ends(desk, *notes) == [("accepted", None)] * 6 + [("suppressed", "loop_guard")]


def test_confirmations_of_an_opt_out_count(desk: Desk) -> None:
    found = []
    for _ in range(7):
        confirmation = Outgoing(
            desk.cast.id,
            Kind.OPT_OUT_CONFIRMATION,
            "answer-opt-out",
            contact_id=desk.cast.rose_contact,
            patient_id=desk.cast.rose,
        )
        with desk.cast.db.agency_session(desk.cast.id) as session:
            message = queue(session, confirmation, clock.now())
        assert message is not None
        desk.dispatch()
        found += ends(desk, message)
    assert found == [("accepted", None)] * 6 + [("suppressed", "loop_guard")]
