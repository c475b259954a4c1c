"""Runs the verbs at their pace with APScheduler as a clock: in-memory jobs, no store. Any number of them may tick at once.

Every run leaves a tick in the database, so that anybody can see that somebody is at work. A verb that fails is logged and
runs again at its next tick; nothing waits for it. A hint, or a verb that made work for another, brings a tick forward.
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
from engage.db.hints import Listener
from engage.worker.verbs import Verbs, makes_work_for
from engage.worker.watch import Watch

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
        self._gateway = verbs.gateway
        self._stop = threading.Event()
        self._worker = f"{socket.gethostname()}:{os.getpid()}"
        self._beats = {name: _Beat(name, verb) for name, verb in verbs.named(self._stop).items()}
        self._listener = Listener(verbs.db, self.wake)
        self._watch = Watch(verbs.db.url, verbs.settings)
        tick, plan = verbs.settings.tick_seconds, verbs.settings.plan_seconds
        pauses = {
            "plan": plan,
            "reconcile": max(tick, plan / 4),
            "sweep": max(tick, plan * 5),
            "check-rota": max(tick, plan * 15),
            "clean": max(tick, plan * 60),
        }
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(2 * len(self._beats))},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        for name, beat in self._beats.items():
            pause = pauses.get(name, tick)
            self._scheduler.add_job(self._run, args=(beat,), id=f"{name} at once")
            self._scheduler.add_job(self._run, "interval", seconds=pause, args=(beat,), id=name)

    def start(self) -> None:
        """Begin; every verb runs at once and then at its pace."""
        with self._db.system_session("forget old ticks") as session:
            session.execute(_FORGET, {"before": clock.now() - _REMEMBER})
        self._watch.start()
        self._scheduler.start()
        self._listener.start()
        log.get().info("worker started", worker=self._worker)

    def stop(self) -> None:
        """End: what is on its way is finished or becomes unknown, what has not left is handed back. Takes seconds at most."""
        self._stop.set()
        self._listener.stop()
        self._watch.stop()
        self._scheduler.shutdown(wait=True)
        self._gateway.close()
        with self._db.system_session("leave") as session:
            session.execute(text("DELETE FROM ticks WHERE worker = :worker"), {"worker": self._worker})
        log.get().info("worker stopped", worker=self._worker)

    def wake(self, name: str) -> None:
        """Run a verb now, or once more as soon as its present run is over; an unknown name is nobody's."""
        beat = self._beats.get(name)
        if beat is not None and not self._stop.is_set() and not beat.again():
            self._scheduler.add_job(self._run, args=(beat,), id=f"{name} by a hint", replace_existing=True)

    def _run(self, beat: "_Beat") -> None:
        if not beat.begin():
            return
        while not self._stop.is_set():
            began, failed, result = clock.now(), False, None
            try:
                result = beat.verb()
            except Exception:  # noqa: BLE001 - one failed run must not end the worker; it is logged, seen on /readyz and repeated
                failed = True
                log.get().exception("a verb failed", verb=beat.name)
            for name in makes_work_for(beat.name, result):
                self.wake(name)
            self._leave_tick(beat.name, began, failed)
            if beat.is_over():
                return
        beat.end()

    def _leave_tick(self, name: str, began: Any, failed: bool) -> None:
        try:
            with self._db.system_session("tick") as session:
                values = {"worker": self._worker, "verb": name, "began": began, "ended": clock.now(), "failed": failed}
                session.execute(_TICK, values)
        except SQLAlchemyError as problem:
            log.get().error("the database does not answer", verb=name, kind=type(problem).__name__)


class _Beat:
    """A verb of this process: one run at a time, and the wish for another one is not lost while it runs."""

    def __init__(self, name: str, verb: Callable[[], Any]) -> None:
        self.name = name
        self.verb = verb
        self._lock = threading.Lock()
        self._is_running = False
        self._is_wanted = False

    def begin(self) -> bool:
        """Whether this run may go on; if another one is at it, that one goes round once more."""
        with self._lock:
            if self._is_running:
                return False
            self._is_running, self._is_wanted = True, False
            return True

    def again(self) -> bool:
        """Wish for another round; whether a run is there to make it."""
        with self._lock:
            self._is_wanted = self._is_running
            return self._is_running

    def is_over(self) -> bool:
        """Whether nobody has wished for another round; the run is then over."""
        with self._lock:
            if self._is_wanted:
                self._is_wanted = False
                return False
            self._is_running = False
            return True

    def end(self) -> None:
        """The run is over, whatever is wished."""
        with self._lock:
            self._is_running = False
