"""The words of understanding: what was asked, what a reply can mean, and a finished reading with its evidence.

Values only; nothing here reads a text. The meaning of every label is in docs/reference/understanding.md.
"""

from dataclasses import dataclass
from datetime import date, time
from enum import StrEnum

RULE_VERSION = "2026.11.5"
"""Stored with every reading; raised whenever rules or lexicon change what a reply means."""


class Asked(StrEnum):
    """What we last sent and are waiting on."""

    REMINDER = "reminder"
    CHECKIN = "checkin"
    SURVEY = "survey"
    NONE = "none"

    @property
    def top(self) -> int:
        """The best score on this question's scale; 0 where no score is asked."""
        return {Asked.CHECKIN: 5, Asked.SURVEY: 10}.get(self, 0)


class Intent(StrEnum):
    """What a reply means; one reply may mean several things."""

    AUTO_REPLY = "auto_reply"
    CALLBACK = "callback"
    CANCEL_VISIT = "cancel_visit"
    COMPLAINT = "complaint"
    CONFIRM = "confirm"
    DECEASED = "deceased"
    HELP = "help"
    HOSPITALIZED = "hospitalized"
    OPTIN = "optin"
    OPTOUT = "optout"
    QUESTION = "question"
    RESCHEDULE = "reschedule"
    SCORE = "score"
    SYMPTOM = "symptom"
    THANKS = "thanks"
    UNCLEAR = "unclear"
    URGENT = "urgent"
    WRONG_NUMBER = "wrong_number"


@dataclass(frozen=True, slots=True)
class Evidence:
    """The words that led to one intent; `start` and `end` are positions in the text as received."""

    intent: Intent
    words: str
    start: int
    end: int
    rule: str


@dataclass(frozen=True, slots=True)
class WantedTime:
    """A day or a window the patient asked for, in the patient's own zone; an open side is None."""

    on: date | None
    earliest: time | None
    latest: time | None
    words: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What one reply means, why, and whether a person must look at it."""

    intents: tuple[Intent, ...]
    score: int | None
    times: tuple[WantedTime, ...]
    evidence: tuple[Evidence, ...]
    confidence: float
    needs_person: bool
    rule_version: str
