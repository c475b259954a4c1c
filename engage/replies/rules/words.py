"""A text as received in, its words out: folded, expanded and repaired, each still knowing where it stood.

Upper case, accents, curly quotes, full-width digits and decorations go; meaning is not looked at here.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

_FOLD = {
    **{ord("０") + d: str(d) for d in range(10)},
    **{base + d: str(d) for base in (0x0660, 0x06F0, 0x0966) for d in range(10)},
    **{ord(c): "'" for c in "‘’ʼ´`′"},
    **{ord(c): '"' for c in "“”„«»″"},
    **{ord(c): "-" for c in "‐‑‒–—−"},
    **{ord(c): " " for c in "\u00a0\u2009\u200a\u202f\u3000\t\r"},
    **{ord(c): "?" for c in "？؟¿"},
    **{ord(c): "," for c in "，、؛،"},
    **{ord(c): "." for c in "。！"},
}
"""One character for one character, so that positions in the text stay what they were."""

_SILENT = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\ufe0e\ufe0f\u20e3\u061c\u2066\u2067\u2068\u2069"
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\u0e00-\u0e7f"

_TOKEN = re.compile(
    rf"""
    (?P<negative>(?:(?<=\s)|^)-\d+(?![\d/:.-]))
  | (?P<phone>(?:\+?1[-. ]?)?\(?\d{{3}}\)?[-. ]\d{{3}}[-. ]\d{{4}}(?!\d)|\b\d{{3}}[-. ]\d{{4}}(?!\d)|\+?\d{{7,}})
  | (?P<clock>\d{{1,2}}:\d{{2}})
  | (?P<date>\d{{1,2}}/\d{{1,2}}/\d{{2,4}})
  | (?P<fraction>\d+(?:\.\d+)?\s?/\s?\d+)
  | (?P<decimal>\d+[.,]\d{{1,2}}(?![\d.,:]))
  | (?P<ordinal>\d+(?:st|nd|rd|th)\b)
  | (?P<mixed>\d+[a-z]+\d*|[a-z]+\d+[a-z\d]*)
  | (?P<number>\d+)
  | (?P<starred>\bf\*+\w*)
  | (?P<single>[{_CJK}])
  | (?P<word>(?:[^\W\d_]|[\u0300-\u036f\u064b-\u0652])(?:[^\W\d_{_CJK}]|[\u0300-\u036f\u064b-\u0652]|'(?=[^\W\d_])|\d(?=\w))*)
  | (?P<strong>[.!;\n]+)
  | (?P<ask>[?!]*\?[?!.]*)
  | (?P<weak>[,:()/|\u2026-]+)
  | (?P<sign>[&@%$*+=~\#])
    """,
    re.VERBOSE | re.IGNORECASE,
)

_LOOKALIKES = {"1o": "10", "l0": "10", "lo": "10", "io": "10"}
"""A ten written with letters."""

_TITLES = frozenset({"mrs", "mr", "ms", "sra", "sr", "srta"})
"""Short forms whose full stop ends no sentence."""

_SIGNS = {"&": "and", "@": "at", "%": "percent", "$": "dollars", "*": "*", "~": "about"}


class Word(NamedTuple):
    """One word as the rules see it (`text`), as it was written (`plain`), and where it stood."""

    text: str
    plain: str
    start: int
    end: int
    repaired: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """A reply's words in order. `line` is them joined by spaces, sentences closed by a full stop, for the patterns."""

    items: tuple[Word, ...]
    line: str
    offsets: tuple[int, ...]
    emoji: tuple[str, ...]

    def at(self, offset: int) -> int:
        """The index of the word that stands at this offset of `line`."""
        return bisect_right(self.offsets, offset) - 1

    def masked(self, spans: list[tuple[int, int]]) -> "Words":
        """The same words with those in `spans` made unreadable; positions stay."""
        if not spans:
            return self
        items = list(self.items)
        for first, last in spans:
            for i in range(first, last):
                items[i] = items[i]._replace(text="¤")
        return arrange(items, self.emoji)


def arrange(items: list[Word], emoji: tuple[str, ...]) -> Words:
    """Join words to the line that patterns run over."""
    offsets, at = [], 1
    for word in items:
        offsets.append(at)
        at += len(word.text) + 1
    return Words(tuple(items), " " + " ".join(w.text for w in items) + " ", tuple(offsets), emoji)


_ONCE = {"no": "any", "nothing": "anything", "nobody": "anybody", "none": "any"}


def deny_once(words: Words, verbs: frozenset[str]) -> Words:
    """ "Can't get no air", "don't want no more texts": the second negation of a dialect only repeats the first."""
    items = list(words.items)
    for i, word in enumerate(items):
        if word.text != "not":
            continue
        at = i + 1
        while at < len(items) and items[at].text in verbs:
            at += 1
        if i + 1 < at < len(items) - 1 and items[at].text in _ONCE and items[at + 1].text != "one":
            items[at] = items[at]._replace(text=_ONCE[items[at].text])
    return words if items == list(words.items) else arrange(items, words.emoji)


_SLURRED = {"ill": "i", "well": "we", "shell": "she", "hell": "he"}


def open_slurred(words: Words, verbs: frozenset[str], states: frozenset[str]) -> Words:
    """ "Ill be here", "shell need it": a short form that is a word of its own, before a verb that only a "will" has.

    `states` are the words before it that leave it what it says: "was ill", "feel ill".
    """
    items: list[Word] = []
    for i, word in enumerate(words.items):
        after = words.items[i + 1].text if i + 1 < len(words.items) else "."
        if word.text in _SLURRED and after in verbs and words.items[i - 1].text not in states:
            items += [word._replace(text=_SLURRED[word.text]), word._replace(text="will")]
        else:
            items.append(word)
    return words if len(items) == len(words.items) else arrange(items, words.emoji)


def fold(text: str) -> str:
    """Lower case without accents, in compatibility form; "Sí" becomes "si"."""
    if text.isascii():
        return text.lower()
    spread = unicodedata.normalize("NFKD", text.casefold())
    if any("\uac00" <= c <= "\ud7af" for c in text):
        return unicodedata.normalize("NFKC", text)
    return "".join(c for c in spread if not unicodedata.combining(c))


def split(
    text: str,
    rewrites: Mapping[str, tuple[str, ...]],
    repair: Callable[[str], str | None],
) -> Words:
    """Cut a text into words. `rewrites` opens short forms ("dont" to "do not"); `repair` mends a misspelt word."""
    heard = [i for i, c in enumerate(text) if c not in _SILENT]
    text = text if len(heard) == len(text) else "".join(text[i] for i in heard)
    flat = text.translate(_FOLD)
    items = [Word(".", ".", 0, 0)]
    emoji: list[str] = []
    at = 0
    for found in _TOKEN.finditer(flat):
        emoji.extend(_pictures(text[at : found.start()], items, at))
        at = found.end()
        _take(found, items, rewrites, repair)
    emoji.extend(_pictures(text[at:], items, at))
    if items[-1].text not in {".", "?"}:
        items.append(Word(".", ".", len(text), len(text)))
    if heard and len(heard) != heard[-1] + 1:
        items = [w._replace(start=heard[w.start], end=heard[w.end - 1] + 1) if w.end > w.start else w for w in items]
    return arrange(items, tuple(emoji))


def _take(
    found: re.Match[str],
    items: list[Word],
    rewrites: Mapping[str, tuple[str, ...]],
    repair: Callable[[str], str | None],
) -> None:
    kind, raw, start, end = found.lastgroup, found.group(), found.start(), found.end()
    is_hyphen = kind == "weak" and raw == "-" and items[-1].end == start and items[-1].text[-1:].isalpha()
    if is_hyphen and found.string[end : end + 1].isalpha():
        return  # "opt-out": one idea, no pause
    if raw == "." and items[-1].text in _TITLES and items[-1].end == start:
        return  # "Mrs. Kim" is one sentence
    if kind == "starred":
        items.append(Word("fuck", raw, start, end))
    elif kind in {"strong", "ask", "weak"}:
        mark = {"strong": ".", "ask": "?"}.get(kind or "", ",")
        if kind == "weak" and raw == "-" and items[-1].text.isdigit() and items[-1].end == start:
            mark = "~"  # "3-4": a range, not a pause
        _punctuate(items, mark, start, end)
    elif kind == "sign":
        if raw in _SIGNS:
            items.append(Word(_SIGNS[raw], raw, start, end))
        elif raw == "#" and not found.string[end : end + 1].isdigit():
            items.append(Word("number", raw, start, end))
    elif kind in {"phone", "date"}:
        items.append(Word(f"<{kind}>", raw, start, end))
    elif kind in {"clock", "fraction", "number", "ordinal", "single", "negative"}:
        items.append(Word("".join(raw.lower().split()), raw, start, end))
    elif kind == "decimal":
        items.append(Word(raw.replace(",", "."), raw, start, end))
    else:
        _spell(raw, start, end, items, rewrites, repair)


def _punctuate(items: list[Word], mark: str, start: int, end: int) -> None:
    last = items[-1].text
    if (last == "," and mark in {".", "?"}) or (last == "." and mark == "?" and len(items) > 1):
        items.pop()
    elif last in {".", "?", ","}:
        if mark == "?" and len(items) == 1:
            items.append(Word("?", "?", start, end))
        return
    items.append(Word(mark, mark, start, end))


def _spell(
    raw: str,
    start: int,
    end: int,
    items: list[Word],
    rewrites: Mapping[str, tuple[str, ...]],
    repair: Callable[[str], str | None],
) -> None:
    accented = raw.lower()
    plain = fold(raw)
    bare = plain.replace("'", "")
    opened = rewrites.get(accented) or rewrites.get(plain) or rewrites.get(bare)
    if opened is None and bare in _LOOKALIKES:
        items.append(Word(_LOOKALIKES[bare], bare, start, end))
        return
    if opened is None and bare[0].isdigit():
        digits = re.match(r"\d+", bare)
        head = digits.group() if digits else bare
        items.append(Word(head, head, start, start + len(head)))
        tail = bare[len(head) :]
        if tail:
            opened = rewrites.get(tail, (tail,))
            items.extend(Word(w, tail, start + len(head), end) for w in opened)
        return
    if opened is not None:
        items.extend(Word(w, bare, start, end) for w in opened)
        return
    # A capital inside a sentence is a name: Denise is no demise.
    is_name = raw[0].isupper() and raw[1:].islower() and items[-1].text not in {".", "?", "*"}
    mended = None if is_name else repair(plain)
    if mended is None:
        items.append(Word(bare, bare, start, end))
    else:
        opened = rewrites.get(mended, (mended,))
        items.extend(Word(w, bare, start, end, True) for w in opened)


def _pictures(gap: str, items: list[Word], at: int) -> list[str]:
    seen = []
    for i, c in enumerate(gap):
        if c in _SILENT or c.isspace() or c in "\"'_^<>\\[]{}":
            continue
        if c == "🔟":
            items.append(Word("10", c, at + i, at + i + 1))
        elif c == "½":
            items.append(Word("1/2", c, at + i, at + i + 1))
        elif unicodedata.category(c) in {"So", "Sm", "Cn", "No"}:
            seen.append(c)
    return seen
