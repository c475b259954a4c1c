"""The auditor over a real database: what is forgotten is found, said, repaired if it can be, and kept from the outside's "all well"."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from freezegun import freeze_time
from sqlalchemy import text
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from engage import log
from engage.alerts.auditor import EVERY, audit, look
from engage.alerts.escalate import escalate
from engage.alerts.heartbeat import Heartbeat
from engage.alerts.opening import Reason, open_alert
from engage.alerts.rules.audit import Finding, Found
from engage.alerts.rules.words import AlertKind
from engage.alerts.taking import acknowledge
from engage.reports.health import health
from engage.reports.response import waits
from engage.settings import load
from engage.worker.watch import Watch
from tests.cast import NOON, Cast
from tests.flows.worker.program import wait_until

MINUTE = timedelta(minutes=1)


@dataclass
class Outside:
    """A monitor on the outside: what it was asked, and what it answers."""

    url: str = ""
    status: int = 200
    asked: list[str] = field(default_factory=list)

    def __call__(self) -> bool:
        return Heartbeat(self.url)()


@pytest.fixture
def outside() -> Iterator[Outside]:
    made = Outside()

    @Request.application
    def app(request: Request) -> Response:
        made.asked.append(f"{request.method} {request.full_path} {request.get_data()!r}")
        return Response("OK", made.status, {"Location": made.url} if made.status == 302 else {})

    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}/ping/a-secret"
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def run(cast: Cast, statement: str, **values: object) -> list[tuple[object, ...]]:
    with cast.db.system_session("test") as session:
        done = session.execute(text(statement), values)
        return [tuple(row) for row in done] if done.returns_rows else []


def opened(cast: Cast, kind: AlertKind = AlertKind.URGENT, patient: int | None = None) -> int:
    """An alert, with its first page on a phone."""
    with cast.db.agency_session(cast.id) as session:
        alert = open_alert(session, Reason(kind, cast.id, patient or cast.rose), NOON)
    escalate(cast.db, NOON)
    run(
        cast,
        "UPDATE messages SET state = 'delivered', sid = 'SM' || id, ended_at = :now WHERE kind = 'page' AND state = 'planned'",
        now=NOON,
    )
    return alert


def allow_anything(cast: Cast) -> None:
    """What a broken migration would do: the table no longer refuses an open alert without a next step."""
    with cast.db.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE alerts DROP CONSTRAINT ck_alerts_open_has_next_step")
        connection.exec_driver_sql("ALTER TABLE alerts DROP CONSTRAINT ck_alerts_acknowledgement_ends")


def found(cast: Cast, now=NOON) -> dict[str, int]:  # type: ignore[no-untyped-def]
    return look(cast.db, now).counts()


def test_a_next_step_removed_by_hand_is_found_repaired_and_the_ping_withheld(
    cast: Cast, outside: Outside, capsys: pytest.CaptureFixture[str]
) -> None:
    log.configure("INFO", as_json=True)
    alert = opened(cast)
    done = audit(cast.db, NOON, outside)
    assert done is not None
    assert done.is_clean
    assert outside.asked == ["GET /ping/a-secret? b''"]  # no query, no body: nothing about anybody
    allow_anything(cast)
    run(cast, "UPDATE alerts SET next_due_at = NULL")
    capsys.readouterr()
    later = NOON + MINUTE
    done = audit(cast.db, later, outside)
    assert done is not None
    assert (done.found, done.repaired) == ((Found(Finding.LOST_STEP, 1, (f"{cast.id}/{alert}",)),), 1)
    assert len(outside.asked) == 1  # withheld on that run
    said = capsys.readouterr().err
    assert "an alert had no next step" in said
    assert '"level": "error"' in said
    assert run(cast, "SELECT next_due_at FROM alerts") == [(later,)]
    assert run(cast, "SELECT kind, at, detail->>'by' FROM alert_events ORDER BY id DESC LIMIT 1") == [
        ("repaired", later, "auditor")
    ]
    assert escalate(cast.db, later).paged == 1  # and goes on where it stood
    assert any("had no next step" in problem for problem in health(cast.db, later).problems)
    run(
        cast,
        "UPDATE messages SET state = 'delivered', sid = 'SM' || id, ended_at = :now WHERE state = 'planned'",
        now=later,
    )
    audit(cast.db, later + MINUTE, outside)
    assert len(outside.asked) == 2
    assert health(cast.db, later + MINUTE).audit.repaired == 1


STEPS = [
    ("next_due_at = next_due_at + interval '100 years'", {"lost_step": 1}),
    ("next_due_at = CAST(:now AS timestamptz) + interval '1 day'", {"lost_step": 1}),  # no ladder waits that long
    ("next_due_at = CAST(:now AS timestamptz) - interval '59 seconds'", {}),
    ("next_due_at = CAST(:now AS timestamptz) - interval '61 seconds'", {"overdue": 1}),
    ("next_due_at = NULL, exhausted_at = :now", {"exhausted": 1}),
    ("next_due_at = NULL", {"lost_step": 1}),
    ("state = 'acknowledged', acknowledged_at = :now, next_due_at = NULL", {"lost_step": 1}),
    ("state = 'acknowledged', acknowledged_at = :now, next_due_at = :now + interval '6 days'", {}),
    ("state = 'acknowledged', acknowledged_at = :now, next_due_at = :now + interval '8 days'", {"lost_step": 1}),
    ("state = 'resolved', outcome = 'called', resolved_at = :now, next_due_at = NULL", {}),
]


def test_steps_that_are_lost_late_or_over(cast: Cast) -> None:
    opened(cast)
    assert found(cast) == {}
    allow_anything(cast)
    for change, finds in STEPS:
        run(
            cast,
            "UPDATE alerts SET state = 'open', next_due_at = :soon, exhausted_at = NULL, acknowledged_at = NULL,"
            " resolved_at = NULL, outcome = NULL",
            soon=NOON + MINUTE,
        )
        run(cast, f"UPDATE alerts SET {change.replace(':now +', 'CAST(:now AS timestamptz) +')}", now=NOON)
        assert found(cast) == finds, change
        if "lost_step" in finds:
            assert run(cast, "SELECT next_due_at FROM alerts") == [(NOON,)], change
            assert found(cast) == {}, change


def test_an_alert_that_is_damped_is_not_lost(cast: Cast) -> None:
    """One that comes again and again may wait hours for its first page, but not for ever."""
    with cast.db.agency_session(cast.id) as session:
        open_alert(session, Reason(AlertKind.CALLBACK, cast.id, cast.rose), NOON)
    run(cast, "UPDATE alerts SET next_due_at = :due", due=NOON + 240 * MINUTE)
    assert found(cast) == {}
    run(cast, "UPDATE alerts SET next_due_at = :due", due=NOON + 242 * MINUTE)
    assert found(cast) == {"lost_step": 1}


def test_a_ladder_that_was_shortened_meanwhile_is_no_lost_step(cast: Cast) -> None:
    run(cast, "UPDATE ladder_steps SET wait_minutes = 600")
    opened(cast)
    run(cast, "UPDATE ladder_steps SET wait_minutes = 5")
    assert found(cast) == {}  # its page said until when it holds


def test_an_alert_whose_pages_do_not_arrive(cast: Cast) -> None:
    run(cast, "UPDATE ladder_steps SET wait_minutes = 5")
    opened(cast)
    run(cast, "UPDATE messages SET state = 'sent', ended_at = NULL")
    assert found(cast, NOON + 5 * MINUTE) == {}  # may yet arrive
    late = NOON + 6 * MINUTE + timedelta(seconds=1)
    run(cast, "UPDATE alerts SET next_due_at = :late", late=late)
    assert found(cast, late) == {"no_page": 1}
    with cast.db.agency_session(cast.id) as session:
        (code,) = run(cast, "SELECT code FROM alerts")[0]
        acknowledge(session, cast.id, cast.ana, str(code), late)
    assert found(cast, late) == {}  # somebody has it


SHIFTS = [
    ("UPDATE clinicians SET texts_stopped_at = :now, page_channels = '{sms}' WHERE id = :ben", True),
    ("UPDATE clinicians SET texts_stopped_at = :now WHERE id = :ben", False),  # his phone may still ring
    ("UPDATE clinicians SET left_on = '2026-11-22' WHERE id = :ben AND :now IS NOT NULL", True),
    ("UPDATE clinicians SET texts_stopped_at = :now WHERE id <> :ben", False),  # they have no shift
    ("UPDATE shifts SET last_on = '2026-11-20'", False),  # over since Friday
    ("UPDATE shifts SET first_on = '2026-11-28'", True),
    ("UPDATE shifts SET first_on = '2026-12-01'", False),
    ("UPDATE clinicians SET phone = NULL, phone_hash = NULL WHERE id = :ben AND :now IS NOT NULL", True),
]


def test_people_with_a_shift_whom_no_page_reaches(cast: Cast) -> None:
    for change, is_found in SHIFTS:
        run(cast, "UPDATE clinicians SET texts_stopped_at = NULL, left_on = NULL, page_channels = '{sms,voice,email}'")
        run(cast, "UPDATE shifts SET first_on = NULL, last_on = NULL")
        if "shifts" in change:
            run(cast, "UPDATE clinicians SET texts_stopped_at = :now, page_channels = '{sms}'", now=NOON)
            run(cast, change)
        else:
            run(cast, change.replace(":now", "CAST(:now AS timestamptz)"), ben=cast.ben, now=NOON)
        assert found(cast) == ({"unreachable": 1} if is_found else {}), change


def test_texts_that_nobody_reads(cast: Cast) -> None:
    store = """
        INSERT INTO replies (agency_id, sid, sender_id, phone, phone_hash, body, received_at)
        SELECT agency_id, :sid, id, 'x', 'x', 'x', :at FROM senders WHERE purpose = 'pages' AND agency_id = :agency"""
    run(cast, store, sid="SM1", at=NOON - 2 * MINUTE, agency=cast.id)
    assert found(cast) == {}
    run(cast, store, sid="SM2", at=NOON - 4 * MINUTE, agency=cast.id)
    assert found(cast) == {"replies_waiting": 1}


def test_one_of_many_audits_and_each_minute_somebody_does(cast: Cast, outside: Outside) -> None:
    assert audit(cast.db, NOON, outside) is not None
    assert audit(cast.db, NOON + timedelta(seconds=15), outside) is None  # another worker, a moment later
    assert len(outside.asked) == 1
    assert audit(cast.db, NOON + EVERY, outside) is not None
    assert audit(cast.db, NOON - 5 * MINUTE, outside) is not None  # a claim from the future binds nobody
    assert len(outside.asked) == 3


def test_a_failed_run_is_seen_is_not_pinged_and_does_not_keep_the_next_from_its_turn(
    cast: Cast, outside: Outside
) -> None:
    with cast.db.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE shifts RENAME TO gone")
    with pytest.raises(Exception, match="shifts"):
        audit(cast.db, NOON, outside)
    assert outside.asked == []
    assert "The last run of the auditor failed" in health(cast.db, NOON).problems[0]
    with cast.db.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE gone RENAME TO shifts")
    audit(cast.db, NOON + MINUTE, outside)
    assert len(outside.asked) == 1
    assert not any("auditor" in problem for problem in health(cast.db, NOON + MINUTE).problems)


def test_an_outside_that_does_not_hear_is_said_and_breaks_nothing(cast: Cast, outside: Outside) -> None:
    for number, status in enumerate((302, 404, 500)):  # a redirect is not followed
        outside.status = status
        audit(cast.db, NOON + number * MINUTE, outside)
        assert len(outside.asked) == number + 1
        assert "outside monitor" in " ".join(health(cast.db, NOON).problems)
    for number, address in enumerate(("http://127.0.0.1:1/x", "http://no such host/"), start=3):
        done = audit(cast.db, NOON + number * MINUTE, Heartbeat(address, 1))
        assert done is not None
        assert done.is_clean
    later, outside.status = NOON + 9 * MINUTE, 204
    audit(cast.db, later, outside)
    assert "outside monitor" not in " ".join(health(cast.db, later).problems)
    assert health(cast.db, later).audit.seconds_since_ping == 0


def test_a_gap_in_the_rota_withholds_the_ping_until_it_is_filled(cast: Cast, outside: Outside) -> None:
    with cast.db.agency_session(cast.id) as session:
        open_alert(session, Reason(AlertKind.ROTA_GAP, cast.id), NOON)
    done = audit(cast.db, NOON, outside)
    assert done is not None
    assert done.counts() == {"rota_gap": 1}
    assert outside.asked == []
    assert "nobody on call" in " ".join(health(cast.db, NOON).problems)


def test_a_verb_that_hangs_does_not_stop_it(cast: Cast, outside: Outside) -> None:
    """Its claim never ends and holds the alert's row; what is found is told, and repaired when it lets go."""
    opened(cast)
    allow_anything(cast)
    run(cast, "UPDATE alerts SET next_due_at = NULL")
    settings = load(heartbeat_url=outside.url, tick_seconds=0.05, plan_seconds=0.2)
    with cast.db.system_session("hang") as session, freeze_time(NOON):
        session.execute(text("SELECT FROM alerts FOR UPDATE"))
        watch = Watch(cast.db.url, settings)
        watch.start()
        wait_until(
            lambda: run(cast, "SELECT findings FROM auditing WHERE ran_at = :now", now=NOON) == [({"lost_step": 1},)]
        )
        watch.stop()
        assert run(cast, "SELECT next_due_at FROM alerts") == [(None,)]
    assert outside.asked == []
    assert look(cast.db, NOON).repaired == 1


