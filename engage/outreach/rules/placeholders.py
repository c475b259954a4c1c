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
_PAGES = (*_PAGE, "page-many", "call-page", "mail-page")
_NOTES = (
    *("note-taken", "note-taken-by-other", "note-taken-with", "note-resolved", "note-answered", "note-passed"),
    *("note-done", "note-done-how", "note-again", "note-try-again", "note-promise-broken"),
)
_SCORES = ("answer-score", "answer-both", "answer-sure", "answer-which", "answer-which-low")
_ENROL = ("enrol", "enrol-again")
_WHICH = ("answer-which", "answer-which-low")
_TIMED = ("promise-call", "note-taken-by-other", "note-resolved", "note-again")

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
        Placeholder("score", Type.NUMBER, _SCORES, "the number the patient gave"),
        Placeholder("either", Type.WORDS, _WHICH, "first names of those who may be meant"),
        Placeholder("name", Type.WORDS, _WHICH, "the first of them, for an example"),
        Placeholder("top", Type.NUMBER, ("answer-clarify",), "the best number of the question"),
        Placeholder("visits", Type.FLAG, _ENROL, "true when it asks about visit reminders"),
        Placeholder("checkins", Type.FLAG, _ENROL, "true when it asks about check-ins"),
        Placeholder("surveys", Type.FLAG, _ENROL, "true when it asks about surveys"),
        Placeholder("most", Type.NUMBER, (*_ENROL, "enrol-thanks"), "the most texts a week"),
        Placeholder("code", Type.WORDS, (*_PAGE, *_NOTES), "the alert's"),
        Placeholder("severity", Type.NUMBER, _PAGES, "3 now, 2 within the hour, 1 today; the worst of several"),
        Placeholder("codes", Type.WORDS, ("page-many", "note-taken-many", "mail-page"), "the codes of several alerts"),
        Placeholder("count", Type.NUMBER, ("page-many", "call-page", "mail-page"), "how many alerts"),
        Placeholder("spoken", Type.WORDS, ("call-page", "call-page-taken"), "the codes, digit by digit"),
        Placeholder("link", Type.WORDS, (*_PAGE, "page-many", "mail-page"), "the address of the button that takes it"),
        Placeholder("who", Type.WORDS, ("note-taken-by-other", "note-resolved"), "first name of whoever took it"),
        Placeholder("at", Type.WORDS, _TIMED, "when it was or will be"),
        Placeholder("missing", Type.NUMBER, ("note-taken-with",), "how many more must take it"),
        Placeholder("outcome", Type.WORDS, ("note-done",), "what was done"),
    )
}


def is_for_clinicians(template: str) -> bool:
    """Whether the text goes to a nurse, not to a patient: it must name nobody."""
    return template.startswith(("page", "note", "call-page", "mail-"))


def placeholders_of(template: str) -> dict[str, Placeholder]:
    """What the wording of `template` may use, by name."""
    return {
        name: placeholder
        for name, placeholder in PLACEHOLDERS.items()
        if any(fnmatchcase(template, where) for where in placeholder.where)
        and not (name == "patient" and is_for_clinicians(template))
    }
