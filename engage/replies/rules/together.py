"""Texts that belong together: what somebody wrote within a minute, and one text that answers two questions. Pure.

The first text is read and acted on when it comes; a later one only adds to it, or corrects it.
"""

import re
from collections.abc import Callable, Sequence
from datetime import date, timedelta

from engage.replies.rules.lexicon import Lexicon
from engage.replies.rules.reading import Asked, Intent, Reading
from engage.replies.rules.understand import MAX_CHARACTERS, read

WITHIN = timedelta(seconds=60)
"""A thought that is sent in pieces comes within this; a second thought later stands on its own."""

_CORRECTS = re.compile(
    r"\b(?:no|nope|oops|sorry|wait|actually|i|meant?|it'?s|make|that|not|a|"
    r"perd[oó]n|digo|mejor|quise|quer[ií]a|decir|es|un|error|typo|wrong)\b|[*.,;:!-]",
    re.IGNORECASE,
)
_VISIT = frozenset({Intent.CONFIRM, Intent.CANCEL_VISIT, Intent.RESCHEDULE})
_SAYS_NOTHING = frozenset({Intent.UNCLEAR, Intent.THANKS, Intent.AUTO_REPLY})
# "Yes at 4" names an hour. "No, 3" corrects, and "ok 3" is a way to begin: neither says anything of the visit.
_AN_HOUR = re.compile(
    r"\b(?:at|after|before|by|until|till|around|from|a las?|desde|hasta|despu[eé]s de|antes de)\s+(?:las? )?\d",
    re.IGNORECASE,
)
_FILLERS = frozenset({"no", "ok", "okay", "k"})
_MOST_WORDS = 10
"""A longer text tells a story; cutting it would tear its meaning apart."""
_ONLY_A_NUMBER = re.compile(r"\W*(?:0*[1-9]\d{0,2}|y|yes|ok|okay|no|s|s[ií])\W*", re.IGNORECASE)

Reads = Callable[[str, Asked], Reading]
"""A text read under a question: `read` with lexicon, language and date filled in."""


def reader(lexicon: Lexicon, language: str, today: date | None = None) -> Reads:
    """`read` for one author."""
    return lambda text, asked: read(text, asked, lexicon=lexicon, language=language, today=today)


def corrected(text: str) -> str | None:
    """What a text corrects to: "no 3 sorry" is "3". None when anything but a number is left."""
    left = " ".join(_CORRECTS.sub(" ", text).split())
    is_said = left != " ".join(text.split())
    return left if is_said and re.fullmatch(r"\d{1,2}", left) else None


def read_together(text: str, before: Sequence[str], asked: Asked, reads: Reads) -> Reading | None:
    """The reading of `text` with what its author wrote in the minute before (oldest first), where that says more; else None.

    It says more where the text alone is unclear, and where only the whole is an emergency: "my chest", "hurts".
    """
    alone = reads(text, asked)
    if (right := corrected(text)) is not None and Intent.SCORE not in alone.intents:
        mended = reads(right, asked)
        if Intent.SCORE in mended.intents:
            return mended
    if not before or Intent.URGENT in alone.intents or Intent.AUTO_REPLY in alone.intents:
        return None
    whole = reads(" ".join([*before, text])[-MAX_CHARACTERS:], asked)
    if Intent.UNCLEAR in alone.intents:
        return None if set(whole.intents) & _SAYS_NOTHING else whole  # "hello", "asdf": the greeting explains nothing
    is_new = Intent.URGENT in whole.intents and not any(Intent.URGENT in reads(one, asked).intents for one in before)
    return whole if is_new else None


def split(text: str, asked: Asked, reads: Reads) -> tuple[Reading, Reading] | None:
    """What "Y 4" and "3 and yes" say to the visit and to the open question `asked` after a score; None for any other text.

    The part about the visit must mean nothing to the other question: in "4 feeling great" nobody confirms.
    """
    if not asked.top or len(text.split()) > _MOST_WORDS or _AN_HOUR.search(text):
        return None
    for cut in re.finditer(r"\s+(?:and|y|&|\+)\s+|[\s,.;/]+", text.strip()):
        left, right = text.strip()[: cut.start()], text.strip()[cut.end() :]
        for visit, number in ((left, right), (right, left)):
            if visit.strip(" .!").casefold() in _FILLERS:
                continue
            answer = reads(visit, Asked.REMINDER)
            if not answer.intents or not set(answer.intents) <= _VISIT or any(c.isdecimal() for c in visit):
                continue
            if reads(visit, asked).intents == (Intent.UNCLEAR,) and _is_clear(scored := reads(number, asked)):
                return answer, scored
    return None


def _is_clear(reading: Reading) -> bool:
    return Intent.SCORE in reading.intents and not set(reading.intents) & _VISIT


def is_harmless(text: str) -> bool:
    """Whether an unclear text is only a yes, or a number above the scale: worth a question before a person's time.

    A nought or a minus is below "much worse", and goes to a person at once.
    """
    return _ONLY_A_NUMBER.fullmatch(text) is not None and "-" not in text


def speaks_against(text: str, score: int, asked: Asked, reads: Reads) -> bool:
    """Whether the words beside a low score praise: "1 feeling great". Thanks alone do not; nor does anything of a survey."""
    if asked is not Asked.CHECKIN or score > 2:
        return False
    words = re.sub(r"\d+", " ", text)
    if not _PRAISE.search(words):
        return False
    alone = reads(" ".join(words.split()), asked)
    return alone.intents == (Intent.THANKS,) or alone.score == asked.top


_PRAISE = re.compile(
    r"\b(?:feel(?:s|ing)?|felt|great|wonderful|fantastic|excellent|amazing|perfect|awesome|(?:much|lots?|way) better|"
    r"siento|(?:muy|super) bien|mucho mejor|excelente|maravilla|perfecto)\b",
    re.IGNORECASE,
)
