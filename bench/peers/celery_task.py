"""Celery with Redis: a task per message, the threads pool, no results kept. Redis without persistence.

Worker: python -m celery -A bench.peers.celery_task worker -P threads -c 32
"""

from __future__ import annotations

import os

from celery import Celery, group

from bench.peers import work

app = Celery("bench", broker=os.environ.get("BENCH_REDIS", "redis://127.0.0.1:6379/0"))
app.conf.update(task_ignore_result=True, worker_send_task_events=False, broker_connection_retry_on_startup=True)


@app.task(name="deliver")
def deliver(message: int) -> None:
    """The work of one message."""
    work.deliver(message)


def enqueue(count: int) -> None:
    """A task for each message, over one connection."""
    with app.producer_pool.acquire(block=True) as producer:
        for first in range(1, count + 1, 1000):
            group(deliver.s(number) for number in range(first, min(first + 1000, count + 1))).apply_async(
                producer=producer
            )
