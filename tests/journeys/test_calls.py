"""A landline is called instead of texted, where the agency lets it; where nobody is reached, a person is told."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from engage.simulation.twilio import Pickup
from tests.cast import ROSE_PHONE
from tests.journeys.talk import World
from tests.journeys.test_a_day import MONDAY_8, MONDAY_9, SUNDAY_15


def sql(world: World, statement: str) -> list[tuple[object, ...]]:
    with world.cast.db.system_session("test") as session:
        result = session.execute(text(statement))
        return [tuple(row) for row in result] if result.returns_rows else []


@pytest.fixture
def landline(world: World) -> World:
    """Rose has a landline and a visit on Monday at ten; the agency lets reminders be spoken."""
    world.cast.visit(world.cast.rose)
    world.rose.has_a_landline()
    sql(world, "UPDATE agencies SET voice_reminders = true WHERE slug = 'sunrise'")
    return world


def known(world: World) -> None:
    """It is known that her phone is a landline."""
    sql(world, f"UPDATE contacts SET phone_kind = 'landline' WHERE id = {world.cast.rose_contact}")


def answers(world: World) -> list[tuple[object, ...]]:
    return sql(world, "SELECT answer FROM visits")


def outbox(world: World) -> list[tuple[object, ...]]:
    return sql(world, "SELECT channel, template, state, reason FROM messages WHERE asks = 'confirm' ORDER BY id")


def test_one_confirms_the_visit(landline: World) -> None:
    known(landline)
    landline.rose.when_called("answer", "1")
    landline.go_to(SUNDAY_15)
    landline.pass_minutes(2)
    (call,) = landline.fake.calls
    said = " ".join(call.said)
    assert [
        word for word in ("Sunrise", "Rose", "Ana", "tomorrow", "10:00 AM", "Press 1", "Press 9") if word not in said
    ] == []
    assert "Thank you. See you then" in said
    assert answers(landline) == [("confirmed",)]
    assert ("voice", "call-day-before", "delivered", None) in outbox(landline)
    landline.rose.is_silent()
    landline.ana.is_silent()


def test_a_text_that_meets_a_landline_becomes_a_call(landline: World) -> None:
    """Nobody knew: the day-before text fails with 30006, the call goes out, and the day-of reminder is a call from the start."""
    landline.rose.when_called("answer", "1")
    landline.go_to(SUNDAY_15)
    landline.pass_minutes(3)
    assert outbox(landline)[0] == ("sms", "day-before", "undelivered", "permanent_number")
    assert ("voice", "call-day-before", "delivered", None) in outbox(landline)
    assert answers(landline) == [("confirmed",)]
    landline.go_to(MONDAY_8 + timedelta(minutes=30))
    assert len(landline.rose.calls) == 1  # a text would have gone at eight
    landline.go_to(MONDAY_9)
    landline.pass_minutes(2)
    assert len(landline.rose.calls) == 2
    assert "today" in " ".join(landline.fake.calls[-1].said)
    landline.rose.is_silent()


def test_two_asks_for_another_time(landline: World) -> None:
    known(landline)
    landline.rose.when_called("answer", "2")
    landline.go_to(SUNDAY_15)
    landline.pass_minutes(2)
    assert "find another time" in landline.fake.calls[0].said[-1]
    assert answers(landline) == [("wants_another_time",)]
    landline.ana.expects("patient needs you today").is_silent()
    landline.rose.is_silent()


def test_nine_ends_the_calls(landline: World) -> None:
    known(landline)
    landline.rose.when_called("answer", "9")
    landline.go_to(SUNDAY_15)
    landline.pass_minutes(2)
    assert "no more calls" in landline.fake.calls[0].said[-1]
    landline.ana.expects("patient needs you today")  # an opt-out of a monitored patient is a task for the nurse
    landline.go_to(MONDAY_9 + timedelta(hours=1))
    assert len(landline.rose.calls) == 1
    landline.rose.is_silent()


def test_another_key_is_for_a_person(landline: World) -> None:
    known(landline)
    landline.rose.when_called("answer", "0")
    landline.go_to(SUNDAY_15)
    landline.pass_minutes(2)
    assert "person will call you" in landline.fake.calls[0].said[-1]
    landline.ana.expects("patient needs you today")


def test_nobody_answers_twice_so_a_person_is_told(landline: World) -> None:
    known(landline)
    landline.go_to(SUNDAY_15)
    landline.pass_minutes(20)
    landline.ana.is_silent()  # it is called once more first
    landline.pass_minutes(15)
    assert len(landline.rose.calls) == 2
    landline.ana.expects("patient needs you today").is_silent()
    assert sql(landline, "SELECT kind FROM alerts") == [("undeliverable",)]
    (detail,) = sql(landline, "SELECT detail FROM alert_events WHERE kind = 'opened'")
    assert detail == ({"channel": "voice", "why": "no_answer", "code": None},)
    landline.go_to(
        MONDAY_9 + timedelta(minutes=45)
    )  # the day-of call reaches nobody either: it was told once, for this visit
    landline.pass_minutes(10)
    assert len(landline.rose.calls) == 4
    assert sql(landline, "SELECT count(*) FROM alerts") == [(1,)]


def test_a_busy_line_is_called_again(landline: World) -> None:
    known(landline)
    landline.rose.when_called("busy")
    landline.go_to(SUNDAY_15)
    landline.pass_minutes(2)
    landline.rose.when_called("answer", "1")
    landline.pass_minutes(33)
    assert len(landline.rose.calls) == 2
    assert answers(landline) == [("confirmed",)]
    landline.ana.is_silent()


def test_a_machine_is_no_listener_and_is_not_called_again(landline: World) -> None:
    known(landline)
    landline.rose.when_called("machine")
    landline.go_to(SUNDAY_15)
    landline.pass_minutes(45)
    assert len(landline.rose.calls) == 1
    assert ("voice", "call-day-before", "undelivered", "machine") in outbox(landline)
    assert answers(landline) == [(None,)]
    landline.ana.expects("patient needs you today")


def test_an_agency_without_calls_is_told_at_once(landline: World) -> None:
    sql(landline, "UPDATE agencies SET voice_reminders = false")
    landline.go_to(SUNDAY_15)
    landline.pass_minutes(2)
    landline.ana.expects("patient needs you today").is_silent()
    assert landline.rose.calls == []
    assert sql(landline, "SELECT kind FROM alerts") == [("undeliverable",)]


def test_a_known_landline_without_calls_is_told_when_the_text_would_have_gone(landline: World) -> None:
    known(landline)
    sql(landline, "UPDATE agencies SET voice_reminders = false")
    landline.go_to(SUNDAY_15 - timedelta(minutes=15))
    landline.ana.is_silent()
    landline.go_to(SUNDAY_15)
    landline.pass_minutes(2)
    landline.ana.expects("patient needs you today").is_silent()
    assert ("voice", "call-day-before", "suppressed", "landline") in outbox(landline)


def test_a_daughter_who_got_the_reminder_is_enough(landline: World) -> None:
    """Rose's landline gets no calls, her daughter's mobile got the text: nobody needs to be told."""
    known(landline)
    sql(landline, "UPDATE agencies SET voice_reminders = false")
    sql(landline, f"UPDATE contacts SET patient_id = {landline.cast.rose} WHERE id = {landline.cast.marta_contact}")
    landline.go_to(SUNDAY_15)
    landline.pass_minutes(3)
    landline.marta.expects("tomorrow")
    landline.ana.is_silent()
    assert sql(landline, "SELECT count(*) FROM alerts") == [(0,)]


def test_two_patients_on_one_landline_answer_for_themselves(landline: World) -> None:
    """Marta lives with Rose. Each call has its own visit: a key in the first confirms Rose's, whatever rang last."""
    known(landline)
    sql(
        landline,
        "UPDATE contacts c SET phone = r.phone, phone_hash = r.phone_hash, phone_kind = 'landline' FROM contacts r"
        f" WHERE r.id = {landline.cast.rose_contact} AND c.id = {landline.cast.marta_contact}",
    )
    landline.cast.visit(landline.cast.marta)
    pressed = {"Rose": "1", "Marta": "2"}
    person = landline.rose
    person.pickup = Pickup("answer", lambda said: next(key for name, key in pressed.items() if name in said))
    landline.go_to(SUNDAY_15)
    landline.pass_minutes(3)
    assert len(person.calls) == 2
    assert sql(
        landline, "SELECT p.first_name, v.answer FROM visits v JOIN patients p ON p.id = v.patient_id ORDER BY 1 DESC"
    ) == [
        ("Rose", "confirmed"),
        ("Marta", "wants_another_time"),
    ]


