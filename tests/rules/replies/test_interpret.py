"""What a reply means for whom, without a database: who is on the phone and what is open in, readings for patients out."""

from datetime import UTC, date, datetime

import pytest

from engage.outreach.rules.words import Asks
from engage.replies.asked import Found, Member, Question
from engage.replies.interpret import interpret
from engage.replies.rules import Lexicon
from engage.replies.rules.trends import Thresholds

NOON = datetime(2026, 11, 22, 17, tzinfo=UTC)
SUNDAY = date(2026, 11, 22)
ROSE, AL = Member(1, "Rose", 11, "patient", True, Thresholds()), Member(2, "Al", 12, "patient", True, Thresholds())
CHECKIN = Question(100, Asks.SCORE_1_5, 2, None, (1, 2), NOON)
REMINDER = Question(90, Asks.CONFIRM, None, SUNDAY, (1, 2), NOON)
SURVEY_ROSE, SURVEY_AL = (Question(110 + who, Asks.SCORE_1_10, 5, None, (who,), NOON) for who in (1, 2))


def found(*questions: Question, alone: bool = False) -> Found:
    own = tuple(Question(q.message_id, q.asks, q.alert_at_most, q.visit_day, (1,), q.asked_at) for q in questions)
    return Found((ROSE,) if alone else (ROSE, AL), own if alone else questions, "en", SUNDAY, 0)


@pytest.mark.parametrize(
    ("text", "before", "known", "means"),
    [
        # what, to which question (its message), of whom; "?" where it is one of them
        ("4", (), found(CHECKIN, alone=True), ["score 4 @100 Rose"]),
        ("4", (), found(CHECKIN), ["score 4 @100 Rose|Al?"]),
        ("Al 4", (), found(CHECKIN), ["score 4 @100 Al"]),
        ("Rose 2 Al 4", (), found(CHECKIN), ["score 2 @100 Rose", "score 4 @100 Al"]),
        ("both 4", (), found(CHECKIN), ["score 4 @100 Rose|Al"]),
        ("Y 4", (), found(CHECKIN, REMINDER), ["confirm @90 Rose|Al?", "score 4 @100 Rose|Al?"]),
        ("Y 4", (), found(CHECKIN, alone=True), ["score 4 @100 Rose"]),
        ("Y", (), found(CHECKIN, REMINDER, alone=True), ["confirm @90 Rose"]),
        # an emergency is never torn apart by names (each half alarms here), nor of one patient only because only one was asked
        ("Rose fell, Al cannot lift her", (), found(CHECKIN), ["urgent @100 Rose", "urgent @100 Al"]),
        ("Rose fell", (), found(CHECKIN), ["urgent @100 Rose"]),
        ("I fell", (), found(SURVEY_ROSE), ["urgent @111 Rose|Al?"]),
        # stop is said for the phone, whatever name stands beside it
        ("stop texting Al", (), found(CHECKIN), ["optout @100 Rose|Al"]),
        # a survey goes to each apart; with one answered only the other is meant
        ("8", (), found(SURVEY_ROSE, SURVEY_AL), ["score 8 @111 Rose|Al?"]),
        ("Al 8", (), found(SURVEY_ROSE, SURVEY_AL), ["score 8 @112 Al"]),
        ("8", (), found(SURVEY_ROSE), ["score 8 @111 Rose"]),
        # pieces of a thought; what is clear alone keeps its own meaning
        ("hurts", ("my chest",), found(CHECKIN, alone=True), ["urgent @100 Rose"]),
        ("1", ("2", "my chest hurts"), found(CHECKIN, alone=True), ["score 1 @100 Rose"]),
        ("no 3 sorry", ("2",), found(CHECKIN, REMINDER, alone=True), ["score 3 @100 Rose"]),
        ("asdf", (), found(alone=True), ["unclear Rose"]),
    ],
)
def test_interpret(lexicon: Lexicon, text: str, before: tuple[str, ...], known: Found, means: list[str]) -> None:
    said = []
    for meaning in interpret(text, known, before, None, lexicon):
        score = "" if meaning.reading.score is None else f" {meaning.reading.score}"
        question = f" @{meaning.question.message_id}" if meaning.question else ""
        whom = "|".join(member.first_name for member in meaning.members) + ("" if meaning.is_named else "?")
        said.append(f"{'+'.join(meaning.reading.intents)}{score}{question} {whom}")
    assert said == means
