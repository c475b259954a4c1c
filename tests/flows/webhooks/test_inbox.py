"""What people text: stored once before it is understood, by the right author; STOP at once; swept when we were down."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from engage import clock, log
from engage.agencies.model import Clinician
from engage.db import encryption
from engage.patients.model import Contact
from engage.replies.inbox import InboundText, Stored, store
from engage.replies.model import Reply
from engage.replies.sweep import sweep
from tests.cast import (
    ANA_PHONE,
    BEN_PHONE,
    NOON,
    ROSE_PHONE,
    STRANGER_PHONE,
    SUNRISE_NUMBER,
    SUNRISE_PAGES,
    Cast,
)
from tests.flows.outreach.desk import Desk

NOWHERE = "+12025550199"
WORDS = text("SELECT kind FROM consent_events WHERE phone_hash = :hash AND contact_id IS NULL ORDER BY said_at, id")


def text_of(body: str = "hello", sid: str = "1", **more: object) -> InboundText:
    values = {"from_phone": ROSE_PHONE, "to": SUNRISE_NUMBER, "service_sid": None} | more
    return InboundText(sid=f"SM{sid:0>32}", body=body, **values)  # type: ignore[arg-type]


def replies(cast: Cast) -> list[Reply]:
    with cast.db.system_session("test") as session:
        return list(session.scalars(select(Reply).order_by(Reply.received_at, Reply.id)))


def words_of_the_phone(cast: Cast, phone: str = ROSE_PHONE) -> list[str]:
    """What the phone itself has said about texts, in the order in which it counts."""
    with cast.db.system_session("test") as session:
        return list(session.scalars(WORDS, {"hash": encryption.phone_hash(phone)}))


def test_a_text_is_stored_once_however_often_it_comes(cast: Cast) -> None:
    assert store(cast.db, text_of(), NOON) is Stored.NEW
    for minutes in (0, 1, 600):
        assert store(cast.db, text_of("another body"), NOON + timedelta(minutes=minutes)) is Stored.KNOWN
    (reply,) = replies(cast)
    assert (reply.body, reply.state, reply.contact_id) == ("hello", "stored", cast.rose_contact)


def test_twilio_tries_again_and_nothing_is_doubled(desk: Desk) -> None:
    """Our answer is lost on the way; Twilio posts once more."""
    desk.fake.text_in(ROSE_PHONE, SUNRISE_NUMBER, "STOP")
    desk.fake.deliver_due()
    (reply,) = replies(desk.cast)
    again = InboundText(reply.sid, ROSE_PHONE, SUNRISE_NUMBER, None, "STOP")
    assert store(desk.cast.db, again, clock.now()) is Stored.KNOWN
    assert words_of_the_phone(desk.cast) == ["opted_out"]


@pytest.mark.parametrize("body", ["STOP", "stop", " Stop. ", "UNSUBSCRIBE", "alto", "Opt-out"])
def test_an_opt_out_counts_from_the_moment_it_is_stored(desk: Desk, body: str) -> None:
    message = desk.checkin()
    desk.fake.text_in(ROSE_PHONE, SUNRISE_NUMBER, body)
    desk.fake.deliver_due()
    desk.dispatch()  # nobody has handled the reply yet
    assert (desk.row(message).state, desk.row(message).reason) == ("suppressed", "opted_out")
    assert words_of_the_phone(desk.cast) == ["opted_out"]
    assert desk.texts() == []


def test_what_twilio_answered_is_noted(cast: Cast) -> None:
    store(cast.db, text_of("arret", opt_out_type="STOP"), NOON)
    (reply,) = replies(cast)
    assert reply.provider_answered
    assert words_of_the_phone(cast) == ["opted_out"]


def test_an_opt_out_is_kept_with_its_reply_or_neither_is(cast: Cast) -> None:
    store(cast.db, text_of("STOP"), NOON)
    with cast.db.system_session("test") as session:
        pair = session.execute(
            text("SELECT r.id, e.reply_id FROM replies r JOIN consent_events e ON e.reply_id = r.id")
        ).one()
    assert pair[0] == pair[1]


def test_an_opt_out_reaches_nobody_at_another_agency(cast: Cast) -> None:
    store(cast.db, text_of("STOP", from_phone=STRANGER_PHONE), NOON)  # to Sunrise, who does not know that phone
    with cast.db.agency_session(cast.other_id) as session:
        assert session.execute(text("SELECT count(*) FROM consent_events WHERE kind = 'opted_out'")).scalar_one() == 0


def daughter(cast: Cast) -> None:
    """Ana is also Rose's daughter: her phone is a contact."""
    with cast.db.agency_session(cast.id) as session:
        session.add(
            Contact(
                agency_id=cast.id,
                patient_id=cast.rose,
                relationship="family",
                phone=ANA_PHONE,
                phone_hash=encryption.phone_hash(ANA_PHONE),
                phone_kind="mobile",
            )
        )


