"""A page reaches somebody: by text, call or mail, one for many alerts, taken by a code, a key or a button, or passed on."""

import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from engage.alerts.opening import Reason, open_alert
from engage.alerts.rules.words import AlertKind
from engage.outreach.mailer import Mailer
from engage.patients.model import Patient
from engage.settings import MailServer
from tests.cast import NOON
from tests.journeys.talk import Person, World
from tests.mailbox import Mailbox, mailbox_of


def sql(world: World, statement: str, **values: object) -> list[tuple[object, ...]]:
    with world.cast.db.system_session("test") as session:
        result = session.execute(text(statement), values)
        return [tuple(row) for row in result] if result.returns_rows else []


def raised(world: World, kind: AlertKind = AlertKind.SYMPTOM, many: int = 1) -> list[str]:
    """Alerts of as many new patients of Ana's; their codes."""
    cast = world.cast
    with cast.db.agency_session(cast.id) as session:
        (before,) = session.execute(text("SELECT count(*) FROM patients")).one()
        people = [
            Patient(
                agency_id=cast.id,
                branch_id=cast.branch,
                case_manager_id=cast.ana,
                emr_id=f"p{before + number}",
                first_name="Pat",
                last_name="Tester",
                language="en",
                time_zone="America/New_York",
                status_since=NOON,
            )
            for number in range(many)
        ]
        session.add_all(people)
        session.flush()
        ids = [open_alert(session, Reason(kind, cast.id, person.id), world.verbs_now()) for person in people]
        found = {row.id: row.code for row in session.execute(text("SELECT id, code FROM alerts"))}
    return [found[alert] for alert in ids]


def state(world: World, code: str) -> str:
    """How the newest alert with the code stands, and whose it is."""
    ((state, who),) = sql(
        world,
        "SELECT a.state, k.first_name FROM alerts a LEFT JOIN clinicians k ON k.agency_id = a.agency_id"
        " AND k.id = COALESCE(a.resolved_by, a.acknowledged_by) WHERE a.code = :code ORDER BY a.id DESC LIMIT 1",
        code=code,
    )
    return f"{state} {who}" if who else str(state)


def pages(world: World) -> list[tuple[object, ...]]:
    return sql(
        world,
        "SELECT k.first_name, m.channel, m.state, m.reason FROM messages m JOIN clinicians k ON k.id = m.clinician_id"
        " AND k.agency_id = m.agency_id WHERE m.kind = 'page' AND k.first_name <> 'Sue' ORDER BY m.id",
    )


@pytest.fixture
def box(world: World) -> Iterator[Mailbox]:
    """A mail server, and an address for Ana."""
    from engage.db import encryption

    with mailbox_of() as made:
        mailer = Mailer(MailServer("127.0.0.1", made.port, is_tls=False), "engage@example.com")
        world.verbs = replace(world.verbs, mailer=mailer)
        sealed = encryption.ring().seal("ana@example.org", "clinicians.email")
        sql(world, "UPDATE clinicians SET email = :sealed WHERE id = :ana", sealed=sealed, ana=world.cast.ana)
        yield made


def link_in(box: Mailbox) -> str:
    (link,) = re.findall(r"http://\S+/page/\S+", box.mails[-1].get_content())
    return str(link)


def opened(link: str, press: str | None = None) -> tuple[str, dict[str, str]]:
    """The page behind a link, or what it says after a button was pressed."""
    data = urllib.parse.urlencode({"press": press}).encode() if press else None
    with urllib.request.urlopen(link, data) as answer:  # noqa: S310 - our own web on this machine
        return answer.read().decode(), dict(answer.headers)


# --- calls ------------------------------------------------------------------------------------------------------------


