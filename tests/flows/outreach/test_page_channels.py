"""Pages on real rows: mail when Twilio is out, a worker that dies with a mail, two workers that join, limits of a person."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from engage import clock
from engage.alerts.bundling import bundle
from engage.alerts.escalate import escalate
from engage.alerts.model import Alert
from engage.alerts.opening import Reason, open_alert
from engage.alerts.rules.words import AlertKind
from engage.alerts.taking import pass_on
from engage.db import encryption
from engage.outreach import stops
from engage.outreach.gather import Terms
from engage.outreach.mail import send_mail
from engage.outreach.mailer import Mailer, MailFailed, MailTaken, OutboundMail
from engage.outreach.rules.paging import Limit
from engage.outreach.stops import Stopped, StopReason
from engage.settings import MailServer
from tests.cast import NOON, Cast
from tests.flows.outreach.desk import Desk
from tests.mailbox import mailbox_of

TERMS = Terms(page_limits=(Limit(1, timedelta(minutes=1)),), public_url="https://engage.example.org")


def raised(cast: Cast, kind: AlertKind = AlertKind.SYMPTOM, patient: int | None = None) -> int:
    with cast.db.agency_session(cast.id) as session:
        return open_alert(session, Reason(kind, cast.id, patient or cast.rose), clock.now())


def rows(cast: Cast) -> list[Any]:
    with cast.db.system_session("test") as session:
        return list(
            session.execute(
                text(
                    "SELECT clinician_id, channel, state, reason, bundle_id FROM messages WHERE kind = 'page' ORDER BY id"
                )
            )
        )


@pytest.fixture
def mailed(desk: Desk) -> Desk:
    """Ana has an address."""
    sealed = encryption.ring().seal("ana@example.org", "clinicians.email")
    desk.sql("UPDATE clinicians SET email = :sealed WHERE id = :ana", sealed=sealed, ana=desk.cast.ana)
    return desk


def test_a_page_leaves_by_mail_while_twilio_takes_nothing(mailed: Desk) -> None:
    desk, cast = mailed, mailed.cast
    stops.stop(cast.db, Stopped(StopReason.REFUSED, 401, 20003), clock.now())
    raised(cast)
    escalate(cast.db, clock.now())
    desk.dispatch()
    assert [row[:3] for row in rows(cast)] == [(cast.ana, "sms", "planned")]
    desk.time.tick(timedelta(seconds=61))
    assert escalate(cast.db, clock.now()).paged == 1
    with mailbox_of() as box:
        mailer = Mailer(MailServer("127.0.0.1", box.port, is_tls=False), "engage@example.com")
        assert send_mail(cast.db, mailer, TERMS).sent == 1
        assert send_mail(cast.db, mailer, TERMS).sent == 0
    assert "https://engage.example.org/page/" in box.mails[0].get_content()
    # the text still goes when Twilio is back, if nobody has taken the alert; no call was planned that could not be made
    assert [row[1:3] for row in rows(cast)] == [("sms", "planned"), ("email", "sent")]
    assert escalate(cast.db, clock.now()).paged == 0


class _Dies(Mailer):
    """A worker is killed while the mail server has the mail."""

    def __init__(self) -> None:
        """No server."""

    def send(self, mail: OutboundMail, now: Any) -> MailTaken | MailFailed:  # noqa: ARG002 - it never comes that far
        raise KeyboardInterrupt


def test_a_worker_dies_with_a_mail_so_the_next_way_is_taken(mailed: Desk) -> None:
    desk, cast = mailed, mailed.cast
    desk.sql("UPDATE clinicians SET page_channels = '{email,sms}'")
    raised(cast)
    escalate(cast.db, clock.now())
    with pytest.raises(KeyboardInterrupt):
        send_mail(cast.db, _Dies(), TERMS)
    assert rows(cast)[0][2] == "sending"
    desk.time.tick(timedelta(minutes=3, seconds=1))
    desk.reconcile()
    desk.settle()
    assert rows(cast)[0][2:4] == ("failed", "mail_lost")
    escalate(cast.db, clock.now())
    assert [row[1:3] for row in rows(cast)] == [("email", "failed"), ("sms", "planned")]


def test_a_mail_about_an_alert_that_was_taken_does_not_leave(mailed: Desk) -> None:
    cast = mailed.cast
    mailed.sql("UPDATE clinicians SET page_channels = '{email}'")
    raised(cast)
    escalate(cast.db, clock.now())
    mailed.sql("UPDATE alerts SET state = 'acknowledged', acknowledged_at = opened_at")
    with mailbox_of() as box:
        mailer = Mailer(MailServer("127.0.0.1", box.port, is_tls=False), "engage@example.com")
        assert send_mail(cast.db, mailer, TERMS).dropped == 1
    assert box.mails == []
    assert rows(cast)[0][2:4] == ("cancelled", "alert_taken")


def test_a_page_that_waits_is_not_about_what_its_reader_has_passed_on(desk: Desk) -> None:
    cast = desk.cast
    alert = raised(cast)
    escalate(cast.db, clock.now())
    desk.time.tick(timedelta(seconds=1))
    with cast.db.agency_session(cast.id) as session:
        pass_on(session, cast.id, cast.ana, session.get_one(Alert, (cast.id, alert)).code, clock.now())
    desk.dispatch(terms=TERMS)
    assert rows(cast)[0][2:4] == ("cancelled", "alert_taken")
    escalate(cast.db, clock.now())
    assert [row[0] for row in rows(cast)] == [cast.ana, cast.ben]


def test_two_workers_join_what_waits_once_and_what_joined_joins_on(cast: Cast) -> None:
    for kind in (AlertKind.SYMPTOM, AlertKind.UNDELIVERABLE):  # two stories each
        raised(cast, kind)
        raised(cast, kind, cast.marta)
    starts = threading.Barrier(2)

    def run() -> None:
        starts.wait()
        escalate(cast.db, NOON)

    workers = [threading.Thread(target=run) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with cast.db.system_session("test") as session:
        bundle(session, NOON)  # one of the two may have had nothing to see
    found = rows(cast)
    speaks = [row for row in found if row.state == "planned"]
    assert (len(found), len(speaks)) == (4, 1)
    assert {row.bundle_id for row in found if row.state == "cancelled"} == {min(row.bundle_id or 1 for row in found)}


def test_a_failed_bundle_is_a_failed_page_of_each_alert(cast: Cast) -> None:
    raised(cast)
    raised(cast, patient=cast.marta)
    escalate(cast.db, NOON)
    with cast.db.system_session("test") as session:
        session.execute(
            text(
                "UPDATE messages SET state = 'failed', reason = 'permanent_number', ended_at = :now WHERE state = 'planned'"
            ),
            {"now": NOON},
        )
        session.execute(text("UPDATE clinicians SET page_channels = '{sms}'"))
    escalate(cast.db, NOON + timedelta(seconds=1))
    assert [(row.clinician_id, row.state, row.reason) for row in rows(cast)] == [
        (cast.ana, "failed", "permanent_number"),
        (cast.ana, "cancelled", "bundled"),
        (cast.ben, "planned", None),
        (cast.ben, "cancelled", "bundled"),
    ]


def test_the_limit_counts_what_went_to_the_person_and_says_until_when(desk: Desk) -> None:
    cast = desk.cast
    raised(cast)
    escalate(cast.db, clock.now())
    desk.dispatch(terms=TERMS)
    desk.time.tick(timedelta(seconds=10))
    raised(cast, patient=cast.marta)
    escalate(cast.db, clock.now())
    desk.dispatch(terms=TERMS)
    ((at, event, reason, until),) = desk.sql("SELECT at, event, reason, until FROM message_events")
    assert (event, reason, until - at) == ("held", "page_pace", timedelta(seconds=50))
    desk.time.tick(timedelta(seconds=50))
    desk.dispatch(terms=TERMS)
    assert [row[1:3] for row in rows(cast)] == [("sms", "accepted"), ("sms", "accepted")]
