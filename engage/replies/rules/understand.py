"""A reply and what was asked in, a finished reading out. Pure: the lexicon and today's date are arguments."""

from collections.abc import Mapping
from datetime import date

from engage.replies.rules.features import features
from engage.replies.rules.guards import Scene, spoken
from engage.replies.rules.lexicon import Entry, Find, Lexicon
from engage.replies.rules.quotes import own_words
from engage.replies.rules.reading import RULE_VERSION, Asked, Evidence, Intent, Reading
from engage.replies.rules.score import Fit, Score, find_score
from engage.replies.rules.second import second_opinion
from engage.replies.rules.settle import STORY, Verdict, settle
from engage.replies.rules.times import wanted_times
from engage.replies.rules.vitals import Measured, measure
from engage.replies.rules.words import Words

MAX_CHARACTERS = 1600
"""Twilio's limit for one inbound message; what stands behind it is not read."""


TOO_OURS = 2
"""English or Spanish small words up to which a text may still be in another language."""

SHORT = 8
"""Words of a short reply: "leave me alone" in a longer one is more often said to somebody else."""

MIN_QUESTION = 2
"""Words a sentence needs before its question mark makes it a question: "ok?" is none."""


def read(text: str, asked: Asked, *, lexicon: Lexicon, language: str = "en", today: date | None = None) -> Reading:
    """Read one reply. `language` is the contact's own ("en", "es"); `today` is the date where the patient lives."""
    text = text[:MAX_CHARACTERS]
    own = own_words(text, lexicon.lists["en"]["reactions"], lexicon.lists["en"]["prompts"])
    if own.is_reaction:
        return _alone(Intent.AUTO_REPLY, text, "reaction to our text", 1.0)
    main = lexicon.main_language(own.text, language)
    lists = dict(lexicon.lists[main])
    seen = lexicon.words(own.text, main)
    if not spoken(seen.items):
        return _pictures_only(text, seen, asked, lists)
    words, scene, measured, kept, lost = _kept(seen, asked, lexicon, main)
    score = Score(Fit.NONE)
    if asked.top:
        taken = measured.taken | {i for f in kept if f.entry.kind == "numbers" for i in range(f.first, f.last)}
        sounds = _sounds(lexicon, main)
        score = find_score(words.items, asked.top, taken, _numbers(lexicon, main), sounds, lists)
    verdict = settle(kept, score, asked, scene)
    if lexicon.weights:
        families = lexicon.families.get(main, lexicon.families["en"])
        found = features(seen.items, asked, families, lists["negators"])
        opinion = lexicon.weights.weigh(found, len(spoken(seen.items)))
        verdict = second_opinion(verdict, opinion, lexicon.weights, asked, lost, _room(verdict, scene))
    return _finish(text, asked, words, verdict, score, lists, today)


def _room(verdict: Verdict, scene: Scene) -> int:
    """Words of the shortest sentence in which an emergency was found."""
    told = {scene.sentence[f.first] for f in verdict.finds.get(Intent.URGENT, ())}
    sentences = ([w for w, s in zip(scene.items, scene.sentence, strict=True) if s == one] for one in told)
    return min((len(spoken(tuple(words))) for words in sentences), default=0)


def kept_finds(text: str, asked: Asked, lexicon: Lexicon, language: str) -> list[Find]:
    """The lexicon's finds that count in this text, before the policy combines them: what a lexicon entry does alone."""
    main = lexicon.main_language(text, language)
    return _kept(lexicon.words(text, main), asked, lexicon, main)[3]


def taken_away(text: str, asked: Asked, lexicon: Lexicon, language: str) -> frozenset[str]:
    """What the text speaks of and means none of: denied, past, imagined, over, somebody else's."""
    main = lexicon.main_language(text, language)
    return _kept(lexicon.words(text, main), asked, lexicon, main)[4]


