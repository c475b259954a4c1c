"""Texts that belong together: pieces of a thought, corrections, one text for two questions."""

import pytest

from engage.replies.rules import Asked, Lexicon
from engage.replies.rules.together import corrected, is_harmless, read_together, reader, speaks_against, split

CHECKIN = Asked.CHECKIN


@pytest.mark.parametrize(
    ("before", "text", "found"),
    [
        ("my chest", "hurts", "urgent"),  # alone it is only a symptom
        ("I can't", "breathe", "urgent"),
        ("my leg", "hurts 3", None),  # says enough alone
        ("2", "no 3 sorry", "score 3"),
        ("2", "perdon, es 3", None),  # understood alone; the later score counts anyway
        ("my sister", "fell", None),  # somebody else's, together as well
        ("4", "thanks", None),
        ("hello", "asdf", None),  # a greeting does not explain nonsense
        ("I have chest pain", "asdf", "urgent"),  # read again, no worse: the first has its alert
        ("I have chest pain", "4", None),
    ],
)
def test_read_together(lexicon: Lexicon, before: str, text: str, found: str | None) -> None:
    reading = read_together(text, [before], CHECKIN, reader(lexicon, "en"))
    said = None if reading is None else "+".join(reading.intents) + (f" {reading.score}" if reading.score else "")
    assert said == found


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("no 3 sorry", "3"),
        ("*3", "3"),
        ("oops, 2!", "2"),
        ("digo 4", "4"),
        ("3", None),
        ("no", None),
        ("no 3 or 4", None),
    ],
)
def test_corrected(text: str, number: str | None) -> None:
    assert corrected(text) == number


@pytest.mark.parametrize(
    ("text", "visit", "score"),
    [
        ("Y 4", "confirm", 4),
        ("yes and 3", "confirm", 3),
        ("4 and yes", "confirm", 4),
        ("si y 4", "confirm", 4),
        ("yes. my leg hurts 2", "confirm", 2),
        ("3 and I need thursday instead", "reschedule", 3),
        ("4 feeling great", None, None),  # praise confirms a visit only where nothing else is open
        ("yes at 4", None, None),  # an hour
        ("yes but after 3 and 4", None, None),
        ("no, 3", None, None),  # a correction
        ("ok 3", None, None),  # a way to begin
        ("Y", None, None),
        ("4", None, None),
        ("yes " + "and then some " * 5 + "4", None, None),  # a story
    ],
)
def test_split(lexicon: Lexicon, text: str, visit: str | None, score: int | None) -> None:
    found = split(text, CHECKIN, reader(lexicon, "en"))
    assert (found and found[0].intents[0].value, found and found[1].score) == (visit, score)


@pytest.mark.parametrize(
    ("text", "score", "against"),
    [
        ("1 feeling great", 1, True),
        ("1 me siento muy bien", 1, True),
        ("1 much better", 1, True),
        ("1 thank you", 1, False),
        ("2 not feeling great", 2, False),
        ("2 feel terrible", 2, False),
        ("5 feeling great", 5, False),
        ("1", 1, False),
    ],
)
def test_speaks_against(lexicon: Lexicon, text: str, score: int, against: bool) -> None:
    assert speaks_against(text, score, CHECKIN, reader(lexicon, "en")) is against


def test_a_survey_is_not_asked_about_again(lexicon: Lexicon) -> None:
    assert not speaks_against("1 great nurse", 1, Asked.SURVEY, reader(lexicon, "en"))


@pytest.mark.parametrize(
    ("text", "harmless"),
    [("7", True), ("yes", True), ("ok!", True), ("0", False), ("-1", False), ("", False), ("help 7", False)],
)
def test_is_harmless(text: str, harmless: bool) -> None:
    assert is_harmless(text) is harmless
