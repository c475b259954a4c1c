"""Instants and dates as people say them where the patient lives: "Mon Nov 23, 3:00 PM EST". Pure."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_time


def moment(at: datetime, zone: str) -> str:
    """Day and wall clock in `zone`, with the zone's letters, which tell the two repeated hours of autumn apart."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{format_datetime(local, 'EEE MMM d, h:mm a', tzinfo=ZoneInfo(zone), locale='en')} {local.tzname()}"


def day_of(at: datetime, zone: str) -> str:
    """The local date of `at`, with its year: consent may be old."""
    return day(at.astimezone(ZoneInfo(zone)).date())


def day(on: date) -> str:
    """A local date with its year."""
    return format_date(on, "EEE MMM d, y", locale="en")


def wall(at: time) -> str:
    """A wall time."""
    return format_time(at, "h:mm a", locale="en")
