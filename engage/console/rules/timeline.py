"""A programme as the day goes: touchpoints in; sections from the days before a visit to what follows it, and who is meant, out. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time
from enum import StrEnum

from engage.outreach.rules.groups import Facts, Group, TaperStep, why_left_out
from engage.outreach.rules.words import Anchor, Asks


@dataclass(frozen=True, slots=True)
class Moment:
    """One touchpoint. `words`: the text that leaves, by language; `own`: how many patients have it their own way.

    `is_for_others`: whoever is looked for does not get it. `followed_by`: questions after a low score that was given to it.
    """

    key: str
    anchor: Anchor
    offset_days: int
    offset_minutes: int
    at: time | None
    useful_minutes: int
    spread_minutes: int
    category: str
    asks: Asks
    template: str
    only_monitored: bool
    alert_at_most: int | None
    group: Group
    taper: tuple[TaperStep, ...]
    follows: str | None
    follows_at_most: int | None
    yes_opens: str | None
    is_active: bool
    words: Mapping[str, str] = field(default_factory=dict)
    own: int = 0
    is_for_others: bool = False
    followed_by: tuple["Moment", ...] = ()


class Part(StrEnum):
    """When in the life of a patient."""

    BEFORE = "before"
    THE_DAY = "the_day"
    LATER = "later"
    EVERY_DAY = "every_day"
    AFTER = "after"
    LOOSE = "loose"


@dataclass(frozen=True, slots=True)
class Section:
    """Moments that belong together; `days` is how far from the visit, where that is what they have in common."""

    part: Part
    days: int
    moments: tuple[Moment, ...]


_ORDER = tuple(Part)


def timeline(moments: Iterable[Moment]) -> tuple[Section, ...]:
    """The moments by section, each in its order; a question that follows a score stands beneath what asked for it."""
    every = list(moments)
    asking = {moment.key for moment in every if moment.anchor is not Anchor.SCORE}
    after: dict[str, list[Moment]] = {}
    for moment in every:
        if moment.follows in asking:
            after.setdefault(moment.follows or "", []).append(moment)
    found: dict[tuple[int, int], list[Moment]] = {}
    for moment in every:
        if moment.follows not in asking:
            part, days = _place(moment)
            found.setdefault((_ORDER.index(part), days), []).append(
                replace(moment, followed_by=tuple(after.get(moment.key, ())))
            )
    return tuple(
        Section(_ORDER[part], days, tuple(sorted(some, key=_as_the_day_goes)))
        for (part, days), some in sorted(found.items())
    )


def _place(moment: Moment) -> tuple[Part, int]:
    match moment.anchor:
        case Anchor.VISIT_DAY if moment.offset_days < 0:
            return Part.BEFORE, moment.offset_days
        case Anchor.VISIT_DAY if moment.offset_days > 0:
            return Part.LATER, moment.offset_days
        case Anchor.VISIT_DAY:
            return Part.THE_DAY, 0
        case Anchor.EVERY_DAY:
            return Part.EVERY_DAY, 0
        case Anchor.VISIT_COMPLETED:
            return Part.AFTER, 0
        case _:
            return Part.LOOSE, 0


def _as_the_day_goes(moment: Moment) -> tuple[time, int, str]:
    return moment.at or time.max, moment.offset_minutes, moment.key


def looked_for(moments: Sequence[Moment], facts: Facts | None, today: date) -> list[Moment]:
    """The moments, marked where a patient with these facts does not get them; the weekdays of a taper count for nobody here."""
    if facts is None:
        return list(moments)
    return [
        replace(moment, is_for_others=why_left_out(moment.group, (), facts, today) is not None) for moment in moments
    ]


# --- what the audit has kept of changes ---------------------------------------------------------------------------------

_LINE = re.compile(r"([+~-]) touchpoint ([^,:]+)(?:, (\w+))?: (.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Line:
    """One change as a file's comparison told it; `field` is None for a whole touchpoint, `before` or `after` for nothing there."""

    key: str
    field: str | None
    before: str | None
    after: str | None


def read_line(says: str) -> Line | None:
    """A line of engage.onboarding.rules.diff about a touchpoint; None for one about anything else."""
    found = _LINE.fullmatch(says)
    if found is None:
        return None
    sign, key, name, rest = found.groups()
    before, arrow, after = rest.partition(" -> ")
    if sign == "~" and arrow:
        return Line(key, name, before, after)
    return Line(key, name, rest if sign == "-" else None, rest if sign == "+" else None)
