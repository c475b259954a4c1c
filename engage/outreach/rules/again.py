"""Whether a person may have a text sent again: what became of it in; why not, or None, out. Pure.

Never one that may have left, and never one that has lost its use. Whether its reader may be texted now is decided elsewhere, as
for any text.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from engage.outreach.rules.words import Channel, Kind
from engage.sms.rules.codes import CodeClass
from engage.sms.rules.statuses import MessageState


class Never(StrEnum):
    """Why a message is not sent again."""

    ARRIVED = "arrived"  # Twilio has it, or it is on the phone
    WAITS = "waits"  # it has not been tried yet
    MAY_HAVE_LEFT = "may_have_left"
    TRIED_AGAIN = "tried_again"  # another message says it already
    OF_A_KIND = "of_a_kind"  # pages climb a ladder, an opt-out is confirmed once, a call is not repeated by hand
    CHANGED = "changed"  # what it was about is gone
    NOT_ALLOWED = "not_allowed"
    PHONE = "phone"  # this phone gets no texts
    WORDS = "words"  # the same words would fail again
    TOO_LATE = "too_late"


USEFUL_BY_HAND = timedelta(hours=12)
"""A person's own words have no use of their own: whoever sends them again says that they have one (engage.outreach.outbox)."""

_S = MessageState
_KINDS = frozenset({Kind.TOUCHPOINT, Kind.HAND, Kind.ANSWER, Kind.ENROLMENT})
_GONE = frozenset({_S.ACCEPTED, _S.SENT, _S.DELIVERED})
# Until somebody outside of Engage has acted nothing has changed: a START, or a correction in the EMR.
_FINAL = frozenset(
    {"opted_out", "deceased", "discharged", "wrong_number", "contact_ended", "shared_phone", "exemption_purpose"}
)
# What may be over by now: trouble of the network or of Twilio, our account, our registration, a fault of ours.
_PASSING = frozenset({CodeClass.RETRY_LATER, CodeClass.STOP_ALL, CodeClass.CONFIG_ALARM, CodeClass.BUG})


@dataclass(frozen=True, slots=True)
class Past:
    """What became of a message. `attempts`: how often it was claimed to be sent; `is_tried_again`: another message follows it."""

    kind: Kind
    channel: Channel
    state: MessageState
    reason: str | None
    attempts: int
    expires_at: datetime
    is_tried_again: bool


def may_send_again(past: Past, now: datetime) -> Never | None:
    """None where it may be sent again, else the first thing that speaks against it."""
    return _of_its_kind(past) or _of_its_end(past) or (None if useful_until(past, now) > now else Never.TOO_LATE)


def useful_until(past: Past, now: datetime) -> datetime:
    """Until when the new message has a use: as long as the old one had; a person's own words, for twelve hours anew."""
    return now + USEFUL_BY_HAND if past.kind is Kind.HAND else past.expires_at


def _of_its_kind(past: Past) -> Never | None:
    if past.state in _GONE:
        return Never.ARRIVED
    if past.state is _S.PLANNED:
        return Never.WAITS
    if past.kind not in _KINDS or past.channel is not Channel.SMS:
        return Never.OF_A_KIND
    return Never.TRIED_AGAIN if past.is_tried_again else None


def _of_its_end(past: Past) -> Never | None:
    match past.state:
        case _S.SUPPRESSED:
            return Never.NOT_ALLOWED if past.reason in _FINAL else None
        case _S.EXPIRED:
            # tried, and given up because Twilio's log did not hold it: a receipt may still say otherwise (statuses.DISPROVABLE)
            return Never.MAY_HAVE_LEFT if past.attempts else None
        case _S.FAILED | _S.UNDELIVERED:
            return _of_a_failure(past)
        case _S.CANCELLED:
            return Never.MAY_HAVE_LEFT if past.attempts else Never.CHANGED
        case _:
            return Never.MAY_HAVE_LEFT  # sending, unknown


def _of_a_failure(past: Past) -> Never | None:
    if past.reason in _PASSING or (past.reason == CodeClass.UNLISTED and past.state is _S.FAILED):
        return None
    known = {
        CodeClass.PERMANENT_NUMBER: Never.PHONE,
        CodeClass.PERMANENT_MESSAGE: Never.WORDS,
        CodeClass.OPTED_OUT: Never.NOT_ALLOWED,
    }
    return next((never for reason, never in known.items() if reason == past.reason), Never.MAY_HAVE_LEFT)
