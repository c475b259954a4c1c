"""Instants as somebody at a desk or in a car reads them: an instant, a zone and now in, a few words out. Pure.

Times are told by the clock of twelve hours in both languages, as phones in the United States show it (decision 45).
"""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time

_DAY = {"en": "EEE MMM d", "es": "EEE d MMM"}


def clock_at(at: datetime, zone: str, now: datetime, language: str) -> str:
    """The wall clock in `zone`; with its weekday and date when that is not today's: "3:05 PM", "Mon Nov 23 3:05 PM"."""
    here = at.astimezone(ZoneInfo(zone))
    told = wall(here.time())
    return told if here.date() == now.astimezone(ZoneInfo(zone)).date() else f"{day(here.date(), language)} {told}"


def day(on: date, language: str) -> str:
    """A date without its year: "Mon Nov 23", "lun 23 nov"."""
    return format_date(on, _DAY.get(language, _DAY["en"]), locale=language if language in _DAY else "en")


def wall(at: time) -> str:
    """A wall time: "3:05 PM"."""
    return format_time(at, "h:mm a", locale="en_US")


def span(length: timedelta) -> str:
    """How long: "0 min", "59 min", "2 h 5 min", "3 d 4 h"; the same letters in both languages, never less than nothing."""
    minutes = max(int(length.total_seconds() // 60), 0)
    days, hours = divmod(minutes // 60, 24)
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{minutes} min"