@pytest.mark.parametrize(
    ("body", "to", "is_nurse"),
    [
        ("4821", SUNRISE_PAGES, True),  # a code takes an alert
        ("mom is worse", SUNRISE_NUMBER, False),
        ("Y", SUNRISE_NUMBER, False),
        ("STOP", SUNRISE_NUMBER, False),
        ("STOP", SUNRISE_PAGES, True),  # she answers the pages, not her mother's reminders
        ("what?", SUNRISE_PAGES, True),
    ],
)
def test_a_nurse_who_is_also_a_daughter(cast: Cast, body: str, to: str, is_nurse: bool) -> None:
    daughter(cast)
    store(cast.db, text_of(body, from_phone=ANA_PHONE, to=to), NOON)
    (reply,) = replies(cast)
    assert (reply.clinician_id == cast.ana, reply.contact_id is not None) == (is_nurse, not is_nurse)


def test_a_nurse_who_left_takes_no_alerts(cast: Cast) -> None:
    """Her text is kept, and comes from nobody we know: a person looks at it."""
    with cast.db.agency_session(cast.id) as session:
        session.get_one(Clinician, (cast.id, cast.ben)).left_on = NOON.date()
    store(cast.db, text_of("4821", from_phone=BEN_PHONE, to=SUNRISE_PAGES), NOON)
    (reply,) = replies(cast)
    assert (reply.clinician_id, reply.contact_id) == (None, None)


def test_one_phone_of_two_patients_answers_for_the_one_texted_last(desk: Desk) -> None:
    with desk.cast.db.agency_session(desk.cast.id) as session:
        marta = session.get_one(Contact, (desk.cast.id, desk.cast.marta_contact))
        marta.phone, marta.phone_hash = ROSE_PHONE, encryption.phone_hash(ROSE_PHONE)
    for contact in (desk.cast.rose_contact, desk.cast.marta_contact):
        desk.checkin(contact)
        desk.dispatch()
        desk.time.tick(timedelta(minutes=1))
        store(desk.cast.db, text_of("4", sid=str(contact + 10)), clock.now())
    assert [reply.contact_id for reply in replies(desk.cast)] == [desk.cast.rose_contact, desk.cast.marta_contact]


def test_a_text_to_a_number_that_no_agency_has_is_kept(cast: Cast) -> None:
    for _ in range(2):
        assert store(cast.db, text_of(to=NOWHERE), NOON) is Stored.UNROUTED
    with cast.db.system_session("test") as session:
        (row,) = session.execute(text("SELECT sid, sent_to, phone, body FROM unrouted_replies")).all()
    assert row.sent_to == NOWHERE
    assert b"hello" not in bytes(row.body)
    assert replies(cast) == []


def test_a_zero_character_costs_no_words(desk: Desk) -> None:
    desk.fake.text_in(ROSE_PHONE, SUNRISE_NUMBER, "my ch\x00est hurts")
    desk.fake.deliver_due()
    assert [reply.body for reply in replies(desk.cast)] == ["my chest hurts"]


