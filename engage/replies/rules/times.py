"""The days and times a patient asks for. Words and today's date in, windows in the patient's own zone out.

A bare hour is read as an hour of visiting: 7 to 11 in the morning, 12 to 6 after noon.
"""

from datetime import date, time, timedelta

from engage.replies.rules.reading import WantedTime
from engage.replies.rules.words import Word

Lists = dict[str, frozenset[str]]

WEEKDAYS = {
    **dict.fromkeys(("monday", "mondays", "lunes"), 0),
    **dict.fromkeys(("tuesday", "tuesdays", "martes"), 1),
    **dict.fromkeys(("wednesday", "wednesdays", "miercoles"), 2),
    **dict.fromkeys(("thursday", "thursdays", "jueves"), 3),
    **dict.fromkeys(("friday", "fridays", "viernes"), 4),
    **dict.fromkeys(("saturday", "saturdays", "sabado", "sabados"), 5),
    **dict.fromkeys(("sunday", "sundays", "domingo", "domingos"), 6),
}
_MONTHS_SPOKEN = (
    "january jan enero, february feb febrero, march mar marzo, april apr abril, may mayo, june jun junio, "
    "july jul julio, august aug agosto, september sept sep septiembre, october oct octubre, november nov noviembre, "
    "december dec diciembre dic"
)
MONTHS = {w: m for m, words in enumerate(_MONTHS_SPOKEN.split(", "), start=1) for w in words.split()}
DAYPARTS = {
    **dict.fromkeys(("morning", "mornings", "mananas"), (time(8), time(12))),
    **dict.fromkeys(("afternoon", "afternoons", "tarde", "tardes", "lunch", "almuerzo"), (time(12), time(17))),
    **dict.fromkeys(("evening", "evenings", "tonight", "noche"), (time(17), time(20))),
}
_HOURS_SPOKEN = (
    "one un una, two dos, three tres, four cuatro, five cinco, six seis, seven siete, eight ocho, nine nueve, ten diez, "
    "eleven once, twelve doce noon mediodia"
)
_UNITS = {"day": 1, "days": 1, "dia": 1, "dias": 1, "week": 7, "weeks": 7, "semana": 7, "semanas": 7}
_HOUR_WORDS = {w: h for h, words in enumerate(_HOURS_SPOKEN.split(", "), start=1) for w in words.split()}


def wanted_times(text: str, items: tuple[Word, ...], lists: Lists, today: date | None) -> tuple[WantedTime, ...]:
    """Every day and window asked for, in order. Without `today` a day is only named in `words`."""
    days = [
        (i, day[0])
        for i in range(len(items))
        if (day := _day(items, i, today)) is not None and not _refused(items, i, lists)
    ]
    windows = [w for i in range(len(items)) if (w := _window(items, i, lists)) is not None]
    if not days and not windows:
        return ()
    earliest, latest, at = _joined(windows)
    if not days:
        return (WantedTime(None, earliest, latest, _spoken(text, items, at)),)
    return tuple(WantedTime(on, earliest, latest, _spoken(text, items, [i, *at])) for i, on in days)


def _spoken(text: str, items: tuple[Word, ...], at: list[int]) -> str:
    return text[min(items[i].start for i in at) : max(items[i].end for i in at)]


def _day(items: tuple[Word, ...], i: int, today: date | None) -> tuple[date | None] | None:
    """The date this word names, or None for no day at all; without `today` the date in it is None."""
    word, before, after = items[i].text, items[max(0, i - 1)].text, items[min(i + 1, len(items) - 1)].text
    dated = _calendar_day(items, i)
    if dated is not None:
        return (_next(*dated, today),)
    if i > 0 and before in MONTHS and _number(word) is not None:
        return None  # "December 5th" was read at "December"
    if word[0].isdigit() and word.endswith(("st", "nd", "rd", "th")):
        return (_day_of_month(int(word[:-2]), today),)
    ahead = _counted(items, i)
    if ahead is None:
        ahead = _days_ahead(word, before, after, today.weekday() if today else 0)
    if ahead is None:
        return None
    return (today + timedelta(ahead) if today else None,)


def _calendar_day(items: tuple[Word, ...], i: int) -> tuple[int, int] | None:
    """Month and day of "Dec 5", "December 5th", "5 de diciembre", "12/5"; None where none is named."""
    word = items[i].text
    following = items[i + 1].text if i + 1 < len(items) else "."
    if word in MONTHS:
        day = _number(following)
        if day is None and i > 1:
            day = _number(items[i - 2].text if items[i - 1].text in {"de", "of"} else items[i - 1].text)
        return None if day is None else (MONTHS[word], day)
    month, slash, day_of = word.partition("/")
    if slash and month.isdigit() and day_of.isdigit() and 1 <= int(month) <= 12 and 1 <= int(day_of) <= 31:
        return int(month), int(day_of)
    return None


def _number(word: str) -> int | None:
    digits = word[:-2] if word.endswith(("st", "nd", "rd", "th")) else word
    return int(digits) if digits.isdigit() and 1 <= int(digits) <= 31 else None


