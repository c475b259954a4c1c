"""Which password will do. Pure. NIST SP 800-63B-4 section 3.1.1.2 and OWASP ASVS 4.0.3 V2.1.

A password never stands alone here: a second factor is asked of everybody. NIST then wants 8 characters, ASVS 12; we ask for 12.
No rules of composition, no expiry, any character, paste allowed; a list of what is guessed first, the person's own words, and how
many guesses an estimator thinks are enough (decision 67).
"""

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from itertools import pairwise

SHORTEST = 12
LONGEST = 256  # NIST asks for at least 64
FEWEST_GUESSES = 1e9
"""Above what seasons, names and clubs with a year and some signs behind them are worth. At argon2id's pace a year and more of a core."""


class Weakness(StrEnum):
    """Why a password will not do."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    REPEATED = "repeated"  # aaaaaaaaaaaa, 121212121212
    IN_ORDER = "in_order"  # 123456789012, abcdefghijkl
    GUESSED_FIRST = "guessed_first"  # nothing but common words, the agency's and one's own
    GUESSED_SOON = "guessed_soon"  # a leaked one, or put together as people do: a name and a year


def normal(password: str) -> str:
    """The form that is measured and hashed, so that an accent typed on another keyboard is the same (NFKC, as NIST says)."""
    return unicodedata.normalize("NFKC", password)


def weakness(password: str, blocked: Iterable[str]) -> Weakness | None:
    """Why `password` will not do, None if it will. `blocked`: words of which it may not wholly consist, in any case."""
    text = normal(password)
    if len(text) < SHORTEST:
        return Weakness.TOO_SHORT
    if len(text) > LONGEST:
        return Weakness.TOO_LONG
    folded = text.casefold()
    if any(folded == (folded[:length] * len(folded))[: len(folded)] for length in range(1, 5)):
        return Weakness.REPEATED
    if _is_in_order(folded):
        return Weakness.IN_ORDER
    letters = "".join(sign for sign in folded if sign.isalpha())
    return Weakness.GUESSED_FIRST if _consists_of(letters, {word.casefold() for word in blocked}) else None


def is_guessed_soon(guesses: float) -> bool:
    """Whether so many guesses are too few."""
    return guesses < FEWEST_GUESSES


def own_words(*names: str) -> frozenset[str]:
    """The words of somebody's name, e-mail and agency that a stranger would try."""
    return frozenset(word for name in names for word in re.findall(r"[^\W\d_]{2,}", name.casefold()))


def _is_in_order(text: str) -> bool:
    steps = {(ord(after) - ord(before)) for before, after in pairwise(text)}
    return steps in ({1}, {-1}) or text in "0123456789" * 26 or text in "9876543210" * 26


def _consists_of(letters: str, words: set[str]) -> bool:
    """Whether `letters` is one or more of `words`, one after the other; digits and signs alone count as well."""
    reached = {0}
    longest = max(map(len, words), default=0)
    for end in range(1, len(letters) + 1):
        if any(start in reached and letters[start:end] in words for start in range(max(0, end - longest), end)):
            reached.add(end)
    return len(letters) in reached
