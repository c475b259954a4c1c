"""The auditor's own beat: a thread and connections of its own, so that no verb that hangs, fails or hoards can hold it up."""

import threading

from engage import clock, log
from engage.alerts.auditor import audit
from engage.alerts.heartbeat import Heartbeat
from engage.db import Database
from engage.settings import Settings

LONGEST_PAUSE = 15.0
"""Seconds. Each worker asks this often whether it is somebody's turn to audit; the database says to one that it is."""


class Watch:
    """Audits from `start` to `stop`. A run that fails is logged and noted; the next one comes at its time."""

    def __init__(self, url: str, settings: Settings) -> None:
        self._db = Database(url, pool_size=1, name="engage auditor")
        address = settings.heartbeat_url
        self._ping = Heartbeat(address.get_secret_value()) if address is not None else None
        self._pause = min(LONGEST_PAUSE, max(settings.tick_seconds, settings.plan_seconds / 4))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="auditor", daemon=True)

    def start(self) -> None:
        """Begin: the first run is at once, if it is somebody's turn."""
        self._thread.start()

    def stop(self, patience_seconds: float = 2.0) -> None:
        """End; a run that hangs is left behind."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(patience_seconds)
        self._db.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                audit(self._db, clock.now(), self._ping)
            except Exception:  # noqa: BLE001 - whatever it was, the next minute must be audited again
                log.get().exception("the audit failed")
            self._stop.wait(self._pause)
