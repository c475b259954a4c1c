"""What a cell of an EMR file says: odd spacing, dates, times, yes and no in; a value or why it is none out. Pure."""

import re
from dataclasses import dataclass
from datetime import date, time
from functools import lru_cache
from typing import TypeVar

Cell = TypeVar("Cell")

_NOTHING = frozenset({"null", "(null)", "n/a", "\\n", "-", "--"})
_LONGEST = 500
_LOWEST_ZIP = "501"  # 00501 is Holtsville, New York
_NO_CENTURY = -1
_INVISIBLE = dict.fromkeys([*range(9), *range(14, 32), 0x7F, 0xAD, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0xFEFF])
_KEY = re.compile(r"[\W_]+")
_MONTHS = {name: month for month, name in enumerate(re.findall("...", "janfebmaraprmayjunjulaugsepoctnovdec"), 1)}
_CLOCK_AFTER = r"(?:[T\s]+\d{1,2}:\d{2}\S*(?:\s*[AaPp]\.?[Mm]\.?)?)?"
_YEAR_FIRST = re.compile(rf"(\d{{4}})[-/.](\d{{1,2}})[-/.](\d{{1,2}}){_CLOCK_AFTER}")
_MONTH_FIRST = re.compile(rf"(\d{{1,2}})[-/.](\d{{1,2}})[-/.](\d{{4}}|\d{{2}}){_CLOCK_AFTER}")
_RUN_TOGETHER = re.compile(r"(\d{4})(\d{2})(\d{2})")
_DAY_NAMED = re.compile(rf"(\d{{1,2}})[-\s]([A-Za-z]{{3,9}})\.?[-\s,]+(\d{{4}}){_CLOCK_AFTER}")
_NAMED_DAY = re.compile(rf"([A-Za-z]{{3,9}})\.?\s+(\d{{1,2}}),?\s+(\d{{4}}){_CLOCK_AFTER}")
# A stray date before the time is what spreadsheets and Axxess' date-times leave: 1900-01-01 08:30:00.000.
_CLOCK = re.compile(
    r"(?:[\d/.-]+[T\s]+)?(\d{1,2}):(\d{2})(?::\d{2}(?:\.\d+)?)?\s*(?:([AaPp])\.?\s?[Mm]?\.?)?(Z|[+-]\d{2}:?\d{2})?"
)
_HOUR = re.compile(r"(\d{1,2})\s*([AaPp])\.?\s?[Mm]?\.?")
_DIGITS = re.compile(r"(\d{1,2})(\d{2})")
_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_ZIP = re.compile(r"(\d{5})(?:[-\s]?\d{4})?")
_YES = frozenset({"y", "yes", "true", "t", "1", "x"})
_NUMERALS = frozenset({"II", "III", "IV"})
_NO = frozenset({"n", "no", "false", "f", "0"})


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A cell that is not what its column holds; `reason` is for people and does not repeat it."""

    reason: str


def tidy(text: str) -> str:
    """`text` with single spaces and no invisible characters; empty when the EMR wrote a word for nothing."""
    if not text:
        return ""
    clean = " ".join((text if text.isprintable() else text.translate(_INVISIBLE)).split())[:_LONGEST]
    return "" if clean.lower() in _NOTHING else clean


def key(text: str) -> str:
    """`text` for comparing: letters and digits only, in small letters ("Completed ( Export Ready)" is completedexportready)."""
    return _KEY.sub("", text).casefold()


def identifier(text: str) -> str:
    """An EMR's key as we store it: GUIDs in small letters, for extracts differ in their case; others as they are."""
    clean = tidy(text)
    return clean.lower() if _GUID.fullmatch(clean) else clean


def person(text: str) -> str:
    """A name as people write it: MARY ANN and o'brien become Mary Ann and O'Brien; mixed case is left alone."""
    clean = tidy(text)
    if not (clean.isupper() or clean.islower()):
        return clean
    return " ".join(word.upper() if word.upper() in _NUMERALS else word.title() for word in clean.split())


