"""Who agrees to be texted, and who sees what: asked once and reminded of once, kept with its words; old numbers; a proxy's eyes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from engage.db import encryption
from engage.patients.rules.words import MaySee, Relationship
from engage.replies.contacts import NewContact, add_contact, enrol_contact, list_contacts, set_contact
from tests.cast import ROSE_PHONE
from tests.journeys.talk import Person, World

SUNDAY_13 = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
MONDAY_9 = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
DORA_PHONE = "+12025550131"


def rows(world: World, statement: str, **values: Any) -> list[Any]:
    with world.cast.db.agency_session(world.cast.id) as session:
        return [tuple(row) for row in session.execute(text(statement), values).all()]


def change(world: World, statement: str, **values: Any) -> None:
    with world.cast.db.agency_session(world.cast.id) as session:
        session.execute(text(statement), values)


def dora(world: World, may_see: MaySee = MaySee.SCORES) -> tuple[int, Person]:
    """Rose's daughter, whom nobody has asked yet."""
    new = NewContact("rose", DORA_PHONE, Relationship.FAMILY, "Dora", may_see)
    made = add_contact(world.cast.db, world.cast.id, new, "test", world.verbs_now())
    return made, world._person(DORA_PHONE, "+12025550100")


def ask(world: World, contact: int) -> tuple[str, ...]:
    return enrol_contact(world.cast.db, world.cast.id, contact, (), "given at intake", "test", world.verbs_now())


def consents(world: World, contact: int) -> list[tuple[str, str, str]]:
    found = rows(
        world,
        "SELECT category, kind, source, proof FROM consent_events WHERE contact_id = :contact ORDER BY category",
        contact=contact,
    )
    return [(c, f"{k} by {s}", encryption.ring().open(bytes(p), "consent_events.proof")) for c, k, s, p in found]


def agreed_long_ago(world: World) -> None:
    """Rose signed nineteen months ago; the table is append-only for every role of ours, so its owner has to."""
    with world.cast.db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE consent_events NO FORCE ROW LEVEL SECURITY"))
        statement = text("UPDATE consent_events SET said_at = '2025-04-01' WHERE phone_hash = :rose")
        assert connection.execute(statement, {"rose": encryption.phone_hash(ROSE_PHONE)}).rowcount == 3
        connection.execute(text("ALTER TABLE consent_events FORCE ROW LEVEL SECURITY"))


def test_a_yes_grants_what_was_asked_with_the_words_of_both(world: World) -> None:
    contact, daughter = dora(world)
    assert ask(world, contact) == ("visits", "checkins", "surveys")
    world.go_to(SUNDAY_13)
    daughter.expects(
        "visit reminders, check-ins, surveys", "30 msgs a week", "Y to agree", "data rates", "HELP", "STOP"
    )
    asked = daughter.last_body
    daughter.replies("Yes please!").expects("thank you", "30 msgs", "STOP").is_silent()
    agreed = consents(world, contact)
    assert [(category, how) for category, how, _ in agreed] == [
        (category, "granted by text") for category in ("checkins", "surveys", "visits")
    ]
    assert all(asked in proof and '"Yes please!"' in proof for _, _, proof in agreed)


def test_silence_is_reminded_of_once_and_grants_nothing(world: World) -> None:
    contact, daughter = dora(world)
    ask(world, contact)
    world.pass_minutes(2)
    daughter.expects("May we text you")
    for days in (1, 1, 1, 2, 3, 3):
        world.time.tick(timedelta(days=days))
        world.verbs.plan()
        world.settle()
    daughter.expects("We asked").is_silent()
    assert consents(world, contact) == []
    assert rows(world, "SELECT settled_how FROM enrolments") == [("silent",)]
    daughter.replies("Y").expects("Thank you")  # late, but a yes to the text she has
    assert len(consents(world, contact)) == 3
    assert rows(world, "SELECT settled_how FROM enrolments") == [("agreed",)]


@pytest.mark.parametrize(
    ("said", "settled", "answer"),
    [
        ("No thank you", "declined", "not text you"),
        ("N", "declined", "your care goes on"),
        ("who is this?", None, "Call (202)"),  # a question is no yes
        ("yes but who is this?", None, "Reply STOP"),
        ("STOP", "stopped", ""),  # Twilio answers it
        ("4", None, ""),  # nobody asked for a number
    ],
)
def test_anything_but_a_plain_yes_grants_nothing(world: World, said: str, settled: str | None, answer: str) -> None:
    contact, daughter = dora(world)
    ask(world, contact)
    world.pass_minutes(1)
    daughter.expects("May we text you").replies(said)
    if answer:
        daughter.expects(answer)
    world.verbs.plan()
    assert consents(world, contact) == []
    assert rows(world, "SELECT settled_how FROM enrolments") == [(settled,)]


