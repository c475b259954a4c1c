"""What in a reply is not the sender's own words: reactions that quote us, quoted prompts. Text in, the same text with
the quote blanked out, so that positions stay; never reads what a quote says.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_QUOTES = {ord(c): '"' for c in "“”„«»″"}


@dataclass(frozen=True, slots=True)
class Own:
    """The sender's own words, everything else as spaces; `is_reaction` when nothing of their own is left."""

    text: str
    is_reaction: bool = False


def own_words(text: str, reactions: frozenset[str], prompts: frozenset[str]) -> Own:
    """Blank out a reaction, a quoted text of ours, or our prompt repeated before the answer."""
    flat = "".join(unicodedata.normalize("NFD", c)[0].lower()[:1] for c in text.translate(_QUOTES))
    reaction = _reaction(reactions).match(flat)
    if reaction:
        close = flat.rfind('"')
        rest_from = close + 1 if close > reaction.end() else len(text)
        rest = _blank(text, 0, rest_from)
        return Own(rest, not _says_something(rest))
    for start, end in _quoted(flat, prompts):
        if _says_something(text[end:]):
            return Own(_blank(text, start, end))
    return Own(text)


@lru_cache(maxsize=8)
def _reaction(verbs: frozenset[str]) -> re.Pattern[str]:
    spoken = "|".join(sorted((re.escape(v) for v in verbs), key=len, reverse=True))
    return re.compile(
        rf"""\s*(?:
            (?:a\s+[^"\n]{{1,30}}?\s+)?(?:{spoken})\s+(?:"|(?:an?|una?|el|la)\s+(?:image|photo|picture|video|message|attachment|imagen|foto|mensaje|audio)\s*$)
          | (?:reacted|reacciono)\s+(?:with\s+|con\s+)?\S{{1,12}}\s+(?:to|a)\s+"
          | (?:removed|elimino|quito)\s+[^"]{{1,40}}\s+(?:from|de|a)\s+"
          | [^\w\s"]{{1,8}}\s*(?:to|a)\s+"
        )""",
        re.VERBOSE,
    )


def _quoted(flat: str, prompts: frozenset[str]) -> list[tuple[int, int]]:
    """Where our own words stand: in leading quotation marks, after ">", or as the repeated prompt."""
    spans = []
    leading = re.match(r'\s*"([^"]{12,})"', flat)
    if leading:
        spans.append((0, leading.end()))
    marked = re.match(r"\s*>[^\n]*(?:\n|[.?!](?=\s*[^\s.?!]+[^.?!]*$))", flat)
    if marked:
        spans.append((0, marked.end()))
    asks = "|".join(sorted(re.escape(p) for p in prompts))
    prompt = re.search(
        rf"(?:^|[.?!\n])[^.?!\n]*\b(?:{asks})\s+(?:with\s+|con\s+)?(?:1\s*(?:-|to|al?)\s*(?:5|10)|yes\b|si\b)[^.?!\n]*[.?!\n]",
        flat,
    )
    if prompt:
        spans.append((0, prompt.end()))
    return spans


def _blank(text: str, start: int, end: int) -> str:
    return text[:start] + " " * (end - start) + text[end:]


def _says_something(text: str) -> bool:
    return any(c.isalnum() or unicodedata.category(c) == "So" for c in text)
