"""The account's own numbers and Messaging Services, and who has opted out of which of them.

Never sends anything; says who may send, where texts to a number are posted, and what STOP and START change.
"""

from dataclasses import dataclass
from typing import Literal
from zlib import crc32

# Whole message, any case (facts/twilio.md §6: the six old words, and two since 2025).
_STOP = frozenset({"STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "CANCEL", "REVOKE", "OPTOUT"})
_START = frozenset({"START", "UNSTOP"})
_YES = frozenset({"YES"})
_HELP = frozenset({"HELP", "INFO"})
_TOLL_FREE = tuple(f"+1{code}" for code in (800, 833, 844, 855, 866, 877, 888))

Keyword = Literal["STOP", "START", "HELP"]


@dataclass(frozen=True, slots=True)
class Sender:
    """One of our numbers: where texts and calls to it are posted."""

    e164: str
    inbound_url: str | None
    fallback_url: str | None = None
    voice_url: str | None = None
    service_sid: str | None = None

    @property
    def is_toll_free(self) -> bool:
        """Whether the carriers' rules for toll-free numbers hold."""
        return self.e164.startswith(_TOLL_FREE)

    @property
    def opt_out_scope(self) -> str:
        """What a STOP opts out of: the whole service when the number belongs to one, else the number."""
        return self.service_sid or self.e164


class Senders:
    """Everything the account sends from."""

    def __init__(self) -> None:
        self._numbers: dict[str, Sender] = {}
        self._services: dict[str, tuple[str, ...]] = {}
        self._opted_out: set[tuple[str, str]] = set()

    def add(self, sender: Sender) -> None:
        """Add a number, or replace what was known of it."""
        self._numbers[sender.e164] = sender

    def add_service(self, sid: str, numbers: tuple[str, ...]) -> None:
        """Add a Messaging Service that sends from `numbers`, which must have been added."""
        self._services[sid] = numbers

    def number(self, e164: str) -> Sender | None:
        """The number, or None when it is not ours."""
        return self._numbers.get(e164)

    def has_service(self, sid: str) -> bool:
        """Whether the Messaging Service exists."""
        return sid in self._services

    def chosen_for(self, service_sid: str, to: str) -> Sender | None:
        """The number a service sends from: always the same one for a recipient, as a sticky sender does."""
        numbers = self._services[service_sid]
        return self._numbers[numbers[crc32(to.encode()) % len(numbers)]] if numbers else None

    def has_opted_out(self, scope: str, phone: str) -> bool:
        """Whether `phone` has stopped texts of this scope (a number or a service)."""
        return (scope, phone) in self._opted_out

    def hear(self, sender: Sender, phone: str, body: str) -> Keyword | None:
        """Note the opt-out or opt-in that a text means, and say which keyword it was (facts/twilio.md §6)."""
        word = body.strip().upper()
        pair = (sender.opt_out_scope, phone)
        if word in _STOP:
            self._opted_out.add(pair)
            return "STOP"
        # YES undoes a STOP on a long code, never on a toll-free number; otherwise it is an ordinary answer.
        is_yes = word in _YES and not sender.is_toll_free and pair in self._opted_out
        if word in _START or is_yes:
            self._opted_out.discard(pair)
            return "START"
        return "HELP" if word in _HELP else None
