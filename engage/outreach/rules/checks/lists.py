"""The lists of config/wording/ as values, and how texts are compared with them: small letters, no accents. Pure."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Disclosing:
    """Words of one language that tell an illness: refused, and told."""

    refuse: tuple[str, ...]
    warn: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SurveyRule:
    """One rule of the lint. `any_of` and `and_of` are regular expressions over plain text."""

    id: str
    refuses: bool
    applies: str  # every, survey, bereavement
    any_of: tuple[str, ...]
    and_of: tuple[str, ...]
    why: str
    instead: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question of an official survey, by language."""

    instrument: str
    wording: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SurveyRules:
    """The lint of config/wording/survey.toml. Shares are between 0 and 1."""

    rules: tuple[SurveyRule, ...]
    questions: tuple[Question, ...]
    empty: frozenset[str]
    same: Mapping[str, str]
    refuse_at: float
    warn_at: float


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """Small letters without accents; the length stays, so that a place in it is a place in `text`."""
    return "".join(_bare(character) for character in text)


def _bare(character: str) -> str:
    first = unicodedata.normalize("NFD", character)[0].lower()
    return first if len(first) == 1 else character


def found(words: Sequence[str], text: str) -> tuple[str, int] | None:
    """The first of `words` (a * for any ending) that stands in `text` as whole words, and its place from 0."""
    if not words:
        return None
    hit = _pattern(tuple(words)).search(plain(text))
    return (text[hit.start() : hit.end()], hit.start()) if hit else None


@lru_cache(maxsize=64)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    alternatives = (re.escape(plain(word)).replace(r"\*", r"\w*").replace(r"\ ", r"\s+") for word in words)
    return re.compile(rf"(?<!\w)(?:{'|'.join(alternatives)})(?!\w)")
