"""Whether somebody who waits comes first in this process: replies being read, alerts climbing. Touches nothing itself."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

LONGEST = 1.0
"""Seconds after which the unasked have a turn all the same: a flood of answers must not keep tomorrow's reminders back."""


class Precedence:
    """Counts who is at work on what somebody waits for; the dispatcher then takes up nothing unasked."""

    def __init__(self, longest: float = LONGEST) -> None:
        self._longest = longest
        self._at_work = 0
        self._since: float | None = None
        self._lock = threading.Lock()

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Somebody waits for what is done within."""
        with self._lock:
            self._at_work += 1
        try:
            yield
        finally:
            with self._lock:
                self._at_work -= 1

    def is_claimed(self) -> bool:
        """Whether the unasked are to wait; after `longest` seconds of that they have one turn."""
        with self._lock:
            now = time.monotonic()
            if self._at_work == 0:
                self._since = None
                return False
            if self._since is None:
                self._since = now
            if now - self._since < self._longest:
                return True
            self._since = None
            return False
