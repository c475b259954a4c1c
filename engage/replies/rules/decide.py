"""What is done about a reply: its reading and what was asked in, actions out. Pure; every rule of the product is here.

Urgent beats everything, a symptom beats the number beside it, and what nobody can read goes to a person.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from engage.alerts.rules.words import AlertKind
from engage.outreach.rules.words import Asks, Kind
from engage.replies.rules.reading import Intent, Reading
from engage.visits.rules.words import VisitAnswer

MOST_ANSWERS_AN_HOUR = 6
"""Above it the other side is a machine, or somebody who needs a voice: we stop answering, alerts go on."""
MOST_URGENT_ANSWERS_AN_HOUR = 12
"""The same for "call 911": said far more often than any other answer, but not for ever to an answering machine."""


@dataclass(frozen=True, slots=True)
class Context:
    """What is known when a reply is read. `alert_at_most` is the highest score that opens an alert."""

    asks: Asks = Asks.NOTHING
    alert_at_most: int | None = None
    is_monitored: bool = True
    provider_answered: bool = False
    answers_last_hour: int = 0


@dataclass(frozen=True, slots=True)
class StoreScore:
    """Keep the number."""

    scale: int
    value: int


@dataclass(frozen=True, slots=True)
class AnswerVisits:
    """Keep what the patient says of the visits that were asked about (or of the next one)."""

    answer: VisitAnswer


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """A person must act."""

    kind: AlertKind


@dataclass(frozen=True, slots=True)
class Answer:
    """Text back, once."""

    template: str
    kind: Kind = Kind.ANSWER
    params: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OptOut:
    """No more texts to this phone."""


@dataclass(frozen=True, slots=True)
class OptIn:
    """Texts again to this phone."""


@dataclass(frozen=True, slots=True)
class WrongNumber:
    """The phone is not the patient's: never text it again for anybody."""


@dataclass(frozen=True, slots=True)
class Died:
    """The patient has died: silence for everybody around, at once."""


@dataclass(frozen=True, slots=True)
class Hospitalized:
    """The patient is in a hospital or facility: check-ins and reminders pause."""


Action = StoreScore | AnswerVisits | OpenAlert | Answer | OptOut | OptIn | WrongNumber | Died | Hospitalized

# Which alert an intent opens by itself. Scores, opt-outs and what needs a person are decided below.
_ALERTS = {
    Intent.URGENT: AlertKind.URGENT,
    Intent.SYMPTOM: AlertKind.SYMPTOM,
    Intent.CALLBACK: AlertKind.CALLBACK,
    Intent.QUESTION: AlertKind.QUESTION,
    Intent.RESCHEDULE: AlertKind.RESCHEDULE,
    Intent.CANCEL_VISIT: AlertKind.CANCEL_VISIT,
    Intent.COMPLAINT: AlertKind.COMPLAINT,
    Intent.WRONG_NUMBER: AlertKind.WRONG_NUMBER,
    Intent.DECEASED: AlertKind.DEATH,
    Intent.HOSPITALIZED: AlertKind.HOSPITAL,
}
_CHANGES: Mapping[Intent, Action] = {
    Intent.OPTOUT: OptOut(),
    Intent.OPTIN: OptIn(),
    Intent.WRONG_NUMBER: WrongNumber(),
    Intent.DECEASED: Died(),
    Intent.HOSPITALIZED: Hospitalized(),
    # A new time with a condition ("yes but after 3") is a wish to move the visit, so it comes after confirm.
    Intent.CONFIRM: AnswerVisits(VisitAnswer.CONFIRMED),
    Intent.CANCEL_VISIT: AnswerVisits(VisitAnswer.DOES_NOT_WANT_IT),
    Intent.RESCHEDULE: AnswerVisits(VisitAnswer.WANTS_ANOTHER_TIME),
}
# The first of these that was read gets the one answer.
_ANSWERS = (
    (Intent.URGENT, "answer-urgent"),
    (Intent.DECEASED, "answer-condolence"),
    (Intent.WRONG_NUMBER, "answer-wrong-number"),
    (Intent.OPTOUT, "answer-opt-out"),
    (Intent.HOSPITALIZED, "answer-hospital"),
    (Intent.SYMPTOM, "answer-nurse"),
    (Intent.CALLBACK, "answer-nurse"),
    (Intent.COMPLAINT, "answer-person"),
    (Intent.RESCHEDULE, "answer-visit"),
    (Intent.CANCEL_VISIT, "answer-visit"),
    (Intent.QUESTION, "answer-person"),
    (Intent.OPTIN, "answer-opt-in"),
    (Intent.HELP, "answer-help"),
    (Intent.CONFIRM, "answer-confirmed"),
)