def _next(month: int, day: int, today: date | None) -> date | None:
    """This day of the calendar, from today on; None for a day that no month has."""
    for year in (today.year, today.year + 1) if today else ():
        try:
            on = date(year, month, day)
        except ValueError:
            return None
        if today and on >= today:
            return on
    return None


def _counted(items: tuple[Word, ...], i: int) -> int | None:
    """ "In two days", "dentro de una semana": how many days from today."""
    unit = _UNITS.get(items[i].text)
    if unit is None or i < 2:
        return None
    number, lead = items[i - 1].text, items[i - 2].text
    count = _HOUR_WORDS.get(number) or _number(number) or (1 if number == "a" else None)
    if count is None or lead not in {"in", "en", "de", "within"} or (lead == "de" and items[i - 3].text != "dentro"):
        return None
    return unit * count


def _days_ahead(word: str, before: str, after: str, weekday: int) -> int | None:
    if word in WEEKDAYS:
        return (WEEKDAYS[word] - weekday - 1) % 7 + 1
    if (weeks := _weeks_ahead(word, before, after, weekday)) is not None:
        return weeks
    if word == "tomorrow" or (word == "manana" and before not in {"la", "las"} and after != "manana"):
        return 2 if before in {"pasado", "after"} else 1
    return 0 if word in {"today", "hoy"} else None


def _weeks_ahead(word: str, before: str, after: str, weekday: int) -> int | None:
    """The Monday of another week, or the Saturday of a weekend."""
    if word in {"weekend", "weekends"} or (word == "semana" and before == "de"):
        return (5 - weekday) % 7 + (7 if before == "next" else 0)
    if word == "week" and after == "after":
        return 14 - weekday
    is_next = (word == "week" and before == "next") or (
        word == "semana" and (before in {"proxima", "otra", "siguiente"} or after == "que")
    )
    return 7 - weekday if is_next else None


def _day_of_month(day: int, today: date | None) -> date | None:
    if today is None or not 1 <= day <= 31:
        return None
    for ahead in range(62):
        on = today + timedelta(ahead)
        if on.day == day:
            return on
    return None


def _refused(items: tuple[Word, ...], i: int, lists: Lists) -> bool:
    """ "Not tomorrow", "can't do Friday": the day that is not wanted."""
    after = [w.text for w in items[i + 1 : i + 4]]
    if after[:2] in (["no", "."], ["no", ","], ["no", "puedo"], ["is", "not"], ["does", "not"]):
        return True
    for back in range(1, 5):
        word = items[i - back].text if i - back > 0 else "."
        if word in {".", ",", "?"} or word in lists["but"]:
            return False
        if word in {"not", "no", "of", "cancel", "skip"}:
            return True
    return False


def _window(items: tuple[Word, ...], i: int, lists: Lists) -> tuple[time | None, time | None, int] | None:
    word, before = items[i].text, items[i - 1].text
    if word in DAYPARTS and before not in {"this", "buenas", "good"}:
        return (*DAYPARTS[word], i)
    if word == "manana" and before in {"la", "las"}:
        return time(8), time(12), i
    at = None if _is_part_of_a_day(items, i) else _hour(items, i)
    return None if at is None or before in {"of", "is"} else _bounded(items, i, at, lists)


def _is_part_of_a_day(items: tuple[Word, ...], i: int) -> bool:
    """The "two" of "in two days", the 5 of "Dec 5" and "5 de diciembre"."""
    before, after = items[max(0, i - 1)].text, [w.text for w in items[i + 1 : i + 3]]
    return before in MONTHS or any(w in _UNITS for w in after[:1]) or any(w in MONTHS for w in after)


def _bounded(items: tuple[Word, ...], i: int, at: time, lists: Lists) -> tuple[time | None, time | None, int] | None:
    """An hour with the word before it that says from, until or at; None where it may be no hour at all."""
    lead = {w.text for w in items[max(0, i - 4) : i]}
    if {"after", "past", "despues"} & lead:
        return at, None, i
    if {"before", "by", "until", "till", "antes", "hasta"} & lead:
        return (at, None, i) if {"not", "no"} & lead else (None, at, i)
    says_hour = items[min(i + 1, len(items) - 1)].text in {"am", "pm", "oclock", "instead"} or ":" in items[i].text
    return (at, at, i) if lead & lists["time_leads"] or says_hour else None


def _hour(items: tuple[Word, ...], i: int) -> time | None:
    word, after = items[i].text, items[min(i + 1, len(items) - 1)].text
    hour, _, minute = word.partition(":")
    value = _HOUR_WORDS.get(word) or (int(hour) if hour.isdigit() and len(hour) <= 2 else None)
    if value is None or not 1 <= value <= 23 or (minute and int(minute) > 59):
        return None
    if (after == "pm" and value < 12) or (after != "am" and value < 7):
        value += 12
    return time(0 if after == "am" and value == 12 else value, int(minute or 0))


def _joined(windows: list[tuple[time | None, time | None, int]]) -> tuple[time | None, time | None, list[int]]:
    starts = [w[0] for w in windows if w[0]]
    ends = [w[1] for w in windows if w[1]]
    at = [w[2] for w in windows]
    if len(windows) > 1 and all(w[0] == w[1] for w in windows):
        return min(starts), max(ends), at
    return (max(starts) if starts else None), (min(ends) if ends else None), at
