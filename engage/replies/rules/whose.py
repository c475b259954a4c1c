"""Whom the words of a reply are about, where one phone serves several patients: a text and first names in, parts out. Pure.

A score that names nobody is nobody's until somebody says whose: it is never given to one of them by a guess.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|\d+")
_ALL = re.compile(r"\b(?:both|all of us|the two of us|we both|los dos|las dos|ambos|ambas|nosotros)\b", re.IGNORECASE)
# The writer's own: "Rose is fine but I feel 2". With one name in it, such a text may be about two people.
_OWN = re.compile(r"\b(?:i|i'm|im|me|my|myself|mine|yo|mi|m[ií]o|estoy|tengo)\b", re.IGNORECASE)
# Between a name and its number: "Al is a 4", "4 for Al", "Rosa esta en 2".
_LINKS = frozenset(
    [
        "is",
        "a",
        "an",
        "at",
        "for",
        "the",
        "has",
        "says",
        "feels",
        "number",
        "was",
        "es",
        "esta",
        "para",
        "un",
        "una",
        "en",
        "de",
        "la",
        "el",
        "le",
        "dice",
    ]
)
_NUMBERS = frozenset(["one", "two", "three", "four", "five", "uno", "dos", "tres", "cuatro", "cinco"])
_SHORT = 3
"""Letters up to which a name is as often a word ("al", "may"): in small letters it counts only beside a number."""


@dataclass(frozen=True, slots=True)
class Part:
    """Words that are about these patients (by id); without words only the name was said."""

    patients: tuple[int, ...]
    words: str


@dataclass(frozen=True, slots=True)
class _Mention:
    patient: int
    start: int
    end: int


def parts_of(text: str, names: Mapping[int, str]) -> tuple[Part, ...]:
    """The text cut up by the names in it, which are left out of the words; nothing if it names nobody, or not clearly.

    `names` are the first names of everybody on the phone by patient id. Two of the same name cannot be told apart.
    """
    if len(names) < 2 or len({_plain(name) for name in names.values()}) < len(names):
        return ()
    mentions = _mentions(text, names)
    named = tuple(dict.fromkeys(mention.patient for mention in mentions))
    if not named:
        return (Part(tuple(names), _ALL.sub(" ", text).strip()),) if _ALL.search(text) else ()
    if len(named) == 1:
        return () if _OWN.search(text) else (Part(named, _without(text, mentions)),)
    return _cut(text, mentions) or (Part(named, _without(text, mentions)),)


def _cut(text: str, mentions: Sequence[_Mention]) -> tuple[Part, ...]:
    """Each name with the words after it ("Rose 2, Al 4") or before it ("2 Rose, 4 Al"); nothing where a name has none."""
    follows = not any(character.isalnum() for character in text[: mentions[0].start])
    edges = [m.end for m in mentions] if follows else [0, *(m.end for m in mentions[:-1])]
    ends = [*(m.start for m in mentions[1:]), len(text)] if follows else [m.start for m in mentions]
    found: dict[int, str] = {}
    for mention, start, end in zip(mentions, edges, ends, strict=True):
        words = re.sub(
            r"^\W*(?:and|y|but|pero)\b|\b(?:and|y|but|pero|for|para)\W*$",
            " ",
            text[start:end].strip(),
            flags=re.IGNORECASE,
        )
        found[mention.patient] = " ".join(f"{found.get(mention.patient, '')} {words}".split()).strip(" ,;:.=-")
    return tuple(Part((patient,), words) for patient, words in found.items()) if all(found.values()) else ()


def _mentions(text: str, names: Mapping[int, str]) -> list[_Mention]:
    words = list(_WORD.finditer(text))
    known = {_plain(name): patient for patient, name in names.items()}
    found = []
    for index, word in enumerate(words):
        patient = known.get(_plain(re.sub(r"['’][sS]$", "", word.group())))
        if patient is not None and _is_name(words, index):
            found.append(_Mention(patient, word.start(), word.end()))
    return found


def _is_name(words: Sequence[re.Match[str]], index: int) -> bool:
    word = words[index].group()
    if len(word) > _SHORT or word[0].isupper() or len(words) == 1:
        return True
    return _has_number([w.group() for w in words[index + 1 : index + 4]]) or _has_number(
        [w.group() for w in reversed(words[max(0, index - 3) : index])]
    )


def _has_number(near: Sequence[str]) -> bool:
    for word in near:
        if word.isdecimal() or _plain(word) in _NUMBERS:
            return True
        if _plain(word) not in _LINKS:
            return False
    return False


def _without(text: str, mentions: Sequence[_Mention]) -> str:
    for mention in reversed(mentions):
        text = f"{text[: mention.start]} {text[mention.end :]}"
    words = " ".join(text.split()).strip(" ,;:.=-")
    words = re.sub(r"\b(?:for|para)$", "", words).strip()
    is_empty = not any(character.isalnum() for character in _FILLERS.sub("", words))
    return "" if is_empty else words


_FILLERS = re.compile(r"\b(?:for|para|and|y|it|is|es)\b", re.IGNORECASE)


def _plain(word: str) -> str:
    folded = unicodedata.normalize("NFKD", word.casefold())
    return "".join(character for character in folded if not unicodedata.combining(character)).replace("’", "'")