def _kept(
    seen: Words, asked: Asked, lexicon: Lexicon, main: str
) -> tuple[Words, Scene, Measured, list[Find], frozenset[str]]:
    """Hide the idioms, find what is said, and drop what is denied, past, imagined, over or somebody else's.

    Last come the meanings of which all that was found was dropped.
    """
    lists = lexicon.lists[main]
    idioms = [f for f in lexicon.idioms.search(seen, asked) if _is_spoken(f, seen, lexicon, main)]
    loose = [f for f in idioms if f.entry.kind == "loose"]
    words = seen.masked([(f.first, f.last) for f in idioms if f.entry.kind != "loose"])
    scene = Scene(words, lexicon, main)
    measured = measure(words.items, dict(lists), _numbers(lexicon, main))
    found = [f for f in lexicon.meanings.search(words, asked, lexicon.known) if _is_spoken(f, words, lexicon, main)]
    found += measured.finds
    found = [f for f in found if _stands_alone(f, words, lists) and not any(_within(f, idiom) for idiom in loose)]
    against = {f: scene.reasons(f) for f in found}
    lost = [f for f, reasons in against.items() if reasons - {"over"}]
    kept = [f for f, reasons in against.items() if not reasons and not any(_is_part(f, whole) for whole in lost)]
    if asked is Asked.SURVEY:
        kept = [f for f in kept if f.entry.means not in {"urgent", "symptom"} or not scene.tended(f)]
    lost_only = {f.entry.means for f, reasons in against.items() if reasons} - {f.entry.means for f in kept}
    return words, scene, measured, [*kept, *_questions(words, kept)], frozenset(lost_only)


def _is_part(find: Find, whole: Find) -> bool:
    """ "Never had chest pain": the pain in it does not count either."""
    return (
        find.entry.means in {"urgent", "symptom"}
        and whole.entry.means in {"urgent", "symptom"}
        and whole.first <= find.first
        and find.last <= whole.last
        and find.last - find.first < whole.last - whole.first
    )


def _within(find: Find, idiom: Find) -> bool:
    """Whether a find is only part of an everyday phrase; a complaint of exactly these words stays."""
    if find.first < idiom.first or idiom.last < find.last or find.entry.means == "question":
        return False
    same = (find.first, find.last) == (idiom.first, idiom.last)
    return not (same and find.entry.means in {"urgent", "symptom"})


def _is_spoken(find: Find, words: Words, lexicon: Lexicon, main: str) -> bool:
    """An entry of another language needs at least one of its own words that the text's main language does not have."""
    language = find.entry.language
    if language in {main, "value"}:
        return True
    spoken_words = {w.text for w in words.items[find.first : find.last]}
    if language not in _UNDERSTOOD and all(w.isascii() for w in spoken_words):
        # "Sang" is blood in French and a song in English: such words count in a text that is neither of ours.
        small = lexicon.lists["en"]["english"] | lexicon.lists["en"]["spanish"]
        if sum(w.text in small for w in words.items) > TOO_OURS:
            return False
    return bool(spoken_words & (lexicon.own_words[language] - lexicon.own_words[main]))


_UNDERSTOOD = frozenset({"en", "es", "value", "shape", "weights"})
"""Languages read in full; a find of any other means that a person must read the rest."""

_ASKS = Entry(name="ends in a question mark", means="question", language="shape", says=())


def _questions(words: Words, found: list[Find]) -> list[Find]:
    """Sentences that end in a question mark and say nothing else that was understood."""
    asked, first = [], 1
    for i, word in enumerate(words.items):
        if word.text == "?" and i - first >= MIN_QUESTION and not any(f.first < i and f.last > first for f in found):
            asked.append(Find(_ASKS, first, i))
        if word.text in {".", "?"}:
            first = i + 1
    return asked


def _finish(
    text: str,
    asked: Asked,
    words: Words,
    verdict: Verdict,
    score: Score,
    lists: dict[str, frozenset[str]],
    today: date | None,
) -> Reading:
    shown = set(words.emoji)
    if asked is Asked.REMINDER and set(verdict.finds) <= {Intent.THANKS} and shown and shown <= lists["emoji_yes"]:
        return _alone(Intent.CONFIRM, text, "thumbs-up or check mark", 0.9)
    intents = tuple(sorted(verdict.finds, key=lambda i: i.value))
    value = verdict.score if Intent.SCORE in verdict.finds else None
    evidence = [
        _evidence(text, words, intent, f.first, f.last, f.entry.rule)
        for intent, finds in verdict.finds.items()
        for f in _longest(finds)
    ]
    if Intent.SCORE in verdict.finds and score.value is not None:
        evidence.append(_evidence(text, words, Intent.SCORE, score.first, score.last, "score: " + score.fit.value))
    times = wanted_times(text, words.items, lists, today) if Intent.RESCHEDULE in verdict.finds else ()
    confidence = _confidence(words, intents, len(lists["english"] & set(spoken(words.items))), verdict)
    foreign = any(f.entry.language not in _UNDERSTOOD for finds in verdict.finds.values() for f in finds)
    story = any(f.entry is STORY for f in verdict.finds.get(Intent.COMPLAINT, ()))
    needs_person = (
        intents == (Intent.UNCLEAR,)
        or confidence < 0.5
        or verdict.contradicts
        or verdict.is_doubtful
        or foreign
        or story
    )
    evidence.sort(key=lambda e: (e.start, e.intent.value, e.rule))
    return Reading(intents, value, times, tuple(evidence), confidence, needs_person, RULE_VERSION)