@lru_cache(maxsize=1 << 16)
def day(text: str) -> date | Unreadable | None:
    """The date in `text` (month first, as in the United States, or ISO, with or without a time of day); None when empty.

    The dates that databases write for "none" (year 1, 1 January 1900) count as empty.
    """
    clean = tidy(text)
    if not clean:
        return None
    parts = _date_parts(clean)
    if parts is None:
        return Unreadable("this is not a date; write it as 11/23/2026 or 2026-11-23")
    year, month, of_month = parts
    if year == _NO_CENTURY:
        return Unreadable("the year has only two digits; write all four")
    if year < 1800 or (year, month, of_month) == (1900, 1, 1):
        return None
    try:
        return date(year, month, of_month)
    except ValueError:
        return Unreadable("there is no such day in the calendar")


def _date_parts(clean: str) -> tuple[int, int, int] | None:
    if (found := _YEAR_FIRST.fullmatch(clean)) or (found := _RUN_TOGETHER.fullmatch(clean)):
        return int(found[1]), int(found[2]), int(found[3])
    if found := _MONTH_FIRST.fullmatch(clean):
        return int(found[3]) if len(found[3]) == 4 else _NO_CENTURY, int(found[1]), int(found[2])
    if found := _DAY_NAMED.fullmatch(clean):
        month, of_month, year = _MONTHS.get(found[2][:3].lower()), int(found[1]), int(found[3])
    elif found := _NAMED_DAY.fullmatch(clean):
        month, of_month, year = _MONTHS.get(found[1][:3].lower()), int(found[2]), int(found[3])
    else:
        return None
    return None if month is None else (year, month, of_month)


@lru_cache(maxsize=1 << 12)
def clock(text: str) -> time | Unreadable | None:
    """The wall time in `text`: 08:30, 8:30 AM, 0830, 2:05pm, with or without seconds or a date before it; None when empty."""
    clean = tidy(text)
    if not clean:
        return None
    half = None
    if found := _CLOCK.fullmatch(clean):
        if found[4]:
            return Unreadable("the time carries a UTC offset; give the time on the patient's wall clock")
        hour, minute, half = int(found[1]), int(found[2]), found[3]
    elif found := _HOUR.fullmatch(clean):
        hour, minute, half = int(found[1]), 0, found[2]
    elif found := _DIGITS.fullmatch(clean):
        hour, minute = int(found[1]), int(found[2])
    else:
        return Unreadable("this is not a time of day; write it as 08:30 or 8:30 AM")
    return _wall_time(hour, minute, half.lower() if half else None)


def _wall_time(hour: int, minute: int, half: str | None) -> time | Unreadable:
    if half == "a" and hour == 12:
        hour = 0
    elif half == "p" and hour < 12:
        hour += 12
    elif half == "a" and hour > 12:
        return Unreadable("this time is after noon and says AM")
    if hour > 23 or minute > 59:
        return Unreadable("there is no such time of day")
    return time(hour, minute)


def flag(text: str) -> bool | Unreadable | None:
    """Yes or no; None when empty."""
    clean = tidy(text).lower()
    if not clean:
        return None
    if clean in _YES:
        return True
    return False if clean in _NO else Unreadable("this is neither yes nor no")


def count(text: str) -> int | Unreadable | None:
    """A whole number, 0 or more (also written 4.00); None when empty."""
    clean = tidy(text)
    if not clean:
        return None
    whole, _, rest = clean.partition(".")
    if whole.isascii() and whole.isdigit() and len(whole) < 10 and not rest.strip("0"):
        return int(whole)
    return Unreadable("this is not a whole number")


def zip_code(text: str) -> str | Unreadable | None:
    """The five digits of a ZIP code; zeros that a spreadsheet took away are put back. None when empty."""
    clean = tidy(text)
    if not clean:
        return None
    if clean.isascii() and clean.isdigit() and (len(clean) == 4 or (len(clean) == 3 and clean >= _LOWEST_ZIP)):
        return clean.zfill(5)
    found = _ZIP.fullmatch(clean)
    return found[1] if found else Unreadable("this is not a ZIP code")
