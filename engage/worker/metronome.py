"""Runs the verbs at their pace with APScheduler as a clock: in-memory jobs, no store. Any number of them may tick at once.

Every run leaves a tick in the database, so that anybody can see that somebody is at work. A verb that fails is logged and
runs again at its next tick; nothing waits for it.
"""

import os
import socket
import threading
from collections.abc import Callable
from datetime import UTC, timedelta
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from engage import clock, log
from engage.db import Database
from engage.worker.verbs import Verbs

_TICK = text("""
INSERT INTO ticks (worker, verb, began_at, ended_at, failed) VALUES (:worker, :verb, :began, :ended, :failed)
ON CONFLICT (worker, verb) DO UPDATE SET began_at = EXCLUDED.began_at, ended_at = EXCLUDED.ended_at, failed = EXCLUDED.failed
""")
_FORGET = text("DELETE FROM ticks WHERE ended_at < :before")
_REMEMBER = timedelta(days=7)


class Metronome:
    """The verbs of one process, ticking from `start` to `stop`."""

    def __init__(self, verbs: Verbs) -> None:
        self._db: Database = verbs.db
        self._stop = threading.Event()
        self._worker = f"{socket.gethostname()}:{os.getpid()}"
        tick, plan = verbs.settings.tick_seconds, verbs.settings.plan_seconds
        pauses = {"plan": plan, "reconcile": max(tick, plan / 4), "sweep": max(tick, plan * 5)}
        jobs = verbs.named(self._stop)
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(2 * len(jobs))},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        for name, verb in jobs.items():
            pause = pauses.get(name, tick)
            self._scheduler.add_job(self._run, args=(name, verb), id=f"{name} at once")
            self._scheduler.add_job(self._run, "interval", seconds=pause, args=(name, verb), id=name)

    def start(self) -> None:
        """Begin; every verb runs at once and then at its pace."""
        with self._db.system_session("forget old ticks") as session:
            session.execute(_FORGET, {"before": clock.now() - _REMEMBER})
        self._scheduler.start()
        log.get().info("worker started", worker=self._worker)

    def stop(self) -> None:
        """End: what is on its way is finished or becomes unknown, what has not left is handed back. Takes seconds at most."""
        self._stop.set()
        self._scheduler.shutdown(wait=True)
        with self._db.system_session("leave") as session:
            session.execute(text("DELETE FROM ticks WHERE worker = :worker"), {"worker": self._worker})
        log.get().info("worker stopped", worker=self._worker)

    def _run(self, name: str, verb: Callable[[], Any]) -> None:
        if self._stop.is_set():
            return
        began, failed = clock.now(), False
        try:
            verb()
        except Exception:  # noqa: BLE001 - one failed run must not end the worker; it is logged, seen on /readyz and repeated
            failed = True
            log.get().exception("a verb failed", verb=name)
        try:
            with self._db.system_session("tick") as session:
                values = {"worker": self._worker, "verb": name, "began": began, "ended": clock.now(), "failed": failed}
                session.execute(_TICK, values)
        except SQLAlchemyError as problem:
            log.get().error("the database does not answer", verb=name, kind=type(problem).__name__)
