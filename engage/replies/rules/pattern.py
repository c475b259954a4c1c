"""The small pattern language of the lexicon: a phrase with word classes in, a compiled expression out.

A pattern is words in order. `a|b` one of them, `word?` may be missing, `bleed*` any ending, `{class}` a named list,
`..` up to three words between, `...` up to six, `^` and `$` the ends of a sentence, `#` a number, `_` any word,
`<name>` a word nobody knows, `!a|b` not followed by, `~` a comma may stand here, `a_lot` a word of two words; `.`, `,`
and `?` standing alone or among alternatives are themselves.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

WORD = r"[^\s.,?*]+ "
GAP = r"(?!(?:not|no|never|without|nor|nunca|sin|ni|but|pero) )" + WORD
"""A word that may be skipped: never a negation, or "leg is not swollen" would be a swollen leg."""
STEM = 4
"""Letters of a word by which patterns with an open ending are looked up."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One phrase, ready to run over a line of words; `keys` are the words without which it cannot match.

    `needs` holds the same for every other part of it, so that most phrases are turned away without being run.
    """

    source: str
    expression: re.Pattern[str]
    keys: frozenset[str]
    stems: frozenset[str]
    needs: tuple[frozenset[str], ...]


def compile_pattern(source: str, classes: Mapping[str, tuple[str, ...]]) -> Pattern:
    """Compile one phrase. Raises ValueError naming an unknown class or a phrase without a single fixed word."""
    pieces: list[str] = []
    needs: list[frozenset[str]] = []
    best: tuple[frozenset[str], frozenset[str]] | None = None
    for piece in source.split():
        expression, words = _piece(piece, classes, source)
        pieces.append(expression)
        if words and not piece.startswith("!") and not _is_optional(piece):
            keys = frozenset(w.split()[0] for w in words if "*" not in w.split()[0])
            stems = frozenset(w[:STEM] for w in words if "*" in w.split()[0])
            if not stems and "#" not in keys:
                needs.append(keys)
            too_short = any("*" in w.split()[0] and w.index("*") < STEM for w in words)
            if not too_short and (best is None or len(keys) + len(stems) < len(best[0]) + len(best[1])):
                best = (keys, stems)
    if best is None:
        raise ValueError(f"The phrase {source!r} needs at least one fixed word of {STEM} letters or without '*'.")
    return Pattern(source, re.compile("(?<= )" + "".join(pieces)), *best, tuple(n for n in needs if n != best[0]))


def _piece(piece: str, classes: Mapping[str, tuple[str, ...]], source: str) -> tuple[str, tuple[str, ...]]:
    fixed = {
        "^": r"(?:(?<= [.?] )|(?<= [.?] , ))",
        "$": r"(?=[,. ]*[.?] )",
        "~": r"(?:[,.] )?",
        "..": f"(?:{GAP}){{0,3}}?",
        "...": f"(?:{GAP}){{0,6}}?",
        "#": r"[0-9][0-9:./]*(?:st|nd|rd|th)? ",
        "_": WORD,
        "<name>": f"(?P<name>{WORD})",
    }
    if piece in fixed:
        return fixed[piece], ()
    ahead, optional = piece.startswith("!"), _is_optional(piece)
    words = _members(piece.removeprefix("!").removesuffix("?" if optional else ""), classes, source)
    body = _alternatives(words)
    if ahead:
        return f"(?!{body})", ()
    return f"(?:{body})?" if optional else body, words


def _is_optional(piece: str) -> bool:
    """ "so?" may be missing; a "?" of its own, or among alternatives, is the question mark."""
    return piece.endswith("?") and not piece.endswith(("|?", "!?")) and piece != "?"


def _members(piece: str, classes: Mapping[str, tuple[str, ...]], source: str) -> tuple[str, ...]:
    words: list[str] = []
    for part in piece.split("|"):
        if part.startswith("{"):
            name = part.strip("{}")
            if name not in classes:
                raise ValueError(f"The phrase {source!r} names the class {name!r}, which the lexicon does not have.")
            for member in classes[name]:
                words.extend(_members(member, classes, source) if member.startswith("{") else [member])
        else:
            words.append(part.replace("_", " ").strip())
    if not all(words):
        raise ValueError(f"The phrase {source!r} has an empty alternative in {piece!r}.")
    return tuple(words)


@lru_cache(maxsize=4096)
def _alternatives(words: tuple[str, ...]) -> str:
    # Longer words first, so that "a lot better" is not cut short by "a lot".
    ordered = sorted(set(words), key=lambda w: (-len(w), w))
    return "(?:" + "|".join(_word(w) for w in ordered) + ")"


def _word(word: str) -> str:
    parts = []
    for part in word.split():
        if part == "#":
            parts.append(r"[0-9][0-9:./]*(?:st|nd|rd|th)? ")
        elif part.endswith("*"):
            parts.append(re.escape(part[:-1]) + r"[^\s.,?*]* ")
        else:
            parts.append(re.escape(part) + " ")
    return "".join(parts)