def test_whoever_an_import_brings_is_asked_where_the_agency_wants_it(world: World) -> None:
    contact, daughter = dora(world, MaySee.VISITS)
    world.pass_minutes(2)
    daughter.is_silent()
    change(world, "UPDATE agencies SET enrol_on_import = true")
    world.pass_minutes(2)
    daughter.expects("May we text you visit reminders, up to").replies("y").expects("Thank you")
    assert [category for category, _, _ in consents(world, contact)] == ["visits"]
    world.rose.is_silent()  # who has agreed is not asked


def test_a_number_unheard_of_is_asked_before_the_next_text(world: World) -> None:
    agreed_long_ago(world)
    world.cast.visit(world.cast.rose)
    world.go_to(datetime(2026, 11, 22, 20, 2, tzinfo=UTC))
    world.rose.expects("still the right phone").is_silent()
    held = rows(
        world,
        "SELECT state, reason FROM messages WHERE template = 'day-before' AND contact_id = :c",
        c=world.cast.rose_contact,
    )
    assert held == [("planned", "number_unverified")]
    world.rose.replies("who is this").expects("Reply STOP").is_silent()  # perhaps a stranger: it stays held
    world.rose.replies("Y").expects("our texts will go on")
    world.settle()
    world.rose.expects("will visit Rose tomorrow")
    assert world.marta.replies("hola") is world.marta  # heard of: her texts never waited
    assert rows(world, "SELECT count(*) FROM enrolments") == [(1,)]


def test_a_number_that_is_not_theirs_any_more_is_never_texted(world: World) -> None:
    agreed_long_ago(world)
    world.go_to(datetime(2026, 11, 22, 23, 2, tzinfo=UTC))
    world.rose.expects("still the right phone").replies("No").expects("will not text this number again")
    world.ana.expects("Reply")
    world.go_to(MONDAY_9 + timedelta(minutes=5))
    world.rose.is_silent()
    assert rows(world, "SELECT kind FROM alerts") == [("wrong_number",)]
    assert rows(world, "SELECT phone_kind FROM contacts WHERE id = :c", c=world.cast.rose_contact) == [
        ("wrong_number",)
    ]


def test_a_contact_who_may_see_visits_is_told_of_nothing_else(world: World) -> None:
    """Dora gets reminders; not even her mother's silence or her own question makes her the one who is asked how Rose feels."""
    contact, daughter = dora(world, MaySee.VISITS)
    ask(world, contact)
    world.pass_minutes(1)
    daughter.expects("May we text you visit reminders, up to").replies("Y").expects("Thank you")
    change(  # as if consent for more had been recorded by an import
        world,
        "INSERT INTO consent_events (agency_id, contact_id, phone_hash, category, kind, source, said_at, recorded_at)"
        " SELECT agency_id, contact_id, phone_hash, 'checkins', kind, 'emr', said_at, recorded_at FROM consent_events"
        " WHERE contact_id = :dora",
        dora=contact,
    )
    change(world, "UPDATE contacts SET ended_at = now() WHERE id = :rose", rose=world.cast.rose_contact)
    world.cast.visit(world.cast.rose)
    world.go_to(datetime(2026, 11, 22, 23, 2, tzinfo=UTC))
    daughter.expects("visit Rose tomorrow").is_silent()
    daughter.replies("she fell and feels a 2").expects("nurse")
    assert "2" not in daughter.last_body.replace("(202)", "").replace("555-0150", "")
    set_contact(world.cast.db, world.cast.id, contact, {"may_see": MaySee.SCORES}, "test", world.verbs_now())
    world.go_to(MONDAY_9 + timedelta(minutes=2))
    assert "How do you feel" in " ".join(sent.body for sent in daughter.inbox)


def test_a_contact_s_own_language_and_hours(world: World) -> None:
    from datetime import time

    changes = {"language": "es", "hours": (time(16), time(19))}
    shown = set_contact(world.cast.db, world.cast.id, world.cast.rose_contact, changes, "test", world.verbs_now())
    assert (shown.language, shown.hours, shown.phone_ends) == ("es", "16:00-19:00", "0111")
    world.cast.visit(world.cast.rose)
    world.go_to(datetime(2026, 11, 22, 20, 30, tzinfo=UTC))
    world.rose.is_silent()
    world.go_to(datetime(2026, 11, 22, 21, 2, tzinfo=UTC))
    world.rose.expects("visita a Rose")
    [listed] = list_contacts(world.cast.db, world.cast.id, "rose")
    assert (listed.agreed_to, listed.may_see) == (("checkins", "surveys", "visits"), "scores")


def test_an_alias_is_all_that_a_lock_screen_shows(world: World) -> None:
    change(
        world,
        "UPDATE agencies SET alias = 'Evergreen Care', short_name = 'Evergreen Hospice', name = 'Evergreen Hospice Inc.'",
    )
    world.go_to(datetime(2026, 11, 22, 23, 2, tzinfo=UTC))
    world.rose.expects("Evergreen Care: Good evening").replies("1").expects("Evergreen Care: Thank you")
    world.ana.expects("Evergreen Hospice Engage")  # our own people know where they work
    assert not [sent.body for sent in world.rose.inbox if "Hospice" in sent.body]
