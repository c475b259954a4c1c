"""What takes an alarm away, or leaves it: staff who saw to it, something over, somebody named in the end, a likeness."""

import pytest

from engage.replies.rules import Asked, Lexicon, read


@pytest.mark.parametrize(
    ("asked", "text", "intents"),
    [
        (Asked.SURVEY, "9 she noticed my rash", "score"),  # seen to by staff: praise
        (Asked.SURVEY, "9 my rash itches", "score+symptom"),
        (Asked.SURVEY, "9 she found my oxygen was low and fixed it", "score"),  # put right
        (Asked.SURVEY, "9 she found my oxygen was low", "score+urgent"),  # nobody says that it was put right
        (Asked.CHECKIN, "4 bled a little shaving but it stopped", "score"),
        (Asked.CHECKIN, "4 bled a little shaving and it will not stop", "score+urgent"),
        (Asked.CHECKIN, "3 he choked at supper, that is my brother in law", "score"),
        (Asked.NONE, "chest hurts like when i had my heart attack", "urgent"),  # then is only what now is like
        (Asked.NONE, "chest hurt when i had my heart attack", "unclear"),
        (Asked.REMINDER, "ill be here", "confirm"),  # "I will", and not sick
        (Asked.NONE, "mother is ill", "symptom"),
        (Asked.NONE, "he is limp and does not answer", "urgent"),  # the patient does not answer, not the office
        (Asked.NONE, "these messages are a nuisance, shut em off", "optout"),
        (Asked.NONE, "stop texting me, your office is rude", "complaint+optout"),
    ],
)
def test_the_words_around_decide(lexicon: Lexicon, asked: Asked, text: str, intents: str) -> None:
    assert "+".join(intent.value for intent in read(text, asked, lexicon=lexicon).intents) == intents


def test_a_story_about_staff_reaches_a_person(lexicon: Lexicon) -> None:
    told = read("she had somewhere else on her mind i guess", Asked.SURVEY, lexicon=lexicon)
    assert [intent.value for intent in told.intents] == ["complaint"]
    assert told.needs_person
    assert [intent.value for intent in read("she was okay", Asked.SURVEY, lexicon=lexicon).intents] == ["unclear"]
