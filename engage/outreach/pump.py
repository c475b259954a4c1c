"""Texts on their way: claimed messages in, outcomes out as they come. It decides nothing and touches no row."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from engage import clock
from engage.outreach.calls import outbound_call
from engage.outreach.claim import Attempt
from engage.outreach.links import Link, status_callback
from engage.outreach.rules.words import Channel
from engage.sms.gateway import Gateway
from engage.sms.texts import OutboundCall, OutboundText, Outcome


@dataclass(frozen=True, slots=True)
class Way:
    """How texts go: where receipts are asked for, and how long before its lease ends a text may still begin to leave.

    `enough` is how many outcomes are worth a transaction of their own.
    """

    public_url: str
    enough: int
    lease: timedelta
    in_flight: timedelta


class Pump:
    """What this process has on its way."""

    def __init__(self, gateway: Gateway, way: Way, is_halted: Callable[[], bool]) -> None:
        self._gateway = gateway
        self._way = way
        self._is_halted = is_halted
        self._on_way: dict[int, Attempt] = {}
        self._begun = 0
        self._done: list[tuple[int, Outcome]] = []
        self._lock = threading.Lock()
        self._is_enough = threading.Event()

    @property
    def in_flight(self) -> int:
        """How many texts are on their way."""
        return len(self._on_way)

    def begin(self, attempts: Sequence[Attempt], claimed_at: datetime) -> None:
        """Send them, all at once, unless their time to begin is over when their turn comes.

        A machine that slept must not send what reconciliation has meanwhile given to somebody else.
        """
        if not attempts:
            return
        begin_before = claimed_at + self._way.lease - self._way.in_flight
        first, self._begun = self._begun, self._begun + len(attempts)
        self._on_way |= {first + place: attempt for place, attempt in enumerate(attempts)}
        texts = [_outbound(attempt, self._way.public_url, claimed_at) for attempt in attempts]

        def may_leave() -> bool:
            return not self._is_halted() and clock.now() < begin_before

        self._gateway.send_each(texts, lambda place, outcome: self._finish(first + place, outcome), may_leave)

    def finished(self, patience: float) -> list[tuple[Attempt, Outcome]]:
        """What has come back, after waiting at most `patience` seconds for some, or for all that is on its way."""
        if self.in_flight:
            self._is_enough.wait(patience)
        with self._lock:
            done, self._done = self._done, []
            self._is_enough.clear()
        return [(self._on_way.pop(number), outcome) for number, outcome in done]

    def give_up(self, patience: float) -> tuple[list[tuple[Attempt, Outcome]], list[Attempt]]:
        """Wait at most `patience` seconds for all; what has come back, and what nobody knows of."""
        came: list[tuple[Attempt, Outcome]] = []
        until = time.monotonic() + patience
        while self.in_flight and time.monotonic() < until:
            came += self.finished(0.1)
        lost = list(self._on_way.values())
        self._on_way.clear()
        return came, lost

    def _finish(self, number: int, outcome: Outcome) -> None:
        with self._lock:
            self._done.append((number, outcome))
            if len(self._done) >= min(self._way.enough, len(self._on_way)):
                self._is_enough.set()


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
