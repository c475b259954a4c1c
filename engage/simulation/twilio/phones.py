"""The people's end: phones that get texts and calls, and what their owners do.

In: what Twilio delivered. Out: whatever the owner's callback does. Never talks to Engage.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from engage.simulation.twilio.fake import FakeTwilio

PhoneKind = Literal["mobile", "landline", "unreachable", "blocked", "gone", "filtered", "silent"]

# kind: (final status, error code). facts/twilio.md §7. "silent" stays at `sent`: its carrier never confirms.
FINAL: dict[PhoneKind, tuple[str, int | None]] = {
    "mobile": ("delivered", None),
    "landline": ("undelivered", 30006),
    "unreachable": ("undelivered", 30003),
    "blocked": ("undelivered", 30004),
    "gone": ("undelivered", 30005),
    "filtered": ("undelivered", 30007),
    "silent": ("sent", None),
}


@dataclass(frozen=True, slots=True)
class SentText:
    """A text that arrived on a phone."""

    sid: str
    to: str
    from_: str
    body: str
    arrived_at: datetime


@dataclass(frozen=True, slots=True)
class RingingCall:
    """A call that rings on a phone."""

    sid: str
    to: str
    from_: str
    rings_at: datetime


@dataclass(frozen=True, slots=True)
class Pickup:
    """What the owner does about a call; `digits` are pressed as they are asked for.

    `digits` may be a function from what was said before the question to the keys pressed ("" presses nothing).
    """

    how: Literal["answer", "machine", "no-answer", "busy"] = "answer"
    digits: str | Callable[[str], str] = ""


OnText = Callable[[SentText, "FakeTwilio"], None]
OnCall = Callable[[RingingCall, "FakeTwilio"], Pickup]


@dataclass(slots=True)
class Phone:
    """A person's phone; change its fields to change its luck. Keeps its last 1,000 texts."""

    e164: str
    kind: PhoneKind = "mobile"
    on_text: OnText | None = None
    on_call: OnCall | None = None
    opted_out: bool = False  # from every sender; STOP opts out of one
    texts: deque[SentText] = field(default_factory=lambda: deque(maxlen=1000))
