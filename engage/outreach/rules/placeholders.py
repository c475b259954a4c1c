"""The placeholders a wording may use: for each its type, the templates that have it, and what it becomes. Pure data.

docs/reference/wording.md lists the same; a template that uses anything else is refused when it is saved.
"""

from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase


class Type(StrEnum):
    """What a placeholder holds, and so what it may be compared with."""

    WORDS = "words"  # with a quoted word
    NUMBER = "number"  # with a number
    FLAG = "flag"  # stands alone in an `if`


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One placeholder. `where`: names of templates, with * for any ending. `may_be_missing`: it needs a `default`."""

    name: str
    type: Type
    where: tuple[str, ...]
    says: str
    may_be_missing: bool = False


_VISIT = ("day-before", "day-of", "call-day-before", "call-day-of")
_PAGE = ("page", "page-again")

PLACEHOLDERS = {
    placeholder.name: placeholder
    for placeholder in (
        Placeholder("agency", Type.WORDS, ("*",), "the agency's short name, which stands in every text"),
        Placeholder("agency_name", Type.WORDS, ("*",), "the agency's whole name"),
        Placeholder("phone", Type.WORDS, ("*",), "the branch's phone, else the agency's"),
        Placeholder("patient", Type.WORDS, ("*",), "the patient's first name"),
        Placeholder("clinicians", Type.WORDS, _VISIT, "first names of who comes"),
        Placeholder("discipline", Type.WORDS, _VISIT, "what they are: nurse, physical therapist", may_be_missing=True),
        Placeholder("many", Type.FLAG, _VISIT, "true when several come"),
        Placeholder("day", Type.WORDS, _VISIT, "the day of the visit"),
        Placeholder("times", Type.WORDS, _VISIT, "when they come"),
        Placeholder("window", Type.WORDS, _VISIT, "the part of the day in which they come"),
        Placeholder("when", Type.WORDS, ("survey",), "which visit a survey means"),
        Placeholder("score", Type.NUMBER, ("answer-score",), "the number the patient gave"),
        Placeholder("code", Type.WORDS, (*_PAGE, "note-taken", "note-taken-by-other", "note-resolved"), "the alert's"),
        Placeholder("severity", Type.NUMBER, _PAGE, "3 now, 2 within the hour, 1 today"),
        Placeholder("who", Type.WORDS, ("note-taken-by-other",), "first name of whoever took it"),
        Placeholder("at", Type.WORDS, ("note-taken-by-other",), "when it was taken"),
    )
}


def is_for_clinicians(template: str) -> bool:
    """Whether the text goes to a nurse, not to a patient: it must name nobody."""
    return template.startswith(("page", "note"))


def placeholders_of(template: str) -> dict[str, Placeholder]:
    """What the wording of `template` may use, by name."""
    return {
        name: placeholder
        for name, placeholder in PLACEHOLDERS.items()
        if any(fnmatchcase(template, where) for where in placeholder.where)
        and not (name == "patient" and is_for_clinicians(template))
    }
