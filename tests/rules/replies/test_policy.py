"""The policy for reading replies, rule by rule (docs/reference/understanding.md): what was asked, the reply, its labels."""

from collections.abc import Callable

import pytest

from engage.replies.rules import Reading

# Each row: rule number, asked, language, text, labels, score.
ROWS = [
    # 1 unclear, thanks and auto_reply stand alone
    (1, "none", "en", "thanks! please call me", "callback", None),
    (1, "checkin", "en", "thanks dear 4", "score", 4),
    (1, "checkin", "es", "gracias, me duele la cabeza", "symptom", None),
    # 2 urgent wins over symptom
    (2, "checkin", "en", "dizzy and my chest hurts", "urgent", None),
    (2, "checkin", "es", "mareada y no puedo respirar", "urgent", None),
    # 3 a complaint beside a score, also a good one
    (3, "checkin", "en", "5 but my ankles are swollen", "score+symptom", 5),
    (3, "checkin", "en", "4, slipped in the tub this morning", "score+urgent", 4),
    (3, "checkin", "es", "5 pero tengo fiebre", "score+symptom", 5),
    # 4 a new time or a call put as a question is no question
    (4, "reminder", "en", "could you come friday instead?", "reschedule", None),
    (4, "none", "en", "can somebody call me?", "callback", None),
    (4, "reminder", "es", "¿puede venir el viernes?", "reschedule", None),
    (4, "none", "es", "¿me pueden llamar?", "callback", None),
    # 5 CANCEL alone, any case, any mark, any context
    (5, "survey", "en", "Cancel!!", "cancel_visit+optout", None),
    (5, "none", "en", " cancel ", "cancel_visit+optout", None),
    (5, "reminder", "es", "CANCELAR.", "cancel_visit+optout", None),
    (5, "reminder", "en", "cancel my visit", "cancel_visit", None),
    (5, "reminder", "en", "cancel tomorrow", "cancel_visit", None),
    # 6 stop words about something else
    (6, "checkin", "en", "trying to quit smoking. 3", "score", 3),
    (6, "reminder", "en", "stop by anytime hon", "confirm", None),
    (6, "checkin", "en", "cough won't quit", "symptom", None),
    (6, "none", "en", "it won't stop bleeding", "urgent", None),
    (6, "checkin", "en", "thinking i should end it all", "urgent", None),
    (6, "reminder", "en", "stop coming so early", "complaint", None),
    (6, "reminder", "es", "el fin de semana es mejor", "reschedule", None),
    (6, "checkin", "es", "3 ando con el azucar alto", "score+symptom", 3),
    (6, "checkin", "es", "2 me mareo al pararme", "score+symptom", 2),
    # 7 HELP alone, and help with an emergency
    (7, "none", "en", "Help.", "help", None),
    (7, "none", "es", "ayuda!!", "help", None),
    (7, "none", "en", "help i fell and cant get up", "urgent", None),
    # 8 who or what is texting
    (8, "reminder", "en", "who is this", "help", None),
    (8, "none", "en", "is this a robot", "help", None),
    (8, "none", "en", "I'm not Gladys who is this", "wrong_number", None),
    (8, "none", "es", "quien es?", "help", None),
    # 9 a bare no to a reminder
    (9, "reminder", "en", "No", "cancel_visit", None),
    (9, "reminder", "es", "no", "cancel_visit", None),
    (9, "checkin", "en", "no", "unclear", None),
    # 10 yes with a time
    (10, "reminder", "en", "yes but after 2", "confirm+reschedule", None),
    (10, "reminder", "es", "si pero despues de las 2", "confirm+reschedule", None),
    # 11 yes, ok or a bare number where it fits nothing
    (11, "checkin", "en", "ok", "unclear", None),
    (11, "survey", "es", "si", "unclear", None),
    (11, "none", "en", "7", "unclear", None),
    (11, "reminder", "en", "3", "unclear", None),
    # 12 off the scale
    (12, "checkin", "en", "6", "unclear", None),
    (12, "checkin", "en", "0", "unclear", None),
    (12, "survey", "en", "11", "unclear", None),
    (12, "survey", "en", "0", "unclear", None),
    # 13 fractions
    (13, "survey", "en", "9/10", "score", 9),
    (13, "checkin", "en", "2/5", "score", 2),
    (13, "checkin", "en", "8/10", "unclear", None),
    # 14 words, misspellings, numerals, homophones
    (14, "checkin", "en", "tree", "score", 3),
    (14, "checkin", "en", "III", "score", 3),
    (14, "checkin", "en", "５", "score", 5),
    (14, "checkin", "en", "5️⃣", "score", 5),
    (14, "survey", "en", "1O", "score", 10),
    (14, "checkin", "en", "l", "score", 1),
    (14, "survey", "es", "sinco", "score", 5),
    (14, "survey", "es", "dies", "score", 10),
    # 15 ranges and halves
    (15, "checkin", "en", "3-4", "score", 3),
    (15, "checkin", "en", "between 3 and 4", "score", 3),
    (15, "checkin", "en", "4 1/2", "score", 4),
    (15, "survey", "es", "entre 7 y 8", "score", 7),
    # 16 corrections
    (16, "checkin", "en", "2. I mean 3", "score", 3),
    (16, "survey", "es", "8 no, 9", "score", 9),
    # 17 now, not then
    (17, "checkin", "en", "2 yesterday, 4 today", "score", 4),
    (17, "checkin", "en", "today 3, yesterday was 5", "score", 3),
    (17, "checkin", "es", "ayer 2 y hoy 3", "score", 3),
    # 18 numbers that are no score
    (18, "checkin", "en", "bp 140/80", "unclear", None),
    (18, "checkin", "en", "temp 99.1", "unclear", None),
    (18, "checkin", "en", "took 2 pills at 8", "unclear", None),
    (18, "checkin", "en", "my sugar is 51", "urgent", None),
    (18, "checkin", "en", "oxygen 83", "urgent", None),
    (18, "checkin", "en", "3, weight 180", "score", 3),
    (18, "survey", "en", "2 nurses came, 9", "score", 9),
    (18, "none", "en", "moved to 12 Oak apt 4", "unclear", None),
    # 19 words to a check-in
    (19, "checkin", "en", "much better", "score", 5),
    (19, "checkin", "en", "way worse", "score", 1),
    (19, "checkin", "en", "about the same", "unclear", None),
    (19, "checkin", "en", "awful", "symptom", None),
    (19, "checkin", "es", "mucho mejor", "score", 5),
    (19, "checkin", "es", "igual", "unclear", None),
    (19, "checkin", "es", "fatal", "symptom", None),
    # 20 low scores and praise
    (20, "survey", "en", "2", "score", 2),
    (20, "survey", "en", "she was wonderful", "thanks", None),
    # 21 denied, past, imagined, idiom
    (21, "checkin", "en", "no chest pain, no falls, 5", "score", 5),
    (21, "checkin", "en", "4 i fell two years ago", "score", 4),
    (21, "checkin", "en", "3 afraid i might fall", "score", 3),
    (21, "checkin", "en", "fell asleep in my chair 4", "score", 4),
    (21, "checkin", "en", "my heart stopped when I saw the bill lol 4", "score", 4),
    (21, "checkin", "es", "me cayó mal la cena 3", "score", 3),
    (21, "checkin", "es", "sin dolor de pecho 4", "score", 4),
    # 22 falls
    (22, "checkin", "en", "i fell last night but im fine", "urgent", None),
    (22, "checkin", "en", "almost fell. 3", "score+symptom", 3),
    (22, "checkin", "es", "casi me caigo 3", "score+symptom", 3),
    (22, "checkin", "es", "me caí hoy pero estoy bien", "urgent", None),
    # 23 passed chest pain and stroke signs
    (23, "checkin", "en", "had chest pain this morning, its gone now", "urgent", None),
    (23, "checkin", "en", "my speech was slurred earlier, fine now", "urgent", None),
    # 24 somebody else
    (24, "checkin", "en", "my neighbor fell, 4", "score", 4),
    (24, "reminder", "en", "my sisters funeral is tomorrow cant do it", "cancel_visit", None),
    (24, "none", "en", "my husband passed in 2009", "unclear", None),
    (24, "checkin", "es", "se cayó mi vecina, yo 4", "score", 4),
    # 25 already in a hospital
    (25, "none", "en", "he fell, we are at the ER now", "hospitalized", None),
    (25, "none", "es", "se cayó y está en el hospital", "hospitalized", None),
    # 26 a cancel only if asked
    (26, "reminder", "en", "mom is in the hospital", "hospitalized", None),
    (26, "reminder", "en", "mom is in the hospital, cancel tomorrow", "cancel_visit+hospitalized", None),
    (26, "none", "es", "mi papá falleció ayer", "deceased", None),
    # 27 quotes
    (27, "reminder", "en", "Liked “Reply YES or NO”", "auto_reply", None),
    (27, "checkin", "en", "Loved “How do you feel? Reply 1-5”", "auto_reply", None),
    (27, "reminder", "en", "“Reply YES or NO” yes", "confirm", None),
    (27, "checkin", "es", "Le gustó “Responda 1-5”", "auto_reply", None),
    # 28 emoji
    (28, "reminder", "en", "👍", "confirm", None),
    (28, "checkin", "en", "👍", "unclear", None),
    (28, "survey", "en", "😢", "unclear", None),
    # 29 nothing to read
    (29, "checkin", "en", "", "unclear", None),
    (29, "none", "en", "IMG_2231.jpg", "unclear", None),
    # praise for staying is no opt-out
    (6, "none", "es", "no dejen de mandarme mensajes", "thanks", None),
]


