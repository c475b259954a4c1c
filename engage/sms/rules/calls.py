"""What Twilio's words about a call mean for the reminder that it speaks: CallStatus and AnsweredBy in, our state and why out. Pure.

A call has reached somebody when a person answered it or a key was pressed. A machine that took it is no person.
"""

from dataclasses import dataclass
from enum import StrEnum

from engage.sms.rules.statuses import MessageState


class CallEnd(StrEnum):
    """Why a call reached nobody; the reason on its message, and a row of config/twilio-codes.toml."""

    BUSY = "busy"
    NO_ANSWER = "no_answer"
    MACHINE = "machine"  # a voicemail, a fax, or nobody could tell who: it may have been heard, by whom is not known
    FAILED = "call_failed"
    CANCELED = "call_canceled"
    NO_KEY = "no_key"  # somebody answered, and pressed nothing though a key was asked for


@dataclass(frozen=True, slots=True)
class CallNews:
    """What one of Twilio's words about a call says: the state of our message, and for an end without a listener why."""

    state: MessageState
    end: CallEnd | None = None


PRESSED = "pressed"
"""The word under which a pressed key is kept among the receipts: the surest sign that somebody listened."""

# Twilio's Call resource, enum `status`; `initiated` is the name of an event.
_WORDS = {
    "queued": CallNews(MessageState.ACCEPTED),
    "initiated": CallNews(MessageState.ACCEPTED),
    "ringing": CallNews(MessageState.ACCEPTED),
    "in-progress": CallNews(MessageState.SENT),
    "busy": CallNews(MessageState.UNDELIVERED, CallEnd.BUSY),
    "no-answer": CallNews(MessageState.UNDELIVERED, CallEnd.NO_ANSWER),
    "failed": CallNews(MessageState.FAILED, CallEnd.FAILED),
    "canceled": CallNews(MessageState.UNDELIVERED, CallEnd.CANCELED),  # nobody planned it away: it reached nobody
    PRESSED: CallNews(MessageState.DELIVERED),
}
_HUMAN = "human"


def call_news(status: str, answered_by: str | None, *, needs_key: bool = False) -> CallNews | None:
    """What `status` (Twilio's, or PRESSED) says; None for an unheard-of one, which then changes nothing.

    With `needs_key` a call without a key has reached nobody, whoever answered it: a page counts only when it is taken or passed on.

    `answered_by` is Twilio's: human, machine_start, machine_end_*, fax, unknown. It is right in 85 to 90 of 100 calls.
    """
    word = status.strip().lower()
    if word != "completed":
        return _WORDS.get(word)
    if (answered_by or "").strip().lower() == _HUMAN:
        return CallNews(MessageState.UNDELIVERED, CallEnd.NO_KEY) if needs_key else CallNews(MessageState.DELIVERED)
    return CallNews(MessageState.UNDELIVERED, CallEnd.MACHINE)
