"""Who may send a text: claims under load, by two at once, after a crash, after a sleep; and records that come too late."""

import threading
import uuid
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import text

from engage import clock
from engage.db import Database
from engage.outreach.claim import expire
from engage.outreach.dispatch import Limits, dispatch
from engage.outreach.record import record
from engage.sms.texts import Accepted, Refused, TryLater, Uncertain
from tests.flows.outreach.desk import Desk

LEASE = timedelta(seconds=90)
# Each answer to somebody else, or the guard against loops would stop them; every text arrives at Rose's all the same.
FILL = """
WITH family AS (
    INSERT INTO contacts (agency_id, patient_id, relationship, phone, phone_hash, phone_kind)
    SELECT c.agency_id, c.patient_id, 'family', c.phone, sha256(n::text::bytea), 'mobile'
    FROM contacts c, generate_series(1, :many) n WHERE c.id = :contact RETURNING id)
INSERT INTO messages (agency_id, kind, priority, patient_id, contact_id, template, planned_at, send_at, due_at, expires_at)
SELECT :agency, 'answer', 1, :patient, f.id, 'answer-confirmed', :now, :now, :now, CAST(:now AS timestamptz) + interval '2 hours'
FROM family f
"""


def fill(desk: Desk, many: int) -> None:
    cast = desk.cast
    desk.sql(FILL, agency=cast.id, patient=cast.rose, contact=cast.rose_contact, many=many, now=clock.now())


class AfterOneBatch:
    """Says stop once the first batch is claimed: every text of it is handed back instead of sent."""

    def __init__(self) -> None:
        self.asked = False

    def is_set(self) -> bool:
        asked, self.asked = self.asked, True
        return asked


def test_a_dispatcher_that_polled_an_empty_outbox_claims_no_more_than_its_batch(desk: Desk) -> None:
    """psycopg prepares after five executions, and a plan made for no rows once took all of them (facts: stack, trap 1)."""
    one = Database(desk.cast.db.url, pool_size=1)
    limits = Limits(public_url=desk.web, batch=500, at_once=500)
    for _ in range(20):
        dispatch(one, desk.gateway, desk.codes, limits)
    fill(desk, 3000)
    done = dispatch(one, desk.gateway, desk.codes, limits, AfterOneBatch())
    one.close()
    assert done.released == 500
    assert desk.sql("SELECT attempts, count(*) FROM messages GROUP BY 1 ORDER BY 1") == [(0, 2500), (1, 500)]
    assert desk.fake.messages == []


def test_what_has_lapsed_or_expired_is_also_taken_in_measure_after_empty_polls(desk: Desk) -> None:
    one = Database(desk.cast.db.url, pool_size=1)
    limits = Limits(public_url=desk.web, batch=10)
    for _ in range(20):
        dispatch(one, desk.gateway, desk.codes, limits)
    fill(desk, 6000)
    desk.time.tick(timedelta(hours=3))
    expire(one, clock.now())
    one.close()
    assert desk.sql("SELECT state, count(*) FROM messages GROUP BY 1 ORDER BY 1") == [
        ("expired", 5000),
        ("planned", 1000),
    ]