@pytest.mark.parametrize(("rule", "asked", "language", "text", "labels", "score"), ROWS)
def test_the_policy(
    rule: int, asked: str, language: str, text: str, labels: str, score: int | None, reads: Callable[..., Reading]
) -> None:
    seen = reads(text, asked, language)
    assert ("+".join(intent.value for intent in seen.intents), seen.score) == (labels, score)


OTHER_LANGUAGES = [
    ("hindi makahinga si lola", "urgent"),  # Tagalog
    ("bà bị té", "urgent"),  # Vietnamese
    ("妈妈摔倒了", "urgent"),  # Chinese
    ("manman m tonbe", "urgent"),  # Haitian Creole
    ("мама упала", "urgent"),  # Russian
    ("도와주세요", "urgent"),  # Korean
    ("النجدة", "urgent"),  # Arabic
    ("minha mãe caiu", "urgent"),  # Portuguese
    ("au secours", "urgent"),  # French
    ("стоп", "optout"),
    ("停止", "optout"),
    ("Guten Tag, wie geht es", "unclear"),  # a language nobody reads here
]


@pytest.mark.parametrize(("text", "label"), OTHER_LANGUAGES)
def test_other_languages_alarm_and_stop_and_go_to_a_person(
    text: str, label: str, reads: Callable[..., Reading]
) -> None:
    seen = reads(text)
    assert label in {intent.value for intent in seen.intents}
    assert seen.needs_person


def test_a_reply_that_speaks_against_itself_goes_to_a_person(reads: Callable[..., Reading]) -> None:
    assert reads("yes no maybe", "reminder").needs_person
