"""On which channels a person can be paged, the best one first. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from engage.outreach.rules.words import Channel

ANY = "any"
"""A step of a ladder that names no channel."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What is known of how to page somebody; `wanted` is their own order, and what is not in it is not used."""

    has_phone: bool
    has_email: bool
    has_stopped_texts: bool
    wanted: tuple[str, ...]


def channels(reach: Reach, wish: str | None = None) -> tuple[Channel, ...]:
    """The channels that can reach them, in their order; the one that the ladder's step wishes for comes before.

    A STOP ends texts only: their phone may still ring.
    """
    usable = {
        Channel.SMS: reach.has_phone and not reach.has_stopped_texts,
        Channel.VOICE: reach.has_phone,
        Channel.EMAIL: reach.has_email,
    }
    order = [Channel(word) for word in dict.fromkeys(reach.wanted)]
    if wish is not None and wish != ANY:
        order = [Channel(wish), *(channel for channel in order if channel != wish)]
    return tuple(channel for channel in order if usable[channel])


def after(tried: Sequence[str], reach: Reach, wish: str | None = None) -> Channel | None:
    """The next channel, when those in `tried` have failed; None when there is no other."""
    return next((channel for channel in channels(reach, wish) if channel not in tried), None)
