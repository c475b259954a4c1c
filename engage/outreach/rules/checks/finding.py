"""What a check of a wording is told and what it answers: the text, its purpose, its agency, the data files; findings. Pure data."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from engage.outreach.rules.checks.lists import Disclosing, SurveyRules
from engage.outreach.rules.words import Asks
from engage.patients.rules.words import Category


class Severity(StrEnum):
    """What a finding does: `refuse` keeps a wording from being saved, `warn` is for a person to weigh."""

    REFUSE = "refuse"
    WARN = "warn"


class Rule(StrEnum):
    """The id of a check; docs/reference/wording.md explains each. The survey rules have ids of their own, in the data."""

    BROKEN = "broken"
    NOT_ALLOWED = "not_allowed"
    TOO_MANY_VARIANTS = "too_many_variants"
    LANGUAGE_UNKNOWN = "language_unknown"
    UNKNOWN_PLACEHOLDER = "unknown_placeholder"
    PLACEHOLDER_ELSEWHERE = "placeholder_elsewhere"
    MAY_BE_MISSING = "may_be_missing"
    WRONG_COMPARISON = "wrong_comparison"
    MAY_BE_EMPTY = "may_be_empty"
    TOO_LONG = "too_long"
    SEVERAL_SEGMENTS = "several_segments"
    NOT_GSM = "not_gsm"
    NO_SENDER_NAME = "no_sender_name"
    NO_WAY_OUT = "no_way_out"
    NO_PHONE = "no_phone"
    NO_911 = "no_911"
    NO_ANSWERS = "no_answers"
    NO_CODE = "no_code"
    PRINTS_CANCEL = "prints_cancel"
    HAS_LINK = "has_link"
    FOREIGN_PHONE = "foreign_phone"
    DISCLOSES_HEALTH = "discloses_health"
    COPIES_A_QUESTION = "copies_a_question"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or may be. `place` counts the characters of the wording from 1; `repair` is the whole wording
    with it mended, for a person to accept.
    """

    rule: str
    severity: Severity
    why: str
    do: str
    place: int | None = None
    repair: str | None = None


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a text is for: its template and language, and what its touchpoint asks, if it goes out unasked."""

    template: str
    language: str
    asks: Asks | None = None
    category: Category | None = None

    @property
    def is_unasked(self) -> bool:
        """Whether it goes out without having been asked for."""
        return self.asks is not None

    @property
    def is_spoken(self) -> bool:
        """Whether it is said in a call; it has no segments."""
        return self.template.startswith("call-")

    @property
    def is_mailed(self) -> bool:
        """Whether it goes by e-mail; it has room."""
        return self.template.startswith("mail-")


@dataclass(frozen=True, slots=True)
class House:
    """The agency a text speaks for. Phones in E.164: all its own; the names are the longest first names it has to write."""

    agency: str
    agency_name: str
    phones: tuple[str, ...]
    patient: str = "Guadalupe"
    clinicians: tuple[str, str] = ("Alexandra", "Christina")
    most_segments: int = 2


@dataclass(frozen=True, slots=True)
class Prices:
    """What a segment costs, in dollars; carrier fees are the lowest and the highest of the carriers."""

    segment: Decimal
    carrier_fee_lowest: Decimal
    carrier_fee_highest: Decimal
    answered_share: Decimal
    source: str

    @property
    def sent(self) -> Decimal:
        """A segment that leaves, in the middle between the carriers."""
        return self.segment + (self.carrier_fee_lowest + self.carrier_fee_highest) / 2


@dataclass(frozen=True, slots=True)
class Book:
    """The data files that the checks go by."""

    disclosing: Mapping[str, Disclosing]
    survey: SurveyRules
    prices: Prices


def refusals(findings: Iterable[Finding]) -> list[Finding]:
    """Those that keep a wording from being saved."""
    return [finding for finding in findings if finding.severity is Severity.REFUSE]
