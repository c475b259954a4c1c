"""Sends what is due, exactly once: claims a little ahead, sends outside any transaction, records what came back, and again.

Texts keep flowing while rows are claimed and recorded, so the pace is that of the slower of the two, not of their sum.
Nothing is ever sent again because its outcome is unknown: `reconcile` settles that.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from engage import clock, log
from engage.db import Database
from engage.outreach import stops
from engage.outreach.claim import Attempt, Batch, Take, claim, expire
from engage.outreach.gather import Terms
from engage.outreach.pump import Pump, Room, Way
from engage.outreach.record import record
from engage.outreach.rules.pressure import Heard, Pressure, Sign
from engage.outreach.rules.share import for_unasked
from engage.outreach.stops import Standing, Stopped, StopReason
from engage.sms.gateway import Gateway
from engage.sms.rules.codes import CodeTable
from engage.sms.texts import Accepted, HeldBack, Outcome, Refused, SendingStopped, TryLater, Uncertain

GRACE = timedelta(seconds=6)
"""How long a stopping process waits for texts on their way; what is still out then is unknown, and reconciled later."""
AGES = timedelta(seconds=5)
"""How long the decision to send holds: evening comes, a patient writes STOP. What is claimed ahead is decided anew after it."""
_GLANCE = 0.05  # seconds between two looks at what has come back


class Stop(Protocol):
    """Says when to hand back what has not left yet; a threading.Event is one."""

    def is_set(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is claimed at once and how much is on its way at once, how long a claim lasts, where receipts go.

    `in_flight` is how long a text may be on its way: one that has not left that long before its lease ends does not leave,
    because reconciliation may by then have looked for it in Twilio's log and given it to somebody else. Nor does one that
    has waited for its turn for longer than AGES.
    """

    public_url: str
    batch: int = 200
    at_once: int = 128
    lease: timedelta = timedelta(seconds=90)
    in_flight: timedelta = timedelta(seconds=15)
    terms: Terms = field(default_factory=Terms)


@dataclass(slots=True)
class Flow:
    """What one process knows of its way to Twilio from run to run: how much it bore, and whether the unasked are to wait.

    Reading a reply and paging a nurse share the processors with thousands of check-ins; `gives_way` says that they are at it.
    """

    pressure: Pressure | None = None
    gives_way: Callable[[], bool] = lambda: False


@dataclass(slots=True)
class Dispatched:
    """What one run did. `stopped_by` is Twilio's HTTP status when it refused everything."""

    sent: int = 0
    held: int = 0
    dropped: int = 0
    released: int = 0
    stopped_by: int | None = None
    stopped: str | None = None


def dispatch(
    db: Database,
    gateway: Gateway,
    codes: CodeTable,
    limits: Limits,
    stop: Stop | None = None,
    flow: Flow | None = None,
) -> Dispatched:
    """Send what is due until nothing is left, `stop` is set, or nothing may be sent for now.

    A run may last long, so each claim asks the clock anew: a lease counts from the claim, not from the start of the run.
    """
    run = _Run(db, gateway, codes, limits, stop or threading.Event(), flow or Flow())
    expire(db, clock.now())
    match stops.standing(db, clock.now()):
        case Standing.STOPPED:
            run.done.stopped = "stopped"
        case Standing.PROBE:
            run.probe()
        case Standing.FREE:
            run.go_on()
    return run.done


