"""Everything Twilio remembers of one account, in one place, behind one lock. Holds; decides nothing."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random
from threading import RLock, get_ident
from typing import TYPE_CHECKING, Literal

from engage.simulation.twilio.behaviour import Behaviour, Fates
from engage.simulation.twilio.messages import Message
from engage.simulation.twilio.phones import Phone
from engage.simulation.twilio.senders import Senders
from engage.simulation.twilio.shelf import Shelf
from engage.simulation.twilio.timeline import Effects, Event, Timeline

if TYPE_CHECKING:
    from engage.simulation.twilio.calls import Call
    from engage.simulation.twilio.fake import FakeTwilio


@dataclass(frozen=True, slots=True)
class Requested:
    """One request that reached the API; status 0 when the connection was broken instead of answered."""

    method: str
    path: str
    status: int


@dataclass(frozen=True, slots=True)
class WebhookFailure:
    """A webhook of ours that was not answered 2xx, after its retries."""

    kind: Literal["inbound", "status", "voice"]
    sid: str
    url: str
    status: int | None  # None: no answer at all
    error: str
    failed_at: datetime
    attempts: int


class Account:
    """The account's messages, calls, numbers, phones, plans and luck."""

    def __init__(
        self,
        *,
        sid: str,
        auth_token: str,
        now: Callable[[], datetime],
        behaviour: Behaviour,
        seed: int,
        keep: int | None,
        keep_requests: int,
    ) -> None:
        self.sid = sid
        self.auth_token = auth_token
        self.behaviour = behaviour
        self.lock = RLock()
        self.timeline = Timeline(self.lock)
        self.messages: Shelf[Message] = Shelf(self.lock, keep)
        self.calls: Shelf[Call] = Shelf(self.lock, keep)
        self.senders = Senders()
        self.phones: dict[str, Phone] = {}
        self.unexpected: deque[Message | Call] = deque(maxlen=1000)
        self.requests: deque[Requested] = deque(maxlen=keep_requests)
        self.webhook_failures: deque[WebhookFailure] = deque(maxlen=keep_requests)
        self.free_at: dict[str, datetime] = {}  # when each sender's queue will be empty
        self.fates = Fates(behaviour, Random(f"{seed}:requests"))  # noqa: S311 - luck, not secrets
        self.callback_dice = Random(f"{seed}:callbacks")  # noqa: S311 - luck, not secrets
        self.strict = False
        self.advanced_opt_out = False
        self.fake: FakeTwilio | None = None
        self._sids = Random(f"{seed}:sids")  # noqa: S311 - must come out the same with the same seed
        self._now = now
        self._running: tuple[int, datetime] | None = None

    def now(self) -> datetime:
        """The present: the instant of the event that this thread is running, else the clock's."""
        running = self._running
        if running is not None and running[0] == get_ident():
            return running[1]
        return self._now()

    def new_sid(self, prefix: str) -> str:
        """A SID that this account has not used; the same ones in the same order for the same seed."""
        return f"{prefix}{self._sids.getrandbits(128):032x}"

    def phone(self, e164: str) -> Phone:
        """The phone, or an ordinary mobile that nobody looks at when it was never added."""
        return self.phones.get(e164) or Phone(e164)

    def run(self, event: Event) -> Effects:
        """Take an event's step and tell the people it concerns; hands back the webhooks to post."""
        self._running = (get_ident(), event.due_at)
        try:
            with self.lock:
                effects = event.step(event.due_at)
            if effects.tell is not None:
                effects.tell()
            return effects
        finally:
            self._running = None

    def at(self, instant: datetime, work: Callable[[], None]) -> None:
        """Do `work` as of `instant`: for what follows from a webhook's answer."""
        self._running = (get_ident(), instant)
        try:
            work()
        finally:
            self._running = None