def decide(reading: Reading, context: Context) -> tuple[Action, ...]:
    """Everything to be done, in the order in which it is done."""
    if reading.intents in {(Intent.AUTO_REPLY,), (Intent.THANKS,)} and not reading.needs_person:
        return ()
    is_stranger = Intent.WRONG_NUMBER in reading.intents
    if is_stranger:  # whose "2" is not the patient's, and who has no visit to confirm or refuse
        reading = replace(reading, score=None)
    low = _low_score(reading, context)
    kinds = {_ALERTS[intent] for intent in reading.intents if intent in _ALERTS} | ({low} if low else set())
    if Intent.OPTOUT in reading.intents and context.is_monitored:
        kinds.add(AlertKind.OPT_OUT)
    if Intent.UNCLEAR in reading.intents or (reading.needs_person and not kinds):
        kinds.add(AlertKind.UNREADABLE)
    score = _score(reading, context)
    changes = [
        action
        for intent, action in _CHANGES.items()
        if intent in reading.intents and not (is_stranger and isinstance(action, AnswerVisits))
    ]
    answer = _answer(reading, context, low, kinds)
    return (
        *([score] if score else []),
        *changes,
        *(OpenAlert(kind) for kind in sorted(kinds)),
        *([answer] if answer else []),
    )


def _score(reading: Reading, context: Context) -> StoreScore | None:
    scale = {Asks.SCORE_1_5: 5, Asks.SCORE_1_10: 10}.get(context.asks)
    return None if scale is None or reading.score is None else StoreScore(scale, reading.score)


def _low_score(reading: Reading, context: Context) -> AlertKind | None:
    if reading.score is None or context.alert_at_most is None or reading.score > context.alert_at_most:
        return None
    return AlertKind.LOW_SURVEY if context.asks is Asks.SCORE_1_10 else AlertKind.LOW_SCORE


def _answer(reading: Reading, context: Context, low: AlertKind | None, kinds: set[AlertKind]) -> Answer | None:
    most = MOST_URGENT_ANSWERS_AN_HOUR if AlertKind.URGENT in kinds else MOST_ANSWERS_AN_HOUR
    if context.answers_last_hour >= most:
        return None
    if Intent.AUTO_REPLY in reading.intents and Intent.URGENT not in reading.intents:
        return None
    template = next((name for intent, name in _ANSWERS if intent in reading.intents), None)
    if context.provider_answered and template in {"answer-opt-out", "answer-opt-in", "answer-help"}:
        return None
    if low is AlertKind.LOW_SCORE and template not in {
        "answer-urgent",
        "answer-condolence",
        "answer-opt-out",
        "answer-hospital",
    }:
        template = "answer-low-score"
    if template == "answer-opt-out":
        return Answer(template, Kind.OPT_OUT_CONFIRMATION)
    if template is None and reading.score is not None:
        return _thanks(reading.score, context)
    if template is None and kinds:
        template = "answer-person"
    return Answer(template) if template else None


def _thanks(score: int, context: Context) -> Answer:
    if context.asks is Asks.SCORE_1_10:
        return Answer("answer-survey")
    return Answer("answer-score", params={"score": score})
