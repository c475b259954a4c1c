"""Turns a template and the facts of the moment into the words of one text. Pure.

Templates are written by agencies, so they run in Jinja's sandbox, and only if `grammar` allows them: what got into the table by
SQL is refused before Jinja compiles it. A placeholder that does not exist is an error.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from jinja2 import Template, TemplateError

from engage.outreach.rules.grammar import ENVIRONMENT, Fault, read_wording
from engage.outreach.rules.placeholders import PLACEHOLDERS
from engage.sms.rules.smart import smart_encode

# Patterns with a plain space and words of GSM-7: Babel's own put a narrow space before PM, which would halve the room.
# Times are told by the clock of twelve hours in both languages, as phones in the United States show it: "2:30 PM". The "p.m."
# of es_US would end a sentence with two points, and cost two letters more (decision 45).
_TIME = "en_US"
_DAY = {"en": "EEE MMM d", "es": "d 'de' MMMM"}
_AND = {"en": " and ", "es": " y "}
_OR = {"en": " or ", "es": " o "}
_AROUND = {"en": "around ", "es": "hacia las "}
_AROUND_ONE = {"en": "around ", "es": "hacia la "}  # it is la una, but las dos
_MOST_NAMED = 3
_MOST_LETTERS = 40  # of one name: more is no name but a note somebody typed into the field
_AND_OTHERS = {"en": " and {} others", "es": " y otras {} personas"}
_AND_LATER = {"en": " and later", "es": " y después"}
_PARTS = {
    "en": ("in the morning", "in the afternoon", "in the evening"),
    "es": ("por la mañana", "por la tarde", "por la noche"),
}
_DISCIPLINES = {
    "en": {
        "SN": "nurse", "RN": "nurse", "LPN": "nurse", "LVN": "nurse", "PT": "physical therapist", "PTA": "physical therapist",
        "OT": "occupational therapist", "COTA": "occupational therapist", "ST": "speech therapist", "SLP": "speech therapist",
        "MSW": "social worker", "HHA": "aide", "CNA": "aide", "RD": "dietitian", "CH": "chaplain", "SC": "chaplain",
    },
    "es": {
        "SN": "enfermera", "RN": "enfermera", "LPN": "enfermera", "LVN": "enfermera", "PT": "fisioterapeuta",
        "PTA": "fisioterapeuta", "OT": "terapeuta ocupacional", "COTA": "terapeuta ocupacional", "ST": "terapeuta del habla",
        "SLP": "terapeuta del habla", "MSW": "trabajadora social", "HHA": "auxiliar", "CNA": "auxiliar", "RD": "dietista",
        "CH": "consejero espiritual", "SC": "consejero espiritual",
    },
}  # fmt: skip
_NO_TIME = {"en": "time to be set", "es": "hora por confirmar"}
_NOBODY = {"en": "your care team", "es": "su equipo"}
_WHEN = {"en": ("today's", "yesterday's", "your last"), "es": ("de hoy", "de ayer", "anterior")}
LANGUAGES = frozenset(_DAY)


@dataclass(frozen=True, slots=True)
class PlannedVisit:
    """One visit as a reminder tells it: local start (None: not set yet), first names of who comes, and the EMR's discipline."""

    starts: time | None
    clinicians: tuple[str, ...]
    discipline: str | None = None


def render(wording: str, values: Mapping[str, object]) -> str:
    """The text of a template, punctuation kept within GSM-7 where that changes no letter.

    Raises jinja2.TemplateError for a placeholder that is not among `values`; a template may raise anything else as well.
    """
    return smart_encode(_compiled(wording).render(values)).strip()


def visit_values(visits: Sequence[PlannedVisit], day: date, language: str) -> dict[str, object]:
    """The placeholders of a reminder for all visits in one home on one `day`; `discipline` is left out when it is unknown."""
    ordered = sorted(visits, key=lambda visit: (visit.starts is None, visit.starts or time()))
    names = list(dict.fromkeys(called(name) for visit in ordered for name in visit.clinicians))
    starts = [visit.starts for visit in ordered if visit.starts is not None]
    values: dict[str, object] = {
        "clinicians": _named(names, language) if names else _NOBODY[language],
        "many": len(names) > 1,
        "day": format_date(day, _DAY[language], locale=language),
        "times": _times(starts, language),
        "window": joined([_PARTS[language][part] for part in sorted({_part(start) for start in starts})], language)
        or _NO_TIME[language],
    }
    words = [_DISCIPLINES[language].get((visit.discipline or "").strip().upper()) for visit in ordered]
    if words and None not in words:
        values["discipline"] = _named(list(dict.fromkeys(word for word in words if word)), language)
    return values


def visit_when(visited_on: date, today: date, language: str) -> str:
    """The placeholder `when` of a survey: which visit is meant, seen from `today` on the patient's calendar."""
    days = (today - visited_on).days
    return _WHEN[language][days if days in {0, 1} else 2]


def clock_words(at: datetime, zone: str, language: str) -> str:
    """`at` as the wall clock in `zone` shows it, in every `language` alike: "9:42 AM"."""
    return _wall(at.astimezone(ZoneInfo(zone)).time())


def called(name: str) -> str:
    """A first name as a text says it, cut where it is too long to be one."""
    return name if len(name) <= _MOST_LETTERS else name[:_MOST_LETTERS].rstrip()


def _times(starts: Sequence[time], language: str) -> str:
    known = list(dict.fromkeys(starts))
    if not known:
        return _NO_TIME[language]
    around = _AROUND_ONE if known[0].hour % 12 == 1 else _AROUND
    walls = list(dict.fromkeys(_wall(start) for start in known))
    if len(walls) > _MOST_NAMED:
        return around[language] + ", ".join(walls[: _MOST_NAMED - 1]) + _AND_LATER[language]
    return around[language] + joined(walls, language)


def _wall(wall: time) -> str:
    return format_time(wall, "h:mm a", locale=_TIME)


def _part(start: time) -> int:
    """0 morning, 1 afternoon, 2 evening."""
    return (start.hour >= 12) + (start.hour >= 17)


def _named(names: Sequence[str], language: str) -> str:
    """`names` as one says them; of many, the first two: a reminder of a whole team must stay a text."""
    if len(names) <= _MOST_NAMED:
        return joined(names, language)
    named = _MOST_NAMED - 1
    return ", ".join(names[:named]) + _AND_OTHERS[language].format(len(names) - named)


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
    found = read_wording(wording)
    if isinstance(found, Fault):
        raise TemplateError(found.says)
    if unknown := found.names - PLACEHOLDERS.keys():
        raise TemplateError(f"There is no placeholder {min(unknown)}.")
    return ENVIRONMENT.from_string(wording)
