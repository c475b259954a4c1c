"""What one line of an EMR file says, as values: rows that may be stored, and refusals with their place. Pure.

Rows name each other by the EMR's keys. None means: the file does not say, so what is stored stays.
"""

from dataclasses import dataclass, field
from datetime import date, time
from typing import TypeAlias

from engage.agencies.rules.people import Role
from engage.patients.rules.words import Category, ConsentSource, PatientStatus, Relationship
from engage.visits.rules.words import VisitStatus


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file; lines count from 1, a header included. `number` is the file's place among those of one import."""

    file: str
    line: int
    number: int = 0


NOWHERE = Place("", 0)


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why a line was left out, or only one cell of it (`whole_row` False). The reason never repeats the cell."""

    file: str
    line: int
    column: str
    reason: str
    whole_row: bool = True

    def __str__(self) -> str:
        return f"{self.file} line {self.line}, {self.column}: {self.reason}"


@dataclass(frozen=True, slots=True)
class BranchRow:
    """An office of the agency."""

    emr_id: str
    name: str | None


@dataclass(frozen=True, slots=True)
class ClinicianRow:
    """Somebody who visits or manages a case. Only the agency's own list (`is_directory`) changes one who is known, but
    for her name; elsewhere discipline and role are guesses, made for a clinician not yet known.
    """

    emr_id: str
    first_name: str | None = None
    last_name: str | None = None
    discipline: str | None = None
    role: Role | None = None
    branch: str | None = None
    phone: str | None = None  # E.164
    left_on: date | None = None
    is_directory: bool = False


@dataclass(frozen=True, slots=True)
class PayerRow:
    """Who pays. Only the agency's own list of payers (`is_directory`) renames one that is known."""

    emr_id: str
    name: str | None
    payer_class: str | None
    is_directory: bool = False


@dataclass(frozen=True, slots=True)
class ReferralSourceRow:
    """Who sends patients."""

    emr_id: str
    name: str


@dataclass(frozen=True, slots=True)
class ReferralRow:
    """One patient sent by a source on a day; the patient is only known by name and birthday."""

    source: str
    first_name: str
    last_name: str
    born_on: date
    referred_on: date


@dataclass(frozen=True, slots=True)
class PatientRow:
    """A patient. `zone` comes from the service address; None leaves it to the branch. `status` None: the file is silent."""

    emr_id: str
    mrn: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    born_on: date | None = None
    language: str | None = None
    state: str | None = None
    zip_code: str | None = None
    zone: str | None = None
    branch: str | None = None
    status: PatientStatus | None = None
    has_strange_status: bool = False
    died_on: date | None = None
    case_manager: str | None = None
    case_manager_first_name: str | None = None
    case_manager_last_name: str | None = None
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A phone that the file gives for a patient, and whose it is. `phone` is E.164."""

    patient: str
    phone: str
    relationship: Relationship
    name: str | None = None
    language: str | None = None
    is_named: bool = False  # the file says in so many words whose phone it is
    is_also_emergency: bool = False  # the file gives one number as the patient's and as the emergency contact's
    at: Place = field(default=NOWHERE, compare=False)
    column: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class ConsentRow:
    """What a contact is recorded to have said about one kind of text. `said_on` is local; None only for a no."""

    patient: str
    phone: str
    category: Category
    is_granted: bool
    source: ConsentSource
    said_on: date | None
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class EpisodeRow:
    """An episode of care."""

    emr_id: str
    patient: str
    starts_on: date | None
    ends_on: date | None = None
    start_of_care_on: date | None = None
    discharged_on: date | None = None
    payer: str | None = None
    referral_source: str | None = None


@dataclass(frozen=True, slots=True)
class PeriodRow:
    """A 30-day payment period of an episode."""

    episode: str
    starts_on: date
    ends_on: date
    lupa_threshold: int | None = None
    hipps: str | None = None
    completed_visits: int | None = None
    at: Place = field(default=NOWHERE, compare=False)
    column: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class VisitRow:
    """A visit. Day and times are wall time at the patient's home; the time may be unknown."""

    emr_id: str
    patient: str
    task: str
    starts_on: date
    starts_local: time | None = None
    ends_local: time | None = None
    status: VisitStatus = VisitStatus.SCHEDULED
    discipline: str | None = None
    episode: str | None = None
    clinicians: tuple[str, ...] = ()
    knows_times: bool = True  # False: the file has no column of times, so an unchanged day keeps its time
    knows_clinicians: bool = True
    at: Place = field(default=NOWHERE, compare=False)


Row: TypeAlias = (
    BranchRow
    | ClinicianRow
    | PayerRow
    | ReferralSourceRow
    | ReferralRow
    | PatientRow
    | ContactRow
    | ConsentRow
    | EpisodeRow
    | PeriodRow
    | VisitRow
)


@dataclass(frozen=True, slots=True)
class LineRead:
    """All that one line says. `visit_id` is kept for rejected lines too: a rejected visit has not vanished."""

    rows: tuple[Row, ...] = ()
    rejected: Rejected | None = None
    ignored: tuple[Rejected, ...] = ()
    is_left_out: bool = False
    visit_id: str | None = None
    has_other_day: bool = False  # two columns name different days for an upcoming visit
