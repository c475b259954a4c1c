"""The values that cross the gateway: a text or call to make, what became of it, and either in Twilio's log.

Their repr shows ids only: a text in a traceback or a log line must not tell whose it is or what it says.
"""

from dataclasses import dataclass, field
from datetime import datetime

LONGEST_VALIDITY_SECONDS = 36_000
"""Twilio's queue holds a text for ten hours at most (docs, ValidityPeriod)."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Whom the text comes from: one of our numbers (E.164) or a Messaging Service (MG…). Exactly one."""

    from_number: str | None = field(default=None, repr=False)
    messaging_service_sid: str | None = None

    def __post_init__(self) -> None:
        if bool(self.from_number) == bool(self.messaging_service_sid):
            raise ValueError("a sender is either a number or a messaging service")


@dataclass(frozen=True, slots=True)
class OutboundText:
    """A text as it goes to Twilio.

    `to` is E.164. `status_callback` is our public address with our own opaque message id in it, empty for a test text of which
    nobody waits for a receipt. `valid_for_seconds`
    (1 or more) is how long the text is worth delivering; Twilio drops it afterwards with 30001, ten hours at the latest.
    """

    to: str = field(repr=False)
    body: str = field(repr=False)
    status_callback: str
    sender: Sender
    valid_for_seconds: int

    def __post_init__(self) -> None:
        if not self.to or not self.body:
            raise ValueError("a text needs a number and a body")
        if self.valid_for_seconds < 1:
            raise ValueError("a text that is no longer valid must not be sent")
        try:
            self.body.encode()
        except UnicodeEncodeError:
            raise ValueError("the body holds half a character (a lone surrogate) and cannot be encoded") from None


LONGEST_TWIML = 4000


@dataclass(frozen=True, slots=True)
class OutboundCall:
    """A call as it goes to Twilio: `to` and `from_number` are E.164, `twiml` is what is said and asked.

    `status_callback` is our public address with our own opaque message id in it. It rings for `ring_seconds` at most.
    """

    to: str = field(repr=False)
    from_number: str = field(repr=False)
    twiml: str = field(repr=False)
    status_callback: str
    ring_seconds: int = 30

    def __post_init__(self) -> None:
        if not self.to or not self.from_number:
            raise ValueError("a call needs a number to call and one to call from")
        if len(self.twiml) > LONGEST_TWIML:
            raise ValueError("Twilio takes no more than 4,000 characters of instructions with a call")


@dataclass(frozen=True, slots=True)
class Accepted:
    """Twilio took it. `status` is Twilio's word; `segments` is 0 while Twilio has not counted (messaging services)."""

    sid: str
    status: str
    segments: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Twilio will not send this text. `code` has its meaning in config/twilio-codes.toml.

    `detail` never holds Twilio's own sentence, which may repeat the number or the text; it says where to read more.
    """

    http_status: int
    code: int | None
    detail: str


@dataclass(frozen=True, slots=True)
class TryLater:
    """Certainly not processed: no byte left this machine, or Twilio had too much to do (429). Safe to send again.

    `code` is Twilio's, None when nobody answered; `after_seconds` is what Twilio asked us to wait, None if it did not.
    """

    code: int | None = None
    after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Uncertain:
    """It may have been sent: no answer, a torn one, or a 5xx. Never send again before reconciling."""

    reason: str


@dataclass(frozen=True, slots=True)
class SendingStopped:
    """Not sent, and no other text would be: credentials, account or address are wrong. Stop and tell the operator."""

    http_status: int
    code: int | None


@dataclass(frozen=True, slots=True)
class HeldBack:
    """It did not leave: when its turn came, whoever wanted it sent wanted it no more."""


Outcome = Accepted | Refused | TryLater | Uncertain | SendingStopped | HeldBack


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """A call in Twilio's log. `status`, `direction` and `answered_by` are Twilio's words; `created_at` is UTC."""

    sid: str
    from_: str = field(repr=False)
    to: str = field(repr=False)
    direction: str
    status: str
    answered_by: str | None
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class LoggedText:
    """A text in Twilio's log, ours or theirs. Instants are UTC; `sent_at` is None until Twilio has sent it.

    `status`, `direction` ("inbound", "outbound-api", …) and `error_code` are Twilio's.
    """

    sid: str
    from_: str = field(repr=False)
    to: str = field(repr=False)
    body: str = field(repr=False)
    num_media: int
    direction: str
    status: str
    error_code: int | None
    segments: int
    created_at: datetime | None
    sent_at: datetime | None

    @property
    def is_inbound(self) -> bool:
        """Whether a patient sent it to us."""
        return self.direction == "inbound"
