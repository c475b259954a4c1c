"""Who and what a reply is about: one phone for two, two questions at once, texts in pieces, a nurse who writes herself."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from engage.replies.by_hand import write_by_hand
from engage.replies.inbox import InboundText, store
from engage.replies.levels import set_level
from tests.cast import ROSE_PHONE, SUNRISE_NUMBER, Cast, _consents, _contact, _patient
from tests.journeys.talk import World

SUNDAY_15 = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
SUNDAY_18 = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)
MONDAY_9 = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
MONDAY_18 = datetime(2026, 11, 23, 23, 0, tzinfo=UTC)


def rows(world: World, statement: str, **values: Any) -> list[Any]:
    with world.cast.db.agency_session(world.cast.id) as session:
        return list(session.execute(text(statement), values).all())


def change(world: World, statement: str, **values: Any) -> None:
    with world.cast.db.agency_session(world.cast.id) as session:
        session.execute(text(statement), values)


def scores(world: World) -> list[tuple[str, int]]:
    """Whose, and what; only those that count."""
    found = rows(
        world,
        "SELECT p.first_name, s.value FROM scores s JOIN patients p ON p.id = s.patient_id"
        " WHERE s.superseded_by IS NULL ORDER BY s.id",
    )
    return [(name, value) for name, value in found]


def alerts(world: World) -> list[tuple[str, str]]:
    found = rows(
        world,
        "SELECT p.first_name, a.kind FROM alerts a JOIN patients p ON p.id = a.patient_id ORDER BY p.first_name DESC, a.kind",
    )
    return [(name, kind) for name, kind in found]


def move_in(cast: Cast) -> int:
    """Al lives with Rose and has no phone but hers."""
    with cast.db.agency_session(cast.id) as session:
        al = _patient(cast.id, cast.branch, "Al", "Miller", cast.ana)
        session.add(al)
        session.flush()
        contact = _contact(al, ROSE_PHONE)
        session.add(contact)
        session.flush()
        session.add_all(_consents(contact))
        return al.id


@pytest.fixture
def couple(world: World) -> World:
    """Sunday evening: Rose and Al have been asked how they feel, in one text."""
    move_in(world.cast)
    world.go_to(SUNDAY_18)
    world.rose.expects("evening", "Rose and Al")
    return world


def test_a_score_on_a_shared_phone_waits_for_a_name(couple: World) -> None:
    couple.rose.replies("4").expects("Rose or Al", "Rose 4")
    assert scores(couple) == []
    couple.rose.replies("it's Al").expects("noted your 4")
    assert (scores(couple), alerts(couple)) == ([("Al", 4)], [])
    couple.pass_minutes(31)
    couple.ana.is_silent()


def test_a_low_score_does_not_wait_for_its_name(couple: World) -> None:
    change(couple, "UPDATE contacts SET relationship = 'family' WHERE id = :id", id=couple.cast.rose_contact)
    couple.rose.replies("2").expects("911", "Rose or Al")
    couple.ana.expects("2 alerts").is_silent()
    assert alerts(couple) == [("Rose", "low_score"), ("Al", "low_score")]
    couple.rose.replies("Rose 2").expects("nurse will call")
    assert scores(couple) == [("Rose", 2)]
    assert rows(couple, "SELECT relationship, contact_id FROM scores") == [("family", couple.cast.rose_contact)]
    told = rows(
        couple,
        "SELECT p.first_name, e.detail FROM alert_events e JOIN alerts a ON a.id = e.alert_id JOIN patients p ON p.id = a.patient_id"
        " WHERE e.kind IN ('opened', 'evidence') ORDER BY e.id",
    )
    assert [len(detail["one_of"]) for _, detail in told[:2]] == [2, 2]
    assert [name for name, detail in told if detail.get("why") == "another patient was named"] == ["Al"]


def test_both_are_answered_for_in_one_text(couple: World) -> None:
    couple.rose.replies("Rose 2 Al 4").expects("nurse will call")
    assert (scores(couple), alerts(couple)) == ([("Rose", 2), ("Al", 4)], [("Rose", "low_score")])


def test_whose_is_asked_once_and_then_a_person_finds_out(couple: World) -> None:
    couple.rose.replies("4").expects("Rose or Al")
    couple.rose.replies("thank you").is_silent()
    couple.pass_minutes(31)
    couple.ana.expects("needs you today")
    couple.rose.replies("3").expects("person will read")
    assert (scores(couple), alerts(couple)) == ([], [("Rose", "unreadable")])


def test_an_emergency_on_a_shared_phone_is_both_until_one_is_named(couple: World) -> None:
    couple.rose.replies("fell in the bathroom and cant get up").expects("911")
    assert alerts(couple) == [("Rose", "urgent"), ("Al", "urgent")]
    couple.rose.replies("Al has chest pain").expects("911")
    assert rows(couple, "SELECT count(*) FROM alert_events WHERE kind = 'evidence'") == [(1,)]


def test_a_death_on_a_shared_phone_silences_it_until_a_person_knows_whose(couple: World) -> None:
    couple.rose.replies("He passed away this morning").expects("sorry")
    assert rows(couple, "SELECT status, count(*) FROM patients WHERE first_name IN ('Rose', 'Al') GROUP BY 1") == [
        ("on_hold", 2)
    ]
    assert alerts(couple) == [("Rose", "death"), ("Al", "death")]


def test_a_shared_reminder_is_confirmed_for_both(world: World) -> None:
    al = move_in(world.cast)
    world.cast.visit(world.cast.rose)
    world.cast.visit(al)
    world.go_to(SUNDAY_15)
    world.rose.expects("Rose and Al").replies("Y").expects("See you")
    assert rows(world, "SELECT answer, count(*) FROM visits GROUP BY 1") == [("confirmed", 2)]


def test_a_wish_of_one_of_two_moves_nobody_s_visit(couple: World) -> None:
    """The evening's question was not about visits, and nobody said whose: a person asks, and both visits stand."""
    couple.cast.visit(couple.cast.rose)
    couple.rose.replies("can the nurse come thursday instead").expects("find a time")
    assert rows(couple, "SELECT answer FROM visits") == [(None,)]
    assert alerts(couple) == [("Rose", "reschedule"), ("Al", "reschedule")]


