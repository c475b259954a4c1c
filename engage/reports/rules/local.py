"""Instants and dates as people say them where the patient lives: "Mon Nov 23, 3:00 PM EST". Pure."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_time


def moment(at: datetime, zone: str) -> str:
    """Day and wall clock in `zone`, with the zone's letters, which tell the two repeated hours of autumn apart."""
    return f"{_formatted(at, zone, 'EEE MMM d, h:mm a')} {at.astimezone(ZoneInfo(zone)).tzname()}"


def precisely(at: datetime, zone: str) -> str:
    """The same with seconds."""
    return f"{_formatted(at, zone, 'EEE MMM d, h:mm:ss a')} {at.astimezone(ZoneInfo(zone)).tzname()}"


def near(at: datetime, other: datetime, zone: str) -> str:
    """The wall clock alone where `other` has told day and zone's letters already, else all of it."""
    here, there = at.astimezone(ZoneInfo(zone)), other.astimezone(ZoneInfo(zone))
    is_same = (here.date(), here.tzname()) == (there.date(), there.tzname())
    return _formatted(at, zone, "h:mm a") if is_same else moment(at, zone)


def _formatted(at: datetime, zone: str, pattern: str) -> str:
    return format_datetime(at.astimezone(ZoneInfo(zone)), pattern, tzinfo=ZoneInfo(zone), locale="en")


def noon(on: date, zone: str) -> datetime:
    """Noon of a local date."""
    return datetime.combine(on, time(12), ZoneInfo(zone))


def day_of(at: datetime, zone: str) -> str:
    """The local date of `at`, with its year: consent may be old."""
    return day(at.astimezone(ZoneInfo(zone)).date())


def day(on: date) -> str:
    """A local date with its year."""
    return format_date(on, "EEE MMM d, y", locale="en")


def wall(at: time) -> str:
    """A wall time."""
    return format_time(at, "h:mm a", locale="en")
