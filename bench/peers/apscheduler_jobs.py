"""APScheduler 3: a date job per message in a job store of PostgreSQL, run by a pool of threads.

Two schedulers on one store would run every job twice, so each worker process has a store of its own with its share.
Worker: python -m bench.peers.apscheduler_jobs 0
"""

from __future__ import annotations

import sys
from datetime import UTC

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.schedulers.blocking import BlockingScheduler

from bench.peers import work
from engage import clock


def scheduler(kind: type[BaseScheduler], part: int) -> BaseScheduler:
    """One scheduler on the store of `part`."""
    url = work.dsn().replace("postgresql://", "postgresql+psycopg://", 1)
    return kind(
        timezone=UTC,
        jobstores={"default": SQLAlchemyJobStore(url, tablename=f"bench_jobs_{part}")},
        executors={"default": ThreadPoolExecutor(work.in_flight())},
        job_defaults={"misfire_grace_time": None},
    )


def enqueue(count: int, parts: int) -> None:
    """A job for each message, due now, spread over the stores."""
    for part in range(parts):
        filling = scheduler(BackgroundScheduler, part)
        filling.start(paused=True)
        filling.remove_all_jobs()
        for number in range(1 + part, count + 1, parts):
            filling.add_job(work.deliver, "date", run_date=clock.now(), args=(number,))
        filling.shutdown(wait=False)


if __name__ == "__main__":
    scheduler(BlockingScheduler, int(sys.argv[1])).start()
