"""The conversation with a patient as one thread: texts out and texts in, in the order in which a phone shows them. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import groupby
from zoneinfo import ZoneInfo

from engage.console.rules.marking import Piece
from engage.outreach.rules.words import Channel, Kind
from engage.sms.rules.statuses import MessageState


class Delivery(StrEnum):
    """What became of a text, as a person must know it."""

    WAITS = "waits"
    HELD = "held"  # it waits for a reason: the night, a pace
    ON_ITS_WAY = "on_its_way"
    PERHAPS = "perhaps"
    SENT = "sent"
    DELIVERED = "delivered"
    NOT_DELIVERED = "not_delivered"
    NOT_SENT = "not_sent"


_DELIVERY = {
    MessageState.SENDING: Delivery.ON_ITS_WAY,
    MessageState.UNKNOWN: Delivery.PERHAPS,
    MessageState.ACCEPTED: Delivery.SENT,
    MessageState.SENT: Delivery.SENT,
    MessageState.DELIVERED: Delivery.DELIVERED,
    MessageState.UNDELIVERED: Delivery.NOT_DELIVERED,
    MessageState.FAILED: Delivery.NOT_DELIVERED,
}


def delivery(state: MessageState, reason: str | None) -> Delivery:
    """What became of a text in `state`; one that waits for a reason is held."""
    if state is MessageState.PLANNED:
        return Delivery.HELD if reason else Delivery.WAITS
    return _DELIVERY.get(state, Delivery.NOT_SENT)


@dataclass(frozen=True, slots=True)
class Ours:
    """A text of ours. `words` are None before it is written. `why` is the sentence of its reason, where it has one; `language` that of
    the words."""

    id: int
    at: datetime
    kind: Kind
    channel: Channel
    template: str
    words: str | None
    delivery: Delivery
    to: str | None
    is_to_patient: bool
    segments: int | None
    why: str | None
    due_at: datetime | None = None
    author: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Theirs:
    """What somebody wrote, with the words that were read marked. `is_pressed`: a key in a call."""

    id: int
    at: datetime
    words: tuple[Piece, ...]
    intents: tuple[str, ...]
    score: int | None
    by: str | None
    is_by_patient: bool
    is_unread: bool
    pictures: int
    is_pressed: bool
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """A local day of the thread, oldest text first."""

    on: date
    said: tuple[Ours | Theirs, ...]


def thread(ours: Iterable[Ours], theirs: Iterable[Theirs], zone: str) -> tuple[Day, ...]:
    """Days in order, each with its texts in order; what was written in the same second comes before its answer."""
    said: Sequence[Ours | Theirs] = sorted(
        [*theirs, *ours], key=lambda each: (each.at, isinstance(each, Ours), each.id)
    )
    place = ZoneInfo(zone)
    return tuple(Day(on, tuple(each)) for on, each in groupby(said, key=lambda one: one.at.astimezone(place).date()))