def test_it_names_nobody(cast: Cast, outside: Outside, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("DEBUG", as_json=True)
    opened(cast)
    run(cast, "UPDATE alerts SET next_due_at = NULL, exhausted_at = :now", now=NOON)
    audit(cast.db, NOON, outside)
    said = capsys.readouterr().err
    assert "exhausted" in said
    for secret in ("Rose", "555", "unrise", "secret"):
        assert secret not in said


def test_how_long_people_were_waited_for(cast: Cast) -> None:
    def at(minutes: float) -> object:
        return NOON + minutes * MINUTE

    for patient, opened_at, paged, taken, resolved in (
        (cast.rose, 0, 1, 3, 10),
        (cast.marta, 0, 2, None, None),  # still waits, and counts as long as it has
        (cast.rose, 0, None, None, 4),  # resolved on the console before anybody was paged
        (cast.rose, -25 * 60, 1, 2, 3),  # yesterday's
    ):
        (alert,) = run(
            cast,
            """INSERT INTO alerts (agency_id, patient_id, kind, severity, state, code, ladder_id, opened_at, next_due_at, resolved_at, outcome)
            SELECT :agency, :patient, 'urgent', 3, CASE WHEN CAST(:resolved AS timestamptz) IS NULL THEN 'open' ELSE 'resolved' END,
                '4821', min(id), :opened, :opened, :resolved, CASE WHEN CAST(:resolved AS timestamptz) IS NOT NULL THEN 'called' END
            FROM ladders WHERE agency_id = :agency RETURNING id""",
            agency=cast.id,
            patient=patient,
            opened=at(opened_at),
            resolved=None if resolved is None else at(resolved),
        )[0]
        for kind, when in (("paged", paged), ("acknowledged", taken)):
            if when is not None:
                run(
                    cast,
                    "INSERT INTO alert_events (agency_id, alert_id, at, kind) VALUES (:agency, :alert, :at, :kind)",
                    agency=cast.id,
                    alert=alert,
                    at=at(when),
                    kind=kind,
                )
    told = {
        wait.step: (wait.severity.name, wait.count, {q: s / 60 for q, s in wait.seconds.items()})
        for wait in waits(cast.db, NOON + 30 * MINUTE)
    }
    assert told == {
        "page": ("URGENT", 2, {0.5: 1, 0.9: 2, 1.0: 2}),
        "acknowledge": ("URGENT", 3, {0.5: 4, 0.9: 30, 1.0: 30}),
        "resolve": ("URGENT", 3, {0.5: 10, 0.9: 30, 1.0: 30}),
    }