def test_two_dispatchers_at_once_never_send_one_text_twice(desk: Desk) -> None:
    fill(desk, 120)
    starts = threading.Barrier(3)

    def run() -> None:
        starts.wait()
        desk.dispatch(batch=7)

    workers = [threading.Thread(target=run) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    sent = Counter(message.client_ref["m"] for message in desk.fake.messages)
    assert len(sent) == 120
    assert set(sent.values()) == {1}
    assert desk.count("SELECT count(*) FROM messages WHERE state = 'accepted' AND attempts = 1") == 120


def test_a_dispatcher_that_died_before_sending_costs_only_time(desk: Desk) -> None:
    message = claimed_and_died(desk)
    desk.time.tick(LEASE - timedelta(seconds=1))
    desk.reconcile()
    assert desk.state(message) == "sending"
    desk.time.tick(timedelta(seconds=2))
    assert desk.reconcile().lapsed == 1
    assert desk.settle().given_back == 1
    desk.dispatch()
    desk.deliver()
    assert desk.state(message) == "delivered"
    assert len(desk.texts()) == 1


def test_a_dispatcher_that_died_after_sending_is_found_out(desk: Desk) -> None:
    desk.fake.behaviour.rate_callback_lost = 1
    message = desk.answer()
    desk.dispatch()
    desk.sql(
        "UPDATE messages SET state = 'sending', sid = NULL, accepted_at = NULL, lease_until = claimed_at + interval '90 s'"
    )
    desk.time.tick(LEASE + timedelta(seconds=1))
    assert desk.reconcile().lapsed == 1
    assert desk.settle().adopted == 1
    assert desk.row(message).sid == desk.fake.messages[0].sid
    assert desk.dispatch().sent == 0


@pytest.mark.parametrize("minutes", [-1.5, 1.5])
def test_clocks_that_differ_do_not_double_a_text(desk: Desk, minutes: float) -> None:
    message = desk.answer()
    desk.fake.behaviour.rate_callback_lost = 1
    desk.fake.next_create("drop_after")
    desk.dispatch()
    desk.fake.messages[0].created_at += timedelta(minutes=minutes)  # as Twilio's clock has it
    assert desk.settle().adopted == 1
    assert desk.state(message) == "accepted"


def test_a_machine_that_slept_between_claim_and_send_does_not_send(desk: Desk) -> None:
    """Its lease lapsed, reconciliation gave the text back and another worker sent it: then it wakes up."""
    message = desk.answer()
    done = desk.dispatch(stop=Sleep(desk, LEASE + timedelta(seconds=5)))
    assert done.released == 1
    desk.dispatch()
    desk.deliver()
    assert (desk.state(message), desk.row(message).attempts) == ("delivered", 2)
    assert len(desk.fake.messages) == 1


def test_a_batch_that_waits_too_long_is_handed_back_while_the_lease_still_holds(desk: Desk) -> None:
    fill(desk, 3)
    done = desk.dispatch(stop=Sleep(desk, timedelta(seconds=10)))
    assert done.released == 3
    assert done.sent == 3  # in the next batch of the same run, under a new claim
    assert len(desk.fake.messages) == 3


@pytest.mark.parametrize(
    "outcome",
    [
        Accepted("SM" + "e" * 32, "queued", 1),
        Refused(400, 21610, "x"),
        TryLater(20429, 5),
        Uncertain("time-out"),
        None,
    ],
    ids=lambda outcome: type(outcome).__name__,
)
def test_a_late_record_of_an_old_attempt_changes_nothing(desk: Desk, outcome: object) -> None:
    message = claimed_and_died(desk)
    old = desk.row(message).attempt_id
    assert old is not None
    give_back(desk)
    desk.dispatch()
    before = facts(desk, message)
    assert before["state"] == "accepted"
    record(desk.cast.db, desk.codes, [(message, old, outcome)], clock.now())  # type: ignore[list-item]
    assert facts(desk, message) == before


@pytest.mark.parametrize("state", ["unknown", "planned"])
def test_a_late_yes_of_the_last_attempt_still_counts(desk: Desk, state: str) -> None:
    """The row lapsed (and was even given back) while the answer was on its way: Twilio has it, so it is not sent again."""
    message = claimed_and_died(desk)
    row = desk.row(message)
    assert row.attempt_id is not None
    if state == "unknown":
        desk.fake.next_look("503_before")
    give_back(desk)
    assert desk.state(message) == state
    sid = "SM" + "e" * 32
    record(desk.cast.db, desk.codes, [(message, row.attempt_id, Accepted(sid, "queued", 1))], clock.now())
    row = desk.row(message)
    assert (row.state, row.sid, row.reason) == ("accepted", sid, None)
    assert desk.dispatch().sent == 0


def test_an_unknown_text_whose_sid_is_its_own_is_not_given_back(desk: Desk) -> None:
    """A SID on the row itself is not somebody else's: reconciliation must adopt it."""
    message = desk.answer()
    desk.fake.behaviour.rate_callback_lost = 1
    desk.dispatch()
    desk.sql("UPDATE messages SET state = 'unknown', due_at = :now", now=clock.now())
    assert desk.settle().adopted == 1
    assert desk.state(message) == "accepted"
    assert len(desk.fake.messages) == 1


def test_a_receipt_that_said_nothing_does_not_hide_the_text(desk: Desk) -> None:
    """A status Engage has never heard of is stored and moves nothing; the SID is still this message's own."""
    message = desk.answer()
    desk.fake.behaviour.rate_callback_lost = 1
    desk.fake.next_create("drop_after")
    desk.dispatch()
    desk.sql(
        "INSERT INTO receipts (agency_id, message_id, sid, status, received_at) VALUES (:agency, :id, :sid, 'pondering', :now)",
        agency=desk.cast.id,
        id=message,
        sid=desk.fake.messages[0].sid,
        now=clock.now(),
    )
    assert desk.settle().adopted == 1


def test_one_row_that_cannot_be_settled_does_not_stop_the_others(desk: Desk) -> None:
    broken, fine = desk.answer(), desk.answer(contact=desk.cast.marta_contact)
    desk.fake.next_create("500_before", times=2)
    desk.dispatch()
    with desk.cast.db.system_session("test") as session:
        session.execute(
            text("UPDATE contacts SET phone = :junk WHERE id = :id"),
            {"junk": b"\x01\x00junk", "id": desk.cast.rose_contact},
        )
    desk.settle()
    assert (desk.state(broken), desk.state(fine)) == ("unknown", "planned")


def test_one_phone_that_does_not_open_does_not_stop_the_others(desk: Desk) -> None:
    broken, fine = desk.answer(), desk.answer(contact=desk.cast.marta_contact)
    desk.sql("UPDATE contacts SET phone = decode('010000', 'hex') WHERE id = :id", id=desk.cast.rose_contact)
    desk.dispatch()
    assert desk.state(fine) == "accepted"
    row = desk.row(broken)
    assert (row.state, row.reason) == ("planned", "facts_unreadable")  # a key may be missing only here: not lost
    assert row.due_at > clock.now()


def test_a_page_to_a_nurse_whose_phone_was_taken_out_ends(desk: Desk) -> None:
    page = desk.note()
    desk.fake.next_create("500_before")
    desk.dispatch()
    desk.sql("UPDATE clinicians SET phone = NULL, phone_hash = NULL WHERE id = :id", id=desk.cast.ana)
    assert desk.settle().given_back == 1
    desk.dispatch()
    assert (desk.row(page).state, desk.row(page).reason) == ("suppressed", "no_phone")


class Sleep:
    """A machine that sleeps at the worst moment: just before the first text of the batch leaves."""

    def __init__(self, desk: Desk, nap: timedelta) -> None:
        self.desk = desk
        self.nap = nap
        self.has_slept = False

    def is_set(self) -> bool:
        is_sender = threading.current_thread().name == "line"
        if is_sender and not self.has_slept:
            self.has_slept = True
            self.desk.time.tick(self.nap)
            self.desk.reconcile()
            self.desk.settle()
        return False


def give_back(desk: Desk) -> None:
    """Let the lease lapse and reconciliation decide."""
    desk.time.tick(LEASE + timedelta(seconds=1))
    desk.reconcile()
    desk.settle()


def claimed_and_died(desk: Desk) -> int:
    """A message as a dispatcher leaves it that is killed between claim and send."""
    message = desk.answer()
    desk.dispatch(stop=AfterOneBatch())
    desk.sql(
        "UPDATE messages SET state = 'sending', attempt_id = :attempt, claimed_at = :now, lease_until = :lease",
        attempt=uuid.uuid4(),
        now=clock.now(),
        lease=clock.now() + LEASE,
    )
    return message


def facts(desk: Desk, message: int) -> dict[str, object]:
    row = desk.sql("SELECT * FROM messages WHERE id = :id", id=message)[0]
    return dict(row._mapping)
