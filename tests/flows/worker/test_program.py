"""`engage up`, `web` and `worker` as real processes: they answer, work, end when asked and leave nobody behind."""

import json
import os
import signal

import pytest

from tests.cast import ROSE_PHONE, SUNRISE_NUMBER
from tests.flows.worker.program import Program, Town, are_gone, left_of, wait_until

pytestmark = pytest.mark.slow


def text_in(number: int, body: str) -> dict[str, str]:
    return {"MessageSid": f"SM{number:032x}", "From": ROSE_PHONE, "To": SUNRISE_NUMBER, "Body": body, "NumMedia": "0"}


def is_mid_send(town: Town) -> bool:
    return bool(town.fake.messages) and town.states() == {"sending"}


def test_up_answers_works_ends_in_the_middle_of_a_send_and_goes_on(town: Town) -> None:
    first = town.start("up", TWILIO_TIMEOUT_SECONDS="20")  # a hung text may not hold it up that long
    wait_until(lambda: town.get("/healthz") == (200, "ok\n"), first.said)
    town.wait_until_ready()
    ready = json.loads(town.get("/readyz")[1])
    assert ready["problems"] == []
    assert set(ready["seconds_since_tick"]) == {
        "plan",
        "dispatch",
        "handle",
        "escalate",
        "mail",
        "reconcile",
        "sweep",
        "check-rota",
        "clean",
    }
    assert "engage_messages_due" in town.get("/metrics")[1]

    assert town.post(text_in(1, "STOP")) == 200
    assert town.post(text_in(2, "hello"), token="somebody else's") == 403
    wait_until(lambda: town.sql("SELECT state FROM replies") == [("handled",)], first.said)
    wait_until(lambda: len(town.rose.texts) == 1, first.said)  # the one confirmation
    wait_until(lambda: town.states() == {"delivered"}, first.said)  # by receipts, over HTTP

    assert town.post(text_in(3, "START")) == 200
    wait_until(lambda: len(town.rose.texts) == 2, first.said)
    wait_until(lambda: town.states() == {"delivered"}, first.said)
    town.sql("DELETE FROM readings")
    seen = len(town.fake.messages)
    town.fake.next_create("slow:30")
    message = town.answer()
    wait_until(lambda: len(town.fake.messages) > seen, first.said)
    everybody = first.family()
    assert first.stop() == 0, first.said()
    wait_until(lambda: are_gone(everybody), lambda: left_of(everybody))
    [(state, attempts)] = town.sql("SELECT state, attempts FROM messages WHERE id = :id", id=message)
    assert (state, attempts) in {("unknown", 1), ("sending", 1)}

    # a minute passes
    town.sql("UPDATE messages SET lease_until = now() - interval '1 minute' WHERE state = 'sending'")
    town.sql("UPDATE messages SET due_at = now() - interval '1 minute' WHERE state = 'unknown'")
    second = town.start("up")
    town.wait_until_ready()
    wait_until(
        lambda: town.sql("SELECT state FROM messages WHERE id = :id", id=message) == [("delivered",)], second.said
    )
    assert len(town.rose.texts) == 3
    assert second.stop() == 0
    assert "Traceback" not in first.said() + second.said()
    for secret in (ROSE_PHONE, "STOP", "hello", "Rose"):
        assert secret not in first.said() + second.said()


def test_up_with_its_own_database_leaves_nobody_behind_when_it_is_killed(town: Town) -> None:
    program = town.start("up", DATABASE_URL="", SECRET_KEY="", ENCRYPTION_KEYS="")
    town.wait_until_ready()
    everybody = program.family()
    assert len(everybody) > 3  # itself, the web, PostgreSQL and its own
    os.kill(program.pid, signal.SIGKILL)
    program.process.wait()
    wait_until(lambda: are_gone(everybody), lambda: left_of(everybody))
    again = town.start("up", DATABASE_URL="", SECRET_KEY="", ENCRYPTION_KEYS="")
    town.wait_until_ready()
    everybody = again.family()
    assert again.stop() == 0, again.said()
    wait_until(lambda: are_gone(everybody), lambda: left_of(everybody))


def test_web_and_worker_are_two_processes_over_one_database(town: Town) -> None:
    web, worker = town.start("web"), town.start("worker")
    town.wait_until_ready()
    town.fake.text_in(ROSE_PHONE, SUNRISE_NUMBER, "ALTO")  # ours to confirm: Twilio does not know the word
    wait_until(lambda: len(town.rose.texts) == 1, lambda: web.said() + worker.said())
    wait_until(lambda: town.states() == {"delivered"}, lambda: web.said() + worker.said())
    family = worker.family() | web.family()
    assert worker.stop() == 0, worker.said()
    wait_until(lambda: town.get("/readyz")[0] == 503)  # nobody is at work
    assert town.get("/healthz")[0] == 200
    assert town.post(text_in(9, "my leg hurts")) == 200  # still stored
    assert town.sql("SELECT state FROM replies ORDER BY id DESC LIMIT 1") == [("stored",)]
    assert web.stop() == 0, web.said()
    wait_until(lambda: are_gone(family), lambda: left_of(family))


@pytest.mark.parametrize("command", ["web", "worker", "up"])
def test_what_is_missing_is_told_in_sentences(town: Town, command: str) -> None:
    program = town.start(command, TWILIO_AUTH_TOKEN="", PUBLIC_URL="not an address")
    assert program.process.wait(60) == 2
    assert "ENGAGE_PUBLIC_URL" in program.said()
    assert "Traceback" not in program.said()


def test_a_database_that_goes_away_and_comes_back_is_survived(town: Town) -> None:
    program: Program = town.start("up")
    town.wait_until_ready()
    for _ in range(3):
        town.cast.db.close()
        with town.cast.db.engine.connect() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
    message = town.answer()
    wait_until(
        lambda: town.sql("SELECT state FROM messages WHERE id = :id", id=message) == [("delivered",)], program.said
    )
    town.wait_until_ready()
    assert program.stop() == 0
