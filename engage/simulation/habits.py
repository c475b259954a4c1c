"""How simulated people answer: a text that arrived in, words and a delay out. Pure but for the dice that are handed in."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from random import Random


class Habit(Enum):
    """A patient's way with texts. The value is how common it is beyond the one that every agency has."""

    PROMPT = ("prompt", 40)
    CHATTY = ("chatty", 30)
    SPANISH = ("spanish", 14)
    SILENT = ("silent", 14)
    UNWELL = ("unwell", 8)
    FALLS = ("falls", 0)
    MOVES = ("moves", 5)
    STOPS = ("stops", 2)
    PUZZLING = ("puzzling", 4)
    ASKS = ("asks", 4)
    WRONG_NUMBER = ("wrong number", 0)
    LANDLINE = ("landline", 3)
    NO_CONSENT = ("no consent", 4)

    def __init__(self, way: str, weight: int) -> None:
        self.way = way
        self.weight = weight


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody texts back, and how long they take."""

    words: str
    after: timedelta


_YES: dict[str, tuple[str, ...]] = {
    "prompt": ("Y", "Yes", "y", "YES", "Ok"),
    "chatty": (
        "Yes dear, I will be here",
        "that works for me thank you honey",
        "ok see you then. side door is open",
        "Yup",
    ),
    "spanish": ("S", "si", "Si gracias, aqui estoy", "esta bien"),
}
_WELL: dict[str, tuple[str, ...]] = {
    "prompt": ("3", "4", "5", "4", "3"),
    "chatty": (
        "about a 4 today",
        "I'd say 3, same as yesterday",
        "five! slept like a baby",
        "4 thank you for asking",
        "three",
    ),
    "spanish": ("4", "cuatro", "hoy un 3", "5 mucho mejor", "me siento mejor 4"),
}
_UNWELL = (
    "1",
    "2 my leg is swollen",
    "2",
    "not good, 1. so short of breath walking to the kitchen",
    "2 didnt sleep, back hurts bad",
)
_SURVEY: dict[str, tuple[str, ...]] = {
    "prompt": ("10", "9", "8", "10", "4"),
    "chatty": ("10 she is wonderful", "nine. always on time", "10/10", "8, came a bit late"),
    "spanish": ("10", "9 muy amable", "diez"),
}
_USUAL: dict[str, dict[str, tuple[str, ...]]] = {"reminder": _YES, "checkin": _WELL, "survey": _SURVEY}
_ODD = {
    (Habit.FALLS, "checkin"): ("I fell last night and my hip hurts",),
    (Habit.UNWELL, "checkin"): _UNWELL,
    (Habit.MOVES, "reminder"): ("R", "can it be thursday", "could she come after 3 instead"),
    (Habit.PUZZLING, "checkin"): ("asdf", "k7 blue", "??", "meow", "the cat did it"),
    (Habit.STOPS, "anything"): ("STOP",),
    (Habit.WRONG_NUMBER, "anything"): ("wrong number, I'm not who you think",),
    (Habit.ASKS, "anything"): ("What time will she come?", "can someone call me about my pills", "who is this"),
}


def answer(habit: Habit, body: str, dice: Random) -> Said | None:
    """What a patient with this habit answers to our text `body`; None: nothing."""
    asked = _asked(body)
    if asked is None or habit in {Habit.SILENT, Habit.LANDLINE, Habit.NO_CONSENT}:
        return None
    if habit in {Habit.PROMPT, Habit.CHATTY, Habit.SPANISH} and dice.random() < 0.12:
        return None  # even the prompt are at the doctor's now and then
    words = _words(habit, asked, dice)
    return None if words is None else Said(words, timedelta(minutes=dice.triangular(1, 75, 6)))


def _asked(body: str) -> str | None:
    low = body.lower()
    if "to 10" in low or "a 10" in low:
        return "survey"
    if "(much worse)" in low or "(mucho peor)" in low:
        return "checkin"
    if "reply y" in low or "responda s " in low:
        return "reminder"
    return None


def _words(habit: Habit, asked: str, dice: Random) -> str | None:
    odd = _ODD.get((habit, asked)) or _ODD.get((habit, "anything"))
    if odd is not None:
        return dice.choice(odd)
    usual = _USUAL[asked]
    return dice.choice(usual.get(habit.way, usual["prompt"]))


@dataclass(frozen=True, slots=True)
class NurseDoes:
    """What a clinician does about a page: take it (with which words, after how long) or miss it, and then how it ends."""

    words: str
    after: timedelta
    outcome: str
    resolves_after: timedelta


_OUTCOMES = ("called", "called", "called", "visit_added", "virtual_visit", "family_reached", "no_answer")


def nurse_answers(role: str, code: str, dice: Random) -> NurseDoes | None:
    """How a clinician in `role` reacts to a page with `code`; None: she is with a patient and does not see it."""
    if role != "supervisor" and dice.random() < 0.2:
        return None
    words = dice.choice((code, f"ok {code}", f"{code} got it", f"ack {code}"))
    after = timedelta(minutes=dice.triangular(1, 9, 2))
    return NurseDoes(words, after, dice.choice(_OUTCOMES), timedelta(minutes=dice.triangular(8, 90, 25)))
