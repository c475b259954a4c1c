"""When a person may be texted: wall-clock hours in a zone in, instants out. Pure.

PostgreSQL and Python disagree about the hour that autumn repeats. Engage decides once, as PostgreSQL does: the second
one (standard time); a wall time that spring skips is moved forward. `instant` and SQL's AT TIME ZONE agree by test.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def instant(day: date, wall: time, zone: str) -> datetime:
    """The UTC instant at which clocks in `zone` show `wall` on `day`."""
    first = datetime.combine(day, wall, ZoneInfo(zone)).replace(fold=0)
    second = first.replace(fold=1)
    is_repeated = _offset(second) < _offset(first)
    return (second if is_repeated else first).astimezone(UTC)


def is_open(now: datetime, zone: str, after: time, until: time) -> bool:
    """Whether the wall clock in `zone` is within [after, until) at `now`. `after` < `until`: no window spans midnight."""
    wall = now.astimezone(ZoneInfo(zone)).time().replace(fold=0)
    return after <= wall < until


def next_opening(now: datetime, zone: str, after: time, until: time) -> datetime:
    """`now` when the window is open, else the next instant at which it opens (UTC)."""
    if is_open(now, zone, after, until):
        return now
    local = now.astimezone(ZoneInfo(zone))
    day = local.date() if local.time() < after else local.date() + timedelta(days=1)
    opens_at = instant(day, after, zone)
    # Spring may skip a whole window: then the next day's is the next one.
    return opens_at if is_open(opens_at, zone, after, until) else instant(day + timedelta(days=1), after, zone)


def local_day(now: datetime, zone: str) -> date:
    """The date on the calendar in `zone`."""
    return now.astimezone(ZoneInfo(zone)).date()


def _offset(moment: datetime) -> timedelta:
    return moment.utcoffset() or timedelta()
