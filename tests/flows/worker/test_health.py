"""What machines and people are told of the installation: /readyz in sentences, /metrics in numbers, nobody by name."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient
from freezegun import freeze_time
from sqlalchemy import text

from engage.alerts.opening import Reason, open_alert
from engage.alerts.rules.words import AlertKind
from engage.outreach.outbox import Outgoing, queue
from engage.outreach.rules.words import Kind
from engage.reports.health import VERBS
from engage.settings import read_toml
from engage.sms.rules.codes import parse_codes
from tests.cast import NOON, Cast
from webhooks import create_app


@pytest.fixture
def client(cast: Cast) -> Iterator[FlaskClient]:
    codes = parse_codes(read_toml(cast.config / "twilio-codes.toml"))
    with freeze_time(NOON):
        yield create_app(cast.db, codes, auth_tokens=["x"], public_url="http://x").test_client()


def run(cast: Cast, statement: str, **values: object) -> None:
    with cast.db.system_session("test") as session:
        session.execute(text(statement), values)


def tick(cast: Cast, verb: str, at: datetime, *, worker: str = "one", failed: bool = False) -> None:
    statement = (
        "INSERT INTO ticks (worker, verb, began_at, ended_at, failed) VALUES (:worker, :verb, :at, :at, :failed)"
    )
    run(cast, statement, worker=worker, verb=verb, at=at, failed=failed)


def all_tick(cast: Cast, at: datetime = NOON) -> None:
    for verb in VERBS:
        tick(cast, verb, at)
    audited(cast, at)


def audited(cast: Cast, at: datetime, findings: str = "{}") -> None:
    run(cast, "DELETE FROM auditing")
    statement = "INSERT INTO auditing (claimed_at, ran_at, findings) VALUES (:at, :at, CAST(:findings AS jsonb))"
    run(cast, statement, at=at, findings=findings)


def problems(client: FlaskClient, expected: int) -> str:
    answer = client.get("/readyz")
    assert answer.status_code == expected
    assert answer.json is not None
    assert answer.json["ready"] is (expected == 200)
    return " ".join(answer.json["problems"])


def test_this_process_is_alive_whatever_the_database_does(client: FlaskClient, cast: Cast) -> None:
    cast.db.close()
    assert client.get("/healthz").text == "ok\n"


def test_ready_when_every_verb_has_run(client: FlaskClient, cast: Cast) -> None:
    all_tick(cast)
    assert problems(client, 200) == ""


def test_nobody_at_work_is_said(client: FlaskClient) -> None:
    said = problems(client, 503)
    assert "No worker has run" in said
    assert all(verb in said for verb in VERBS)


@pytest.mark.parametrize(
    ("verb", "minutes", "expected"), [("dispatch", 2, 200), ("dispatch", 4, 503), ("plan", 4, 200), ("sweep", 16, 503)]
)
def test_a_verb_that_has_not_run_lately_is_named(
    client: FlaskClient, cast: Cast, verb: str, minutes: int, expected: int
) -> None:
    all_tick(cast)
    run(cast, "DELETE FROM ticks WHERE verb = :verb", verb=verb)
    tick(cast, verb, NOON - timedelta(minutes=minutes))
    assert (verb in problems(client, expected)) is (expected == 503)


def test_a_verb_that_fails_every_time_is_no_health(client: FlaskClient, cast: Cast) -> None:
    all_tick(cast, NOON - timedelta(minutes=1))
    tick(cast, "dispatch", NOON, worker="two", failed=True)
    assert "dispatch failed" in problems(client, 503)
    tick(cast, "dispatch", NOON + timedelta(seconds=1), worker="three")  # and works again
    assert problems(client, 200) == ""


def test_an_auditor_that_has_not_run_for_three_minutes_is_no_health(client: FlaskClient, cast: Cast) -> None:
    all_tick(cast)
    audited(cast, NOON - timedelta(minutes=3))
    assert problems(client, 200) == ""
    audited(cast, NOON - timedelta(minutes=3, seconds=1))
    assert "auditor has not run for 3 minutes" in problems(client, 503)
    run(cast, "DELETE FROM auditing")
    assert "auditor has not run yet" in problems(client, 503)
    audited(cast, NOON - timedelta(minutes=2))
    run(cast, "UPDATE auditing SET failed_at = :at", at=NOON - timedelta(minutes=1))
    assert "run of the auditor failed" in problems(client, 503)


def test_findings_are_told_with_200_and_each_once(client: FlaskClient, cast: Cast) -> None:
    all_tick(cast)
    audited(cast, NOON, '{"no_page": 2, "overdue": 1, "moonlight": 3}')  # the last is of a newer release
    said = problems(client, 200)
    assert "no page of 2 open alert(s)" in said
    assert "3 of moonlight" in said
    assert "overdue" not in said  # counted afresh: it has been made good
    answer = client.get("/readyz").json
    assert answer is not None
    assert answer["audit"] == {
        "seconds_since": 0.0,
        "findings": {"no_page": 2, "overdue": 1, "moonlight": 3},
        "repaired": 0,
        "seconds_since_ping": None,
    }


def test_a_worker_that_was_killed_while_failing_is_forgotten(client: FlaskClient, cast: Cast) -> None:
    tick(cast, "dispatch", NOON - timedelta(days=1), worker="killed", failed=True)
    all_tick(cast)
    assert problems(client, 200) == ""


def test_alerts_that_wait_are_said_without_taking_the_process_out_of_service(client: FlaskClient, cast: Cast) -> None:
    all_tick(cast)
    with cast.db.agency_session(cast.id) as session:
        open_alert(session, Reason(AlertKind.URGENT, cast.id, cast.rose), NOON - timedelta(minutes=2))
        open_alert(session, Reason(AlertKind.CALLBACK, cast.id, cast.rose), NOON)
    assert "1 alert(s) wait for a step that is overdue" in problems(client, 200)
    run(cast, "UPDATE alerts SET exhausted_at = next_due_at, next_due_at = NULL WHERE kind = 'urgent'")
    said = problems(client, 200)
    assert "nobody took them" in said
    assert "overdue" not in said


def test_texts_nobody_can_be_given_are_said(client: FlaskClient, cast: Cast) -> None:
    all_tick(cast)
    run(
        cast,
        "INSERT INTO unrouted_replies (sid, sent_to, phone, body, received_at) VALUES ('S', '+1', 'x', 'x', :at)",
        at=NOON,
    )
    assert "no agency has" in problems(client, 200)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (
            "state = 'unknown', claimed_at = :past, attempt_id = gen_random_uuid(), body = 'x'",
            "may or may not have been sent",
        ),
        (
            "state = 'unknown', claimed_at = :lately, attempt_id = gen_random_uuid(), body = 'x'",
            "",
        ),  # about to be settled
        ("state = 'failed', reason = 'bug', ended_at = :past", "failed for a reason that lies with us"),
        ("state = 'failed', reason = 'config_alarm', ended_at = :past", "failed for a reason that lies with us"),
        ("state = 'undelivered', reason = 'unlisted', ended_at = :past", "failed for a reason that lies with us"),
        ("state = 'failed', reason = 'bug', ended_at = :long_past", ""),  # yesterday's was seen yesterday
        ("state = 'failed', reason = 'permanent_number', ended_at = :past", ""),
    ],
)
def test_messages_that_need_the_operator_are_said(client: FlaskClient, cast: Cast, values: str, says: str) -> None:
    all_tick(cast)
    with cast.db.agency_session(cast.id) as session:
        note = Outgoing(cast.id, Kind.NOTE, "note-help", clinician_id=cast.ana, useful_for=timedelta(days=30))
        queue(session, note, NOON - timedelta(days=2))
    run(cast, "UPDATE messages SET due_at = :at", at=NOON + timedelta(hours=1))
    times = {
        "past": NOON - timedelta(minutes=31),
        "lately": NOON - timedelta(minutes=29),
        "long_past": NOON - timedelta(hours=25),
    }
    run(cast, f"UPDATE messages SET {values}", **{name: at for name, at in times.items() if f":{name}" in values})
    said = problems(client, 200)
    assert (says in said) if says else said == ""


def test_a_database_that_does_not_answer_is_said(client: FlaskClient, cast: Cast) -> None:
    with cast.db.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE ticks")
    assert "database does not answer" in problems(client, 503)


def test_metrics_are_numbers_that_prometheus_reads(client: FlaskClient, cast: Cast) -> None:
    tick(cast, "plan", NOON - timedelta(seconds=30))
    with cast.db.agency_session(cast.id) as session:
        open_alert(session, Reason(AlertKind.URGENT, cast.id, cast.rose), NOON)
    audited(cast, NOON - timedelta(seconds=20), '{"exhausted": 2}')
    answer = client.get("/metrics")
    assert answer.mimetype == "text/plain"
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    values = dict(line.rsplit(" ", 1) for line in lines)
    assert values["engage_alerts_open"] == "1.0"
    assert values['engage_seconds_since_tick{verb="plan"}'] == "30.0"
    assert values["engage_seconds_since_audit"] == "20.0"
    assert values['engage_audit_findings{finding="exhausted"}'] == "2.0"
    assert values['engage_audit_findings{finding="overdue"}'] == "0.0"
    assert values["engage_alerts_repaired_total"] == "0.0"
    assert values['engage_alert_time_to_page_seconds{quantile="0.5",severity="urgent"}'] == "0.0"
    assert {
        "engage_messages_due",
        "engage_messages_unknown",
        "engage_messages_unsettled",
        "engage_messages_refused",
        "engage_replies_waiting",
        "engage_alerts_exhausted",
    } <= set(values)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_health_names_nobody(client: FlaskClient, cast: Cast, path: str) -> None:
    with cast.db.agency_session(cast.id) as session:
        open_alert(session, Reason(AlertKind.URGENT, cast.id, cast.rose), NOON - timedelta(hours=1))
    said = client.get(path).text
    for secret in ("Rose", "Miller", "555", "Sunrise", "sunrise"):
        assert secret not in said
