"""Whom an alert reaches, as conversations: the night shift, a handoff beside a clock change, two on call at once, an outage."""

import uuid
from datetime import UTC, datetime, timedelta

from sqlalchemy import text, update

from engage.alerts.closing import Done, resolve
from engage.alerts.ladders import NewStep, set_ladder
from engage.alerts.rules.words import Who
from engage.outreach.model import Message
from tests.cast import NOON
from tests.journeys.talk import Person, World

MONDAY_2 = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)  # two in the morning
HELP = "I can't breathe"


def code(person: Person) -> str:
    return person.last_body.split("Reply ")[1].split()[0]


def ladder(world: World, *steps: NewStep, rounds: int = 3) -> None:
    with world.cast.db.agency_session(world.cast.id) as session:
        set_ladder(session, world.cast.id, "nurse", None, steps, rounds, world.verbs_now())


def sql(world: World, statement: str, **values: object) -> None:
    with world.cast.db.system_session("test") as session:
        session.execute(text(statement), values)


def closes(world: World, who: int, alert_code: str) -> None:
    with world.cast.db.agency_session(world.cast.id) as session:
        resolve(session, world.cast.id, alert_code, who, Done("called"), world.verbs_now())


def test_a_quiet_branch_at_night(world: World) -> None:
    """Raised at two: the night shift's phone, and Ana sleeps; the branch's own supervisor comes after."""
    world.time.move_to(MONDAY_2)
    world.rose.replies(HELP).expects("911")
    world.ana.is_silent()
    world.ben.expects("patient needs you now")
    world.pass_minutes(11)
    world.ana.is_silent()
    world.sue.expects("nobody has yet taken")
    world.sue.replies(code(world.sue)).expects("yours")
    world.ben.expects("already taken by Sue")


def test_a_handoff_five_minutes_after_the_clocks_change(world: World) -> None:
    """Chicago, 2027-03-14: at two it is three. Saturday's person until 3:05, Sunday's from then on."""
    sql(world, "UPDATE branches SET time_zone = 'America/Chicago' WHERE agency_id = :agency", agency=world.cast.id)
    sql(world, "UPDATE shifts SET weekdays = '{5}', starts = '03:05', ends = '03:05'")
    sql(
        world,
        "INSERT INTO shifts (agency_id, branch_id, clinician_id, weekdays, starts, ends)"
        " SELECT agency_id, branch_id, :sue, '{6}', starts, ends FROM shifts",
        sue=world.cast.sue,
    )
    ladder(world, NewStep(Who.ON_CALL, 10))
    # in UTC: 01:59 CST, 03:00 and 03:04 CDT, then 03:05 and 03:30 CDT
    for wall, on_call in (("07:59", "ben"), ("08:00", "ben"), ("08:04", "ben"), ("08:05", "sue"), ("08:30", "sue")):
        world.time.move_to(datetime.fromisoformat(f"2027-03-14T{wall}+00:00"))
        world.rose.replies(HELP).expects("911")
        person = getattr(world, on_call).expects("patient needs you now")
        closes(world, world.cast.sue, code(person))
        for other in (world.ana, world.ben, world.sue):
            other.is_silent()


def test_two_on_call_at_once_and_one_takes_it(world: World) -> None:
    """Both are paged at 0 and would be at +30; Ben takes it, Sue is told, and gets no more pages."""
    sql(
        world,
        "INSERT INTO shifts (agency_id, branch_id, clinician_id, weekdays, starts, ends)"
        " SELECT agency_id, branch_id, :sue, weekdays, starts, ends FROM shifts",
        sue=world.cast.sue,
    )
    ladder(world, NewStep(Who.ON_CALL, 30, times=2), rounds=1)
    world.rose.replies(HELP).expects("911")
    world.ben.expects("patient needs you now")
    world.sue.expects("patient needs you now")
    world.pass_minutes(10)
    world.ben.replies(code(world.ben)).expects("yours")
    world.sue.expects("already taken by Ben")
    world.pass_minutes(35)
    world.sue.is_silent()
    world.ben.is_silent()


def test_after_an_outage_one_text_not_all_that_were_missed(world: World) -> None:
    """Two steps a minute apart on one phone; the engine is down until +3: one text, from which the next minute counts."""
    ladder(world, NewStep(Who.NURSE, 1, times=2), rounds=1)
    world.fake.text_in(world.rose.number, world.rose.ours, HELP)  # stored at 0
    world.fake.deliver_due()
    world.verbs.handle()  # understood, and the escalation is down
    world.time.tick(timedelta(minutes=3))
    world.verbs.escalate()
    world.verbs.dispatch()
    world.ana.expects("patient needs you now").is_silent()
    world.ana.replies(code(world.ana)).expects("yours")
    world.pass_minutes(3)
    world.ana.is_silent()


def test_it_is_resolved_while_its_page_is_on_the_way(world: World) -> None:
    """Ben's page has left when the alert is closed: it arrives, is answered, and nobody is paged any more."""
    world.rose.replies(HELP).expects("911")
    number = code(world.ana.expects("patient needs you now"))
    world.time.tick(timedelta(minutes=11))
    world.verbs.escalate()
    world.verbs.dispatch()  # Twilio has it, the phone does not yet
    closes(world, world.cast.ana, number)
    world.ben.expects("nobody has yet taken").replies(number).expects("already taken and closed by Ana")
    world.pass_minutes(30)
    for person in (world.ana, world.ben, world.sue):
        person.is_silent()


def test_it_is_resolved_while_its_page_is_being_sent(world: World) -> None:
    """A worker claimed Ben's page and died; by the time another one looks at it, nobody needs it any more."""
    world.rose.replies(HELP).expects("911")
    number = code(world.ana.expects("patient needs you now"))
    world.time.tick(timedelta(minutes=11))
    world.verbs.escalate()
    with world.cast.db.agency_session(world.cast.id) as session:
        now = world.verbs_now()
        claimed = {"state": "sending", "attempt_id": uuid.uuid4(), "body": "x", "claimed_at": now, "lease_until": now}
        session.execute(update(Message).where(Message.kind == "page", Message.state == "planned").values(claimed))
    closes(world, world.cast.ana, number)
    world.pass_minutes(30)
    for person in (world.ana, world.ben, world.sue):
        person.is_silent()
    with world.cast.db.agency_session(world.cast.id) as session:
        ends = session.execute(text("SELECT state, reason FROM messages WHERE kind = 'page' ORDER BY id")).all()
    assert [tuple(end) for end in ends] == [("delivered", None), ("cancelled", "alert_taken")]


def test_one_story_is_one_page_until_it_gets_worse(world: World) -> None:
    world.rose.replies("please call me").expects("nurse")
    world.ana.expects("patient needs you within the hour")
    world.rose.replies("my leg is swollen").replies("can the nurse call me?")
    world.ana.is_silent()
    world.rose.replies(HELP)
    world.ana.expects("patient needs you now").is_silent()
    assert world.verbs_now() - NOON < timedelta(minutes=5)
