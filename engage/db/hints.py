"""A word from whoever stored something to whoever waits for it: PostgreSQL's NOTIFY. A hint only, never the truth.

A lost hint costs a tick; the rows are looked at anyway.
"""

import threading
from collections.abc import Callable

import psycopg

from engage import log
from engage.db.session import Database

_PAUSE = 0.02  # seconds between two hints of one process: a burst of texts is one hint
_PATIENCE = 0.5  # seconds between two looks at whether to stop


class Herald:
    """Says hints for one process from a thread of its own, on a connection of its own.

    Not in the transaction that stores: a transaction that notifies takes a lock of the whole server when it commits, so a
    burst of texts would commit one by one.
    """

    def __init__(self, db: Database) -> None:
        self._address = db.address
        self._pending: set[str] = set()
        self._is_pending = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def say(self, word: str) -> None:
        """Tell every listener, soon; returns at once."""
        with self._lock:
            self._pending.add(word)
            if self._thread is None:
                self._thread = threading.Thread(target=self._talk, name="herald", daemon=True)
                self._thread.start()
        self._is_pending.set()

    def _talk(self) -> None:
        while True:
            try:
                with psycopg.connect(self._address, autocommit=True, application_name="engage herald") as connection:
                    while True:
                        self._tell(connection)
            except psycopg.Error as problem:
                log.get().warning("hints are not told", kind=type(problem).__name__)
                threading.Event().wait(5)

    def _tell(self, connection: "psycopg.Connection[tuple[object, ...]]") -> None:
        self._is_pending.wait()
        self._is_pending.clear()
        with self._lock:
            words, self._pending = self._pending, set()
        for word in words:
            connection.execute("SELECT pg_notify('engage', %s)", (word,))
        threading.Event().wait(_PAUSE)


class Listener:
    """Hears hints on a connection of its own, in a thread, until `stop`. Connects again when the connection is lost."""

    def __init__(self, db: Database, heard: Callable[[str], None]) -> None:
        self._address = db.address
        self._heard = heard
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="hints", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """End; takes a second at most."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(2 * _PATIENCE)

    def _listen(self) -> None:
        while not self._stop.is_set():
            try:
                with psycopg.connect(self._address, autocommit=True, application_name="engage hints") as connection:
                    connection.execute("LISTEN engage")
                    while not self._stop.is_set():
                        for note in connection.notifies(timeout=_PATIENCE):
                            self._heard(note.payload)
            except psycopg.Error as problem:
                log.get().warning("hints are not heard", kind=type(problem).__name__)
                self._stop.wait(5)
