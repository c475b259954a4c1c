"""When a page may leave: what its reader has had lately, their limits and quiet hours in; the wait out. Pure.

An urgent page never waits, whatever else went to the same person.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

URGENT = 3
"""The severity that nothing holds."""
MOST_CODES = 8
"""So many codes are named in one page; more would not fit one segment."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` pages to one person in any `span`; smooth: also spread evenly over it."""

    most: int
    span: timedelta
    is_smooth: bool = False


@dataclass(frozen=True, slots=True)
class Quiet:
    """Wall time in `zone` from `after` (included) to `until`, over midnight when `after` is the later one."""

    after: time
    until: time
    zone: str


@dataclass(frozen=True, slots=True)
class Pager:
    """One page at the moment it should leave: the codes of its alerts that are still open, and what is known of its reader.

    `severity` is the worst of these alerts; `sent` are the instants of pages to the same person on the same channel.
    """

    codes: tuple[str, ...]
    severity: int
    sent: tuple[datetime, ...] = ()
    quiet: Quiet | None = None
    is_on_call: bool = False


def next_at(sent: Sequence[datetime], limits: Sequence[Limit], now: datetime) -> datetime | None:
    """When the next page may leave; None for now."""
    times = sorted(sent)
    waits = [
        times[-limit.most] + limit.span
        for limit in limits
        if len(times) >= limit.most  # the oldest of the last `most` must be out of the span
    ]
    waits += [times[-1] + limit.span / limit.most for limit in limits if limit.is_smooth and times]
    return max((at for at in waits if at > now), default=None)


def is_quiet(pager: Pager, now: datetime) -> bool:
    """Whether the reader wants to hear nothing but an urgent page now; whoever is on call is never quiet."""
    if pager.quiet is None or pager.is_on_call or pager.severity >= URGENT:
        return False
    wall = now.astimezone(ZoneInfo(pager.quiet.zone)).time()
    after, until = pager.quiet.after, pager.quiet.until
    return after <= wall < until if after <= until else wall >= after or wall < until


def held_until(pager: Pager, limits: Sequence[Limit], now: datetime) -> datetime | None:
    """Until when the limits of its reader hold the page; None for an urgent one, and when it may leave now."""
    return None if pager.severity >= URGENT else next_at(pager.sent, limits, now)


def named(codes: Sequence[str]) -> str:
    """Codes as a page names them: "4821 4822", or the first of them "and 12 more"."""
    more = len(codes) - MOST_CODES
    return " ".join(codes) if more <= 0 else f"{' '.join(codes[:MOST_CODES])} and {more} more"


def spoken(codes: Sequence[str]) -> str:
    """Codes as they are said, digit by digit: "4 8 2 1, and 1 1 7 7"."""
    few = [" ".join(code) for code in codes[:MOST_CODES]]
    return ", and ".join(few)
