"""procrastinate: a job per message in PostgreSQL, run in as many threads as it may run jobs at once.

Worker: python -m bench.peers.procrastinate_job
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from procrastinate import App, PsycopgConnector, SyncPsycopgConnector

from bench.peers import work

app = App(connector=PsycopgConnector(conninfo=work.dsn(), min_size=4, max_size=16))


@app.task(name="deliver")
def deliver(message: int) -> None:
    """The work of one message."""
    work.deliver(message)


def enqueue(count: int) -> None:
    """Make the queue anew, with a job for each message."""
    with app.replace_connector(SyncPsycopgConnector(conninfo=work.dsn())) as here, here.open():
        if here.check_connection():
            here.connector.get_sync_connector().execute_query("TRUNCATE procrastinate_jobs CASCADE")
        else:
            here.schema_manager.apply_schema()
        for first in range(1, count + 1, 1000):
            numbers = range(first, min(first + 1000, count + 1))
            deliver.batch_defer(*({"message": number} for number in numbers))


async def run() -> None:
    """Work until ended."""
    # Its threads are those of the loop, and a loop on two cores has six.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(work.in_flight()))
    async with app.open_async():
        await app.run_worker_async(concurrency=work.in_flight())


if __name__ == "__main__":
    asyncio.run(run())
