"""What must hold for any text at all: no crash, no score off the scale, nothing lost to casing or spacing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engage.replies.lexicon import load_lexicon
from engage.replies.rules import Asked, Intent, Reading, read

from .conftest import LEXICON

LEXICON_READ = load_lexicon(LEXICON)

WORDS = [
    "yes",
    "no",
    "stop",
    "cancel",
    "4",
    "2",
    "10",
    "not",
    "no",
    "pain",
    "chest",
    "fell",
    "yesterday",
    "my",
    "sister",
    "i",
    "mom",
    "cannot",
    "breathe",
    "wont",
    "home",
    "after",
    "3",
    "monday",
    "?",
    ".",
    ",",
    "call",
    "me",
    "hospital",
    "died",
    "😊",
    "si",
    "dolor",
    "me",
    "cai",
    "no",
    "puedo",
    "hoy",
    "ayer",
    "la",
    "enfermera",
    "peor",
    "alto",
    "3/5",
    "98.6",
    "555-0142",
    "“",
    "”",
    ">",
]
TEXTS = st.one_of(
    st.text(max_size=80),
    st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join),
)
URGENT = [
    "i have chest pain",
    "i cant breathe",
    "she wont wake up",
    "i fell in the bathroom",
    "i want to die",
    "he is bleeding everywhere",
    "me duele el pecho",
    "no puedo respirar",
    "me cai en el baño",
    "me quiero morir",
]
# Courtesy and small talk: nothing here denies, dates or imagines what follows.
CHAT = [
    "",
    "hello",
    "good morning",
    "this is his daughter",
    "please",
    "thank you",
    "ok",
    "4",
    "hola",
    "buenos dias",
    "gracias",
]


def reading(text: str, asked: Asked, language: str = "en") -> Reading:
    return read(text, asked, lexicon=LEXICON_READ, language=language)


@settings(max_examples=300, deadline=None)
@given(text=TEXTS, asked=st.sampled_from(Asked), language=st.sampled_from(["en", "es"]))
def test_any_text_gets_a_reading_that_keeps_its_form(text: str, asked: Asked, language: str) -> None:
    seen = reading(text, asked, language)
    assert seen.intents == tuple(sorted(set(seen.intents), key=lambda intent: intent.value))
    assert seen.intents
    assert (seen.score is not None) == (Intent.SCORE in seen.intents)
    assert seen.score is None or 1 <= seen.score <= asked.top
    assert not {Intent.URGENT, Intent.SYMPTOM} <= set(seen.intents)
    for alone in (Intent.UNCLEAR, Intent.THANKS, Intent.AUTO_REPLY):
        assert alone not in seen.intents or seen.intents == (alone,)
    assert 0 <= seen.confidence <= 1
    assert all(text[e.start : e.end] == e.words and e.intent in seen.intents for e in seen.evidence)


@settings(max_examples=200, deadline=None)
@given(
    before=st.sampled_from(CHAT),
    urgent=st.sampled_from(URGENT),
    after=st.sampled_from(CHAT),
    asked=st.sampled_from(Asked),
)
def test_urgent_words_that_nothing_denies_are_urgent(before: str, urgent: str, after: str, asked: Asked) -> None:
    assert Intent.URGENT in reading(f"{before}. {urgent}. {after}", asked).intents


SAME = [
    ("checkin", "4 but my leg is red and hot"),
    ("reminder", "yes but after 3"),
    ("reminder", "please cancel tomorrow's visit"),
    ("none", "stop texting me"),
    ("checkin", "me duele el pecho"),
    ("checkin", "no chest pain today, 5"),
    ("none", "who is this"),
    ("survey", "10 she was wonderful"),
    ("none", "mom passed away last night"),
]


@pytest.mark.parametrize(("asked", "text"), SAME)
@pytest.mark.parametrize(
    "change",
    [
        str.upper,
        str.lower,
        str.title,
        lambda t: f"  {t}\n",
        lambda t: t.replace(" ", "   "),
        lambda t: t + ".",
        lambda t: t + "!!",
    ],
    ids=["upper", "lower", "title", "around", "between", "full stop", "marks"],
)
def test_casing_spacing_and_the_last_mark_change_nothing(asked: str, text: str, change: object) -> None:
    plain, changed = reading(text, Asked(asked)), reading(change(text), Asked(asked))  # type: ignore[operator]
    assert (changed.intents, changed.score) == (plain.intents, plain.score)
