"""The account's own numbers and Messaging Services, and who has opted out of which of them.

Never sends anything; says who may send, where texts to a number are posted, and what STOP and START change.
"""

from dataclasses import dataclass
from hashlib import md5
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
    inbound_method: str = "POST"

    @property
    def is_toll_free(self) -> bool:
        """Whether the carriers' rules for toll-free numbers hold."""
        return self.e164.startswith(_TOLL_FREE)

    @property
    def opt_out_scope(self) -> str:
        """What a STOP opts out of: the whole service when the number belongs to one, else the number."""
        return self.service_sid or self.e164


@dataclass(frozen=True, slots=True)
class Registration:
    """What the carriers were told about a Messaging Service: its A2P 10DLC campaign, and the brand behind it."""

    campaign_status: str = "VERIFIED"
    message_flow: str = "Patients agree on the intake form or by answering Y to one text. Up to 30 messages a week. Message and data rates may apply."
    samples: tuple[str, ...] = ("Sunrise: Ana will visit Rose tomorrow. Reply Y if OK. STOP ends texts.",)
    help_message: str = "Sunrise: call (202) 555-0150."
    opt_out_message: str = "Sunrise: no more texts."
    has_phone: bool = True
    brand_status: str = "APPROVED"
    brand_failure: str | None = None


class Senders:
    """Everything the account sends from."""

    def __init__(self) -> None:
        self._numbers: dict[str, Sender] = {}
        self._services: dict[str, tuple[str, ...]] = {}
        self._service_urls: dict[str, str | None] = {}
        self._registrations: dict[str, Registration] = {}
        self._opted_out: set[tuple[str, str]] = set()

    def all(self) -> list[Sender]:
        """Every number, by its digits."""
        return [self._numbers[e164] for e164 in sorted(self._numbers)]

    def register(self, service_sid: str, registration: Registration) -> None:
        """Say what the carriers know of a Messaging Service."""
        self._registrations[service_sid] = registration

    def registration(self, service_sid: str) -> Registration | None:
        """What the carriers know of a Messaging Service."""
        return self._registrations.get(service_sid)

    def registration_of_brand(self, brand: str) -> Registration | None:
        """The registration whose brand this is (BN and the hash of its service)."""
        hashed = (md5(sid.encode(), usedforsecurity=False).hexdigest() for sid in self._registrations)
        return next(
            (known for known, one in zip(self._registrations.values(), hashed, strict=True) if f"BN{one}" == brand),
            None,
        )

    def service_url(self, sid: str) -> str | None:
        """Where texts to a service are posted; None: where each number says."""
        return self._service_urls.get(sid)

    def add(self, sender: Sender) -> None:
        """Add a number, or replace what was known of it."""
        self._numbers[sender.e164] = sender

    def add_service(self, sid: str, numbers: tuple[str, ...], inbound_url: str | None = None) -> None:
        """Add a Messaging Service that sends from `numbers`, which must have been added."""
        self._services[sid] = numbers
        self._service_urls[sid] = inbound_url

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
