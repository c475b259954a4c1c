"""The lexicon as parsed: word lists, short forms, numbers and the phrases that carry meaning, ready to search.

Tables per language in (the caller reads the files), one immutable Lexicon out. It decides nothing about a reply.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import Any, NamedTuple, Self

from rapidfuzz.distance import OSA

from engage.replies.rules.features import Families
from engage.replies.rules.pattern import STEM, Pattern, compile_pattern
from engage.replies.rules.reading import Asked
from engage.replies.rules.weights import Weights
from engage.replies.rules.words import Words, deny_once, fold, open_slurred, split

MARKS = frozenset({".", ",", "?"})

SHORTEST_REPAIRED = 5
"""Letters from which a word is mended: shorter ones are too easily another word."""

SAFE_LENGTH = 4
"""Letters from which a short form of one language is no everyday word of another: "da" is "the" in no Spanish text."""

_STRETCHED = re.compile(r"(.)\1{2,}")
"""Letters held down: "stoooop", "siiii"."""

_DOUBLED = re.compile(r"(.)\1")

GUARDS = frozenset({"denied", "past", "longpast", "imagined", "others", "over", "exerted", "usual"})


@dataclass(frozen=True, slots=True)
class Entry:
    """Phrases that mean one thing. `unless` names what takes the meaning away; `asked` limits it to some questions."""

    name: str
    means: str
    language: str
    says: tuple[str, ...]
    examples: tuple[str, ...] = ()
    counterexamples: tuple[str, ...] = ()
    asked: frozenset[Asked] = frozenset(Asked)
    unless: frozenset[str] = frozenset()
    alone: str = ""
    kind: str = ""

    @property
    def rule(self) -> str:
        """How evidence names this entry: language and name."""
        return f"{self.language}: {self.name}"


class Find(NamedTuple):
    """An entry that matched words `first` up to but not including `last`."""

    entry: Entry
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Bank:
    """Patterns that can be searched together; only those whose fixed words occur are tried."""

    by_key: Mapping[str, tuple[int, ...]]
    by_stem: Mapping[str, tuple[int, ...]]
    patterns: tuple[tuple[Pattern, Entry], ...]

    @classmethod
    def of(cls, entries: Iterable[Entry], classes: Mapping[str, Mapping[str, tuple[str, ...]]]) -> Self:
        """Compile every phrase of these entries with the classes of their language."""
        patterns: list[tuple[Pattern, Entry]] = []
        by_key: dict[str, list[int]] = {}
        by_stem: dict[str, list[int]] = {}
        for entry in entries:
            for phrase in entry.says:
                pattern = compile_pattern(phrase, classes[entry.language])
                for key in pattern.keys:
                    by_key.setdefault(key, []).append(len(patterns))
                for stem in pattern.stems:
                    by_stem.setdefault(stem, []).append(len(patterns))
                patterns.append((pattern, entry))
        return cls({k: tuple(v) for k, v in by_key.items()}, {k: tuple(v) for k, v in by_stem.items()}, tuple(patterns))

    def search(self, words: Words, asked: Asked | None = None, known: frozenset[str] = frozenset()) -> list[Find]:
        """Everything these patterns find, in the order of the words. `<name>` never matches a `known` word."""
        wanted: set[int] = set()
        spoken = {w.text for w in words.items}
        for word in spoken:
            wanted.update(self.by_key.get(word, ()))
            wanted.update(self.by_stem.get(word[:STEM], ()))
        finds = []
        for number in wanted:
            pattern, entry = self.patterns[number]
            if asked is not None and asked not in entry.asked:
                continue
            if any(spoken.isdisjoint(need) for need in pattern.needs):
                continue
            for match in pattern.expression.finditer(words.line):
                if "name" in pattern.expression.groupindex and match.group("name").strip() in known:
                    continue
                first, last = words.at(match.start()), words.at(match.end() - 1) + 1
                while last > first + 1 and words.items[last - 1].text in MARKS:
                    last -= 1  # a phrase may ask for the end of the sentence; the mark is not part of what was said
                if match.end() > match.start():
                    finds.append(Find(entry, first, last))
        return sorted(finds, key=lambda f: (f.first, -f.last, f.entry.name))


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Every language at once, since patients mix them; where two languages disagree the contact's own wins."""

    rewrites: Mapping[str, Mapping[str, tuple[str, ...]]]
    numbers: Mapping[str, Mapping[str, int]]
    homophones: Mapping[str, Mapping[str, int]]
    lists: Mapping[str, Mapping[str, frozenset[str]]]
    own_words: Mapping[str, frozenset[str]]
    idioms: Bank
    meanings: Bank
    guards: Bank
    entries: tuple[Entry, ...]
    known: frozenset[str]
    people: frozenset[str]
    repairable: Mapping[str, Mapping[str, tuple[str, ...]]]
    only: Mapping[str, frozenset[str]]
    families: Mapping[str, Families]
    weights: Weights

    @classmethod
    def parse(cls, languages: Mapping[str, Mapping[str, Any]], weights: Iterable[str] = ()) -> Self:
        """Build from one table per language and the lines of the learned weights.

        Raises ValueError naming the entry or the line that cannot be understood.
        """
        classes = _classes(languages)
        entries = tuple(_entry(code, row) for code, table in languages.items() for row in table.get("entry", ()))
        guards = [
            Entry(kind, kind, code, tuple(_phrase(p) for p in phrases))
            for code, table in languages.items()
            for kind, phrases in table.get("guards", {}).items()
        ]
        lists = _merged(languages)
        known, own = _known(languages, entries)
        return cls(
            rewrites=_rewrites(languages),
            numbers={code: {fold(k): v for k, v in t.get("numbers", {}).items()} for code, t in languages.items()},
            homophones={code: dict(t.get("homophones", {})) for code, t in languages.items()},
            lists={code: _spoken_lists(languages, code) for code in languages},
            own_words=own,
            idioms=Bank.of((e for e in entries if e.means == "idiom"), classes),
            meanings=Bank.of((e for e in entries if e.means != "idiom"), classes),
            guards=Bank.of(guards, classes),
            entries=entries,
            people=frozenset().union(*(lists.get(n, frozenset()) for n in ("patients", "others", "staff", "they_are"))),
            known=known | lists.get("common", frozenset()),
            only={
                "en": (own["en"] | lists.get("common", frozenset())) - own["es"],
                "es": own["es"] - own["en"] - lists.get("common", frozenset()),
            },
            repairable={code: _repairable(own[code], lists) for code in languages},
            families={code: Families(classes.get(code, {})) for code in ("en", "es")},
            weights=Weights.parse(weights),
        )

    def words(self, text: str, language: str) -> Words:
        """Cut a text into words as this lexicon knows them, the short forms of `language` first."""
        words = split(text, self.rewrites.get(language, self.rewrites["en"]), lambda word: self.repair(word, language))
        if language != "en":
            return words
        words = open_slurred(words, self.lists["en"]["will_do"], self.lists["en"]["states"])
        return deny_once(words, self.lists["en"]["denied_twice"])

    def main_language(self, text: str, hint: str) -> str:
        """English or Spanish by the text's own words, the small ones twice; the hint decides a draw."""
        seen = {w.strip(".,!?¡¿").replace("'", "").replace("’", "") for w in fold(text).split()}
        english = 2 * len(seen & self.lists["en"]["english"])
        spanish = 2 * len(seen & self.lists["en"]["spanish"])
        if hint in self.only:
            english += len(seen & self.only["en"])
            spanish += len(seen & self.only["es"])
        if english == spanish:
            return hint if hint in self.rewrites else "en"
        return "en" if english > spanish else "es"

    def repair(self, word: str, language: str) -> str | None:
        """The known word a misspelt one must be, or None: long words only, same first letter, one slip (two from 8).

        "Throat's" is a throat that does something, or has something: the noun is what the lexicon knows.
        """
        owner = word.removesuffix("'s")
        word = word.replace("'", "")
        if owner + "s" == word and owner in self.known and not (owner in self.people and word in self.known):
            return owner
        if _STRETCHED.search(word) and not set(word) <= set("ivxw"):
            for letters in (r"\1", r"\1\1"):
                short = _STRETCHED.sub(letters, word)
                if short in self.known or short in self.rewrites.get(language, {}):
                    return short
        if word in self.known or not word.isascii() or self._is_inflected(word):
            return None
        for candidate in self.lists.get(language, {}).get("mended_short", ()):
            # Letters changed places or struck twice: "pian", "chset", "ochoo". Safe for short words too.
            if word[0] == candidate[0] and len(word) >= SAFE_LENGTH and _is_slip_of(word, candidate):
                return candidate
        if len(word) < SHORTEST_REPAIRED:
            return None
        near = None
        for candidate in self.repairable.get(language, {}).get(word[0], ()):
            if abs(len(candidate) - len(word)) > 2:
                continue
            long = len(word) >= 9 and len(candidate) >= 9 and word[:2] == candidate[:2] and word[-1] == candidate[-1]
            slips = 2 if long else 1
            if OSA.distance(word, candidate, score_cutoff=slips) <= slips and (
                near is None or len(candidate) > len(near)
            ):
                near = candidate
        return near

    def _is_inflected(self, word: str) -> bool:
        """Whether it is a known word with an everyday ending: "wishes" is no "dishes"."""
        return any(
            word.endswith(ending) and (word[: -len(ending)] in self.known or word[: -len(ending)] + "e" in self.known)
            for ending in ("s", "es", "ed", "ing", "er", "ers", "ly", "y")
        )


