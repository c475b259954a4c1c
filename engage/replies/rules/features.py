"""A reply's words in, out come the features by which the learned weights read it. Pure; it knows no weights.

A feature is a word, a word with the question asked, a long word's beginning, a word that is denied ("no~pain"), two
words in a row, or a class of the lexicon ("{chest_bad}"), so that one weight serves all words of a class.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from engage.replies.rules.reading import Asked
from engage.replies.rules.words import Word

_MARKS = frozenset({".", "?", ","})

DENIED = 4
"""Words behind a "no" or "not" that count as denied, up to the next mark or "but"."""

LONG = 5
"""Letters of a longer word that stand for all its endings: "dizzy-" is in dizzyness and dizziness."""


class Feature(NamedTuple):
    """What was found, and the words `first` up to but not including `last` that it stands for; none if both are 0."""

    name: str
    first: int
    last: int


class Families:
    """The classes of one language by the words that belong to them, open endings ("bleed*") included."""

    def __init__(self, classes: Mapping[str, tuple[str, ...]]) -> None:
        self._words: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
        self._stems: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
        for name, members in classes.items():
            for member in members:
                parts = tuple(member.replace("_", " ").split())
                if not parts or "{" in member or "#" in member:
                    continue
                stem = parts[0].removesuffix("*")
                where = self._words if stem == parts[0] else self._stems
                where.setdefault(parts[0] if where is self._words else stem[:4], []).append((name, parts))

    def of(self, texts: list[str]) -> list[Feature]:
        """Every class found in these words."""
        found = set()
        for i, text in enumerate(texts):
            candidates = list(self._words.get(text, ()))
            for length in (2, 3, 4):
                candidates += self._stems.get(text[:length], ()) if len(text) >= length else ()
            for name, parts in candidates:
                last = i + len(parts)
                if last <= len(texts) and all(map(_is, parts, texts[i:last])):
                    found.add(Feature("{" + name + "}", i, last))
        return sorted(found, key=lambda f: (f.first, f.last, f.name))


def _is(part: str, text: str) -> bool:
    return text.startswith(part[:-1]) if part.endswith("*") else part == text


def features(items: tuple[Word, ...], asked: Asked, families: Families, negators: frozenset[str]) -> Iterator[Feature]:
    """Every feature of one reply; the same one may come twice."""
    texts = ["#" if w.text[0].isdigit() else w.text for w in items]
    yield Feature(f"asked {asked.value}", 0, 0)
    yield Feature(f"long {min(sum(t not in _MARKS for t in texts), 12) // 3}", 0, 0)
    denied = _denied(texts, negators)
    for i, text in enumerate(texts):
        if i and text not in {".", ","}:
            yield Feature(text, i, i + 1)
            yield Feature(f"{asked.value}: {text}", i, i + 1)
            if denied[i]:
                yield Feature(f"no~{text}", i, i + 1)
            if len(text) > LONG:
                yield Feature(text[:LONG] + "-", i, i + 1)
        if i + 1 < len(texts):
            yield Feature(f"{text} {texts[i + 1]}", i, i + 2)
    for family in families.of(texts):
        yield family
        if denied[family.first]:
            yield family._replace(name="no~" + family.name)


def _denied(texts: list[str], negators: frozenset[str]) -> list[bool]:
    marks, left = [], 0
    for text in texts:
        marks.append(left > 0)
        left = DENIED if text in negators else 0 if text in _MARKS or text == "but" else left - 1
    return marks
