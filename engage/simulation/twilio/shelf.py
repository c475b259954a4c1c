"""Where messages and calls are kept: all that are unfinished, and the newest finished ones up to a limit."""

from collections import deque
from threading import RLock
from typing import Generic, Protocol, TypeVar


class Kept(Protocol):
    """Anything with a SID."""

    sid: str


T = TypeVar("T", bound=Kept)


class Shelf(Generic[T]):
    """Things by SID, in the order in which they came; `keep` finished ones stay (None: all of them)."""

    def __init__(self, lock: RLock, keep: int | None) -> None:
        self._lock = lock
        self._keep = keep
        self._things: dict[str, T] = {}
        self._finished: deque[str] = deque()

    def put(self, thing: T) -> None:
        """Keep a new thing."""
        self._things[thing.sid] = thing  # one dict assignment is atomic: the create path takes no lock twice

    def get(self, sid: str) -> T | None:
        """The thing, or None when it is not (or no longer) here."""
        return self._things.get(sid)

    def drop(self, sid: str) -> None:
        """Forget a thing."""
        with self._lock:
            self._things.pop(sid, None)

    def finish(self, sid: str) -> None:
        """Nothing more will happen to it: it may leave when the shelf is full."""
        if self._keep is None:
            return
        with self._lock:
            self._finished.append(sid)
            while len(self._finished) > self._keep:
                self._things.pop(self._finished.popleft(), None)

    def oldest_first(self) -> list[T]:
        """Everything here, in the order in which it came."""
        with self._lock:
            return list(self._things.values())

    def newest_first(self) -> list[T]:
        """Everything here, newest first, as Twilio lists it."""
        with self._lock:
            return list(reversed(self._things.values()))

    def __len__(self) -> int:
        return len(self._things)
