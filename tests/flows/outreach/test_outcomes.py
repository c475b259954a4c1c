"""Every answer Twilio can give to a text: what the row says, when it is tried again, and that the phone gets one text."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from engage import clock
from engage.agencies.model import Sender
from engage.outreach.model import Template
from engage.patients.model import Contact, Patient
from tests.cast import ANA_PHONE, MARTA_PHONE, NOON, ROSE_PHONE
from tests.flows.outreach.desk import Desk

NIGHT = datetime(2026, 11, 23, 3, 30, tzinfo=UTC)  # 22:30 on Sunday in New York
MORNING = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)  # 08:00 on Monday


def test_a_text_is_accepted_and_delivered(desk: Desk) -> None:
    message = desk.answer()
    assert desk.dispatch().sent == 1
    row = desk.row(message)
    assert (row.state, row.attempts, row.lease_until, row.reason) == ("accepted", 1, None, None)
    assert row.sid == desk.fake.messages[0].sid
    desk.deliver()
    row = desk.row(message)
    assert (row.state, row.ended_at is not None) == ("delivered", True)
    assert [row.body] == desk.texts()
    assert desk.fake.messages[0].client_ref.keys() == {"m"}  # our own opaque id went along


@pytest.mark.parametrize(("order", "seconds"), [("429:3", 3), ("429:40", 40), ("429:0", 1)])
def test_busy_is_tried_again_when_twilio_says(desk: Desk, order: str, seconds: int) -> None:
    message = desk.answer()
    desk.fake.next_create(order)
    desk.dispatch()
    row = desk.row(message)
    assert (row.state, row.reason, row.lease_until) == ("planned", "provider_busy", None)
    assert row.due_at == clock.now() + timedelta(seconds=seconds)
    desk.time.tick(timedelta(seconds=seconds))
    desk.dispatch()
    desk.deliver()
    assert desk.state(message) == "delivered"
    assert len(desk.texts()) == 1


def test_busy_without_a_time_waits_a_moment(desk: Desk) -> None:
    desk.fake.behaviour.retry_after = None
    message = desk.answer()
    desk.fake.next_create("429")
    desk.dispatch()
    assert desk.row(message).due_at > clock.now()


def test_busy_until_it_is_too_late_expires(desk: Desk) -> None:
    message = desk.answer()
    desk.fake.next_create("429:999999")
    desk.dispatch()
    desk.time.tick(timedelta(days=12))
    assert desk.dispatch().sent == 0
    row = desk.row(message)
    assert (row.state, row.reason) == ("expired", "too_late")


@pytest.mark.parametrize("order", ["500_after", "503_after", "drop_after"])
def test_a_lost_answer_is_unknown_and_found_in_the_log(desk: Desk, order: str) -> None:
    message = desk.answer()
    desk.fake.behaviour.rate_callback_lost = 1  # the log alone must settle it
    desk.fake.next_create(order)
    desk.dispatch()
    row = desk.row(message)
    assert (row.state, row.sid, row.lease_until) == ("unknown", None, None)
    assert desk.dispatch().sent == 0  # nothing unknown is sent again
    desk.deliver()
    done = desk.settle()
    assert (done.adopted, done.given_back) == (1, 0)
    row = desk.row(message)
    assert (row.state, row.sid) == ("delivered", desk.fake.messages[0].sid)
    assert len(desk.texts()) == len(desk.fake.messages) == 1


def test_an_answer_beyond_our_patience_is_unknown_and_found(desk: Desk) -> None:
    message = desk.answer()
    desk.fake.next_create("slow:1.5")
    with desk.hasty() as gateway:
        desk.dispatch(gateway=gateway)
    assert desk.state(message) == "unknown"
    assert desk.settle().adopted == 1
    desk.deliver()
    assert desk.state(message) == "delivered"
    assert len(desk.texts()) == 1


def test_what_is_too_young_is_not_looked_up(desk: Desk) -> None:
    desk.answer()
    desk.fake.next_create("500_before")
    desk.dispatch()
    desk.time.tick(timedelta(seconds=30))
    done = desk.reconcile()
    assert (done.adopted, done.given_back) == (0, 0)  # Twilio's log may be a little behind


def test_a_text_that_twilio_never_took_is_given_back_and_sent_once(desk: Desk) -> None:
    message = desk.answer()
    desk.fake.next_create("500_before")
    desk.dispatch()
    assert desk.state(message) == "unknown"
    assert desk.settle().given_back == 1
    row = desk.row(message)
    assert (row.state, row.reason, row.due_at) == ("planned", "never_reached_twilio", clock.now())
    desk.dispatch()
    desk.deliver()
    row = desk.row(message)
    assert (row.state, row.attempts, row.reason) == ("delivered", 2, None)
    assert len(desk.texts()) == 1


def test_a_text_that_never_left_and_is_no_longer_useful_is_cancelled(desk: Desk) -> None:
    message = desk.checkin(expires_at=clock.now() + timedelta(seconds=65))
    desk.fake.next_create("500_before")
    desk.dispatch()
    desk.settle()
    row = desk.row(message)
    assert (row.state, row.reason, row.ended_at) == ("cancelled", "never_sent", clock.now())


def test_while_the_log_cannot_be_read_nothing_is_decided(desk: Desk) -> None:
    message = desk.answer()
    desk.fake.next_create("500_before")
    desk.dispatch()
    desk.fake.next_look("503_before")
    done = desk.settle()
    assert (done.unavailable, done.given_back) == (True, 0)
    assert desk.state(message) == "unknown"
    assert desk.reconcile().given_back == 1


def test_two_texts_with_the_same_words_to_one_phone_are_two(desk: Desk) -> None:
    first, second = desk.answer(), desk.answer()
    desk.fake.next_create("drop_after", times=2)
    desk.fake.behaviour.rate_callback_lost = 1
    desk.dispatch()
    desk.deliver()
    assert desk.settle().adopted == 2
    assert {desk.row(first).sid, desk.row(second).sid} == {sent.sid for sent in desk.fake.messages}
    assert desk.dispatch().sent == 0


def test_an_opt_out_that_only_twilio_knows_is_recorded_once(desk: Desk) -> None:
    first, second = desk.checkin(), desk.checkin()
    desk.fake.next_create("refuse:21610", times=2)
    desk.dispatch(batch=1, at_once=1)
    assert (desk.row(first).state, desk.row(first).reason, desk.row(first).error_code) == ("failed", "opted_out", 21610)
    assert (desk.row(second).state, desk.row(second).reason) == ("suppressed", "opted_out")
    assert opt_outs(desk) == 1


def test_two_refusals_at_once_record_one_opt_out(desk: Desk) -> None:
    for _ in range(3):
        desk.checkin()
    desk.fake.next_create("refuse:21610", times=3)
    desk.dispatch()
    assert opt_outs(desk) == 1


def test_an_opt_out_reported_by_receipt_is_recorded_once(desk: Desk) -> None:
    desk.fake.behaviour.opt_out_mode = "callback"
    desk.phones[ROSE_PHONE].opted_out = True
    message = desk.checkin()
    desk.dispatch()
    desk.deliver()
    row = desk.row(message)
    assert (row.state, row.reason, row.error_code) == ("failed", "opted_out", 21610)
    assert opt_outs(desk) == 1
    assert desk.texts() == []


def test_a_nurse_who_stopped_at_twilio_is_known_to_have_stopped(desk: Desk) -> None:
    page = desk.note()
    desk.fake.next_create("refuse:21610")
    desk.dispatch()
    assert desk.state(page) == "failed"
    assert desk.count("SELECT count(*) FROM clinicians WHERE texts_stopped_at IS NOT NULL") == 1
    assert opt_outs(desk) == 0
    assert desk.texts(ANA_PHONE) == []


@pytest.mark.parametrize(
    ("kind", "code", "reason", "mark"),
    [
        ("landline", 30006, "permanent_number", "landline"),
        ("gone", 30005, "permanent_number", "unreachable"),
        ("filtered", 30007, "permanent_message", "mobile"),  # the wording was refused, not the phone
        ("unreachable", 30003, "retry_later", "mobile"),  # off for a while
    ],
)
def test_a_phone_that_gets_no_texts_is_marked(desk: Desk, kind: str, code: int, reason: str, mark: str) -> None:
    desk.phones[ROSE_PHONE].kind = kind  # type: ignore[assignment]
    message, next_one = desk.checkin(), desk.checkin(due_at=NOON + timedelta(hours=1))
    desk.dispatch()
    desk.deliver()
    row = desk.row(message)
    assert (row.state, row.reason, row.error_code) == ("undelivered", reason, code)
    assert desk.sql("SELECT phone_kind FROM contacts WHERE id = :id", id=desk.cast.rose_contact) == [(mark,)]
    desk.phones[ROSE_PHONE].kind = "mobile"
    desk.time.move_to(NOON + timedelta(hours=1))
    desk.dispatch()
    assert desk.state(next_one) == ("accepted" if mark == "mobile" else "suppressed")


def test_a_wrong_password_stops_everything_and_gives_the_rest_back(desk: Desk) -> None:
    messages = [desk.answer(contact=who) for who in (desk.cast.rose_contact, desk.cast.marta_contact) * 6]
    desk.fake.next_create("refuse:20003", times=12)
    done = desk.dispatch(at_once=1)
    assert done.stopped_by == 401
    assert done.sent == 0
    rows = [desk.row(message) for message in messages]
    assert {row.state for row in rows} == {"planned"}
    assert all(row.lease_until is None for row in rows)
    assert "sending_stopped" in {row.reason for row in rows}
    assert [request.status for request in desk.fake.requests].count(401) < 12  # not one request for each of them
    assert desk.dispatch().stopped == "stopped"  # every worker reads it
    while "planned" in {
        desk.state(message) for message in messages
    }:  # one try at a time meets the rest of the refusals
        desk.time.tick(timedelta(minutes=5))
        desk.dispatch()
    assert {desk.state(message) for message in messages} == {"accepted"}


def test_twilio_out_of_reach_costs_no_text(desk: Desk) -> None:
    message = desk.answer()
    desk.fake.stop()
    desk.dispatch()
    desk.fake.start()
    assert (desk.row(message).state, desk.row(message).reason) == ("planned", "provider_busy")
    desk.time.tick(timedelta(minutes=1))
    desk.dispatch()
    desk.deliver()
    assert len(desk.texts()) == 1


def test_what_has_expired_is_never_sent(desk: Desk) -> None:
    message = desk.checkin()
    desk.time.tick(timedelta(hours=3))
    assert desk.dispatch().sent == 0
    row = desk.row(message)
    assert (row.state, row.reason, row.attempts) == ("expired", "too_late", 0)
    assert desk.fake.messages == []


def test_at_night_a_text_is_held_and_leaves_in_the_morning(desk: Desk) -> None:
    desk.time.move_to(NIGHT)
    message = desk.checkin(expires_at=NIGHT + timedelta(hours=12))
    assert desk.dispatch().held == 1
    row = desk.row(message)
    assert (row.state, row.reason, row.due_at) == ("planned", "quiet_hours", MORNING)
    desk.time.move_to(MORNING - timedelta(seconds=1))
    assert desk.dispatch().sent == 0
    desk.time.move_to(MORNING)
    assert desk.dispatch().sent == 1
    assert desk.row(message).reason is None


def test_at_night_a_text_that_would_be_late_in_the_morning_expires(desk: Desk) -> None:
    desk.time.move_to(NIGHT)
    message = desk.checkin()
    desk.dispatch()
    assert (desk.row(message).state, desk.row(message).reason) == ("expired", "too_late")


def test_an_answer_leaves_at_night(desk: Desk) -> None:
    desk.time.move_to(NIGHT)
    desk.answer()
    assert desk.dispatch().sent == 1


def test_a_paused_answer_never_loops(desk: Desk) -> None:
    """Twilio asks for zero seconds again and again: one run does not ask it for ever."""
    desk.answer()
    desk.fake.next_create("429:0", times=50)
    desk.dispatch()
    assert len(desk.fake.requests) == 1


@pytest.mark.parametrize("batch", [1, 3, 200])
def test_the_daily_cap_holds_whatever_is_claimed_together(desk: Desk, batch: int) -> None:
    desk.sql("UPDATE agencies SET daily_cap = 2 WHERE id = :id", id=desk.cast.id)
    messages = [desk.checkin() for _ in range(5)]
    desk.checkin(desk.cast.marta_contact)
    desk.dispatch(batch=batch)
    desk.deliver()
    rows = [desk.row(message) for message in messages]
    assert [(row.state, row.reason) for row in rows] == [("delivered", None)] * 2 + [("suppressed", "daily_cap")] * 3
    assert len(desk.texts()) == 2
    assert len(desk.texts(MARTA_PHONE)) == 1  # the cap is each reader's own


def test_the_weekly_cap_counts_seven_days(desk: Desk) -> None:
    desk.sql("UPDATE agencies SET weekly_cap = 1 WHERE id = :id", id=desk.cast.id)
    desk.checkin()
    desk.dispatch()
    for days, state in ((6, "suppressed"), (7, "accepted")):
        desk.time.move_to(NOON + timedelta(days=days))
        message = desk.checkin()
        desk.dispatch()
        assert desk.state(message) == state


def test_a_failed_text_does_not_count_for_the_cap(desk: Desk) -> None:
    desk.sql("UPDATE agencies SET daily_cap = 1 WHERE id = :id", id=desk.cast.id)
    desk.checkin()
    desk.fake.next_create("refuse:21617")
    desk.dispatch()
    second = desk.checkin()
    desk.dispatch()
    assert desk.state(second) == "accepted"


def test_nothing_leaves_without_wording(desk: Desk) -> None:
    with desk.cast.db.agency_session(desk.cast.id) as session:
        session.execute(
            update(Template).where(Template.key == "morning-checkin").values(reviewed_at=None, reviewed_by=None)
        )
    message = desk.checkin()
    desk.dispatch()
    assert (desk.row(message).state, desk.row(message).reason) == ("suppressed", "no_wording")


@pytest.mark.parametrize(
    "wording",
    [
        "{{ nobody_told_us }}",  # a placeholder that does not exist
        "{{ agency + 1 }}",
        "{{ 1 // 0 }}",
        "{{ agency.__class__.__mro__ }}",  # the sandbox
        "{{ [1, 2].append(3) }}",
        "{{ range(10 ** 9) | list }}",
        "{% for %}",  # no template at all
        "{{ '' }}  ",  # nothing to send
    ],
)
def test_a_wording_that_does_not_work_harms_nobody_else(desk: Desk, wording: str) -> None:
    with desk.cast.db.agency_session(desk.cast.id) as session:
        session.execute(update(Template).where(Template.key == "morning-checkin").values(wording=wording))
    broken, fine = desk.checkin(), desk.answer()
    desk.dispatch()
    assert (desk.row(broken).state, desk.row(broken).reason) == ("suppressed", "no_wording")
    assert desk.state(fine) == "accepted"


def test_nothing_leaves_without_a_sender(desk: Desk) -> None:
    message = desk.checkin()
    with desk.cast.db.agency_session(desk.cast.id) as session:
        session.execute(update(Sender).where(Sender.purpose == "patients").values(purpose="pages"))
    desk.dispatch()
    assert (desk.row(message).state, desk.row(message).reason) == ("suppressed", "no_sender")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"status": "deceased", "died_on": NOON.date()}, "deceased"),
        ({"status": "discharged"}, "discharged"),
        ({"status": "hospitalized"}, "hospitalized"),
        ({"status": "on_hold"}, "on_hold"),
    ],
)
def test_a_patient_whose_care_changed_since_the_plan_is_left_in_peace(
    desk: Desk, change: dict[str, object], reason: str
) -> None:
    message = desk.checkin()
    with desk.cast.db.agency_session(desk.cast.id) as session:
        session.execute(update(Patient).where(Patient.id == desk.cast.rose).values(**change))
    assert desk.dispatch().dropped == 1
    assert (desk.row(message).state, desk.row(message).reason) == ("suppressed", reason)
    assert desk.fake.messages == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"phone_kind": "wrong_number"}, "wrong_number"), ({"ended_at": NOON}, "contact_ended")],
)
def test_a_contact_that_changed_since_the_plan_is_left_in_peace(
    desk: Desk, change: dict[str, object], reason: str
) -> None:
    message = desk.checkin()
    with desk.cast.db.agency_session(desk.cast.id) as session:
        session.execute(update(Contact).where(Contact.id == desk.cast.rose_contact).values(**change))
    desk.dispatch()
    assert (desk.row(message).state, desk.row(message).reason) == ("suppressed", reason)


def test_pages_leave_before_surveys(desk: Desk) -> None:
    late = desk.checkin(priority=9)
    page = desk.note()
    desk.dispatch(batch=1, stop=AfterOneLook())
    assert (desk.row(page).attempts, desk.row(late).attempts) == (1, 0)


def test_doubled_and_reordered_receipts_all_end_delivered(desk: Desk) -> None:
    desk.fake.behaviour.rate_callback_doubled = desk.fake.behaviour.callbacks_reordered = 0.5
    messages = [desk.answer(contact=who) for who in (desk.cast.rose_contact, desk.cast.marta_contact) * 5]
    desk.dispatch()
    desk.deliver(60)
    assert {desk.state(message) for message in messages} == {"delivered"}


class AfterOneLook:
    """Says stop from the second time on that it is asked: a dispatcher that claims one batch."""

    def __init__(self, looks: int = 1) -> None:
        self.looks = looks

    def is_set(self) -> bool:
        self.looks -= 1
        return self.looks < 0


def opt_outs(desk: Desk) -> int:
    return desk.count("SELECT count(*) FROM consent_events WHERE kind = 'opted_out'")
