"""Fills the table of the peers and the queue of one of them: python -m bench.peers.filling celery 3000 2."""

from __future__ import annotations

import sys

import psycopg

from bench.peers import work


def main(name: str, count: int, workers: int) -> None:
    """`count` messages for `workers` processes of the peer `name`."""
    with psycopg.connect(work.dsn(), autocommit=True) as connection:
        work.fill(connection, count)
    match name:
        case "celery":
            from bench.peers import celery_task

            celery_task.enqueue(count)
        case "procrastinate":
            from bench.peers import procrastinate_job

            procrastinate_job.enqueue(count)
        case "apscheduler":
            from bench.peers import apscheduler_jobs

            apscheduler_jobs.enqueue(count, workers)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
