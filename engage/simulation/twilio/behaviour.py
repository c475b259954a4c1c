"""How well the fake behaves: rates and times that may be changed while it runs, and the fate of one request.

In: a Behaviour, the seeded dice, and one-shot orders such as "500_after". Out: a Fate. Never touches a message.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

After = Literal["answer", "500", "503", "drop"]


@dataclass
class Behaviour:
    """Rates are 0..1 a create (or callback), times are seconds of virtual time unless they say otherwise."""

    rate_slow: float = 0
    slow_seconds: float = 2.0  # real seconds, between accepting and answering
    rate_429: float = 0
    retry_after: int | None = 1  # seconds, in the header of a 429; None sends no header
    concurrency_limit: int | None = None  # more requests than this at once are 429
    rate_500_before: float = 0  # not accepted
    rate_500_after: float = 0  # accepted, then 500
    rate_drop_after: float = 0  # accepted, then the connection breaks

    rate_callback_lost: float = 0
    rate_callback_doubled: float = 0
    callbacks_reordered: float = 0  # rate at which a callback is held until later ones have passed it
    callback_delay: float = 0
    callback_statuses: frozenset[str] = frozenset(
        {"queued", "sending", "sent", "delivered", "undelivered", "failed", "canceled"}
    )

    # Twilio refuses a From at once and fails a Messaging Service's text later (facts/twilio.md §6)
    opt_out_mode: Literal["as_twilio", "sync", "callback"] = "as_twilio"
    list_hides_unsent: bool = True  # a DateSent filter misses what was not sent yet (facts/twilio.md §8)

    queue_seconds: float = 0.1  # queued to sending
    sending_seconds: float = 0.2  # sending to sent
    delivery_seconds: float = 2.0  # sent to delivered or undelivered
    segments_per_second: float | None = None  # what one sender can send; None: no limit

    dial_seconds: float = 1.0  # queued to ringing
    answer_seconds: float = 5.0  # ringing to answered
    key_seconds: float = 1.0  # a person's time to press the keys


@dataclass(frozen=True)
class Fate:
    """What becomes of one request: refused with a code before anything happens, or accepted and then `after`."""

    refuse: int | None = None
    retry_after: int | None = None
    drop_before: bool = False
    after: After = "answer"
    slow_seconds: float = 0

    @property
    def is_accepting(self) -> bool:
        """Whether the request is carried out at all."""
        return self.refuse is None and not self.drop_before


WELL = Fate()

_ORDERS: dict[str, Callable[[str, Behaviour], Fate]] = {
    "ok": lambda _, __: WELL,
    "500_before": lambda _, __: Fate(refuse=20500),
    "503_before": lambda _, __: Fate(refuse=20503),
    "drop_before": lambda _, __: Fate(drop_before=True),
    "500_after": lambda _, __: Fate(after="500"),
    "503_after": lambda _, __: Fate(after="503"),
    "drop_after": lambda _, __: Fate(after="drop"),
    "429": lambda seconds, b: Fate(refuse=20429, retry_after=int(seconds) if seconds else b.retry_after),
    "slow": lambda seconds, b: Fate(slow_seconds=float(seconds) if seconds else b.slow_seconds),
    "refuse": lambda code, _: Fate(refuse=int(code)),
}


class Fates:
    """Decides the fate of each request: first what was ordered for the next ones, then the rates."""

    def __init__(self, behaviour: Behaviour, dice: Random) -> None:
        self.behaviour = behaviour
        self._dice = dice
        self._ordered: dict[str, deque[Fate]] = {"create": deque(), "look": deque()}

    def order(self, kind: Literal["create", "look"], order: str, times: int = 1) -> None:
        """Fix the fate of the next `times` requests of a kind ("look": fetch, list, update or delete).

        `order` is one of 500_before, 503_before, drop_before, 500_after, 503_after, drop_after, 429[:retry-after],
        slow[:seconds], refuse:CODE, ok. Two joined by `+` (slow:2+drop_after) happen both. ValueError: not an order.
        """
        fate = WELL
        for part in order.split("+"):
            name, _, detail = part.partition(":")
            if name not in _ORDERS:
                raise ValueError(f"{part!r} is not something the fake can be told to do: {', '.join(_ORDERS)}")
            fate = _both(fate, _ORDERS[name](detail, self.behaviour))
        self._ordered[kind].extend([fate] * times)

    def of_create(self, under_way: int) -> Fate:
        """The fate of a create, with so many requests under way at once."""
        if self._ordered["create"]:
            return self._ordered["create"].popleft()
        return self._overload(under_way) or self._drawn()

    def of_look(self, under_way: int) -> Fate:
        """The fate of a fetch, list, update or delete: well, unless ordered otherwise or overloaded."""
        if self._ordered["look"]:
            return self._ordered["look"].popleft()
        return self._overload(under_way) or WELL

    def _overload(self, under_way: int) -> Fate | None:
        limit = self.behaviour.concurrency_limit
        if limit is None or under_way <= limit:
            return None
        return Fate(refuse=20429, retry_after=self.behaviour.retry_after)

    def _drawn(self) -> Fate:
        b = self.behaviour
        if not (b.rate_slow or b.rate_429 or b.rate_500_before or b.rate_500_after or b.rate_drop_after):
            return WELL
        # One throw a create for what goes wrong and one for how slow it is, always both:
        # changing one rate then leaves the luck of the other creates as it was.
        luck, pace = self._dice.random(), self._dice.random()
        slow = b.slow_seconds if pace < b.rate_slow else 0.0
        for rate, fate in (
            (b.rate_429, Fate(refuse=20429, retry_after=b.retry_after)),
            (b.rate_500_before, Fate(refuse=20500, slow_seconds=slow)),
            (b.rate_500_after, Fate(after="500", slow_seconds=slow)),
            (b.rate_drop_after, Fate(after="drop", slow_seconds=slow)),
        ):
            if luck < rate:
                return fate
            luck -= rate
        return Fate(slow_seconds=slow)


def _both(one: Fate, other: Fate) -> Fate:
    changed = {name: value for name, value in vars(other).items() if value != getattr(WELL, name)}
    return replace(one, **changed)
