"""The life of a message of ours: which state may follow which, and what Twilio's words mean in it. Pure data.

    planned ──▶ sending ──▶ accepted ──▶ sent ──▶ delivered
       │          │  ▲          │          ├────▶ undelivered
       │          │  │          │          └────▶ failed
       │          │  └─ planned: released unsent (429, connection refused), or reconciled as never sent
       │          └──▶ unknown: perhaps sent. Reconciliation adopts what Twilio's log says, or puts it back to planned
       └──▶ expired · cancelled · suppressed (also from sending, by the holder of the claim, before a byte has left)

Steps may be skipped: a receipt can overtake both the answer to our POST and an earlier receipt. Never backwards, and
nothing leaves an end: a late `sent` after `delivered` changes nothing. The one exception is an end that was only our belief
(`DISPROVABLE`): a text that we gave up as never sent, of which Twilio then says that it left, is what Twilio says.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class MessageState(StrEnum):
    """Where a message is. `undelivered` is a failure; `unknown` is settled before anything else happens to it."""

    PLANNED = "planned"
    SENDING = "sending"
    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    SUPPRESSED = "suppressed"
    UNKNOWN = "unknown"


_S = MessageState
_NEVER_SENT = frozenset({_S.EXPIRED, _S.CANCELLED, _S.SUPPRESSED})
_CARRIER_ENDS = frozenset({_S.DELIVERED, _S.UNDELIVERED, _S.FAILED})
_AT_TWILIO = frozenset({_S.ACCEPTED, _S.SENT}) | _CARRIER_ENDS

TERMINAL: frozenset[MessageState] = _NEVER_SENT | _CARRIER_ENDS
"""The ends: nothing leaves them. A retry of a failed text is a new message."""

LEGAL_MOVES: Mapping[MessageState, frozenset[MessageState]] = MappingProxyType(
    {
        _S.PLANNED: frozenset({_S.SENDING}) | _NEVER_SENT,
        # may_text is asked once more after the claim, so the claim's holder may still drop the message
        _S.SENDING: frozenset({_S.PLANNED, _S.UNKNOWN}) | _AT_TWILIO | _NEVER_SENT,
        # cancelled: a text scheduled at Twilio and called back there (its status "canceled")
        _S.ACCEPTED: frozenset({_S.SENT, _S.CANCELLED}) | _CARRIER_ENDS,
        _S.SENT: _CARRIER_ENDS,
        # planned only by reconciliation, once Twilio's log is known not to hold the text
        _S.UNKNOWN: frozenset({_S.PLANNED, _S.CANCELLED}) | _AT_TWILIO,
        **dict.fromkeys(TERMINAL, frozenset()),
    }
)

DISPROVABLE: frozenset[tuple[MessageState, str]] = frozenset({(_S.EXPIRED, "too_late"), (_S.CANCELLED, "never_sent")})
"""Ends, with their reason, that we set because Twilio's log did not hold a text that was tried. Only for what was tried: a
receipt, or a late answer to our POST, then tells the truth, and the message goes on from there as from `unknown`."""


def may_move(before: MessageState, after: MessageState) -> bool:
    """Whether `after` may follow `before`; staying is not a move."""
    return after in LEGAL_MOVES[before]


def states_before(after: MessageState) -> frozenset[MessageState]:
    """The states from which a message may become `after`: what an UPDATE's WHERE needs."""
    return frozenset(before for before in MessageState if may_move(before, after))


# Twilio's Message resource, enum `status`. Inbound words (receiving, received) are not about a message of ours.
_TWILIO = {
    "accepted": _S.ACCEPTED,
    "scheduled": _S.ACCEPTED,
    "queued": _S.ACCEPTED,
    "sending": _S.ACCEPTED,
    "sent": _S.SENT,
    "delivered": _S.DELIVERED,
    "read": _S.DELIVERED,
    "undelivered": _S.UNDELIVERED,
    "partially_delivered": _S.UNDELIVERED,  # deprecated; half a text is not one: a person should look
    "failed": _S.FAILED,
    "canceled": _S.CANCELLED,
}


def state_of(twilio_status: str) -> MessageState | None:
    """Our state for Twilio's status; None for an inbound or unheard-of one, which then changes nothing."""
    return _TWILIO.get(twilio_status.strip().lower())
