"""The whole path, as conversations: reminders, check-ins, a low score, a nurse who takes it, a wish to move, STOP."""

from datetime import UTC, datetime, timedelta

from tests.journeys.talk import World

SUNDAY_15 = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
SUNDAY_18 = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)
MONDAY_8 = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)
MONDAY_9 = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


def test_a_reminder_is_confirmed(world: World) -> None:
    world.cast.visit(world.cast.rose)
    world.go_to(SUNDAY_15)
    world.rose.expects("Ana", "tomorrow", "10:00 AM", "Reply Y").replies("Yes dear").expects("See you")
    world.marta.is_silent()
    world.go_to(SUNDAY_18)
    world.rose.expects("evening", "1 (much worse)").replies("4").expects("noted your 4")
    world.go_to(MONDAY_8)
    world.rose.expects("today", "10:00 AM")


def test_a_one_pages_the_nurse_who_takes_it(world: World) -> None:
    world.go_to(SUNDAY_18)
    world.rose.expects("evening").replies("1").expects("nurse will call", "911")
    world.ana.expects("patient needs you")
    code = world.ana.last_body.split("Reply ")[1].split()[0]
    assert "Rose" not in world.ana.last_body
    world.ana.replies(code).expects(code, "yours")
    world.ben.is_silent()


def test_nobody_answers_so_the_ladder_is_climbed(world: World) -> None:
    world.go_to(SUNDAY_18)
    world.rose.expects("evening").replies("2").expects("nurse will call")
    world.ana.expects("patient needs you")
    world.ben.is_silent()
    world.pass_minutes(11)
    world.ben.expects("nobody has yet taken")
    code = world.ben.last_body.split("Reply ")[1].split()[0]
    world.ben.replies(f"ok {code}!").expects("yours")
    world.ana.expects("already taken by Ben")
    world.ana.replies(code).expects("already taken by Ben")
    world.sue.is_silent()


def test_another_time_is_asked_for(world: World) -> None:
    world.cast.visit(world.cast.rose)
    world.go_to(SUNDAY_15)
    world.rose.expects("tomorrow").replies("can it be thursday").expects("find a time")
    world.ana.expects("patient needs you today")


def test_stop_silences_everything_and_is_confirmed_once(world: World) -> None:
    world.cast.visit(world.cast.rose)
    world.go_to(SUNDAY_15)
    world.rose.expects("tomorrow").replies("please stop texting me").expects("no more texts").is_silent()
    world.ana.expects("patient needs you")  # an opt-out of a monitored patient is a task for the nurse
    world.go_to(MONDAY_9 + timedelta(hours=1))
    world.rose.is_silent()
    world.rose.replies("START").expects("welcome back")


def test_spanish_is_answered_in_spanish(world: World) -> None:
    world.cast.visit(world.cast.marta)
    world.go_to(SUNDAY_15)
    world.marta.expects("mañana", "Responda S").replies("si esta bien").expects("Gracias")
    world.go_to(SUNDAY_18)
    world.marta.expects("se siente").replies("dos").expects("enfermera")
    world.ana.expects("patient needs you")


def test_what_cannot_be_read_goes_to_a_person(world: World) -> None:
    world.go_to(SUNDAY_18)
    world.rose.expects("evening").replies("asdf qwer").expects("person will read")
    world.ana.expects("patient needs you today")


def test_a_late_answer_to_the_reminder_after_the_checkin(world: World) -> None:
    world.cast.visit(world.cast.rose)
    world.go_to(SUNDAY_18)
    world.rose.expects("tomorrow").expects("evening").replies("Y").expects("See you")


def test_the_letters_that_reminders_print_are_understood(world: World) -> None:
    world.cast.visit(world.cast.rose)
    world.cast.visit(world.cast.marta)
    world.go_to(SUNDAY_15)
    world.rose.expects("R for another time").replies("R").expects("find a time")
    world.marta.expects("R para otra hora").replies("r").expects("otra hora")
    world.ana.expects("patient needs you today").is_silent()  # nothing urgent comes more than once a minute
    world.pass_minutes(1)
    world.ana.expects("patient needs you today").is_silent()


def test_help_says_who_we_are_and_how_to_stop(world: World) -> None:
    world.rose.replies("HELP").expects("Sunrise", "STOP", "555-0150").is_silent()
    world.ana.is_silent()


def test_an_emergency_is_urgent_at_any_time_and_in_any_context(world: World) -> None:
    world.rose.replies("I fell this morning and cant get up").expects("911", "nurse")
    world.ana.expects("patient needs you now")


def test_a_death_silences_everything_at_once(world: World) -> None:
    world.cast.visit(world.cast.rose)
    world.rose.replies("This is her son. Mom passed away last night").expects("sorry")
    world.ana.expects("patient needs you")
    world.ana.replies(world.ana.last_body.split("Reply ")[1].split()[0]).expects("yours")
    world.go_to(MONDAY_9 + timedelta(hours=1))
    world.rose.is_silent()
    world.ana.expects("nobody has yet taken")  # she took it, and nobody closed it: after eight hours it came back
    world.rose.replies("Who do I return the walker to?").is_silent()
    world.ana.expects("patient needs you")


def test_a_nurse_who_texts_nonsense_is_helped_three_times_then_left_alone(world: World) -> None:
    for _ in range(3):
        world.ana.replies("hello?").expects("code")
    for _ in range(5):
        world.ana.replies("hello?").is_silent()


def test_a_stranger_of_another_agency_is_never_touched(world: World) -> None:
    world.stranger.replies(
        "STOP"
    ).is_silent()  # Twilio has blocked the phone and answers by itself; our text is refused
    world.rose.is_silent()
    world.go_to(SUNDAY_18)
    world.rose.expects("evening")
    world.stranger.is_silent()
