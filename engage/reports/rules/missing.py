"""What was gathered about a touchpoint that has no message on a day, as values: for the causes. Pure data, no words."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from engage.outreach.rules.words import Anchor
from engage.patients.rules.words import Category, PatientStatus, PhoneKind
from engage.reports.rules.facts import Said, Whom
from engage.visits.rules.words import VisitAnswer, VisitStatus


@dataclass(frozen=True, slots=True)
class VisitThen:
    """A visit the touchpoint could have been about."""

    starts: time | None
    status: VisitStatus
    answer: VisitAnswer | None
    answered_at: datetime | None
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Candidate:
    """A contact of the patient who could have been written to. `consent` and `phone_word` are what stood at that moment.

    `granted_later_at`: a consent that came after it. `told_with`: the first name of another patient whose text for the
    same occasion went to the same phone.
    """

    contact_id: int
    whom: Whom
    phone_kind: PhoneKind
    ended_at: datetime | None
    consent: Said | None
    phone_word: Said | None
    granted_later_at: datetime | None
    told_with: str | None
    has_message: bool


@dataclass(frozen=True, slots=True)
class PatientThen:
    """The patient. Status and monitoring are those of now: only since when the status holds is kept."""

    first_name: str
    status: PatientStatus
    status_since: datetime
    is_monitored: bool
    is_in_care: bool
    care_ended_on: date | None


@dataclass(frozen=True, slots=True)
class Missing:
    """One touchpoint that has no message, or not for everybody, on one occasion.

    `occasion_on` is the day it is about; `moment` the instant at which it would have been decided: its time to leave, or
    now if that is still to come. `horizon`: how far ahead the planner plans.
    """

    key: str
    category: Category
    anchor: Anchor
    is_active: bool
    only_monitored: bool
    agency_is_active: bool
    occasion_on: date
    send_at: datetime
    expires_at: datetime
    moment: datetime
    now: datetime
    horizon: timedelta
    zone: str
    patient: PatientThen
    visits: tuple[VisitThen, ...]
    candidates: tuple[Candidate, ...]
    left_out: str | None = None  # why the programme leaves the patient out that day, as the end of a sentence