def test_a_text_that_fails_becomes_a_call_and_four_takes_the_alert(world: World) -> None:
    world.ana.has_a_landline().when_called("answer", "4")
    (code,) = raised(world, AlertKind.URGENT)
    world.settle()
    world.pass_minutes(1)
    (call,) = world.fake.calls
    said = " ".join(call.said)
    assert [
        word for word in ("Sunrise", "cannot wait", " ".join(code), "Press 4", "Press 5", "yours") if word not in said
    ] == []
    assert "Pat" not in said
    assert call.detects_machine
    assert state(world, code) == "acknowledged Ana"
    assert pages(world) == [
        ("Ana", "sms", "undelivered", "permanent_number"),
        ("Ana", "voice", "delivered", None),
    ]
    world.sue.expects("needs you within the hour").is_silent()  # a supervisor is told of the phone, once
    assert sql(
        world, "SELECT detail FROM alert_events WHERE kind = 'opened' AND message_id IS NULL ORDER BY id DESC LIMIT 1"
    ) == [({"why": "permanent_number", "clinician": "ana"},)]
    world.pass_minutes(15)
    world.ben.is_silent()


def test_a_machine_has_not_taken_it_so_the_next_person_is_paged_within_a_minute(world: World) -> None:
    world.ana.has_a_landline().when_called("machine", "4")
    (code,) = raised(world)
    world.settle()
    world.pass_minutes(2)
    assert len(world.ana.calls) == 1
    world.ben.expects("Reply", code)
    assert state(world, code) == "open"
    assert pages(world)[1] == ("Ana", "voice", "undelivered", "machine")


def test_nobody_presses_a_key_it_is_said_twice_then_the_next_person_is_paged(world: World) -> None:
    world.ana.has_a_landline().when_called("answer")
    (code,) = raised(world)
    world.settle()
    world.pass_minutes(2)
    (call,) = world.fake.calls
    assert len([words for words in call.said if "Press 4" in words]) == 2
    assert pages(world)[1] == ("Ana", "voice", "undelivered", "no_key")
    world.ben.expects("Reply", code)


def test_five_passes_it_on_at_once(world: World) -> None:
    world.ana.has_a_landline().when_called("answer", "5")
    (code,) = raised(world)
    world.settle()
    world.pass_minutes(1)
    assert "next person" in world.fake.calls[0].said[-1]
    world.ben.expects("Reply", code).replies(code).expects("yours")
    assert state(world, code) == "acknowledged Ben"


def test_another_key_asks_again(world: World) -> None:
    keys = iter("74")
    world.ana.has_a_landline()
    world.ana.pickup = replace(world.ana.pickup, how="answer", digits=lambda _: next(keys))
    (code,) = raised(world)
    world.settle()
    world.pass_minutes(1)
    assert state(world, code) == "acknowledged Ana"


def test_whoever_wants_calls_first_is_called_first(world: World) -> None:
    sql(world, "UPDATE clinicians SET page_channels = '{voice,sms}' WHERE id = :ana", ana=world.cast.ana)
    world.ana.when_called("busy")
    (code,) = raised(world)
    world.settle()
    world.pass_minutes(1)
    assert len(world.ana.calls) == 1
    world.ana.expects("Reply", code)
    world.ben.is_silent()


# --- mail -------------------------------------------------------------------------------------------------------------


def test_a_mail_is_the_last_way_and_a_pressed_button_takes(world: World, box: Mailbox) -> None:
    world.ana.has_a_landline().when_called("machine")
    (code,) = raised(world, AlertKind.URGENT)
    world.settle()
    world.pass_minutes(2)
    (mail,) = box.mails
    assert mail["Subject"] == f"Sunrise Engage: 1 patient needs you now ({code})"
    assert not any(word in mail.get_content() for word in ("Pat", "Tester", "+1202"))
    world.ben.expects("URGENT", code)  # nobody waits for a mail to be read
    shown, headers = opened(link_in(box))
    assert code in shown
    assert "Take it" in shown
    assert "Pat" not in shown
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert state(world, code) == "open"  # a mail server that looks for malware opens every link
    assert "is yours" in opened(link_in(box), "take")[0]
    assert state(world, code) == "acknowledged Ana"
    world.ben.expects("taken by Ana")
    assert "Take it" not in opened(link_in(box))[0]