def _longest(finds: list[Find]) -> list[Find]:
    """One find per entry, the longest: evidence is for people to read."""
    best: dict[str, Find] = {}
    for find in finds:
        known = best.get(find.entry.rule)
        if known is None or find.last - find.first > known.last - known.first:
            best[find.entry.rule] = find
    return list(best.values())


def _numbers(lexicon: Lexicon, main: str) -> dict[str, int]:
    """The number words of English and Spanish; where they disagree the text's own language decides."""
    second = "es" if main == "en" else "en"
    only_there = lexicon.lists["en"]["ambiguous_numbers"]
    numbers = {w: n for w, n in lexicon.numbers.get(second, {}).items() if w not in only_there}
    return numbers | dict(lexicon.numbers.get(main, {}))


def _sounds(lexicon: Lexicon, main: str) -> dict[str, int]:
    """What is a number only as the whole reply: other languages' number words, and what dictation hears."""
    others = {w: n for code, words in lexicon.numbers.items() for w, n in words.items() if code not in {"en", "es"}}
    return others | dict(lexicon.homophones.get(main, {}))


def _stands_alone(find: Find, words: Words, lists: Mapping[str, frozenset[str]]) -> bool:
    """Entries that count only as the whole reply, or as a whole clause, beside nothing but courtesy."""
    if not find.entry.alone:
        return True
    items = words.items
    first, last = 0, len(items)
    if find.entry.alone == "short":
        return len(spoken(items)) <= SHORT
    if find.entry.alone == "bare":
        return len(spoken(items)) == find.last - find.first
    if find.entry.alone == "clause":
        marks = {".", "?", ","}
        first = next((i + 1 for i in range(find.first - 1, -1, -1) if items[i].text in marks), 0)
        last = next((i for i in range(find.last, len(items)) if items[i].text in marks), len(items))
    around = [w.text for w in (*items[first : find.first], *items[find.last : last])]
    return all(w in {".", "?", ",", "*"} or w in lists["courtesy"] for w in around)


def _pictures_only(text: str, words: Words, asked: Asked, lists: dict[str, frozenset[str]]) -> Reading:
    shown = set(words.emoji)
    if asked is Asked.REMINDER and shown and shown <= lists["emoji_yes"]:
        return _alone(Intent.CONFIRM, text, "thumbs-up or check mark", 0.9)
    if asked is Asked.REMINDER and shown and shown <= lists["emoji_no"]:
        return _alone(Intent.CANCEL_VISIT, text, "thumbs-down or cross", 0.6)
    if asked is Asked.NONE and shown and shown <= lists["emoji_thanks"]:
        return _alone(Intent.THANKS, text, "folded hands or a heart", 0.8)
    return _alone(Intent.UNCLEAR, text, "no words", 0.9)


def _alone(intent: Intent, text: str, rule: str, confidence: float) -> Reading:
    evidence = Evidence(intent, text, 0, len(text), f"shape: {rule}")
    return Reading((intent,), None, (), (evidence,), confidence, intent is Intent.UNCLEAR, RULE_VERSION)


def _evidence(text: str, words: Words, intent: Intent, first: int, last: int, rule: str) -> Evidence:
    inside = [w for w in words.items[first:last] if w.end > w.start] or [words.items[first]]
    start, end = min(w.start for w in inside), max(w.end for w in inside)
    return Evidence(intent, text[start:end], start, end, rule)


def _confidence(words: Words, intents: tuple[Intent, ...], known: int, verdict: Verdict) -> float:
    """How much of the reply was understood, as a figure from 0 to 1; for sorting a worklist, not a probability."""
    length = len(spoken(words.items))
    sure = 0.95 if intents != (Intent.UNCLEAR,) else 0.4
    sure -= 0.05 * sum(w.repaired for w in words.items)
    sure -= 0.01 * max(0, length - 12)
    sure -= 0.3 if verdict.contradicts else 0.15 if verdict.is_weighed else 0.0
    return round(max(0.1, min(1.0, sure + (0.05 if length <= 2 or known else 0.0))), 2)