@dataclass(slots=True)
class _Run:
    """One run of one worker."""

    db: Database
    gateway: Gateway
    codes: CodeTable
    limits: Limits
    halted: Stop
    flow: Flow
    done: Dispatched = field(default_factory=Dispatched)
    pump: Pump = field(init=False)
    ahead: int = field(init=False)

    def __post_init__(self) -> None:
        limits = self.limits
        way = Way(limits.public_url, max(1, limits.batch // 2), AGES, limits.lease - limits.in_flight)
        self.pump = Pump(self.gateway, way, self.halted.is_set)
        self.ahead = min(self.limits.at_once, self.limits.batch)

    def probe(self) -> None:
        """One text, after a stop: if Twilio takes or refuses it as usual, everybody goes on."""
        self.pump.allow(Room(1, 1), 0)
        self._claim(1, 1)
        answered = [outcome for _, outcome in self._collect(to_the_end=True)]
        if any(isinstance(outcome, Accepted | Refused) for outcome in answered):
            stops.go_on(self.db)
            self.flow.pressure = None
            self.go_on()
        elif answered:
            self._stop(Stopped(StopReason.SILENT))

    def go_on(self) -> None:
        """Claim, send and record until nothing may be claimed."""
        self.flow.pressure = self.flow.pressure or Pressure.full(self.limits.at_once)
        while not self.halted.is_set() and self.done.stopped is None:
            gives_way = self.flow.gives_way()
            room = self.flow.pressure.room(clock.now())
            unasked = 0 if gives_way else for_unasked(room)
            self.pump.allow(Room(room, unasked), self.ahead // 2)
            if room == 0:
                self.pump.hand_back()
            batch = self._claim(self.limits.batch, self._wanted(unasked)) if room else Batch()
            if not (batch.looked_at or self.pump.held):
                if not (batch.is_shared or gives_way):
                    break
                time.sleep(_GLANCE)  # another worker has the number for a moment, or a reply is being read
            self._collect()
        self._collect(to_the_end=True)

    def _wanted(self, unasked: int) -> int:
        """How many of the unasked to claim, so that the way stays busy until the next claim; 0 while enough of them wait.

        What lies ready is doubled when it did not last, up to a whole batch: with an answer each millisecond a few are
        nothing, and each claim costs the database as much as a hundred texts.
        """
        if self.pump.held >= unasked + self.ahead // 2:
            return 0
        if not self.pump.waiting:
            self.ahead = min(2 * self.ahead, self.limits.batch)
        return unasked and unasked + self.ahead - self.pump.held

    def _claim(self, most: int, unasked: int) -> Batch:
        now = clock.now()
        batch = claim(self.db, Take(most, unasked, self.limits.lease), self.limits.terms, now)
        self.done.held += len(batch.holds)
        self.done.dropped += len(batch.ends)
        self.pump.take_up(batch.attempts, now)
        return batch

    def _collect(self, *, to_the_end: bool = False) -> list[tuple[Attempt, Outcome]]:
        """Record what has come back; with `to_the_end` all of it, or what GRACE lets come once we are to stop."""
        came: list[tuple[Attempt, Outcome]] = []
        while True:
            if self.halted.is_set():
                finished, lost = self.pump.give_up(GRACE.total_seconds())
                finished += [(attempt, Uncertain("stopped while sending")) for attempt in lost]
            else:
                finished = self.pump.finished(_GLANCE)
            self._record(finished)
            came += finished
            if not (to_the_end and self.pump.held):
                return came

    def _record(self, finished: Sequence[tuple[Attempt, Outcome]]) -> None:
        if not finished:
            return
        now = clock.now()
        record(self.db, self.codes, [(a.claimed.id, a.attempt_id, outcome) for a, outcome in finished], now)
        outcomes = [outcome for _, outcome in finished]
        self._count(outcomes)
        pressure = (self.flow.pressure or Pressure.full(self.limits.at_once)).after(_signs(outcomes), now)
        self.flow.pressure = pressure
        refused = next((outcome for outcome in outcomes if isinstance(outcome, SendingStopped)), None)
        if refused is not None:
            self.done.stopped_by = refused.http_status
            self._stop(Stopped(StopReason.REFUSED, refused.http_status, refused.code))
        elif pressure.is_broken:
            self._stop(Stopped(StopReason.SILENT))
            self.flow.pressure = Pressure.full(self.limits.at_once)

    def _stop(self, stopped: Stopped) -> None:
        if self.done.stopped is None:
            stops.stop(self.db, stopped, clock.now())
            log.get().error("sending stopped", why=stopped.reason, http_status=stopped.http_status, code=stopped.code)
        self.done.stopped = stopped.reason
        self.pump.hand_back()

    def _count(self, outcomes: Sequence[Outcome]) -> None:
        handed_back = sum(isinstance(outcome, HeldBack | SendingStopped) for outcome in outcomes)
        self.done.released += handed_back
        self.done.sent += len(outcomes) - handed_back


def _signs(outcomes: Sequence[Outcome]) -> Iterator[Heard]:
    """What says nothing about the way to Twilio is left out."""
    for outcome in outcomes:
        match outcome:
            case Accepted() | Refused():
                yield Heard(Sign.ANSWERED)
            case TryLater(code=int(), after_seconds=seconds):
                yield Heard(Sign.BUSY, seconds)
            case TryLater() | Uncertain():  # a TryLater without a code: not even the door answered
                yield Heard(Sign.SILENT)
