"""A bare outbox: claim many rows at once, POST, update many rows at once. With aiohttp alone, or with the SDK in threads.

This is what is left of sending when nothing is asked but speed: no permission, no wording, no lease, no attempt.
Worker: python -m bench.peers.bare_outbox aiohttp | sdk
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from urllib.parse import urlencode

import aiohttp
import psycopg

from bench.peers import work
from engage.simulation import invented

_CLAIM = """
UPDATE bench_outbox SET state = 'sending'
WHERE id = ANY(ARRAY(SELECT id FROM bench_outbox WHERE state = 'planned' ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED))
RETURNING id, phone, body
"""
_RECORD = """
UPDATE bench_outbox o SET state = 'accepted', sid = r.sid, accepted_at = clock_timestamp()
FROM unnest(%s::bigint[], %s::text[]) AS r(id, sid) WHERE o.id = r.id
"""
_BATCH = 500
_FLUSH = 200
_IDLE = 0.02


def record(connection: psycopg.Connection, done: list[tuple[int, str]]) -> None:
    """Write outcomes down, and forget them."""
    if done:
        connection.execute(_RECORD, tuple(map(list, zip(*done, strict=True))))
        done.clear()


def with_sdk() -> None:
    """Threads that POST through the official SDK; this one claims and records."""
    pool, most = ThreadPoolExecutor(work.in_flight()), work.in_flight()
    waiting: dict[Future[str], int] = {}
    done: list[tuple[int, str]] = []
    with psycopg.connect(work.dsn(), autocommit=True, prepare_threshold=None) as connection:
        while True:
            if len(waiting) < most * 2:
                for message, phone, body in connection.execute(_CLAIM, (_BATCH,)).fetchall():
                    waiting[pool.submit(work.post, message, phone, body)] = message
            finished, _ = wait(waiting, timeout=_IDLE, return_when=FIRST_COMPLETED)
            done += [(waiting.pop(future), future.result()) for future in finished]
            if len(done) >= _FLUSH or len(waiting) < most:
                record(connection, done)
            if not waiting:
                time.sleep(_IDLE)


async def with_aiohttp() -> None:
    """One loop: requests in flight, a claim when few are left, a record when many have come back."""
    account, token = os.environ["ENGAGE_TWILIO_ACCOUNT_SID"], os.environ["ENGAGE_TWILIO_AUTH_TOKEN"]
    url = f"{os.environ['ENGAGE_TWILIO_API_URL']}/2010-04-01/Accounts/{account}/Messages.json"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    gate = asyncio.Semaphore(work.in_flight())
    done: list[tuple[int, str]] = []
    waiting: set[asyncio.Task[None]] = set()
    connector = aiohttp.TCPConnector(limit=work.in_flight())
    auth = aiohttp.BasicAuth(account, token)

    async def send(session: aiohttp.ClientSession, message: int, phone: str, body: str) -> None:
        form = {
            "To": phone,
            "From": invented.phone(0),
            "Body": body,
            "StatusCallback": work.status_callback(message),
            "ValidityPeriod": 14_400,
            "SmartEncoded": False,
        }
        async with gate, session.post(url, data=urlencode(form), headers=headers, auth=auth) as answer:
            done.append((message, (await answer.json())["sid"]))

    async with aiohttp.ClientSession(connector=connector) as session:
        with psycopg.connect(work.dsn(), autocommit=True, prepare_threshold=None) as connection:
            while True:
                if len(waiting) < work.in_flight() * 2:
                    for row in connection.execute(_CLAIM, (_BATCH,)).fetchall():
                        task = asyncio.create_task(send(session, *row))
                        waiting.add(task)
                        task.add_done_callback(waiting.discard)
                if len(done) >= _FLUSH or len(waiting) < work.in_flight():
                    record(connection, done)
                await asyncio.sleep(0.002 if waiting else _IDLE)


if __name__ == "__main__":
    if sys.argv[1] == "sdk":
        with_sdk()
    else:
        asyncio.run(with_aiohttp())
