"""What the steps of a recording share: the agency, the instant, the counts, and what people must be told."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from engage.visits.record.bulk import Bulk
from engage.visits.rules.batch import Batch
from engage.visits.rules.rows import Rejected
from engage.visits.rules.words import Change


@dataclass(frozen=True, slots=True)
class AgencyFacts:
    """The agency an import is for."""

    id: int
    slug: str
    name: str
    time_zone: str
    line: str


@dataclass(frozen=True, slots=True)
class VisitShift:
    """What happened to one visit, without a word about the patient. Days and times are local, as "2026-11-23 09:00"."""

    visit: str
    change: Change
    before: str | None
    after: str | None


@dataclass
class Recording:
    """The state of one recording; each step adds to it."""

    bulk: Bulk
    agency: AgencyFacts
    batch: Batch
    now: datetime
    branches: dict[str, int] = field(default_factory=dict)
    clinicians: dict[str, int] = field(default_factory=dict)
    payers: dict[str, int] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)
    patients: dict[str, tuple[int, str]] = field(default_factory=dict)  # EMR key → id, time zone
    episodes: dict[str, tuple[int, int]] = field(default_factory=dict)  # EMR key → id, patient's id
    counts: defaultdict[str, Counter[Change]] = field(default_factory=lambda: defaultdict(Counter))
    shifts: list[VisitShift] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    ignored: list[Rejected] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    without_consent: int = 0
    without_phone: int = 0
    consents_recorded: int = 0

    def count(self, table: str, change: Change, number: int = 1) -> None:
        """Count rows of `table` to which `change` happened."""
        if number:
            self.counts[table][change] += number

    def note(self, number: int, one: str, many: str) -> None:
        """Tell people about `number` of something, if there is any; {n} in `many` is the number."""
        if number == 1:
            self.notes.append(one)
        elif number > 1:
            self.notes.append(many.format(n=number))
