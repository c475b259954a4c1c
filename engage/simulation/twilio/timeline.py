"""What will happen and when, in virtual time: a heap of events, taken out in time order.

In: an instant, whom it concerns, and a step to take. Never reads the clock and never sends anything itself.
"""

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from threading import RLock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engage.simulation.twilio.webhooks import Webhook


@dataclass(slots=True)
class Effects:
    """What a step asks of the outside: people to tell first, then webhooks to post, in order."""

    webhooks: Iterable["Webhook"] = ()
    tell: Callable[[], None] | None = None  # runs without the lock: it calls code that is not ours


NOTHING = Effects()
Step = Callable[[datetime], Effects]


@dataclass(order=True, slots=True)
class Event:
    """A step due at an instant; events of one instant run in the order in which they were planned."""

    due_at: datetime
    number: int
    subject: str = field(compare=False)
    step: Step = field(compare=False)


class Timeline:
    """The events still to come; safe to use from several threads."""

    def __init__(self, lock: RLock) -> None:
        self._lock = lock
        self._events: list[Event] = []
        self._numbers = count()

    def plan(self, due_at: datetime, subject: str, step: Step) -> None:
        """Let `step` happen at `due_at`; `subject` is the SID it concerns."""
        with self._lock:
            heapq.heappush(self._events, Event(due_at, next(self._numbers), subject, step))

    def next_due_at(self) -> datetime | None:
        """When the next event is due, None when nothing will happen."""
        with self._lock:
            return self._events[0].due_at if self._events else None

    def take(self, until: datetime, besides: set[str]) -> Event | None:
        """The next event due by `until`, taken out; None when there is none, or when its subject is in `besides`."""
        with self._lock:
            if not self._events or self._events[0].due_at > until or self._events[0].subject in besides:
                return None
            return heapq.heappop(self._events)

    def __len__(self) -> int:
        return len(self._events)
