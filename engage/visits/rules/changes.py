"""What an import does to a row that is known: stored facts and the file's in, the change and its reason out. Pure.

The EMR is the truth about visits. About a patient's state a person in Engage is stronger than the file, for the file
is hours old; about consent only the patient is.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from engage.patients.rules.words import ConsentKind, PatientStatus, Relationship
from engage.visits.rules.rows import ContactRow, VisitRow
from engage.visits.rules.words import Change, VisitStatus

_END_OF_DAY = time(23, 59, 59)


@dataclass(frozen=True, slots=True)
class StoredVisit:
    """A visit as it stands. Ids are the database's."""

    id: int
    patient_id: int
    episode_id: int | None
    task: str
    discipline: str | None
    starts_on: date
    starts_local: time | None
    ends_local: time | None
    status: VisitStatus
    completed_at: datetime | None
    clinicians: frozenset[int]


@dataclass(frozen=True, slots=True)
class VisitFacts:
    """A visit as it shall stand."""

    patient_id: int
    episode_id: int | None
    task: str
    discipline: str | None
    starts_on: date
    starts_local: time | None
    ends_local: time | None
    status: VisitStatus
    completed_at: datetime | None
    clinicians: frozenset[int]


@dataclass(frozen=True, slots=True)
class VisitDecision:
    """What becomes of a visit. `forgets_answer`: the patient agreed to another day or time than the one that stands now."""

    change: Change
    facts: VisitFacts
    forgets_answer: bool = False


def decide_visit(
    stored: StoredVisit | None,
    row: VisitRow,
    *,
    patient_id: int,
    episode_id: int | None,
    clinicians: frozenset[int],
    zone: str,
    now: datetime,
) -> VisitDecision:
    """What the file's `row` makes of the `stored` visit (None: not known yet). `zone` is the patient's."""
    starts, ends = row.starts_local, row.ends_local
    if stored and not row.knows_times and row.starts_on == stored.starts_on:
        starts, ends = stored.starts_local, stored.ends_local
    facts = VisitFacts(
        patient_id=patient_id,
        episode_id=episode_id or (stored.episode_id if stored and stored.patient_id == patient_id else None),
        task=row.task,
        discipline=row.discipline or (stored.discipline if stored else None),
        starts_on=row.starts_on,
        starts_local=starts,
        ends_local=ends,
        status=row.status,
        completed_at=_completed_at(stored, row.status, row.starts_on, starts, ends, zone, now),
        clinicians=clinicians if row.knows_clinicians or stored is None else stored.clinicians,
    )
    if stored is None:
        return VisitDecision(Change.ADDED, facts)
    has_moved = (stored.starts_on, stored.starts_local) != (facts.starts_on, facts.starts_local)
    change = _change(stored, facts, has_moved=has_moved)
    return VisitDecision(change, facts, has_moved and facts.status is VisitStatus.SCHEDULED)


def _change(stored: StoredVisit, facts: VisitFacts, *, has_moved: bool) -> Change:
    turned = {
        VisitStatus.COMPLETED: Change.COMPLETED,
        VisitStatus.MISSED: Change.MISSED,
        VisitStatus.CANCELLED: Change.CANCELLED,
    }
    if facts.status is not stored.status and facts.status in turned:
        return turned[facts.status]
    if has_moved and facts.status is VisitStatus.SCHEDULED:
        return Change.MOVED
    before = (
        stored.patient_id,
        stored.episode_id,
        stored.task,
        stored.discipline,
        stored.starts_on,
        stored.starts_local,
        stored.ends_local,
        stored.status,
        stored.completed_at,
        stored.clinicians,
    )
    after = (
        facts.patient_id,
        facts.episode_id,
        facts.task,
        facts.discipline,
        facts.starts_on,
        facts.starts_local,
        facts.ends_local,
        facts.status,
        facts.completed_at,
        facts.clinicians,
    )
    return Change.UNCHANGED if before == after else Change.CHANGED


def _completed_at(
    stored: StoredVisit | None,
    status: VisitStatus,
    on: date,
    starts: time | None,
    ends: time | None,
    zone: str,
    now: datetime,
) -> datetime | None:
    """When a completed visit ended: its end on the patient's wall clock, else the end of that day; never after `now`.

    Once known it stays while day and end stay, so that the same file imported again changes nothing.
    """
    if status is not VisitStatus.COMPLETED:
        return None
    if stored and stored.completed_at and (stored.starts_on, stored.ends_local) == (on, ends):
        return stored.completed_at
    is_after_midnight = starts is not None and ends is not None and ends < starts
    day = on + timedelta(days=1) if is_after_midnight else on
    ended = datetime.combine(day, ends or _END_OF_DAY, ZoneInfo(zone))
    return min(ended.astimezone(now.tzinfo), now)


def status_after(stored: PatientStatus, said: PatientStatus | None, *, is_imports: bool) -> PatientStatus:
    """The patient's state after the file said `said`. `is_imports`: an import, not a person, put her into `stored`.

    Death is never taken back by a file. Discharge and death always hold; what else a person has decided stays, for an
    EMR calls a patient active while she is in hospital.
    """
    if said is None or stored is PatientStatus.DECEASED:
        return stored
    if said in {PatientStatus.DECEASED, PatientStatus.DISCHARGED}:
        return said
    return said if stored is PatientStatus.ACTIVE or is_imports else stored


def relationship_after(stored: Relationship | None, row: ContactRow) -> Relationship:
    """Whose phone it is after the file said `row`; `stored` None: the phone is new for this patient.

    A number given as the patient's and as the emergency contact's is somebody else's until a person says otherwise.
    """
    if stored is Relationship.PROXY and not (row.is_named and row.relationship is Relationship.PATIENT):
        return stored  # no file knows who decides for a patient; a person said so
    if row.is_named:
        return row.relationship
    if stored is None:
        return Relationship.EMERGENCY if row.is_also_emergency else row.relationship
    if row.is_also_emergency or stored is Relationship.FAMILY:
        return stored
    return row.relationship


class ConsentVerdict(StrEnum):
    """What an import does about a consent that its file names."""

    GRANT = "grant"
    REVOKE = "revoke"
    STANDS = "stands"  # nothing new
    OLDER = "older"  # the patient has said otherwise since
    OPTED_OUT = "opted_out"  # the phone wrote STOP: only the phone, or a person, can undo that


def consent_verdict(
    *,
    is_granted: bool,
    said_at: datetime | None,
    standing: tuple[ConsentKind, datetime] | None,
    phone_word: ConsentKind | None,
) -> ConsentVerdict:
    """Whether to record a yes or no of the file. `standing` is the last word on this contact and category, with its instant;
    `phone_word` the last word of the phone itself. A no without a day is taken at its word.
    """
    kind, since = standing or (None, None)
    if is_granted:
        if phone_word is ConsentKind.OPTED_OUT:
            return ConsentVerdict.OPTED_OUT
        if kind is ConsentKind.GRANTED:
            return ConsentVerdict.STANDS
        is_older = since is not None and (said_at is None or said_at <= since)
        return ConsentVerdict.OLDER if is_older else ConsentVerdict.GRANT
    if kind is not ConsentKind.GRANTED:
        return ConsentVerdict.STANDS
    is_older = since is not None and said_at is not None and said_at < since
    return ConsentVerdict.OLDER if is_older else ConsentVerdict.REVOKE
