"""What is done about a reply: its reading and what was asked in, actions out. Pure; every rule of the product is here.

Urgent beats everything, a symptom beats the number beside it, and what nobody can read goes to a person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from engage.alerts.rules.words import AlertKind
from engage.outreach.rules.words import Asks, Kind
from engage.patients.rules.words import MaySee
from engage.replies.rules.reading import Intent, Reading
from engage.visits.rules.words import VisitAnswer

MOST_ANSWERS_AN_HOUR = 6
"""Above it the other side is a machine, or somebody who needs a voice: we stop answering, alerts go on."""
MOST_URGENT_ANSWERS_AN_HOUR = 12
"""The same for "call 911": said far more often than any other answer, but not for ever to an answering machine."""


@dataclass(frozen=True, slots=True)
class Context:
    """What is known when a reply is read. `alert_at_most` is the highest score that opens an alert.

    `patients`: how many it may be about; with more than one nobody has said whose it is. `may_ask`: nothing has been asked back
    about this question yet. `by_hand`: a nurse writes in this thread herself. `speaks_against`: the words praise, the number is low.
    """

    asks: Asks = Asks.NOTHING
    alert_at_most: int | None = None
    is_monitored: bool = True
    provider_answered: bool = False
    answers_last_hour: int = 0
    patients: int = 1
    may_ask: bool = False
    is_muted: bool = False
    by_hand: bool = False
    is_picture: bool = False
    is_harmless: bool = False
    speaks_against: bool = False


@dataclass(frozen=True, slots=True)
class StoreScore:
    """Keep the number."""

    scale: int
    value: int


@dataclass(frozen=True, slots=True)
class AskWhose:
    """Keep the number until somebody says which patient's it is; after a while a person finds out."""

    scale: int
    value: int


@dataclass(frozen=True, slots=True)
class AskMeaning:
    """Note that we asked what was meant; `is_waiting`: no person has been told, so one is if nothing comes."""

    is_waiting: bool


@dataclass(frozen=True, slots=True)
class TellWriter:
    """Give it to the nurse who writes in this thread by hand."""


@dataclass(frozen=True, slots=True)
class AnswerVisits:
    """Keep what the patient says of the visits that were asked about (or of the next one)."""

    answer: VisitAnswer


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """A person must act. `detail` goes with it: words of ours, nothing personal."""

    kind: AlertKind
    detail: Mapping[str, object] = field(default_factory=dict)


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


Action = (
    StoreScore
    | AskWhose
    | AskMeaning
    | TellWriter
    | AnswerVisits
    | OpenAlert
    | Answer
    | OptOut
    | OptIn
    | WrongNumber
    | Died
    | Hospitalized
)

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
    score, question_back = _score(reading, context), _question_back(reading, context, low)
    if isinstance(score, AskWhose) and not _may_ask(context):
        score = None  # asked once already: a person finds out whose it is
        kinds.add(AlertKind.UNREADABLE)
    if question_back is not None and question_back.is_waiting:
        kinds.discard(AlertKind.UNREADABLE)
    changes = [
        action
        for intent, action in _CHANGES.items()
        if intent in reading.intents and not (is_stranger and isinstance(action, AnswerVisits))
    ]
    for_writer = _for_writer(context, kinds, score, changes)
    kinds -= _THREAD if context.by_hand else set()
    answer = _answer(reading, context, low, kinds, score, question_back)
    if context.by_hand and answer is not None and answer.template not in _STILL_SAID:
        answer = None
    detail = {"why": "the words speak against the number"} if context.speaks_against else {}
    return (
        *([score] if score else []),
        *([question_back] if question_back else []),
        *changes,
        *(OpenAlert(kind, detail if kind is low else {}) for kind in sorted(kinds)),
        *([TellWriter()] if for_writer else []),
        *([answer] if answer else []),
    )


_THREAD = {AlertKind.QUESTION, AlertKind.CALLBACK, AlertKind.UNREADABLE}
"""What whoever writes in the thread by hand deals with; anything worse has its own ladder as always."""
_STILL_SAID = {
    "answer-urgent",
    "answer-condolence",
    "answer-wrong-number",
    "answer-opt-out",
    "answer-opt-in",
    "answer-help",
}
"""What is answered even into a thread that a nurse writes by hand: emergencies, STOP and its kin."""


def _for_writer(
    context: Context, kinds: set[AlertKind], score: StoreScore | AskWhose | None, changes: Sequence[Action]
) -> bool:
    return context.by_hand and (bool(kinds & _THREAD) or not (kinds or score or changes))


def _may_ask(context: Context) -> bool:
    return context.may_ask and not context.by_hand


def _score(reading: Reading, context: Context) -> StoreScore | AskWhose | None:
    scale = {Asks.SCORE_1_5: 5, Asks.SCORE_1_10: 10}.get(context.asks)
    if scale is None or reading.score is None:
        return None
    return (StoreScore if context.patients == 1 else AskWhose)(scale, reading.score)


