"""What is done about a reply: intents and context in, changes, alerts and at most one answer out."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engage.alerts.rules.words import AlertKind
from engage.outreach.rules import draft
from engage.outreach.rules.draft import Draft, Ready
from engage.outreach.rules.words import Asks, Kind
from engage.patients.rules.words import ConsentKind, PatientStatus, PhoneKind
from engage.replies.rules.decide import (
    MOST_ANSWERS_AN_HOUR,
    MOST_URGENT_ANSWERS_AN_HOUR,
    Action,
    Answer,
    AnswerVisits,
    AskMeaning,
    AskWhose,
    Context,
    Died,
    Hospitalized,
    OpenAlert,
    OptIn,
    OptOut,
    StoreScore,
    TellWriter,
    WrongNumber,
    decide,
    one_answer,
)
from engage.replies.rules.reading import Intent, Reading
from engage.settings import read_toml
from engage.visits.rules.words import VisitAnswer
from tests.conftest import ROOT
from tests.rules.rose import ROSE

CHECKIN = {"asks": Asks.SCORE_1_5, "alert_at_most": 2}
SURVEY = {"asks": Asks.SCORE_1_10, "alert_at_most": 5}
REMINDER = {"asks": Asks.CONFIRM}
NOTHING: dict[str, Any] = {}

CONFIRMED = AnswerVisits(VisitAnswer.CONFIRMED)
OTHER_TIME = AnswerVisits(VisitAnswer.WANTS_ANOTHER_TIME)
NOT_WANTED = AnswerVisits(VisitAnswer.DOES_NOT_WANT_IT)


def reading(intents: str, score: int | None = None, *, needs_person: bool | None = None) -> Reading:
    """A reading of these intents, "a+b"; unclear needs a person, as it always does."""
    names = tuple(Intent(name) for name in sorted(intents.split("+")))
    needs = names == (Intent.UNCLEAR,) if needs_person is None else needs_person
    return Reading(names, score, (), (), 0.9, needs, "test")


def alerts(actions: Sequence[Action]) -> set[str]:
    return {action.kind.value for action in actions if isinstance(action, OpenAlert)}


def answers(actions: Sequence[Action]) -> list[Answer]:
    return [action for action in actions if isinstance(action, Answer)]


def changes(actions: Sequence[Action]) -> list[Action]:
    return [action for action in actions if not isinstance(action, OpenAlert | Answer)]


@pytest.mark.parametrize(
    ("intents", "score", "context", "expected_alerts", "answer", "expected_changes"),
    [
        # visits
        ("confirm", None, REMINDER, set(), "confirmed", [CONFIRMED]),
        ("confirm+reschedule", None, REMINDER, {"reschedule"}, "visit", [CONFIRMED, OTHER_TIME]),  # yes, but after three
        ("reschedule", None, REMINDER, {"reschedule"}, "visit", [OTHER_TIME]),
        ("cancel_visit", None, REMINDER, {"cancel_visit"}, "visit", [NOT_WANTED]),
        ("cancel_visit", None, NOTHING, {"cancel_visit"}, "visit", [NOT_WANTED]),  # of the next visit
        ("confirm+question", None, REMINDER, {"question"}, "person", [CONFIRMED]),
        ("confirm+symptom", None, REMINDER, {"symptom"}, "nurse", [CONFIRMED]),
        ("confirm+callback", None, REMINDER, {"callback"}, "nurse", [CONFIRMED]),
        # bare CANCEL is both: the scheduler has a task, and the texts stop
        (
            "cancel_visit+optout", None, REMINDER, {"cancel_visit", "opt_out"}, "opt-out", [OptOut(), NOT_WANTED],
        ),
        # scores of a check-in
        ("score", 5, CHECKIN, set(), "score", [StoreScore(5, 5)]),
        ("score", 3, CHECKIN, set(), "score", [StoreScore(5, 3)]),  # one above the threshold
        ("score", 2, CHECKIN, {"low_score"}, "low-score", [StoreScore(5, 2)]),  # at the threshold
        ("score", 1, CHECKIN, {"low_score"}, "low-score", [StoreScore(5, 1)]),
        ("score", 1, {"asks": Asks.SCORE_1_5}, set(), "score", [StoreScore(5, 1)]),  # no threshold set
        ("score+symptom", 4, CHECKIN, {"symptom"}, "nurse", [StoreScore(5, 4)]),  # a symptom beats a good number
        ("score+symptom", 1, CHECKIN, {"symptom", "low_score"}, "low-score", [StoreScore(5, 1)]),
        ("score+urgent", 5, CHECKIN, {"urgent"}, "urgent", [StoreScore(5, 5)]),
        ("score+urgent", 1, CHECKIN, {"urgent", "low_score"}, "urgent", [StoreScore(5, 1)]),
        ("callback+score", 4, CHECKIN, {"callback"}, "nurse", [StoreScore(5, 4)]),
        ("callback+score", 2, CHECKIN, {"callback", "low_score"}, "low-score", [StoreScore(5, 2)]),
        ("cancel_visit+score", 1, CHECKIN, {"cancel_visit", "low_score"}, "low-score", [StoreScore(5, 1), NOT_WANTED]),
        ("hospitalized+score", 1, CHECKIN, {"hospital", "low_score"}, "hospital", [StoreScore(5, 1), Hospitalized()]),
        ("deceased+score", 1, CHECKIN, {"death", "low_score"}, "condolence", [StoreScore(5, 1), Died()]),
        ("optout+score", 1, CHECKIN, {"opt_out", "low_score"}, "opt-out", [StoreScore(5, 1), OptOut()]),
        # scores of a survey
        ("score", 10, SURVEY, set(), "survey", [StoreScore(10, 10)]),
        ("score", 6, SURVEY, set(), "survey", [StoreScore(10, 6)]),
        ("score", 5, SURVEY, {"low_survey"}, "survey", [StoreScore(10, 5)]),
        ("complaint+score", 3, SURVEY, {"complaint", "low_survey"}, "person", [StoreScore(10, 3)]),
        ("score+urgent", 10, SURVEY, {"urgent"}, "urgent", [StoreScore(10, 10)]),
        # words
        ("symptom", None, NOTHING, {"symptom"}, "nurse", []),
        ("urgent", None, NOTHING, {"urgent"}, "urgent", []),
        ("callback", None, NOTHING, {"callback"}, "nurse", []),
        ("question", None, NOTHING, {"question"}, "person", []),
        ("complaint", None, NOTHING, {"complaint"}, "person", []),
        ("help", None, NOTHING, set(), "help", []),
        ("help+question", None, NOTHING, {"question"}, "person", []),
        ("unclear", None, CHECKIN, {"unreadable"}, "person", []),
        ("unclear", None, NOTHING, {"unreadable"}, "person", []),
        # stop and start
        ("optout", None, NOTHING, {"opt_out"}, "opt-out", [OptOut()]),  # a nurse hears that the watching ends
        ("optout", None, {"is_monitored": False}, set(), "opt-out", [OptOut()]),
        ("complaint+optout", None, NOTHING, {"complaint", "opt_out"}, "opt-out", [OptOut()]),
        ("optout+symptom", None, CHECKIN, {"symptom", "opt_out"}, "opt-out", [OptOut()]),
        ("optout+urgent", None, NOTHING, {"urgent", "opt_out"}, "urgent", [OptOut()]),
        ("optin", None, NOTHING, set(), "opt-in", [OptIn()]),
        # what ends the conversation
        ("wrong_number", None, REMINDER, {"wrong_number"}, "wrong-number", [WrongNumber()]),
        ("optout+wrong_number", None, NOTHING, {"wrong_number", "opt_out"}, "wrong-number", [OptOut(), WrongNumber()]),
        ("score+wrong_number", 1, CHECKIN, {"wrong_number"}, "wrong-number", [WrongNumber()]),  # not the patient's number
        ("cancel_visit+wrong_number", None, REMINDER, {"wrong_number", "cancel_visit"}, "wrong-number", [WrongNumber()]),
        ("urgent+wrong_number", None, NOTHING, {"wrong_number", "urgent"}, "urgent", [WrongNumber()]),
        ("deceased", None, REMINDER, {"death"}, "condolence", [Died()]),
        ("cancel_visit+deceased", None, REMINDER, {"death", "cancel_visit"}, "condolence", [Died(), NOT_WANTED]),
        ("deceased+optout", None, NOTHING, {"death", "opt_out"}, "condolence", [OptOut(), Died()]),
        ("hospitalized", None, REMINDER, {"hospital"}, "hospital", [Hospitalized()]),
        ("callback+hospitalized", None, REMINDER, {"hospital", "callback"}, "hospital", [Hospitalized()]),
        # nothing to do
        ("thanks", None, CHECKIN, set(), None, []),
        ("auto_reply", None, REMINDER, set(), None, []),
        ("auto_reply+urgent", None, NOTHING, {"urgent"}, "urgent", []),  # better one call too many
    ],
)  # fmt: skip
def test_decide(
    intents: str,
    score: int | None,
    context: dict[str, Any],
    expected_alerts: set[str],
    answer: str | None,
    expected_changes: list[Action],
) -> None:
    actions = decide(reading(intents, score), Context(**context))
    assert alerts(actions) == expected_alerts
    assert [given.template for given in answers(actions)] == ([f"answer-{answer}"] if answer else [])
    assert changes(actions) == expected_changes


def test_changes_come_before_the_alert_and_the_answer_is_last() -> None:
    actions = decide(reading("cancel_visit+optout+score", 1), Context(**CHECKIN))
    kinds = [type(action) for action in actions]
    assert kinds == [StoreScore, OptOut, AnswerVisits, OpenAlert, OpenAlert, OpenAlert, Answer]


def test_the_number_is_told_back() -> None:
    (answer,) = answers(decide(reading("score", 4), Context(**CHECKIN)))
    assert answer.params == {"score": 4}


@pytest.mark.parametrize(
    ("intents", "kind"),
    [("optout", Kind.OPT_OUT_CONFIRMATION), ("optin", Kind.ANSWER), ("optout+urgent", Kind.ANSWER)],
)
def test_only_the_confirmation_of_an_opt_out_goes_before_everything(intents: str, kind: Kind) -> None:
    (answer,) = answers(decide(reading(intents), Context()))
    assert answer.kind is kind


@pytest.mark.parametrize(
    ("intents", "score", "answer"),
    [
        ("optout", None, None),  # Twilio has confirmed it
        ("optin", None, None),
        ("help", None, None),
        ("cancel_visit+optout", None, None),
        ("urgent", None, "answer-urgent"),
        ("score", 4, "answer-score"),
        ("reschedule", None, "answer-visit"),
    ],
)
def test_what_the_provider_has_answered_is_not_answered_again(
    intents: str, score: int | None, answer: str | None
) -> None:
    actions = decide(reading(intents, score), Context(**CHECKIN, provider_answered=True))
    assert [given.template for given in answers(actions)] == ([answer] if answer else [])


@pytest.mark.parametrize(
    ("already", "intents", "answered"),
    [
        (MOST_ANSWERS_AN_HOUR - 1, "question", True),
        (MOST_ANSWERS_AN_HOUR, "question", False),  # two machines that thank each other stop here
        (MOST_ANSWERS_AN_HOUR + 50, "symptom", False),
        (MOST_URGENT_ANSWERS_AN_HOUR - 1, "urgent", True),
        (MOST_URGENT_ANSWERS_AN_HOUR, "urgent", False),
    ],
)
def test_the_loop_guard_silences_answers_but_no_alert(already: int, intents: str, answered: bool) -> None:
    actions = decide(reading(intents), Context(answers_last_hour=already))
    assert bool(answers(actions)) is answered
    assert alerts(actions) == {intents}


@pytest.mark.parametrize(
    ("intents", "expected_alerts", "answer"),
    [
        ("confirm", {"unreadable"}, "answer-confirmed"),  # "yes … no …": the visit is kept, a person reads it
        ("score", {"unreadable"}, "answer-score"),
        ("thanks", {"unreadable"}, "answer-person"),  # sixty words of which only the thanks were understood
        ("auto_reply", {"unreadable"}, None),  # a person may look, the machine gets no answer
        ("symptom", {"symptom"}, "answer-nurse"),  # somebody reads it anyway
    ],
)
def test_a_doubtful_reading_goes_to_a_person(intents: str, expected_alerts: set[str], answer: str | None) -> None:
    score = 4 if intents == "score" else None
    actions = decide(reading(intents, score, needs_person=True), Context(**CHECKIN))
    assert alerts(actions) == expected_alerts
    assert [given.template for given in answers(actions)] == ([answer] if answer else [])


# --- whatever is read ---------------------------------------------------------------------------------------------------

contexts = st.builds(
    Context,
    asks=st.sampled_from(Asks),
    alert_at_most=st.sampled_from([None, 2, 5]),
    is_monitored=st.booleans(),
    provider_answered=st.booleans(),
    answers_last_hour=st.integers(0, MOST_URGENT_ANSWERS_AN_HOUR + 2),
)
readings = st.builds(
    lambda intents, score, needs_person: reading("+".join(intents), score, needs_person=needs_person),
    st.sets(st.sampled_from(Intent), min_size=1, max_size=5),
    st.one_of(st.none(), st.integers(1, 10)),
    st.booleans(),
)


@given(readings, contexts)
def test_urgent_beats_everything(read: Reading, context: Context) -> None:
    urgent = Intent.URGENT in read.intents
    actions = decide(read, context)
    assert (AlertKind.URGENT in alerts(actions)) is urgent
    is_machine = context.answers_last_hour >= MOST_URGENT_ANSWERS_AN_HOUR  # told a dozen times within the hour
    assert ("answer-urgent" in [answer.template for answer in answers(actions)]) is (urgent and not is_machine)


@given(readings, contexts)
def test_who_needs_a_person_gets_one(read: Reading, context: Context) -> None:
    found = alerts(decide(read, context))
    person = {Intent.URGENT, Intent.SYMPTOM, Intent.CALLBACK, Intent.QUESTION, Intent.RESCHEDULE, Intent.CANCEL_VISIT,
              Intent.COMPLAINT, Intent.WRONG_NUMBER, Intent.DECEASED, Intent.HOSPITALIZED, Intent.UNCLEAR}  # fmt: skip
    if read.needs_person or person & set(read.intents):
        assert found


@given(readings, contexts)
def test_a_low_score_of_a_patient_always_alerts(read: Reading, context: Context) -> None:
    alone = read.intents in {(Intent.AUTO_REPLY,), (Intent.THANKS,)} and not read.needs_person  # they hold no score
    is_low = read.score is not None and context.alert_at_most is not None and read.score <= context.alert_at_most
    if is_low and not alone and Intent.WRONG_NUMBER not in read.intents:
        assert alerts(decide(read, context)) & {AlertKind.LOW_SCORE, AlertKind.LOW_SURVEY}


@given(readings, contexts)
def test_nothing_is_done_twice(read: Reading, context: Context) -> None:
    actions = decide(read, context)
    assert len(answers(actions)) <= 1
    assert all(actions.count(action) == 1 for action in actions)
    assert sum(isinstance(action, StoreScore) for action in actions) <= 1


NIGHT = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
WORDINGS = {
    language: read_toml(ROOT / "config" / "messages" / f"{language}.toml")["wording"] for language in ("en", "es")
}


@given(readings, contexts, st.sampled_from(["en", "es"]))
def test_every_answer_can_really_leave(read: Reading, context: Context, language: str) -> None:
    """Also to the phone that this very reply has opted out or declared a stranger's, and it has shipped wording."""
    actions = decide(read, context)
    after = replace(
        ROSE,
        status=PatientStatus.DECEASED if Died() in actions else PatientStatus.ACTIVE,
        phone_kind=PhoneKind.WRONG_NUMBER if WrongNumber() in actions else PhoneKind.MOBILE,
        phone_word=ConsentKind.OPTED_OUT if OptOut() in actions else None,
    )
    for answer in answers(actions):
        message = Draft(
            kind=answer.kind,
            template=answer.template,
            wording=WORDINGS[language][answer.template],
            language=language,
            reader=after,
            clinician=None,
            to="+12025550111",
            has_sender=True,
            agency="Sunrise",
            office_phone="+12025550150",
            patient="Rose",
            zone="America/New_York",
            params=answer.params,
            occasion_on=None,
            visits=(),
            visited_on=None,
            expires_at=NIGHT + timedelta(minutes=5),
        )
        assert isinstance(draft.decide(message, NIGHT), Ready)


