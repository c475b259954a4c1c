"""All that the files of one import say, each row once: lines in, rows by their EMR key out. Pure.

An EMR repeats itself: a patient stands on each of her visits' lines, a visit once for each of its clinicians. A later
line of the same fact wins, an empty cell never wins over a filled one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Any, TypeVar

from engage.agencies.rules.people import Role
from engage.patients.rules.words import Category, Relationship
from engage.visits.rules.rows import (
    BranchRow,
    ClinicianRow,
    ConsentRow,
    ContactRow,
    EpisodeRow,
    LineRead,
    PatientRow,
    PayerRow,
    PeriodRow,
    ReferralRow,
    ReferralSourceRow,
    Rejected,
    Row,
    VisitRow,
)
from engage.visits.rules.words import VisitStatus

Known = TypeVar("Known", BranchRow, ClinicianRow, PayerRow, ReferralSourceRow, PatientRow, EpisodeRow)

_ROLES = (
    Role.SUPERVISOR,
    Role.NURSE,
    Role.THERAPIST,
    Role.AIDE,
    Role.SCHEDULER,
)  # whoever is one is never taken for less
_STATUSES = (VisitStatus.COMPLETED, VisitStatus.SCHEDULED, VisitStatus.MISSED, VisitStatus.CANCELLED)


@dataclass
class Batch:
    """What is to be stored, by the EMR's keys."""

    branches: dict[str, BranchRow] = field(default_factory=dict)
    clinicians: dict[str, ClinicianRow] = field(default_factory=dict)
    payers: dict[str, PayerRow] = field(default_factory=dict)
    referral_sources: dict[str, ReferralSourceRow] = field(default_factory=dict)
    referrals: list[ReferralRow] = field(default_factory=list)
    patients: dict[str, PatientRow] = field(default_factory=dict)
    contacts: dict[tuple[str, str], ContactRow] = field(default_factory=dict)
    consents: dict[tuple[str, str, Category], ConsentRow] = field(default_factory=dict)
    episodes: dict[str, EpisodeRow] = field(default_factory=dict)
    periods: dict[tuple[str, date], PeriodRow] = field(default_factory=dict)
    visits: dict[str, VisitRow] = field(default_factory=dict)

    lines: int = 0
    left_out: set[str] = field(default_factory=set)  # keys of visit rows that are no visits
    left_out_lines: int = 0
    seen_visits: set[str] = field(default_factory=set)  # every key of a visit that the files name, used or not
    lost_lines: int = 0  # of which not even the visit's key could be read
    other_days: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    ignored: list[Rejected] = field(default_factory=list)

    def take(self, read: LineRead) -> None:
        """Take in what a line says."""
        self.lines += 1
        self.ignored.extend(read.ignored)
        self.other_days += read.has_other_day
        if read.visit_id:
            self.seen_visits.add(read.visit_id)
        if read.is_left_out:
            self.left_out_lines += 1
            if read.visit_id:
                self.left_out.add(read.visit_id)
        refused = read.rejected or self._contradiction(read.rows)
        if refused:
            self.rejected.append(refused)
            return
        for row in read.rows:
            self._add(row)

    def lose(self, refused: Rejected) -> None:
        """A line that could not be split: nobody can say which visit it was."""
        self.lines += 1
        self.lost_lines += 1
        self.rejected.append(refused)

    def _contradiction(self, rows: Iterable[Row]) -> Rejected | None:
        """A visit that an earlier line of the same file has for another patient or on another day."""
        for row in rows:
            known = self.visits.get(row.emr_id) if isinstance(row, VisitRow) else None
            if known is None or not isinstance(row, VisitRow) or known.at.number != row.at.number:
                continue
            if (known.patient, known.starts_on) != (row.patient, row.starts_on):
                reason = f"line {known.at.line} has the same visit for another patient or day, and was kept"
                return Rejected(row.at.file, row.at.line, "the visit's key", reason)
        return None

    def _add(self, row: Row) -> None:
        match row:
            case VisitRow():
                self._add_visit(row)
            case PatientRow():
                self._add_patient(row)
            case EpisodeRow():
                _merge(self.episodes, row)
            case ClinicianRow():
                self._add_clinician(row)
            case BranchRow():
                _merge(self.branches, row)
            case PayerRow():
                known = self.payers.get(row.emr_id)
                if known is None or row.is_directory or not known.is_directory:
                    _merge(self.payers, row)
            case ContactRow():
                self._add_contact(row)
            case ConsentRow():
                self.consents[row.patient, row.phone, row.category] = row
            case ReferralSourceRow():
                self.referral_sources[row.emr_id] = row
            case ReferralRow():
                self.referrals.append(row)
            case PeriodRow():
                self.periods[row.episode, row.starts_on] = row

    def _add_visit(self, row: VisitRow) -> None:
        known = self.visits.get(row.emr_id)
        if known is None or known.at.number != row.at.number:  # a later file replaces what an earlier one said
            self.visits[row.emr_id] = row
            return
        starts = [at for at in (known.starts_local, row.starts_local) if at]
        ends = [at for at in (known.ends_local, row.ends_local) if at]
        self.visits[row.emr_id] = replace(
            known,
            clinicians=tuple(dict.fromkeys((*known.clinicians, *row.clinicians))),
            starts_local=min(starts, default=None),
            ends_local=max(ends, default=None),
            status=min(known.status, row.status, key=_STATUSES.index),
        )

    def _add_patient(self, row: PatientRow) -> None:
        """An address is one fact: the zone of the old one must not stay with a new one."""
        known = self.patients.get(row.emr_id)
        if known and (row.state or row.zip_code) and (row.state, row.zip_code) != (known.state, known.zip_code):
            self.patients[row.emr_id] = replace(known, state=None, zip_code=None, zone=None)
        _merge(self.patients, row)

    def _add_clinician(self, row: ClinicianRow) -> None:
        known = self.clinicians.get(row.emr_id)
        if known and known.role and row.role and _ROLES.index(known.role) < _ROLES.index(row.role):
            row = replace(row, role=known.role, discipline=known.discipline)
        if known and known.is_directory and not row.is_directory:
            row = replace(known, is_directory=True)
        _merge(self.clinicians, row)

    def _add_contact(self, row: ContactRow) -> None:
        """One number of a patient is one contact; given as the patient's and as an emergency's, it is doubtful whose it is."""
        key = (row.patient, row.phone)
        known = self.contacts.get(key)
        if known and known.at.number == row.at.number and not row.is_named:
            if known.is_named:
                row = known
            elif known.is_also_emergency or known.relationship is not row.relationship:
                row = replace(row, relationship=Relationship.PATIENT, is_also_emergency=True)
        self.contacts[key] = row


def _merge(rows: dict[str, Known], row: Known) -> None:
    known = rows.get(row.emr_id)
    if known is None:
        rows[row.emr_id] = row
    elif known != row:
        filled: dict[str, Any] = {}
        for each in fields(row):
            value = getattr(row, each.name)
            filled[each.name] = getattr(known, each.name) if value is None else value
        rows[row.emr_id] = replace(row, **filled)
