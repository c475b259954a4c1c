"""What a clinician's text asks for: "4821", "all", "pass 4821", "done 4821 called 12", "4821 at 3:30 pm". Pure.

Forgiving: the codes decide which alerts are meant, a few words what is to be done with them; without such a word they are taken.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from engage.alerts.rules.codes import codes_in
from engage.alerts.rules.words import Outcome


class Verb(StrEnum):
    """What is to be done with the alerts."""

    TAKE = "take"
    NEXT = "next"
    DONE = "done"
    AGAIN = "again"


@dataclass(frozen=True, slots=True)
class Order:
    """`codes` of the alerts that are meant, or `is_all` of the writer's; the rest is what was said of them.

    `at` is a wall time, `after` a span from now: when to try again. `note` is the text itself, when it says what was done.
    """

    verb: Verb
    codes: tuple[str, ...] = ()
    is_all: bool = False
    outcome: Outcome | None = None
    minutes: int | None = None
    at: time | None = None
    after: timedelta | None = None
    note: str | None = None


_ALL = re.compile(
    r"^\W*(?:(?:ack|take|got|ok|okay|yes)\W+)?(?:take\W+(?:them\W+)?)?all\b(?:\W+(?:of\W+them|mine|ok|please|ack|taken))?\W*$",
    re.IGNORECASE,
)
_PASS = re.compile(
    r"\b(?:pass(?:ing)?|not me|next|can'?t|cannot|can not|unable|busy|decline|someone else|somebody else)\b",
    re.IGNORECASE,
)
_DONE = re.compile(r"\b(?:done|resolved?|closed?|fixed|finished|complete[d]?|handled)\b", re.IGNORECASE)

# The first that is found counts; "no answer" stands before "called", because it is said of a call.
_OUTCOMES = (
    (Outcome.NO_ANSWER, r"no answer|no reply|voice ?mail|not home|didn'?t (?:answer|pick up)|did not (?:answer|pick up)|could ?n[o']t reach"),
    (Outcome.SENT_TO_911, r"911|ambulance|ems"),
    (Outcome.HOSPITAL, r"hospital|hosp|emergency room|the er|in er|admitted"),
    (Outcome.MEDICINE_CHANGED, r"med(?:s|icines?|ications?)?|dose|physician|doctor|dr|md"),
    (Outcome.VIRTUAL_VISIT, r"virtual|video|tele ?health|tele ?visit"),
    (Outcome.VISIT_MOVED, r"moved|resched\w*"),
    (Outcome.VISIT_ADDED, r"visit(?:ed)?|prn"),
    (Outcome.FAMILY_REACHED, r"family|daughter|son|wife|husband|spouse|caregiver"),
    (Outcome.CALLED, r"call(?:ed)?|spoke|talked|phoned|reached"),
    (Outcome.NOTHING_NEEDED, r"nothing|no action|not needed|false alarm|fine|resolved itself"),
)  # fmt: skip
_FOUND = tuple((outcome, re.compile(rf"\b(?:{words})\b", re.IGNORECASE)) for outcome, words in _OUTCOMES)

_CLOCK = re.compile(
    r"\b(?:at|around|by)?\s*(\d{1,2})(?::(\d{2}))?\s*([ap])\.?m\b\.?|\b(?:at\s+)?(\d{1,2}):(\d{2})\b|\bat\s+(\d{1,2})\b(?!\d)",
    re.IGNORECASE,
)
_SPAN = re.compile(
    r"\bin\s+(?:(\d{1,3})\s*(h(?:ou)?rs?|h|m(?:in(?:ute)?s?)?)?|(an|one|half an)\s+hour)\b", re.IGNORECASE
)
_BARE_CLOCK = re.compile(r"\bat\s+([01]\d|2[0-3])([0-5]\d)\b", re.IGNORECASE)
_MINUTES = re.compile(r"(?<![\d:])(\d{1,3})(?![\d:])\s*(?:m|min|mins|minutes?)?\b", re.IGNORECASE)
_LONGEST = 24 * 60


def read_order(text: str) -> Order | None:
    """The order in `text`; None when it names no alert and is no "all"."""
    spelt = _BARE_CLOCK.sub(r"at \1:\2", text)
    if codes_in(spelt):  # "4821 at 1530" is one code and a time, "at 1042" alone is a code
        text = spelt
    codes = codes_in(text)
    rest = re.sub(r"\d{4,}", " ", text.replace("’", "'"))
    if not codes:
        is_all_passed = re.fullmatch(r"\W*pass(?:\W+on)?\W+all\W*", rest, re.IGNORECASE)
        if is_all_passed:
            return Order(Verb.NEXT, is_all=True)
        return Order(Verb.TAKE, is_all=True) if _ALL.match(rest) else None
    at, after = _when(rest)
    outcome = next((outcome for outcome, pattern in _FOUND if pattern.search(rest)), None)
    if _DONE.search(rest) or outcome is Outcome.NO_ANSWER:
        minutes = _minutes(rest, outcome) if outcome is not Outcome.NO_ANSWER else None
        return Order(Verb.DONE, codes, False, outcome, minutes, at, after, text.strip())
    if _PASS.search(rest):
        return Order(Verb.NEXT, codes)
    if at is not None or after is not None:
        return Order(Verb.AGAIN, codes, at=at, after=after)
    return Order(Verb.TAKE, codes)


def _when(rest: str) -> tuple[time | None, timedelta | None]:
    span = _SPAN.search(rest)
    if span is not None:
        if span[3]:
            return None, timedelta(minutes=30 if span[3].lower().startswith("half") else 60)
        minutes = int(span[1]) * (60 if (span[2] or "m").lower().startswith("h") else 1)
        return None, timedelta(minutes=minutes) if 0 < minutes <= _LONGEST else None
    clock = _CLOCK.search(rest)
    return (None if clock is None else _wall(clock)), None


def _wall(clock: re.Match[str]) -> time | None:
    hour, minute = int(clock[1] or clock[4] or clock[6]), int(clock[2] or clock[5] or 0)
    half = (clock[3] or "").lower()
    if half and not 1 <= hour <= 12:
        return None
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    elif clock[6] and 1 <= hour <= 7:  # "at 3" in a working day is the afternoon
        hour += 12
    return time(hour, minute) if hour < 24 and minute < 60 else None


def _minutes(rest: str, outcome: Outcome | None) -> int | None:
    """The minutes spent: the last number that is not 911."""
    found = [
        int(number) for number in _MINUTES.findall(rest) if not (number == "911" and outcome is Outcome.SENT_TO_911)
    ]
    return found[-1] if found and found[-1] <= _LONGEST else None


def again_at(wall: time, zone: str, now: datetime) -> datetime:
    """The next instant at which the clock in `zone` shows `wall`, today or tomorrow."""
    local = now.astimezone(ZoneInfo(zone))
    day: date = local.date() if wall > local.time() else local.date() + timedelta(days=1)
    return datetime.combine(day, wall, ZoneInfo(zone)).astimezone(now.tzinfo)
