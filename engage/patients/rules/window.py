"""When a person may be texted: wall-clock hours in a zone in, instants out. Pure.

PostgreSQL and Python disagree about the hour that autumn repeats. Engage decides once, as PostgreSQL does: the second
one (standard time); a wall time that spring skips is moved forward. `instant` and SQL's AT TIME ZONE agree by test.
Whether the hours are open asks only what the clock on the wall shows, so both of the repeated hours count.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from engage.patients.rules.hours import DAYS_A_WEEK, Week

_DAY = timedelta(days=1)
# A weekday's hours may fall into an hour that spring skips, or into a day that a zone left out: then the week after.
_HORIZON = 2 * DAYS_A_WEEK + 1


def instant(day: date, wall: time, zone: str) -> datetime:
    """The UTC instant at which clocks in `zone` show `wall` on `day`."""
    first = datetime.combine(day, wall, ZoneInfo(zone)).replace(fold=0)
    second = first.replace(fold=1)
    is_repeated = _offset(second) < _offset(first)
    return (second if is_repeated else first).astimezone(UTC)


def is_open(now: datetime, zone: str, week: Week) -> bool:
    """Whether the wall clock in `zone` is within the hours of its day at `now`."""
    local = now.astimezone(ZoneInfo(zone))
    hours = week.on(local.date())
    return hours is not None and hours.has(local.time())


def next_opening(now: datetime, zone: str, week: Week) -> datetime | None:
    """`now` when the hours are open, else the first instant at which they are (UTC); None when they never are.

    Hours open when the clock reaches their beginning, or when it is moved into their midst.
    """
    if is_open(now, zone, week):
        return now
    return next((at for at in sorted(set(_turns(now, zone, week))) if at > now and is_open(at, zone, week)), None)


def local_day(now: datetime, zone: str) -> date:
    """The date on the calendar in `zone`."""
    return now.astimezone(ZoneInfo(zone)).date()


def _turns(now: datetime, zone: str, week: Week) -> Iterator[datetime]:
    """The instants from yesterday to the horizon at which closed hours can open."""
    if week.never_opens:
        return
    today = local_day(now, zone)
    for ahead in range(-1, _HORIZON):
        hours = week.on(day := today + ahead * _DAY)
        if hours is not None:
            begins = datetime.combine(day, hours.after, ZoneInfo(zone))
            yield from (begins.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
        moved = _clock_change(now + ahead * _DAY, zone)
        if moved is not None:
            yield moved


def _clock_change(start: datetime, zone: str) -> datetime | None:
    """The instant within a day after `start` at which clocks in `zone` are moved, to the second; None when they are not."""
    place = ZoneInfo(zone)
    start = start.replace(microsecond=0)
    before = start.astimezone(place).utcoffset()
    if (start + _DAY).astimezone(place).utcoffset() == before:
        return None
    low, high = 0, 24 * 60 * 60
    while high - low > 1:
        middle = (low + high) // 2
        moved = (start + timedelta(seconds=middle)).astimezone(place).utcoffset() != before
        low, high = (low, middle) if moved else (middle, high)
    return start + timedelta(seconds=high)


def _offset(moment: datetime) -> timedelta:
    return moment.utcoffset() or timedelta()