def test_one_text_answers_the_visit_and_the_check_in(world: World) -> None:
    world.cast.visit(world.cast.rose)
    world.go_to(SUNDAY_18)
    world.rose.expects("tomorrow").expects("evening").replies("Y 4").expects("See you", "4").is_silent()
    assert scores(world) == [("Rose", 4)]
    assert rows(world, "SELECT answer FROM visits") == [("confirmed",)]
    assert rows(world, "SELECT intents, score FROM readings") == [(["confirm", "score"], 4)]


def test_a_thought_in_two_texts_is_read_as_one(world: World) -> None:
    world.go_to(SUNDAY_18)
    world.rose.expects("evening").replies("my chest").expects("person will read")
    world.ana.expects("needs you today")  # the first text has not waited for the second
    world.rose.replies("hurts").expects("911 now")
    world.ana.expects("needs you now")
    assert alerts(world) == [("Rose", "urgent")]  # one story, which got worse
    assert rows(world, "SELECT cardinality(read_with) FROM readings ORDER BY id") == [(0,), (1,)]


def test_a_corrected_score_keeps_both_and_counts_the_last(world: World) -> None:
    world.go_to(SUNDAY_18)
    world.rose.expects("evening").replies("2").expects("nurse will call")
    world.rose.replies("no 3 sorry").expects("noted your 3")
    assert scores(world) == [("Rose", 3)]
    assert rows(world, "SELECT value, superseded_by IS NULL FROM scores ORDER BY id") == [(2, False), (3, True)]
    why = rows(world, "SELECT detail ->> 'why' FROM alert_events WHERE kind = 'evidence'")
    assert why == [("corrected",)]
    world.rose.replies("no 3 sorry").is_silent()  # the same words again within the minute
    assert scores(world) == [("Rose", 3)]


def test_a_number_off_the_scale_is_asked_about_once_before_a_person_is(world: World) -> None:
    world.go_to(SUNDAY_18)
    world.rose.expects("evening").replies("7").expects("1 (worst) to 5", "911")
    world.ana.is_silent()
    world.rose.replies("sorry 4").expects("noted your 4")
    world.pass_minutes(31)
    world.ana.is_silent()
    world.rose.replies("8").expects("person will read")
    world.ana.expects("needs you today")


def test_a_picture_goes_to_a_person_and_is_asked_for_in_words(world: World) -> None:
    world.go_to(SUNDAY_18)
    world.rose.expects("evening").replies("", media=1).expects("cannot see pictures", "911")
    world.ana.expects("needs you today")


def test_praise_beside_a_one_is_asked_about_and_a_nurse_called_all_the_same(world: World) -> None:
    world.go_to(SUNDAY_18)
    world.rose.expects("evening").replies("1 feeling great").expects("You wrote 1", "911")
    world.ana.expects("needs you")
    world.rose.replies("5").expects("noted your 5")
    assert scores(world) == [("Rose", 5)]