def test_a_call_in_spanish(landline: World) -> None:
    sql(landline, f"UPDATE contacts SET phone_kind = 'landline' WHERE id = {landline.cast.marta_contact}")
    landline.cast.visit(landline.cast.marta)
    landline.marta.when_called("answer", "1")
    landline.go_to(SUNDAY_15)
    landline.pass_minutes(3)
    said = next(call.said for call in landline.fake.calls if call.to == landline.marta.number)
    assert [
        word for word in ("Hola", "Marta", "mañana", "Marque 1", "Hasta entonces") if word not in " ".join(said)
    ] == []


def test_a_landline_that_texts_is_none(landline: World) -> None:
    known(landline)
    landline.go_to(SUNDAY_15 - timedelta(minutes=30))
    landline.rose.phone.kind = "mobile"
    landline.rose.replies("HELP").expects("Sunrise", "STOP")
    landline.rose.replies("are you coming tomorrow").expects("person will read")
    assert sql(landline, f"SELECT phone_kind FROM contacts WHERE id = {landline.cast.rose_contact}") == [("mobile",)]


def test_a_phone_that_was_off_gets_its_text_an_hour_later(world: World) -> None:
    world.cast.visit(world.cast.rose)
    world.rose.phone.kind = "unreachable"
    world.go_to(SUNDAY_15)
    world.pass_minutes(30)
    world.rose.is_silent()
    world.rose.phone.kind = "mobile"
    world.pass_minutes(35)
    world.rose.expects("tomorrow", "10:00 AM").replies("Y").expects("See you").is_silent()
    assert answers(world) == [("confirmed",)]
    assert [row[2] for row in outbox(world)][:1] == ["undelivered"]
    assert ("sms", "day-before", "delivered", None) in outbox(world)
    world.ana.is_silent()


def test_no_health_detail_and_no_number_in_what_twilio_is_told(landline: World) -> None:
    known(landline)
    landline.rose.when_called("answer", "1")
    landline.go_to(SUNDAY_15)
    landline.pass_minutes(2)
    (call,) = landline.fake.calls
    for address in (call.status_callback or "", call.url or ""):
        assert not any(word in address for word in ("Rose", ROSE_PHONE[1:], "2025550", "Miller"))
    assert call.ring_seconds == 30
    assert call.detects_machine
