"""How fast one of our numbers may send: its pace and the moment in, a place in line or a wait out. Pure.

A number sends so many segments a second and, with some carriers, so many a day (Twilio's "message segments per second";
T-Mobile's daily cap of a 10DLC brand, counted from midnight Pacific). All workers keep one count, in the number's row.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from engage.patients.rules.permission import Hold
from engage.patients.rules.window import instant, local_day

BURST = timedelta(seconds=2)
"""How far ahead of its pace a number may be: longer than a tick, so that no second goes unused; Twilio's queue holds it."""
CARRIER_ZONE = "America/Los_Angeles"
"""Where the carrier's day begins."""


@dataclass(frozen=True, slots=True)
class Pace:
    """A number's limits and its count: `free_at` is when all it has taken will have left, `used` the segments of `day`."""

    per_second: float | None
    per_day: int | None
    free_at: datetime
    day: date
    used: int


def today(now: datetime) -> date:
    """The carrier's day."""
    return local_day(now, CARRIER_ZONE)


def room(pace: Pace, now: datetime) -> int:
    """How many segments may leave now."""
    of_day = None if pace.per_day is None else max(0, pace.per_day - _used(pace, now))
    if pace.per_second is None:
        return of_day if of_day is not None else 0
    ahead = max(pace.free_at - now, timedelta())
    of_second = 0 if ahead >= BURST else max(1, int((BURST - ahead).total_seconds() * pace.per_second))
    return of_second if of_day is None else min(of_second, of_day)


def take(pace: Pace, segments: int, now: datetime) -> Pace:
    """The count after `segments` more, whether there was room or not."""
    free_at = pace.free_at
    if pace.per_second is not None:
        free_at = max(free_at, now) + timedelta(seconds=segments / pace.per_second)
    return replace(pace, free_at=free_at, day=today(now), used=_used(pace, now) + segments)


def wait(pace: Pace, segments: int, now: datetime) -> Hold | None:
    """None when `segments` may leave now, else until when not."""
    if pace.per_day is not None and _used(pace, now) + segments > pace.per_day:
        return Hold(instant(today(now) + timedelta(days=1), time(), CARRIER_ZONE), "sender_day_cap")
    if pace.per_second is not None and pace.free_at - now >= BURST:
        return Hold(pace.free_at - BURST + timedelta(milliseconds=1), "sender_pace")
    return None


def _used(pace: Pace, now: datetime) -> int:
    return pace.used if pace.day == today(now) else 0
