"""What a reply means for whom: its words, the open questions and who is on the phone in; readings, each of some patients, out.

It asks the pure rules and joins what they say: it reads no row, writes none and decides nothing about what follows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from engage.outreach.rules.words import Asks
from engage.replies.asked import Found, Member, Question
from engage.replies.pending import Pending
from engage.replies.rules import Asked, Intent, Lexicon, Reading
from engage.replies.rules.reading import RULE_VERSION, Evidence
from engage.replies.rules.together import Reads, read_together, reader, split
from engage.replies.rules.whose import Part, parts_of


@dataclass(frozen=True, slots=True)
class Meaning:
    """One thing said: its reading, the question it answers, and the patients it is about.

    Several patients with `is_named` are all meant ("both 4"); without it, it is one of them and nobody said which.
    `pending`: a score given before, whose owner is named now. `settles`: one given before that is named and given again.
    """

    reading: Reading
    question: Question | None
    members: tuple[Member, ...]
    is_named: bool
    words: str
    pending: Pending | None = None
    settles: Pending | None = None


_OF_THE_PHONE = {Intent.AUTO_REPLY, Intent.OPTOUT, Intent.OPTIN, Intent.WRONG_NUMBER, Intent.HELP}
"""What is said of the phone or the service; whose name stands beside it does not matter."""


def interpret(
    text: str, found: Found, before: Sequence[str], pending: Pending | None, lexicon: Lexicon
) -> tuple[Meaning, ...]:
    """What `text` means; `before` are the texts of its author in the minute before, oldest first. Never empty."""
    reads = reader(lexicon, found.language, found.today)
    whole = _whole(text, found, before, reads)
    parts = parts_of(text, found.names)
    if not parts or any(_OF_THE_PHONE & set(meaning.reading.intents) for meaning in whole):
        return whole
    named = [_part(part, found, pending, reads) for part in parts]
    return _better(whole, named, found, parts)


def _better(
    whole: tuple[Meaning, ...], named: list[Meaning], found: Found, parts: Sequence[Part]
) -> tuple[Meaning, ...]:
    """The parts, unless the whole says more: an emergency that was torn apart, or sense where the parts make none."""
    everybody = found.members([patient for part in parts for patient in part.patients])
    of_named = tuple(replace(meaning, members=everybody, is_named=True) for meaning in whole)

    def has(meanings: Sequence[Meaning], intent: Intent) -> bool:
        return any(intent in meaning.reading.intents for meaning in meanings)

    if has(whole, Intent.URGENT) and not has(named, Intent.URGENT):
        return of_named
    if has(named, Intent.UNCLEAR) and not has(named, Intent.SCORE) and not has(whole, Intent.UNCLEAR):
        # "How is Rose 4" is hers; a number that stands apart from two names is anybody's
        return of_named if len(everybody) == 1 or not has(whole, Intent.SCORE) else whole
    return tuple(named)


def _whole(text: str, found: Found, before: Sequence[str], reads: Reads) -> tuple[Meaning, ...]:
    both = _both(text, found, reads)
    if both:
        return tuple(_unnamed(reading, question, text, found) for reading, question in both)
    reading, question = _best(text, found.questions, before, reads)
    return (_unnamed(reading, question, text, found),)


def _both(text: str, found: Found, reads: Reads) -> list[tuple[Reading, Question]]:
    """ "Y 4" where a visit and a score are open: each half answers its own question."""
    visit = next((q for q in found.questions if q.asks is Asks.CONFIRM), None)
    score = next((q for q in found.questions if q.asks in {Asks.SCORE_1_5, Asks.SCORE_1_10}), None)
    if visit is None or score is None:
        return []
    halves = split(text, score.asked, reads)
    return [] if halves is None else [(halves[0], visit), (halves[1], score)]


def _best(
    text: str, questions: Sequence[Question], before: Sequence[str], reads: Reads
) -> tuple[Reading, Question | None]:
    """The reading under the newest open question that makes sense of the words, else under the newest of all.

    "Y" after a check-in makes no sense as a score and answers yesterday's reminder. Alone before together, so that
    a second text answers a second question.
    """
    tries = [*questions, None]
    alone = [(reads(text, _asked(question)), question) for question in tries]
    clear = next((found for found in alone if Intent.UNCLEAR not in found[0].intents), None)
    # What is clear alone is asked under its own question only: under any other its words would be unclear, and lost.
    for question in tries if clear is None else [clear[1]]:
        joined = read_together(text, before, _asked(question), reads)
        if joined is not None:
            return joined, question
    return clear or alone[0]


def _asked(question: Question | None) -> Asked:
    return question.asked if question is not None else Asked.NONE


def _unnamed(reading: Reading, question: Question | None, text: str, found: Found) -> Meaning:
    is_of_all = question is None or Intent.URGENT in reading.intents or bool(_OF_THE_PHONE & set(reading.intents))
    members = found.household if is_of_all else found.members(_candidates(question, found))
    is_clear = len(members) == 1 or set(reading.intents) <= _OF_THE_PHONE
    return Meaning(reading, question, members, is_clear, text)


def _candidates(question: Question | None, found: Found) -> tuple[int, ...]:
    """Those whom the question names; a survey goes to each of them apart, so all whose own is still open."""
    if question is None:
        return ()
    others = [q for q in found.questions if q.asks is question.asks is Asks.SCORE_1_10 and not q.is_answered]
    return tuple(dict.fromkeys([*question.patients, *(patient for q in others for patient in q.patients)]))


def _part(part: Part, found: Found, pending: Pending | None, reads: Reads) -> Meaning:
    members = found.members(part.patients)
    theirs = [q for q in found.questions if set(q.patients) & set(part.patients)]
    reading, question = _best(part.words, theirs, (), reads)
    is_bare = not any(character.isalnum() for character in part.words)
    if pending is not None and Intent.SCORE not in reading.intents and (is_bare or Intent.UNCLEAR in reading.intents):
        own = next((q for q in theirs if q.asks is pending.question.asks), pending.question)
        is_asked = set(pending.question.patients) & set(part.patients)  # not so of a survey: each has one of their own
        answered = pending.question if is_asked else own
        return Meaning(_said_before(pending), answered, members, True, part.words, pending)
    is_again = pending is not None and question is not None and question.message_id == pending.question.message_id
    settles = pending if is_again and Intent.SCORE in reading.intents else None
    return Meaning(reading, question, members, True, part.words, settles=settles)


def _said_before(pending: Pending) -> Reading:
    evidence = Evidence(Intent.SCORE, str(pending.value), 0, 0, "score: given before, its owner named now")
    return Reading((Intent.SCORE,), pending.value, (), (evidence,), 1.0, False, RULE_VERSION)
