"""The metronome over a real database: every verb ticks and is seen to; one that fails or hangs holds up nobody."""

import threading
from collections.abc import Iterator

import pytest

from engage import clock
from engage import settings as engage_settings
from engage.db.hints import Herald
from engage.replies.inbox import InboundText, store
from engage.reports.health import health
from engage.worker import Metronome, Verbs
from tests.cast import ROSE_PHONE, SUNRISE_NUMBER
from tests.flows.outreach.test_claims import FILL
from tests.flows.worker.program import ACCOUNT, TOKEN, Town, wait_until

VERBS = {"plan", "dispatch", "handle", "escalate", "mail", "reconcile", "sweep", "check-rota", "clean"}


@pytest.fixture
def verbs(town: Town) -> Iterator[Verbs]:
    settings = engage_settings.load(
        public_url=town.web,
        twilio_account_sid=ACCOUNT,
        twilio_auth_token=TOKEN,
        twilio_api_url=town.fake.url,
        twilio_timeout_seconds=20,
        tick_seconds=0.05,
        plan_seconds=0.2,
        dispatch_at_once=2,
    )
    made = Verbs.of(town.cast.db, settings)
    yield made
    made.gateway.close()  # type: ignore[attr-defined]


def stop(metronome: Metronome) -> None:
    """End it, well before a provider that takes half a minute has answered."""
    ending = threading.Thread(target=metronome.stop)
    ending.start()
    ending.join(18)
    assert not ending.is_alive(), "it waits for the provider"


def test_every_verb_ticks_and_leaves_when_it_stops(town: Town, verbs: Verbs) -> None:
    metronome = Metronome(verbs)
    metronome.start()
    wait_until(lambda: {verb for (verb,) in town.sql("SELECT verb FROM ticks WHERE NOT failed")} == VERBS)
    message = town.answer()
    town.fake.behaviour.rate_callback_lost = 1  # nobody is at the door
    wait_until(lambda: town.sql("SELECT state FROM messages WHERE id = :id", id=message) == [("accepted",)])
    wait_until(lambda: town.sql("SELECT findings FROM auditing WHERE ran_at IS NOT NULL") == [({},)])
    assert health(town.cast.db, clock.now()).problems == ()
    stop(metronome)
    assert town.sql("SELECT count(*) FROM ticks") == [(0,)]


def test_a_hung_provider_does_not_keep_it_from_stopping(town: Town, verbs: Verbs) -> None:
    town.fake.behaviour.rate_callback_lost = 1
    town.fake.next_create("slow:30", times=9)
    for _ in range(5):
        town.answer()
    metronome = Metronome(verbs)
    metronome.start()
    wait_until(lambda: len(town.fake.messages) == 2)  # as many as may be on their way, all hanging
    stop(metronome)
    found = dict(town.sql("SELECT state, count(*) FROM messages GROUP BY state"))
    assert found == {"unknown": 2, "planned": 3}
    town.fake.stop()


def test_a_verb_that_fails_stops_no_other_and_is_seen(town: Town, verbs: Verbs) -> None:
    with town.cast.db.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE touchpoints RENAME TO gone")
    metronome = Metronome(verbs)
    metronome.start()
    wait_until(lambda: {verb for (verb,) in town.sql("SELECT verb FROM ticks")} == VERBS)
    message = town.sql("SELECT max(began_at) FROM ticks WHERE verb = 'escalate'")
    wait_until(lambda: town.sql("SELECT max(began_at) FROM ticks WHERE verb = 'escalate'") > message)
    assert town.sql("SELECT verb FROM ticks WHERE failed ORDER BY verb") == [("plan",)]
    problems = " ".join(health(town.cast.db, clock.now()).problems)
    assert "plan" in problems
    assert "escalate" not in problems
    stop(metronome)


def test_two_of_them_share_the_work(town: Town, verbs: Verbs) -> None:
    town.fake.behaviour.rate_callback_lost = 1
    cast = town.cast
    town.sql(FILL, agency=cast.id, patient=cast.rose, contact=cast.rose_contact, many=40, now=clock.now())
    both = [Metronome(verbs), Metronome(verbs)]
    for metronome in both:
        metronome.start()
    wait_until(lambda: town.states() == {"accepted"})
    for metronome in both:
        stop(metronome)
    sent = [message.client_ref["m"] for message in town.fake.messages]
    assert len(sent) == len(set(sent)) == 40


def test_a_hint_brings_the_page_and_the_answer_out_between_two_ticks(town: Town) -> None:
    """The ticks are an hour apart here: what leaves has left because one verb woke the next."""
    settings = engage_settings.load(
        public_url=town.web,
        twilio_account_sid=ACCOUNT,
        twilio_auth_token=TOKEN,
        twilio_api_url=town.fake.url,
        tick_seconds=60,
        plan_seconds=3600,
    )
    town.fake.behaviour.rate_callback_lost = 1
    metronome = Metronome(Verbs.of(town.cast.db, settings))
    metronome.start()
    wait_until(lambda: {verb for (verb,) in town.sql("SELECT verb FROM ticks")} == VERBS)
    inbound = InboundText(
        sid="SM" + "b" * 32, from_phone=ROSE_PHONE, to=SUNRISE_NUMBER, service_sid=None, body="I fell"
    )
    store(town.cast.db, inbound, clock.now())
    Herald(town.cast.db).say("handle")
    wait_until(
        lambda: (
            town.sql("SELECT DISTINCT kind FROM messages WHERE state = 'accepted' ORDER BY 1")
            == [("answer",), ("page",)]
        )
    )
    stop(metronome)
