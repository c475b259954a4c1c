"""Whom a touchpoint is for: a rule over facts of a patient, and the days on which it comes. JSON or facts in, verdicts out. Pure.

The planner asks the same in SQL (planning.groups); a test holds that both say the same of any patient. A patient whose start of
care nobody knows counts as in the first days: they need the dense days most.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from engage.agencies.rules.people import Line

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LOOKS_AHEAD = 14
"""Days ahead in which a visit of a discipline makes a patient one of its patients."""
MOST_DAYS = 400
_LISTS = ("lines", "payers", "disciplines", "tags", "without_tags")
_NUMBERS = ("from_day", "until_day")


@dataclass(frozen=True, slots=True)
class Group:
    """Who is meant: all that is named must hold, of each list any one. Empty: everybody.

    `payers` are classes or ids of payers in the EMR, in small letters; days are counted from the start of care, which is day 1.
    """

    lines: tuple[str, ...] = ()
    payers: tuple[str, ...] = ()
    disciplines: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    without_tags: tuple[str, ...] = ()
    from_day: int | None = None
    until_day: int | None = None


@dataclass(frozen=True, slots=True)
class TaperStep:
    """Up to day `until_day` of care (None: for good) it comes on these weekdays, 0 for Monday; all of them without any."""

    until_day: int | None = None
    weekdays: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a patient on a day. `disciplines` are those of visits within LOOKS_AHEAD days; `care_day` 1 is the first."""

    line: str
    payers: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    disciplines: frozenset[str] = frozenset()
    care_day: int = 1


def read_group(said: Any) -> Group | str:
    """The group that a file or a row describes, or a sentence about what is wrong."""
    if not isinstance(said, Mapping):
        return 'it must be a table such as { tags = ["chf"], until_day = 15 }'
    wrong = next((fault for fault in _faults(said) if fault), None)
    if wrong is not None:
        return wrong
    lists = {name: tuple(sorted({_word(name, word) for word in said.get(name, [])})) for name in _LISTS}
    group = Group(**lists, from_day=said.get("from_day"), until_day=said.get("until_day"))
    return _contradiction(group) or group


def _faults(said: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(said.keys() - {*_LISTS, *_NUMBERS}):
        yield f"{name!r} means nothing in it; known are {', '.join((*_LISTS, *_NUMBERS))}"
    for name in (name for name in _LISTS if name in said):
        words = said[name]
        if not isinstance(words, list | tuple) or not words or not all(isinstance(w, str) and w.strip() for w in words):
            yield f'{name} must be a list of words such as ["a", "b"]; leave it out to mean everybody'
    for name in (name for name in _NUMBERS if name in said):
        if type(said[name]) is not int or not 1 <= said[name] <= MOST_DAYS:
            yield f"{name} must be a day of care from 1 to {MOST_DAYS}"


def _contradiction(group: Group) -> str | None:
    known = {line.value for line in Line}
    if unfit := sorted(set(group.lines) - known):
        return f"lines has {unfit[0]!r}; known are {', '.join(sorted(known))}"
    if both := sorted(set(group.tags) & set(group.without_tags)):
        return f"{both[0]!r} stands in tags and in without_tags: nobody would match"
    if group.from_day is not None and group.until_day is not None and group.from_day > group.until_day:
        return "from_day is after until_day: nobody would match"
    return None


def _word(name: str, word: str) -> str:
    return word.strip().upper() if name == "disciplines" else word.strip().lower()


def group_as_json(group: Group) -> dict[str, Any]:
    """The one form in which a group is stored and written: only what is named, in its order."""
    lists = {name: list(getattr(group, name)) for name in _LISTS if getattr(group, name)}
    return lists | {name: getattr(group, name) for name in _NUMBERS if getattr(group, name) is not None}


def read_taper(said: Any) -> tuple[TaperStep, ...] | str:
    """The steps that a file or a row describes, or a sentence about what is wrong."""
    if not isinstance(said, Sequence) or isinstance(said, str):
        return 'it must be a list of steps such as [{ until_day = 15 }, { days = ["mon", "thu"] }]'
    steps: list[TaperStep] = []
    for number, entry in enumerate(said, start=1):
        if not isinstance(entry, Mapping) or entry.keys() - {"until_day", "days"}:
            return f"step {number} may hold until_day and days, and nothing else"
        days, until = entry.get("days", []), entry.get("until_day")
        if (
            not isinstance(days, Sequence)
            or isinstance(days, str)
            or not set(map(str, days)) <= set(DAYS)
            or ("days" in entry and not days)
        ):
            return f"step {number}: days must be some of {', '.join(DAYS)}"
        if until is not None and (type(until) is not int or not 1 <= until <= MOST_DAYS):
            return f"step {number}: until_day must be a day of care from 1 to {MOST_DAYS}"
        if steps and (steps[-1].until_day is None or (until is not None and until <= (steps[-1].until_day or 0))):
            return f"step {number} is never reached: each until_day must be later than the one before, and only the last may lack it"
        steps.append(TaperStep(until, tuple(sorted({DAYS.index(day) for day in days}))))
    return tuple(steps)


def taper_as_json(taper: Sequence[TaperStep]) -> list[dict[str, Any]]:
    """The one form in which steps are stored and written."""
    return [
        ({"until_day": step.until_day} if step.until_day is not None else {})
        | ({"days": [DAYS[day] for day in step.weekdays]} if step.weekdays else {})
        for step in taper
    ]


def why_left_out(group: Group, taper: Sequence[TaperStep], facts: Facts, on: date) -> str | None:
    """Why a touchpoint is not for this patient on the day `on`, in the words that end a sentence; None when it is."""
    day, first, last = facts.care_day, group.from_day, group.until_day
    checks = (
        (bool(group.lines) and facts.line not in group.lines, f"it is for {_any(group.lines)}"),
        (
            bool(group.payers) and not facts.payers & set(group.payers),
            f"it is for patients whose payer is {_any(group.payers)}",
        ),
        (bool(group.tags) and not facts.tags & set(group.tags), f"it is for patients tagged {_any(group.tags)}"),
        (bool(facts.tags & set(group.without_tags)), f"it is not for patients tagged {_any(group.without_tags)}"),
        (
            bool(group.disciplines) and not facts.disciplines & set(group.disciplines),
            f"it is for patients with a visit of {_any(group.disciplines)} within {LOOKS_AHEAD} days",
        ),
        (first is not None and day < first, f"it begins on day {first} of care, and this is day {day}"),
        (last is not None and day > last, f"it ends with day {last} of care, and this is day {day}"),
        (bool(taper) and not _comes(taper, day, on), f"by day {day} of care it does not come on that weekday"),
    )
    return next((says for is_out, says in checks if is_out), None)


def _comes(taper: Sequence[TaperStep], care_day: int, on: date) -> bool:
    step = next((step for step in taper if step.until_day is None or step.until_day >= care_day), None)
    return step is not None and (not step.weekdays or on.weekday() in step.weekdays)


def _any(words: Sequence[str]) -> str:
    return " or ".join(word.replace("_", " ") for word in words)