def test_a_mail_can_be_passed_on_and_its_link_ends(world: World, box: Mailbox) -> None:
    sql(world, "UPDATE clinicians SET page_channels = '{email}' WHERE id = :ana", ana=world.cast.ana)
    (code,) = raised(world)
    world.settle()
    assert "next person" in opened(link_in(box), "next")[0]
    world.ben.expects(code)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        opened(link_in(box) + "x")
    with pytest.raises(urllib.error.HTTPError, match="400"):
        opened(link_in(box), "delete")
    world.time.tick(timedelta(hours=13))
    with pytest.raises(urllib.error.HTTPError, match="410"):
        opened(link_in(box), "take")
    assert state(world, code) == "open"


def test_a_mail_that_is_refused_is_a_failed_page(world: World, box: Mailbox) -> None:
    box.mood = "refuse recipient"
    sql(world, "UPDATE clinicians SET page_channels = '{email,sms}' WHERE id = :ana", ana=world.cast.ana)
    (code,) = raised(world)
    world.settle()
    world.pass_minutes(1)
    assert pages(world)[0] == ("Ana", "email", "failed", "mail_refused")
    world.ana.expects("Reply", code)


def test_an_address_without_a_mail_server_delays_nothing(world: World, box: Mailbox) -> None:
    world.verbs = replace(world.verbs, mailer=None)
    sql(world, "UPDATE clinicians SET page_channels = '{email,sms}' WHERE id = :ana", ana=world.cast.ana)
    (code,) = raised(world)
    world.settle()
    world.ana.expects("Reply", code)
    assert pages(world)[0] == ("Ana", "email", "suppressed", "no_mail")


# --- many -------------------------------------------------------------------------------------------------------------


def test_many_alerts_at_once_are_one_text_and_all_takes_all(world: World) -> None:
    codes = raised(world, many=4)
    world.settle()
    world.ana.expects("4 alerts", *codes, "ALL").is_silent()
    world.ana.replies("all").expects(*codes, "yours").is_silent()
    assert {state(world, code) for code in codes} == {"acknowledged Ana"}
    world.pass_minutes(11)
    world.ben.is_silent()


def test_alerts_that_come_later_wait_for_the_minute_and_go_together(world: World) -> None:
    (first,) = raised(world)
    world.settle()
    world.ana.expects(f"Reply {first}")
    second, third = raised(world)[0], raised(world)[0]
    world.ana.is_silent()
    ((reason,),) = sql(world, "SELECT reason FROM messages WHERE state = 'planned' AND kind = 'page'")
    assert reason == "page_pace"  # engage why tells it, and until when
    world.pass_minutes(1)
    world.ana.expects("2 alerts", second, third).is_silent()
    assert {row[3] for row in pages(world)} == {None, "bundled"}


def test_three_hundred_wait_and_the_urgent_one_is_the_next_text(world: World) -> None:
    raised(world, AlertKind.QUESTION)
    world.settle()
    world.ana.expects("today")
    low = raised(world, AlertKind.QUESTION, many=300)
    world.ana.is_silent()
    (urgent,) = raised(world, AlertKind.URGENT)
    world.ana.expects("needs you now", urgent).is_silent()
    world.pass_minutes(2)
    world.ana.expects("300 alerts", low[0], "and 292 more").is_silent()


def test_what_was_taken_is_not_named_any_more(world: World) -> None:
    raised(world)
    world.settle()
    world.ana.expects("Reply")
    gone, stays = raised(world, many=2)
    world.ana.is_silent()
    world.ben.replies(gone).expects("yours")
    world.pass_minutes(1)
    world.ana.expects("a patient needs you", f"Reply {stays}").is_silent()


def test_a_bundle_that_fails_becomes_one_call_and_four_takes_them_all(world: World) -> None:
    world.ana.has_a_landline().when_called("answer", "4")
    codes = raised(world, many=3)
    world.settle()
    world.pass_minutes(1)
    (call,) = world.fake.calls
    assert "3 alerts" in call.said[0]
    assert {state(world, code) for code in codes} == {"acknowledged Ana"}


# --- taken, passed on, closed -----------------------------------------------------------------------------------------


def ladder_of_two(world: World) -> tuple[Person, Person, str]:
    """Ana and Ben have both been paged, and nobody has taken it."""
    (code,) = raised(world)
    world.settle()
    world.ana.expects(code)
    world.pass_minutes(10)
    world.ben.expects(code)
    return world.ana, world.ben, code