def test_a_nurse_writes_by_hand_and_automation_keeps_quiet(world: World) -> None:
    world.go_to(SUNDAY_18)
    world.rose.expects("evening")
    now = world.verbs_now()
    write_by_hand(
        world.cast.db,
        world.cast.id,
        "rose",
        "Ana here. How bad is the pain, 0-10?",
        writer="ana",
        actor="test",
        now=now,
    )
    world.rose.expects("Ana here").replies("4").is_silent()
    world.ana.expects("you wrote to has answered", "is yours")
    assert scores(world) == []  # it is an answer to Ana, not to the check-in
    world.rose.replies("and I fell this morning").expects("911")
    world.ana.expects("needs you now")
    world.rose.replies("please stop texting me").expects("no more texts")
    now = world.verbs_now()
    write_by_hand(world.cast.db, world.cast.id, "rose", "Are you all right?", writer="ana", actor="test", now=now)
    world.settle()
    world.rose.is_silent()  # what is written by hand asks the same permission
    assert rows(world, "SELECT state, reason FROM messages WHERE kind = 'hand' ORDER BY id DESC LIMIT 1") == [
        ("suppressed", "opted_out")
    ]


def test_scores_over_days_and_a_silence(world: World) -> None:
    """Rose falls from her own level without a low score; Marta never answers, and somebody looks after her."""
    for at, score in ((SUNDAY_18, 5), (MONDAY_9, 4), (MONDAY_18, 5)):
        world.go_to(at)
        world.rose.expects("how do you feel").replies(str(score)).expects(f"noted your {score}")
    world.ana.is_silent()
    world.go_to(MONDAY_18 + timedelta(hours=3, minutes=5))
    assert alerts(world) == [("Marta", "silence")]
    world.ben.expects("needs you within the hour")  # at nine in the evening whoever is on call
    resolved = "UPDATE alerts SET state = 'resolved', resolved_at = :now, outcome = 'called', next_due_at = NULL"
    change(world, resolved, now=world.verbs_now())
    world.go_to(MONDAY_9 + timedelta(days=1))
    world.rose.expects("how do you feel").replies("3").expects("noted your 3")
    assert alerts(world) == [("Rose", "drop"), ("Marta", "silence")]
    world.go_to(MONDAY_18 + timedelta(days=1, hours=4))
    assert alerts(world) == [("Rose", "drop"), ("Marta", "silence")]  # after an alert silence begins anew
    world.go_to(MONDAY_9 + timedelta(days=2, hours=4))
    assert alerts(world) == [("Rose", "drop"), ("Marta", "silence"), ("Marta", "silence")]


def test_a_late_text_of_before_never_takes_the_place_of_a_correction(world: World) -> None:
    """The first text reached us after the second: the score that was given last counts, and nothing is doubled."""
    world.go_to(SUNDAY_18)
    world.pass_minutes(3)
    world.rose.expects("evening").replies("4").expects("noted your 4")
    earlier = world.verbs_now() - timedelta(minutes=1)
    store(world.cast.db, InboundText("SMlate", ROSE_PHONE, SUNRISE_NUMBER, None, "2", at=earlier), world.verbs_now())
    world.settle()
    world.rose.expects("nurse will call")
    assert scores(world) == [("Rose", 4)]
    assert rows(world, "SELECT value, superseded_by IS NULL FROM scores ORDER BY id") == [(4, True), (2, False)]
    assert alerts(world) == [("Rose", "low_score")]  # a low score calls, whatever came after it


def test_a_snooze_mutes_scores_and_never_words(world: World) -> None:
    now = world.verbs_now()
    set_level(world.cast.db, world.cast.id, "rose", {}, snooze=timedelta(days=7), actor="test", now=now)
    world.go_to(SUNDAY_18)
    world.rose.expects("evening").replies("2").expects("noted your 2")
    world.ana.is_silent()
    world.rose.replies("my chest hurts").expects("911 now")
    world.ana.expects("needs you now")
    world.rose.replies("1").expects("nurse will call")
    assert alerts(world) == [("Rose", "urgent")]  # the 1 is evidence of the same story


def test_what_never_arrived_is_no_silence_and_a_machine_s_answer_is(world: World) -> None:
    world.marta.has_a_landline()
    world.go_to(SUNDAY_18)
    world.rose.expects("how do you feel").replies("I'm driving and will see your message later").is_silent()
    world.go_to(MONDAY_18 + timedelta(hours=3, minutes=5))
    assert alerts(world) == [("Rose", "silence")]