def _is_slip_of(word: str, candidate: str) -> bool:
    """Whether two neighboring letters changed places, or a letter was struck twice."""
    if sorted(word) == sorted(candidate):
        return OSA.distance(word, candidate, score_cutoff=1) <= 1
    return len(word) == len(candidate) + 1 and _DOUBLED.sub(r"\1", word) == _DOUBLED.sub(r"\1", candidate)


def _phrase(text: str) -> str:
    """A phrase in the folded spelling of Words; scripts without spaces are cut into their characters."""
    folded = fold(text)
    return " ".join("".join(f" {c} " if _single(c) else c for c in folded).split()).replace("'", "")


def _single(c: str) -> bool:
    return "\u3040" <= c <= "\u9fff" or "\uac00" <= c <= "\ud7af"


def _classes(languages: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, tuple[str, ...]]]:
    shared: dict[str, tuple[str, ...]] = {}
    for table in languages.values():
        for name, words in table.get("classes", {}).items():
            shared.setdefault(name, tuple(_phrase(w) for w in words))
    return {
        code: shared | {n: tuple(_phrase(w) for w in ws) for n, ws in table.get("classes", {}).items()}
        for code, table in languages.items()
    }


def _entry(code: str, row: Mapping[str, Any]) -> Entry:
    unknown = set(row) - {"name", "means", "says", "near", "examples", "but_not", "asked", "unless", "alone", "kind"}
    if unknown or not {"name", "means"} <= set(row) or not {"says", "near"} & set(row):
        raise ValueError(
            f"Lexicon {code}: entry {row.get('name')!r} lacks name, means or says, or has {sorted(unknown)}."
        )
    unless = frozenset(row.get("unless", ()))
    if unless - GUARDS:
        raise ValueError(f"Lexicon {code}: entry {row['name']!r} has unknown guards {sorted(unless - GUARDS)}.")
    return Entry(
        name=row["name"],
        means=row["means"],
        language=code,
        says=tuple(_phrase(p) for p in (*row.get("says", ()), *_in_any_order(row.get("near", ())))),
        examples=tuple(row.get("examples", ())),
        counterexamples=tuple(row.get("but_not", ())),
        asked=frozenset(Asked(a) for a in row["asked"]) if "asked" in row else frozenset(Asked),
        unless=unless,
        alone=row.get("alone", ""),
        kind=row.get("kind", ""),
    )