SHARED = {**CHECKIN, "patients": 2, "may_ask": True}
HAND = {"by_hand": True}


@pytest.mark.parametrize(
    ("intents", "score", "known", "does", "opens", "says"),
    [
        ("score", 4, SHARED, AskWhose(5, 4), set(), "answer-which"),
        ("score", 2, SHARED, AskWhose(5, 2), {"low_score"}, "answer-which-low"),
        # asked once already: nobody's number is nobody's, and a person finds out
        ("score", 4, {**SHARED, "may_ask": False}, None, {"unreadable"}, "answer-person"),
        # a nurse calls anyway and asks herself; the number waits for a name
        ("score+symptom", 4, SHARED, AskWhose(5, 4), {"symptom"}, "answer-nurse"),
        ("score+urgent", 2, SHARED, AskWhose(5, 2), {"low_score", "urgent"}, "answer-urgent"),
        ("unclear", None, {**CHECKIN, "may_ask": True}, None, {"unreadable"}, "answer-person"),
        ("unclear", None, {**CHECKIN, "may_ask": True, "is_harmless": True}, AskMeaning(True), set(), "answer-clarify"),
        ("unclear", None, {**CHECKIN, "is_harmless": True}, None, {"unreadable"}, "answer-person"),
        (
            "unclear",
            None,
            {**CHECKIN, "may_ask": True, "is_picture": True},
            AskMeaning(False),
            {"unreadable"},
            "answer-picture",
        ),
        ("unclear", None, {"is_picture": True}, None, {"unreadable"}, "answer-picture"),
        (
            "score",
            1,
            {**CHECKIN, "may_ask": True, "speaks_against": True},
            AskMeaning(False),
            {"low_score"},
            "answer-sure",
        ),
        ("score", 1, {**CHECKIN, "speaks_against": True}, StoreScore(5, 1), {"low_score"}, "answer-low-score"),
        # a snooze: the number is kept, and nobody is promised a call
        ("score", 2, {**CHECKIN, "is_muted": True}, StoreScore(5, 2), set(), "answer-score"),
        ("score+urgent", 2, {**CHECKIN, "is_muted": True}, StoreScore(5, 2), {"urgent"}, "answer-urgent"),
        # a nurse writes in this thread
        ("unclear", None, HAND, TellWriter(), set(), None),
        ("question", None, HAND, TellWriter(), set(), None),
        ("thanks", None, HAND, None, set(), None),
        ("score", 4, {**CHECKIN, **HAND}, StoreScore(5, 4), set(), None),
        ("symptom", None, HAND, None, {"symptom"}, None),
        ("urgent", None, HAND, None, {"urgent"}, "answer-urgent"),
        ("optout", None, HAND, OptOut(), {"opt_out"}, "answer-opt-out"),
        ("help", None, HAND, TellWriter(), set(), "answer-help"),
        ("score", 4, {**SHARED, **HAND}, None, set(), None),
    ],
)
def test_context(
    intents: str, score: int | None, known: dict[str, Any], does: Action | None, opens: set[str], says: str | None
) -> None:
    actions = decide(reading(intents, score), Context(**known))
    assert does is None or does in actions
    assert alerts(actions) == opens
    assert [answer.template for answer in answers(actions)] == ([says] if says else [])


@pytest.mark.parametrize(
    ("templates", "given_"),
    [
        ([], None),
        ([("answer-confirmed", None), ("answer-score", 4)], Answer("answer-both", params={"score": 4})),
        ([("answer-score", 4), ("answer-score", 5)], Answer("answer-score", params={"score": "4, 5"})),
        ([("answer-score", 4), ("answer-urgent", None)], Answer("answer-urgent")),
        ([("answer-confirmed", None), ("answer-low-score", None)], Answer("answer-low-score")),
    ],
)
def test_one_answer(templates: list[tuple[str, int | None]], given_: Answer | None) -> None:
    said = [Answer(template, params={} if score is None else {"score": score}) for template, score in templates]
    assert one_answer(said) == given_


def test_every_answer_has_its_rank() -> None:
    """An answer without one would fail where two meet."""
    wordings = read_toml(ROOT / "config/messages/en.toml")["wording"]
    for template in wordings:
        if template.startswith("answer-"):
            assert one_answer([Answer(template, params={"score": 1})]) is not None
