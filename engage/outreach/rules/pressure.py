"""How many texts may be on their way at once, from how the last ones fared. Signs in, a limit or a break out. Pure.

More by one for each full round that went well, half when Twilio is too busy (429; Twilio: "always safe to retry", ask
less at once), nothing at all for a while when answers stop coming: additive increase, multiplicative decrease, as TCP.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto

BREAK_AFTER = 8
"""So many answers in a row that were no answer (5xx, time-outs, resets) stop the sending: each leaves a text unknown."""
_CALM = timedelta(seconds=1)  # one flood of 429s is one sign, however many texts were in it


class Sign(Enum):
    """What the fate of one text says about the way to Twilio."""

    ANSWERED = auto()  # taken or refused: the way is open
    BUSY = auto()  # 429
    SILENT = auto()  # no answer, a 5xx, or nobody there


@dataclass(frozen=True, slots=True)
class Heard:
    """A sign, and for how many seconds Twilio asked us to wait (None: it did not)."""

    sign: Sign
    wait_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Pressure:
    """`limit` of `most` may be on their way; nothing begins before `resume_at`; `silences` counts those in a row."""

    most: int
    limit: int
    resume_at: datetime | None = None
    cut_at: datetime | None = None
    fine: int = 0
    silences: int = 0

    @classmethod
    def full(cls, most: int) -> "Pressure":
        """As much as is allowed at all."""
        return cls(most, most)

    @property
    def is_broken(self) -> bool:
        """Whether so many answers failed to come that sending must stop."""
        return self.silences >= BREAK_AFTER

    def room(self, now: datetime) -> int:
        """How many may be on their way now."""
        return 0 if self.resume_at is not None and now < self.resume_at else self.limit

    def after(self, signs: Iterable[Heard], now: datetime) -> "Pressure":
        """The pressure once these are known."""
        pressure = self
        for heard in signs:
            match heard.sign:
                case Sign.ANSWERED:
                    pressure = pressure._grown()
                case Sign.BUSY:
                    pressure = pressure._cut(heard.wait_seconds, now)
                case Sign.SILENT:
                    pressure = replace(pressure, silences=pressure.silences + 1)
        return pressure

    def _grown(self) -> "Pressure":
        fine = self.fine + 1
        if fine < self.limit:
            return replace(self, fine=fine, silences=0)
        return replace(self, limit=min(self.most, self.limit + 1), fine=0, silences=0)

    def _cut(self, wait_seconds: float | None, now: datetime) -> "Pressure":
        resume_at = self.resume_at
        if wait_seconds:
            resume_at = max(resume_at or now, now + timedelta(seconds=wait_seconds))
        if self.cut_at is not None and now - self.cut_at < _CALM:
            return replace(self, resume_at=resume_at, silences=0)
        return replace(self, limit=max(1, self.limit // 2), resume_at=resume_at, cut_at=now, fine=0, silences=0)
