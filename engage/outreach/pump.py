"""Texts that this process holds: claimed messages in, outcomes out as they come. It decides nothing and touches no row.

A text waits here for its turn or is on its way. The next leaves in the instant in which one comes back, so that the way is
never idle while the database is at work. After anything but an answer none leaves until the dispatcher has looked at it, and
what waits too long is handed back, because the permission to send it ages.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from engage import clock
from engage.outreach.calls import outbound_call
from engage.outreach.claim import Attempt
from engage.outreach.links import Link, status_callback
from engage.outreach.rules.share import LAST_AWAITED
from engage.outreach.rules.words import Channel
from engage.sms.gateway import Gateway
from engage.sms.texts import Accepted, HeldBack, OutboundCall, OutboundText, Outcome, Refused


@dataclass(frozen=True, slots=True)
class Way:
    """How texts go: where receipts are asked for, and how many outcomes are worth a transaction of their own (`enough`).

    `patience` is how long a text may wait for its turn here, counted from when it could have begun; `at_latest` is how long
    after the claim it may still begin to leave at all.
    """

    public_url: str
    enough: int
    patience: timedelta
    at_latest: timedelta


@dataclass(frozen=True, slots=True)
class Room:
    """How many texts may be on their way at once, and how many of them for which nobody waits at a phone."""

    all: int
    unasked: int


_NONE = Room(0, 0)


@dataclass(frozen=True, slots=True)
class _Turn:
    """A text that waits: until when it is worth waiting, and until when it may begin to leave."""

    number: int
    text: OutboundText | OutboundCall
    wait_until: datetime
    begin_before: datetime


class Pump:
    """What this process has claimed and not yet recorded."""

    def __init__(self, gateway: Gateway, way: Way, is_halted: Callable[[], bool]) -> None:
        self._gateway = gateway
        self._way = way
        self._is_halted = is_halted
        self._held: dict[int, Attempt] = {}
        self._number = 0
        self._room = _NONE
        self._refill_at = 0
        self._awaited: deque[_Turn] = deque()
        self._unasked: deque[_Turn] = deque()
        self._on_way: dict[int, bool] = {}  # whether unasked, by number
        self._unasked_on_way = 0
        self._done: list[tuple[int, Outcome]] = []
        self._lock = threading.Lock()
        self._is_enough = threading.Event()

    @property
    def held(self) -> int:
        """How many texts wait, are on their way or have come back unrecorded."""
        return len(self._held)

    @property
    def waiting(self) -> int:
        """How many texts have not begun to leave."""
        return len(self._awaited) + len(self._unasked)

    def allow(self, room: Room, refill_at: int) -> None:
        """From now on so many may be on their way; those who look for outcomes are woken when `refill_at` still wait."""
        with self._lock:
            self._room, self._refill_at = room, refill_at
        self._begin()

    def take_up(self, attempts: Sequence[Attempt], claimed_at: datetime) -> None:
        """Send them as room allows, those for which somebody waits first, unless their turn comes too late.

        A machine that slept must not send what reconciliation has meanwhile given to somebody else.
        """
        texts = [_outbound(attempt, self._way.public_url, claimed_at) for attempt in attempts]
        wait_until, begin_before = clock.now() + self._way.patience, claimed_at + self._way.at_latest
        for attempt, text in zip(attempts, texts, strict=True):
            turn = _Turn(self._number, text, wait_until, begin_before)
            self._number += 1
            with self._lock:
                self._held[turn.number] = attempt
                (self._awaited if attempt.claimed.priority <= LAST_AWAITED else self._unasked).append(turn)
        self._begin()

    def finished(self, patience: float) -> list[tuple[Attempt, Outcome]]:
        """What has come back, after waiting at most `patience` seconds for enough of it; nothing of what was given up."""
        if self._held:
            self._is_enough.wait(patience)
        with self._lock:
            done, self._done = self._done, []
            self._is_enough.clear()
            return [(self._held.pop(number), outcome) for number, outcome in done if number in self._held]

    def hand_back(self) -> None:
        """What has not begun to leave comes back as HeldBack."""
        with self._lock:
            self._done += [(turn.number, HeldBack()) for turn in (*self._awaited, *self._unasked)]
            self._awaited.clear()
            self._unasked.clear()
            self._is_enough.set()

    def give_up(self, patience: float) -> tuple[list[tuple[Attempt, Outcome]], list[Attempt]]:
        """Wait at most `patience` seconds for what is on its way; what has come back, and what nobody knows of."""
        self.hand_back()
        came, until = self.finished(0), time.monotonic() + patience
        while self._held and time.monotonic() < until:
            came += self.finished(0.1)
        with self._lock:
            lost = list(self._held.values())
            self._held.clear()
        return came, lost

    def _begin(self) -> None:
        """Let go whatever has room. Called by the dispatcher and, when a text comes back, by the line's own thread."""
        with self._lock:
            turns = list(self._next())
        for turn in turns:
            self._gateway.begin(turn.text, self._finisher(turn.number), self._may_leave(turn))

    def _next(self) -> Iterator[_Turn]:
        now, waited = clock.now(), self.waiting
        for queue, most in ((self._awaited, self._room.all), (self._unasked, self._room.unasked)):
            is_unasked = queue is self._unasked
            while queue and len(self._on_way) < self._room.all:
                if is_unasked and self._unasked_on_way >= most:
                    break
                turn = queue.popleft()
                if min(turn.wait_until, turn.begin_before) <= now:
                    self._done.append((turn.number, HeldBack()))
                    continue
                self._on_way[turn.number] = is_unasked
                self._unasked_on_way += is_unasked
                yield turn
        if self.waiting <= self._refill_at < waited:
            self._is_enough.set()

    def _may_leave(self, turn: _Turn) -> Callable[[], bool]:
        return lambda: not self._is_halted() and clock.now() < turn.begin_before

    def _finisher(self, number: int) -> Callable[[Outcome], None]:
        def finish(outcome: Outcome) -> None:
            with self._lock:
                self._done.append((number, outcome))
                self._unasked_on_way -= self._on_way.pop(number)
                if not isinstance(outcome, Accepted | Refused):
                    self._room = _NONE
                    self._is_enough.set()
                if len(self._done) >= min(self._way.enough, len(self._held)):
                    self._is_enough.set()
            self._begin()

        return finish


def _outbound(attempt: Attempt, public_url: str, now: datetime) -> OutboundText | OutboundCall:
    claimed = attempt.claimed
    link = Link(claimed.agency_id, claimed.id, attempt.attempt_id)
    if claimed.draft.channel is Channel.VOICE:
        return outbound_call(public_url, link, claimed, attempt.ready.body)
    if claimed.sender is None or claimed.draft.to is None:
        raise AssertionError("decide() lets no text through that has no sender or no phone")
    return OutboundText(
        to=claimed.draft.to,
        body=attempt.ready.body,
        status_callback=status_callback(public_url, link),
        sender=claimed.sender,
        valid_for_seconds=max(60, int((claimed.draft.expires_at - now).total_seconds())),
    )
