"""What was gathered about one message, as values: for the story that is told of it. Pure data, no words."""

from dataclasses import dataclass
from datetime import date, datetime, time

from engage.outreach.rules.words import Anchor, Channel, Kind, Turn
from engage.patients.rules.words import Category, ConsentKind, ConsentSource
from engage.sms.rules.statuses import MessageState


@dataclass(frozen=True, slots=True)
class Said:
    """One consent event: what was said, how it came to us, and when. The proof itself is opened only when asked for."""

    kind: ConsentKind
    source: ConsentSource
    said_at: datetime
    recorded_at: datetime
    has_proof: bool
    proof: str | None = None


@dataclass(frozen=True, slots=True)
class Whom:
    """Who is written to. `role` is the relationship of a contact, or the role of a clinician.

    `phone_ends` are the last two digits of the phone; None when it has none, or it cannot be opened on this machine.
    """

    name: str | None
    role: str
    patient: str | None
    is_clinician: bool
    phone_ends: str | None


@dataclass(frozen=True, slots=True)
class Turned:
    """One turn of a message on its way; `until` is the instant it then waited for."""

    at: datetime
    turn: Turn
    reason: str | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Receipted:
    """One receipt of Twilio's; `says` is what its error code means, for one that failed."""

    at: datetime
    status: str
    error_code: int | None
    says: str | None


@dataclass(frozen=True, slots=True)
class Limits:
    """The hours and caps that applied, and how many touchpoints this phone had had when it was decided.

    `own_after` and `own_until` are the patient's own hours, where she has asked for some.
    """

    texts_after: time
    texts_until: time
    daily_cap: int
    weekly_cap: int
    that_day: int
    in_seven_days: int
    own_after: time | None = None
    own_until: time | None = None


@dataclass(frozen=True, slots=True)
class WordingOf:
    """The version that was in force in the language of the text, who answers for it, the language its reader has now, and the
    version in that language that nobody has reviewed.
    """

    version: int | None
    written_by: str | None
    reviewed_by: str | None
    reviewed_at: datetime | None
    wanted: str
    waiting: int | None


@dataclass(frozen=True, slots=True)
class PageOf:
    """The alert a page is about: its code, and the place on the ladder."""

    code: str
    round: int | None
    step: int | None


@dataclass(frozen=True, slots=True)
class MessageFacts:
    """One message with everything its story needs. `decided_at` is the moment at which its consent and caps are told:
    its last claim, else its end, else now. `retry_of` is the failed message this one tries again, `tried_again_by` the next try.
    """

    id: int
    agency: str
    kind: Kind
    touchpoint: str | None
    anchor: Anchor | None
    occasion_on: date | None
    category: Category | None
    template: str
    language: str | None
    segments: int | None
    whom: Whom
    zone: str
    sender: str | None
    page: PageOf | None
    answers_text_of: datetime | None
    planned_at: datetime
    send_at: datetime
    due_at: datetime
    expires_at: datetime
    claimed_at: datetime | None
    lease_until: datetime | None
    accepted_at: datetime | None
    ended_at: datetime | None
    state: MessageState
    reason: str | None
    attempts: int
    sid: str | None
    error_code: int | None
    code_says: str | None
    turns: tuple[Turned, ...]
    receipts: tuple[Receipted, ...]
    decided_at: datetime
    consent: Said | None
    phone_word: Said | None
    limits: Limits
    channel: Channel = Channel.SMS
    retry_of: int | None = None
    tried_again_by: int | None = None
    text: str | None = None
    wording: WordingOf | None = None