def _in_any_order(concepts: Iterable[Iterable[str]]) -> list[str]:
    """ "Face, droops" is also "droops ... face": every order of a concept's parts, a few words apart in one clause."""
    return [" ... ".join(order) for parts in concepts for order in permutations(parts)]


def _rewrites(languages: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, tuple[str, ...]]]:
    """Short forms per main language: its own, and another's where they are long enough to be no word of its own."""
    own = {
        code: {k.lower(): tuple(v.split()) for k, v in table.get("rewrites", {}).items()}
        for code, table in languages.items()
    }
    by_language = {}
    for code, table in languages.items():
        mine = _merged({code: table}).get("common", frozenset())
        by_language[code] = {
            key: opened
            for other, forms in own.items()
            if other != code
            for key, opened in forms.items()
            if len(key) >= SAFE_LENGTH and fold(key) not in mine
        } | own[code]
    return by_language


def _merged(languages: Mapping[str, Mapping[str, Any]]) -> dict[str, frozenset[str]]:
    lists: dict[str, frozenset[str]] = {}
    for table in languages.values():
        for name, words in table.get("lists", {}).items():
            spoken = words.split() if isinstance(words, str) else words
            lists[name] = lists.get(name, frozenset()) | frozenset(fold(w) for w in spoken)
    return lists


