"""When answering must stop: counts of our answers to one phone in, a yes or no out. Pure.

Two machines that answer each other ("I am driving, I will reply later") would never end, at a price and with real alerts
lost among them. A person seldom writes more than twice in a minute, and hardly ever twenty times a day.
"""

from dataclasses import dataclass
from datetime import timedelta

SHORT = timedelta(minutes=10)
LONG = timedelta(hours=24)
MOST_IN_SHORT = 6
"""Answers to one phone in ten minutes. A lively exchange of a frightened patient has about one answer in two minutes."""
MOST_IN_LONG = 20
"""Answers to one phone in a day: two check-ins, two reminders and a survey, each with a few words after it, are about ten."""
URGENT_FACTOR = 2
"""Who writes of an emergency is told to call 911 up to twice as often: a person may be in the loop after all."""


@dataclass(frozen=True, slots=True)
class Answered:
    """How many answers (help and opt-out confirmations too) left for one phone within SHORT and within LONG."""

    lately: int = 0
    in_a_day: int = 0


NOBODY_ANSWERED = Answered()


def is_loop(answered: Answered, *, is_urgent: bool) -> bool:
    """Whether one more answer would be one too many."""
    factor = URGENT_FACTOR if is_urgent else 1
    return answered.lately >= MOST_IN_SHORT * factor or answered.in_a_day >= MOST_IN_LONG * factor