def _question_back(reading: Reading, context: Context, low: AlertKind | None) -> AskMeaning | None:
    """At most once a question: what an unclear answer to it meant, or whether a low number beside praise was meant."""
    if not _may_ask(context) or context.asks not in {Asks.SCORE_1_5, Asks.SCORE_1_10}:
        return None
    if reading.intents == (Intent.UNCLEAR,) and (context.is_harmless or context.is_picture):
        return AskMeaning(is_waiting=not context.is_picture)  # nobody can see a picture here: a person calls
    return AskMeaning(is_waiting=False) if context.speaks_against and low is AlertKind.LOW_SCORE else None


def _low_score(reading: Reading, context: Context) -> AlertKind | None:
    if reading.score is None or context.alert_at_most is None or reading.score > context.alert_at_most:
        return None
    if context.asks is Asks.SCORE_1_10:
        return AlertKind.LOW_SURVEY
    return None if context.is_muted else AlertKind.LOW_SCORE


def _answer(
    reading: Reading,
    context: Context,
    low: AlertKind | None,
    kinds: set[AlertKind],
    score: StoreScore | AskWhose | None,
    question_back: AskMeaning | None,
) -> Answer | None:
    most = MOST_URGENT_ANSWERS_AN_HOUR if AlertKind.URGENT in kinds else MOST_ANSWERS_AN_HOUR
    is_machine = Intent.AUTO_REPLY in reading.intents and Intent.URGENT not in reading.intents
    template = next((name for intent, name in _ANSWERS if intent in reading.intents), None)
    is_answered = context.provider_answered and template in {"answer-opt-out", "answer-opt-in", "answer-help"}
    if context.answers_last_hour >= most or is_machine or is_answered:
        return None
    if template == "answer-opt-out":
        return Answer(template, Kind.OPT_OUT_CONFIRMATION)
    about_score = _about_score(reading, context, low, template, score, question_back)
    if about_score is not None:
        return about_score
    if template is None and context.is_picture:
        return Answer("answer-picture")
    if template is None and question_back is not None:
        return Answer("answer-clarify", params={"top": 10 if context.asks is Asks.SCORE_1_10 else 5})
    template = template or ("answer-person" if kinds else None)
    return Answer(template) if template else None


_BEFORE_ANY_SCORE = {"answer-urgent", "answer-condolence", "answer-opt-out", "answer-hospital"}


def _about_score(
    reading: Reading,
    context: Context,
    low: AlertKind | None,
    template: str | None,
    score: StoreScore | AskWhose | None,
    question_back: AskMeaning | None,
) -> Answer | None:
    """The answer to a number; None where something else is to be answered."""
    if isinstance(score, AskWhose) and template in {None, "answer-confirmed"}:
        return Answer("answer-which-low" if low else "answer-which", params={"score": score.value})
    if low is AlertKind.LOW_SCORE and template not in _BEFORE_ANY_SCORE:
        return (
            Answer("answer-low-score")
            if question_back is None
            else Answer("answer-sure", params={"score": reading.score})
        )
    if reading.score is None or not isinstance(score, StoreScore):
        return None
    if template == "answer-confirmed" and context.asks is Asks.SCORE_1_5:
        return Answer("answer-both", params={"score": reading.score})
    return _thanks(reading.score, context) if template is None else None


def _thanks(score: int, context: Context) -> Answer:
    if context.asks is Asks.SCORE_1_10:
        return Answer("answer-survey")
    return Answer("answer-score", params={"score": score})


_RANK = (
    "answer-urgent",
    "answer-condolence",
    "answer-wrong-number",
    "answer-opt-out",
    "answer-hospital",
    "answer-which-low",
    "answer-sure",
    "answer-low-score",
    "answer-nurse",
    "answer-which",
    "answer-visit",
    "answer-person",
    "answer-picture",
    "answer-clarify",
    "answer-opt-in",
    "answer-help",
    "answer-both",
    "answer-score",
    "answer-survey",
    "answer-confirmed",
)
"""Of several answers to one reply the first of these is given."""


_TELLS_SCORES = {
    "answer-score": "answer-person",
    "answer-both": "answer-confirmed",
    "answer-survey": "answer-person",
    "answer-which": "answer-person",
    "answer-which-low": "answer-low-score",
    "answer-sure": "answer-low-score",
}


def for_eyes(answer: Answer, may_see: MaySee) -> Answer:
    """The answer for a contact who may be told of visits only: what they wrote is acted on, but no score is repeated, and nobody named."""
    if may_see is MaySee.SCORES or answer.template not in _TELLS_SCORES:
        return answer
    return Answer(_TELLS_SCORES[answer.template], answer.kind)


def one_answer(answers: Sequence[Answer]) -> Answer | None:
    """The one text back, where a reply means several things at once: a visit and a score, or two patients' scores."""
    if not answers:
        return None
    first = min(answers, key=lambda answer: _RANK.index(answer.template))
    if first.template != "answer-score":
        return first
    numbers = ", ".join(str(answer.params["score"]) for answer in answers if answer.template == "answer-score")
    is_confirmed = any(answer.template == "answer-confirmed" for answer in answers)
    return Answer(
        "answer-both" if is_confirmed else "answer-score", params={"score": numbers if "," in numbers else int(numbers)}
    )