def test_one_takes_it_and_the_other_reads_who_and_when(world: World) -> None:
    ana, ben, code = ladder_of_two(world)
    ana.replies(f"'{code}' ok").expects("yours")
    ben.expects("taken by Ana at 12:1").replies(code).expects("taken by Ana").is_silent()
    world.pass_minutes(40)
    ben.is_silent()
    world.sue.is_silent()


def test_a_code_is_used_again_and_a_late_one_says_who_had_it(world: World) -> None:
    ana, ben, code = ladder_of_two(world)
    ana.replies(code).expects("yours").replies(f"done {code} called 12").expects(code, "closed", "called")
    ben.expects("taken by Ana")
    ben.replies(code).expects("closed by Ana at 12:1")
    ((outcome, minutes),) = sql(world, "SELECT outcome, minutes_spent FROM alerts")
    assert (outcome, minutes) == ("called", 12)
    sql(world, "UPDATE alerts SET code = '9999' WHERE code <> :code", code=code)
    raised(world)
    sql(world, "UPDATE alerts SET code = :code WHERE state = 'open'", code=code)
    ben.replies(code).expects("yours")
    assert state(world, code) == "acknowledged Ben"


def test_passed_on_by_text_before_and_after_it_was_taken(world: World) -> None:
    (code,) = raised(world)
    world.settle()
    world.ana.expects(code).replies(f"pass {code}").expects("next person")
    world.ben.expects(code).replies(code).expects("yours")
    world.ana.expects("taken by Ben")
    world.ben.replies(f"can't {code}").expects("next person")
    world.sue.expects(code)
    world.ana.is_silent()  # round two comes when nobody on this one has it
    world.pass_minutes(16)
    world.ana.expects(code)


def test_whoever_passed_it_on_is_not_asked_next_on_another_step(world: World) -> None:
    sql(world, "UPDATE shifts SET clinician_id = :ana", ana=world.cast.ana)  # the patient's nurse is on call as well
    (code,) = raised(world)
    world.settle()
    world.ana.expects(code).replies(f"pass {code}").expects("next person").is_silent()
    world.sue.expects(code)
    assert len(pages(world)) == 1


def test_passing_on_late_or_twice_takes_no_time_from_whoever_is_asked_now(world: World) -> None:
    ana, ben, code = ladder_of_two(world)
    ana.replies(f"pass {code}").expects("next person").replies(f"pass {code}").expects("next person")
    world.pass_minutes(8)
    world.sue.is_silent()
    ben.replies(code).expects("yours")


def test_the_only_one_who_could_come_is_asked_again_rather_than_nobody(world: World) -> None:
    sql(world, "DELETE FROM shifts")
    sql(world, "UPDATE clinicians SET left_on = '2026-01-01' WHERE id = :sue", sue=world.cast.sue)
    (code,) = raised(world)
    world.settle()
    world.ana.expects(code).replies(f"pass {code}").expects("next person")
    world.pass_minutes(1)
    world.ana.expects("nobody has yet", code)
    assert sql(world, "SELECT exhausted_at FROM alerts") == [(None,)]


def test_several_must_take_it_where_the_agency_says_so(world: World) -> None:
    sql(world, "UPDATE alert_rules SET takers = 2 WHERE kind = 'symptom'")
    ana, ben, code = ladder_of_two(world)
    ana.replies(code).expects("yours too", "1 more")
    assert state(world, code) == "open"
    ben.replies(code).expects("yours")
    assert state(world, code) == "acknowledged Ben"
    ana.expects("taken by Ben").replies(f"done {code} called").expects("closed")


def test_nobody_answered_the_nurse_so_it_comes_back_when_she_wants_to_try(world: World) -> None:
    (code,) = raised(world)
    world.settle()
    world.ana.expects(code).replies(code).expects("yours")
    world.ana.replies(f"no answer {code}").expects("stays yours", "12:30 PM", "Another time?")
    world.ana.replies(f"{code} at 1:15 pm").expects("1:15 PM")
    world.pass_minutes(70)
    world.ana.is_silent()
    world.pass_minutes(6)
    world.ana.expects("try", code, "again now")
    assert state(world, code) == "open"
    world.pass_minutes(8)
    world.ben.is_silent()
    world.pass_minutes(3)
    world.ben.expects(code)  # she did not: the ladder goes on