def _spoken_lists(languages: Mapping[str, Mapping[str, Any]], main: str) -> dict[str, frozenset[str]]:
    """Every list for a text whose main language is `main`: its own words, and others' where it has no such small word.

    "Son" is somebody else in English and only "are" in Spanish.
    """
    merged = _merged(languages)
    small = {"en": "english", "es": "spanish"}.get(main, "")
    mine = _merged({main: languages[main]})
    taken = merged.get(small, frozenset()) | merged.get(f"{small}_also", frozenset())
    return {
        name: words if name in {"english", "spanish"} else mine.get(name, frozenset()) | (words - taken)
        for name, words in merged.items()
    }


def _known(
    languages: Mapping[str, Mapping[str, Any]],
    entries: tuple[Entry, ...],
) -> tuple[frozenset[str], dict[str, frozenset[str]]]:
    own: dict[str, set[str]] = {code: set() for code in languages}
    merged = _merged(languages)
    for code, small in (("en", "english"), ("es", "spanish")):
        own.setdefault(code, set()).update(merged.get(small, frozenset()) | merged.get(f"{small}_also", frozenset()))
    for code, table in languages.items():
        own[code].update(
            w for words in table.get("classes", {}).values() for member in words for w in _phrase(member).split()
        )
        own[code].update(fold(n) for n in table.get("numbers", {}))
        own[code].update(w for v in table.get("rewrites", {}).values() for w in v.split())
        own[code].update(fold(w) for w in table.get("rewrites", {}))
    for entry in entries:
        for phrase in entry.says:
            own[entry.language].update(
                w
                for piece in phrase.split()
                if piece[0] not in "{!<"
                for w in piece.rstrip("?").replace("_", "|").split("|")
            )
    plain = {code: frozenset(w for w in words if w.isalpha()) for code, words in own.items()}
    return frozenset().union(*plain.values()), plain


def _repairable(known: frozenset[str], lists: Mapping[str, frozenset[str]]) -> dict[str, tuple[str, ...]]:
    by_letter: dict[str, list[str]] = {}
    for word in sorted(known - lists.get("never_repaired_to", frozenset())):
        if len(word) >= 5 and word.isascii():
            by_letter.setdefault(word[0], []).append(word)
    return {letter: tuple(words) for letter, words in by_letter.items()}
