"""The escalation on real rows: one broken alert keeps no other from its nurse; two workers page nobody twice."""

import threading
from datetime import timedelta

from sqlalchemy import select, text

from engage.alerts.escalate import escalate
from engage.alerts.opening import Reason, open_alert
from engage.alerts.rules.words import AlertKind
from engage.outreach.model import Message
from tests.cast import NOON, Cast


def alert(cast: Cast, agency: int, patient: int | None, kind: AlertKind = AlertKind.URGENT) -> int:
    with cast.db.agency_session(agency) as session:
        return open_alert(session, Reason(kind, agency, patient), NOON)


def pages(cast: Cast) -> list[Message]:
    with cast.db.agency_session(cast.id) as session:
        return list(session.scalars(select(Message).where(Message.kind == "page").order_by(Message.id)))


def test_an_alert_that_cannot_climb_keeps_no_other_from_its_nurse(cast: Cast) -> None:
    alert(cast, cast.other_id, cast.stranger)
    with cast.db.system_session(
        "test"
    ) as session:  # a shift in a place that no map knows: a rule to PostgreSQL, nothing to Python
        session.execute(
            text(
                "INSERT INTO clinicians (agency_id, emr_id, first_name, last_name, role)"
                " VALUES (:agency, 'x', 'X', 'Tester', 'nurse')"
            ),
            {"agency": cast.other_id},
        )
        session.execute(
            text(
                "INSERT INTO shifts (agency_id, clinician_id, weekdays, starts, ends)"
                " SELECT agency_id, id, '{0,1,2,3,4,5,6}', '00:00', '00:00' FROM clinicians WHERE agency_id = :agency"
            ),
            {"agency": cast.other_id},
        )
        session.execute(text("UPDATE agencies SET time_zone = 'Nowhere+5' WHERE id = :id"), {"id": cast.other_id})
    alert(cast, cast.id, cast.rose)
    assert escalate(cast.db, NOON).paged == 1
    assert [page.clinician_id for page in pages(cast)] == [cast.ana]


def test_two_workers_at_once_page_nobody_twice(cast: Cast) -> None:
    for kind in (AlertKind.URGENT, AlertKind.OPT_OUT, AlertKind.DEATH):  # three pieces of work, not one story
        alert(cast, cast.id, cast.rose, kind)
    starts = threading.Barrier(2)

    def run() -> None:
        starts.wait()
        escalate(cast.db, NOON)

    workers = [threading.Thread(target=run) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted((page.alert_id, page.clinician_id) for page in pages(cast)) == [(n, cast.ana) for n in (1, 2, 3)]


def test_the_same_reason_again_is_evidence_and_no_second_alert(cast: Cast) -> None:
    first = alert(cast, cast.id, cast.rose)
    assert alert(cast, cast.id, cast.rose) == first
    assert escalate(cast.db, NOON).paged == 1


def test_an_alert_without_anybody_to_page_is_exhausted_loudly(cast: Cast) -> None:
    with cast.db.agency_session(cast.id) as session:
        # they want texts only, and have stopped them
        session.execute(text("UPDATE clinicians SET texts_stopped_at = :now, page_channels = '{sms}'"), {"now": NOON})
    alert(cast, cast.id, cast.rose)
    assert escalate(cast.db, NOON).exhausted == 1
    with cast.db.agency_session(cast.id) as session:
        rows = session.execute(text("SELECT kind, state, exhausted_at, next_due_at FROM alerts ORDER BY id")).all()
    # and that nobody could be reached is told by an alert of its own, which goes to the supervisors at the next run
    assert [tuple(row) for row in rows] == [("urgent", "open", NOON, None), ("nurse_unreachable", "open", None, NOON)]
    assert escalate(cast.db, NOON).exhausted == 1  # here they cannot be reached either: it does not breed another one
    assert escalate(cast.db, NOON).exhausted == 0


def test_nothing_happens_before_its_time(cast: Cast) -> None:
    alert(cast, cast.id, cast.rose)
    escalate(cast.db, NOON)
    assert escalate(cast.db, NOON + timedelta(minutes=9)).paged == 0
    assert escalate(cast.db, NOON + timedelta(minutes=10)).paged == 1
