"""The work of one message, as every peer with a job per message does it: row out, POST through the official SDK, row updated.

Its table, `bench_outbox`, holds number and words ready to send. One connection a thread: no pool to wait for.
"""

from __future__ import annotations

import os
import threading
from functools import cache

import psycopg
from twilio.rest import Client

from engage.simulation import invented
from engage.sms.transport import Transport

TABLE = """
DROP TABLE IF EXISTS bench_outbox;
CREATE TABLE bench_outbox (
    id BIGINT PRIMARY KEY, phone TEXT NOT NULL, body TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'planned', sid TEXT, accepted_at TIMESTAMPTZ
);
CREATE INDEX ix_bench_outbox_open ON bench_outbox (id) WHERE state <> 'accepted';
"""
BODY = (
    "Bench Home Health: Good morning Rose. How do you feel today compared to yesterday?"
    " Reply 1 (much worse) to 5 (much better). STOP ends texts."
)
_mine = threading.local()


def dsn() -> str:
    """Of the database with the table."""
    return os.environ["BENCH_DSN"]


def in_flight() -> int:
    """How many requests one worker process may have on their way."""
    return int(os.environ["BENCH_IN_FLIGHT"])


def fill(connection: psycopg.Connection, count: int) -> None:
    """Make the table anew, with `count` messages to send."""
    connection.execute(TABLE)
    with connection.cursor().copy("COPY bench_outbox (id, phone, body) FROM STDIN") as copy:
        for number in range(1, count + 1):
            copy.write_row((number, invented.phone(1000 + number % 50_000), BODY))
    connection.execute("VACUUM ANALYZE bench_outbox")


@cache
def client() -> Client:
    """The official SDK's own client, synchronous as threads want it, over a pool that keeps its connections."""
    transport = Transport(os.environ["ENGAGE_TWILIO_API_URL"], 10, in_flight())
    return Client(
        os.environ["ENGAGE_TWILIO_ACCOUNT_SID"],
        os.environ["ENGAGE_TWILIO_AUTH_TOKEN"],
        http_client=transport,
        environment={"BENCH": "1"},
    )


def status_callback(message: int) -> str:
    """As long as Engage's own, with the plain number of the message in it."""
    return (
        f"{os.environ['ENGAGE_PUBLIC_URL']}/twilio/status?m=peer-{message}-{'x' * 70}#rc=4&rp=ct,rt,5xx&ct=3000&rt=3000"
    )


def post(message: int, phone: str, body: str) -> str:
    """Hand one text to the provider; its SID."""
    made = client().messages.create(
        to=phone,
        body=body,
        from_=invented.phone(0),
        status_callback=status_callback(message),
        validity_period=14_400,
        smart_encoded=False,
    )
    return str(made.sid)


def deliver(message: int) -> None:
    """All of it, for one message."""
    if not hasattr(_mine, "connection"):
        _mine.connection = psycopg.connect(dsn(), autocommit=True)
    connection: psycopg.Connection = _mine.connection
    row = connection.execute("SELECT phone, body FROM bench_outbox WHERE id = %s", (message,)).fetchone()
    assert row is not None
    sid = post(message, *row)
    connection.execute(
        "UPDATE bench_outbox SET state = 'accepted', sid = %s, accepted_at = clock_timestamp() WHERE id = %s",
        (sid, message),
    )