def test_an_error_of_ours_says_nothing_of_anybody(desk: Desk, capfd: pytest.CaptureFixture[str]) -> None:
    """The table is gone: 500, so that Twilio's log keeps the text for the sweep; neither answer nor log has its words."""
    log.configure("WARNING", as_json=True)
    with desk.cast.db.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE replies CASCADE")
    desk.fake.text_in(ROSE_PHONE, SUNRISE_NUMBER, "my husband died")
    desk.fake.deliver_due()
    (failure,) = desk.forgive()
    assert failure.status == 500
    said = capfd.readouterr()
    assert "a request failed" in said.err
    for secret in ("husband", ROSE_PHONE, "5550111"):
        assert secret not in said.err + said.out + failure.error


# --- while we were down -----------------------------------------------------------------------------------------------


def down(desk: Desk, *texts: tuple[str, float]) -> None:
    """People text while our web is down: each body so many minutes after now."""
    for number in (SUNRISE_NUMBER, SUNRISE_PAGES):
        desk.fake.add_number(number, inbound_url="http://127.0.0.1:9/nobody")
    start = clock.now()
    for body, minutes in texts:
        desk.fake.text_in(ROSE_PHONE, SUNRISE_NUMBER, body, at=start + timedelta(minutes=minutes))
    desk.time.move_to(start + timedelta(minutes=max(minutes for _, minutes in texts)))
    desk.fake.deliver_due()
    assert len(desk.forgive()) == len(texts)


def swept(desk: Desk) -> int:
    return sweep(desk.cast.db, desk.gateway, clock.now())


def test_texts_sent_while_we_were_down_are_fetched_once(desk: Desk) -> None:
    down(desk, ("my leg is swollen", 1), ("are you there?", 2))
    desk.time.tick(timedelta(hours=1))
    assert swept(desk) == 2
    assert [reply.body for reply in replies(desk.cast)] == ["my leg is swollen", "are you there?"]
    assert swept(desk) == 0
    desk.time.tick(timedelta(hours=1))
    assert swept(desk) == 0


def test_a_swept_text_counts_from_when_it_was_written(desk: Desk) -> None:
    down(desk, ("2", 5))
    desk.time.tick(timedelta(hours=7))
    swept(desk)
    (reply,) = replies(desk.cast)
    assert reply.received_at == NOON + timedelta(minutes=5)


@pytest.mark.parametrize(
    ("bodies", "last"),
    [(("STOP", "START"), "opted_in"), (("START", "STOP"), "opted_out"), (("STOP", "START", "STOP"), "opted_out")],
)
def test_of_stop_and_start_the_later_one_stands(desk: Desk, bodies: tuple[str, ...], last: str) -> None:
    down(desk, *[(body, minute) for minute, body in enumerate(bodies, start=1)])
    desk.time.tick(timedelta(minutes=10))
    swept(desk)
    assert words_of_the_phone(desk.cast)[-1] == last


def test_a_stop_swept_late_does_not_undo_a_start_that_came_by_itself(desk: Desk) -> None:
    down(desk, ("STOP", 1))
    desk.time.tick(timedelta(minutes=5))
    store(desk.cast.db, text_of("START", sid="77"), clock.now())
    desk.time.tick(timedelta(minutes=5))
    swept(desk)
    assert words_of_the_phone(desk.cast) == ["opted_out", "opted_in"]


def test_what_was_posted_is_not_swept_again(desk: Desk) -> None:
    desk.fake.text_in(ROSE_PHONE, SUNRISE_NUMBER, "STOP")
    desk.fake.deliver_due()
    assert swept(desk) == 0
    assert words_of_the_phone(desk.cast) == ["opted_out"]


def test_a_log_that_cannot_be_read_is_swept_from_the_same_point_next_time(desk: Desk) -> None:
    down(desk, ("help me", 1))
    desk.time.tick(timedelta(minutes=1))
    desk.fake.next_look("503_before", times=3)
    assert swept(desk) == 0
    desk.time.tick(timedelta(hours=3))
    assert swept(desk) == 1