def test_done_without_a_word_is_asked_what(world: World) -> None:
    (code,) = raised(world)
    world.settle()
    world.ana.expects(code).replies(f"done {code}").expects("what was done", f"DONE {code}")
    assert state(world, code) == "acknowledged Ana"
    world.ana.replies(f"done {code} dr changed meds 15 min").expects("medicine changed")
    assert state(world, code) == "resolved Ana"
    world.ana.replies("all").expects("could not match")


def test_a_promise_that_is_not_kept_opens_the_alert_and_a_supervisor_reads_of_it(world: World) -> None:
    from engage.alerts.promises import promise

    world.rose.replies("my leg is swollen and hurts").expects("nurse")
    world.settle()
    ((code,),) = sql(world, "SELECT code FROM alerts")
    world.ana.expects(str(code)).replies(str(code)).expects("yours")
    with world.cast.db.agency_session(world.cast.id) as session:
        promise(session, world.cast.id, str(code), timedelta(minutes=60), world.verbs_now())
    world.rose.expects("nurse will call you by 1:00 PM", "911")
    world.pass_minutes(58)
    world.sue.is_silent()
    world.pass_minutes(3)
    world.sue.expects("promised", str(code))
    world.ben.expects(str(code))
    kinds = [row[0] for row in sql(world, "SELECT kind FROM alert_events ORDER BY id")]
    assert [kind for kind in kinds if kind in {"promised", "promise_broken", "reopened"}] == [
        "promised",
        "promise_broken",
        "reopened",
    ]


def test_a_promise_of_the_rule_is_kept_by_a_call_that_nobody_answered(world: World) -> None:
    sql(world, "UPDATE alert_rules SET promise_minutes = 60")
    world.rose.replies("my leg is swollen and hurts").expects("nurse")
    world.settle()
    ((code, until),) = sql(world, "SELECT code, promised_until FROM alerts")
    assert until == NOON + timedelta(hours=1) or until is not None
    world.ana.expects(str(code)).replies(f"{code} no answer at 2:30 pm").expects("2:30 PM")
    world.pass_minutes(70)
    world.sue.is_silent()


def test_stop_from_a_nurse_tells_a_supervisor_and_the_next_page_is_a_call(world: World) -> None:
    world.ana.replies("STOP")
    world.settle()
    assert sql(world, "SELECT kind FROM alerts") == [("nurse_unreachable",)]
    world.sue.expects("needs you")
    world.ana.when_called("answer", "4")
    (code,) = raised(world)
    world.settle()
    world.pass_minutes(1)
    assert len(world.ana.calls) == 1
    assert state(world, code) == "acknowledged Ana"


def test_a_quiet_nurse_is_left_alone_at_night_but_not_in_an_emergency(world: World) -> None:
    sql(world, "UPDATE clinicians SET quiet_from = '11:00', quiet_until = '13:00' WHERE first_name IN ('Ana', 'Ben')")
    (code,) = raised(world)
    world.settle()
    world.ana.is_silent()
    world.ben.expects(code)  # he is on call
    assert world.ana.calls == []
    (urgent,) = raised(world, AlertKind.URGENT)
    world.ana.expects(urgent)


def test_closed_while_its_page_is_on_the_way(world: World) -> None:
    """The page in flight is answered; no other follows."""
    from engage.alerts.closing import Done, resolve

    (code,) = raised(world)
    world.verbs.escalate()
    world.verbs.dispatch()
    with world.cast.db.agency_session(world.cast.id) as session:
        resolve(session, world.cast.id, code, world.cast.sue, Done("called"), world.verbs_now())
    world.ana.expects(code).replies(code).expects("closed by Sue")
    world.pass_minutes(40)
    world.ana.is_silent()
    world.ben.is_silent()
