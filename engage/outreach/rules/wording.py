"""Turns a template and the facts of the moment into the words of one text. Pure.

Templates are written by agencies, so they run in Jinja's sandbox, and a placeholder that does not exist is an error.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from jinja2 import StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from engage.sms.rules.smart import smart_encode

_ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)

# Patterns with a plain space and words of GSM-7: Babel's own put a narrow space before PM, which would halve the room.
_DAY = {"en": "EEE MMM d", "es": "d 'de' MMMM"}
_AND = {"en": " and ", "es": " y "}
_OR = {"en": " or ", "es": " o "}
_AROUND = {"en": "around ", "es": "hacia las "}
_NO_TIME = {"en": "time to be set", "es": "hora por confirmar"}
_NOBODY = {"en": "your care team", "es": "su equipo"}
_WHEN = {"en": ("today's", "yesterday's", "your last"), "es": ("de hoy", "de ayer", "anterior")}
LANGUAGES = frozenset(_DAY)


@dataclass(frozen=True, slots=True)
class PlannedVisit:
    """One visit as a reminder tells it: local start (None: not set yet) and the first names of who comes."""

    starts: time | None
    clinicians: tuple[str, ...]


def render(wording: str, values: Mapping[str, object]) -> str:
    """The text of a template, punctuation kept within GSM-7 where that changes no letter.

    Raises jinja2.TemplateError for a placeholder that is not among `values`; a template may raise anything else as well.
    """
    return smart_encode(_compiled(wording).render(values)).strip()


def visit_values(visits: Sequence[PlannedVisit], day: date, language: str) -> dict[str, object]:
    """The placeholders `clinicians`, `many`, `day`, `times` for all visits in one home on one `day`."""
    ordered = sorted(visits, key=lambda visit: (visit.starts is None, visit.starts or time()))
    names = list(dict.fromkeys(name for visit in ordered for name in visit.clinicians))
    return {
        "clinicians": joined(names, language) if names else _NOBODY[language],
        "many": len(names) > 1,
        "day": format_date(day, _DAY[language], locale=language),
        "times": _times([visit.starts for visit in ordered], language),
    }


def visit_when(visited_on: date, today: date, language: str) -> str:
    """The placeholder `when` of a survey: which visit is meant, seen from `today` on the patient's calendar."""
    days = (today - visited_on).days
    return _WHEN[language][days if days in {0, 1} else 2]


def clock_words(at: datetime, zone: str, language: str) -> str:
    """`at` as the wall clock in `zone` shows it: "9:42 AM" or, in Spanish, "9:42"."""
    return _wall(at.astimezone(ZoneInfo(zone)).time(), language)


def _times(starts: Sequence[time | None], language: str) -> str:
    known = list(dict.fromkeys(_wall(start, language) for start in starts if start is not None))
    if not known:
        return _NO_TIME[language]
    return _AROUND[language] + joined(known, language)


def _wall(wall: time, language: str) -> str:
    return format_time(wall, "h:mm a" if language == "en" else "H:mm", locale=language)


def joined(parts: Sequence[str], language: str) -> str:
    """`parts` as one says them: "Ana, Ben and Sue"."""
    return _listed(parts, _AND[language])


def either(parts: Sequence[str], language: str) -> str:
    """`parts` to choose from: "Rose or Al"."""
    return _listed(parts, _OR[language])


def _listed(parts: Sequence[str], last: str) -> str:
    if len(parts) < 2:
        return "".join(parts)
    return ", ".join(parts[:-1]) + last + parts[-1]


@lru_cache(maxsize=4096)
def _compiled(wording: str) -> Template:
    return _ENVIRONMENT.from_string(wording)
