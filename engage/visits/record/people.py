"""Records branches, clinicians and patients; fills in their ids for the steps that follow."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from engage.agencies.rules.people import Role
from engage.db import encryption
from engage.patients.rules.words import PatientStatus
from engage.visits.record.progress import Recording
from engage.visits.record.zones import unknown_zones
from engage.visits.rules.changes import status_after
from engage.visits.rules.rows import ClinicianRow, PatientRow, Rejected
from engage.visits.rules.words import Change

FOUNDING_BRANCH = "main"  # the branch that an agency begins with (engage.onboarding), before any EMR has named one
NO_NAME = "Clinician"  # first name of somebody who is only known by her key; the last name is the key


def record_branches(recording: Recording) -> None:
    """Branches by key; new ones take the agency's time zone until a person says otherwise."""
    rows, bulk = recording.batch.branches, recording.bulk
    known = {emr_id: (row_id, name) for row_id, emr_id, name in bulk.ask(_BRANCHES)}
    changed, added = [], []
    if len(rows) == 1 and set(known) == {FOUNDING_BRANCH} and FOUNDING_BRANCH not in rows:
        # The agency's only branch gets its key from the EMR: its people on call and its senders are right already.
        (key,) = rows
        known = {key: known[FOUNDING_BRANCH]}
        bulk.update("branches", ("emr_id",), [(known[key][0], key)])
        recording.notes.append("The agency's first branch has its key from the file now.")
    for key, row in rows.items():
        if key not in known:
            added.append((key, row.name or f"Branch {key}", recording.agency.time_zone))
        elif row.name not in {None, known[key][1]}:
            changed.append((known[key][0], row.name))
    recording.count("branches", Change.ADDED, len(added))
    recording.count("branches", Change.CHANGED, len(changed))
    recording.count("branches", Change.UNCHANGED, len(rows) - len(added) - len(changed))
    recording.note(
        len(added),
        "1 branch is new: it has the agency's time zone and nobody on call yet.",
        "{n} branches are new: they have the agency's time zone and nobody on call yet.",
    )
    if not known and not added and recording.batch.patients:
        added = [(FOUNDING_BRANCH, recording.agency.name, recording.agency.time_zone)]
    bulk.update("branches", ("name",), changed)
    inserted = bulk.insert("branches", ("emr_id", "name", "time_zone"), added, "emr_id")
    recording.branches = {key: row_id for key, (row_id, _) in known.items()} | dict(inserted)


_BRANCHES = "SELECT id, emr_id, name FROM branches WHERE agency_id = %(agency)s ORDER BY id"
_CLINICIAN = ("emr_id", "first_name", "last_name", "discipline", "role", "branch_id", "phone", "phone_hash", "left_on")


def record_clinicians(recording: Recording) -> None:
    """Clinicians by key. Whoever is known keeps role, branch and phone unless the agency's own list says otherwise."""
    rows, bulk = recording.batch.clinicians, recording.bulk
    columns = ("id", "emr_id", "first_name", "last_name", "discipline", "role", "branch_id", "phone_hash", "left_on")
    stored = {row[1]: row for row in bulk.stored("clinicians", columns, "emr_id", rows)}
    added, changed = [], []
    for key, row in rows.items():
        if key not in stored:
            added.append(_new_clinician(row, recording))
        elif (after := _changed_clinician(stored[key], row, recording)) is not None:
            changed.append(after)
    ids = {key: row[0] for key, row in stored.items()} | dict(bulk.insert("clinicians", _CLINICIAN, added, "emr_id"))
    _update_clinicians(recording, changed)
    recording.clinicians = ids
    recording.count("clinicians", Change.ADDED, len(added))
    recording.count("clinicians", Change.CHANGED, len(changed))
    recording.count("clinicians", Change.UNCHANGED, len(rows) - len(added) - len(changed))
    recording.note(
        sum(row[1] == NO_NAME for row in added),
        "1 clinician is known by the key only, without a name.",
        "{n} clinicians are known by their key only, without a name.",
    )
    recording.note(
        sum(rows[row[0]].role is None for row in added),
        "1 new clinician has no known discipline and counts as a nurse.",
        "{n} new clinicians have no known discipline and count as nurses.",
    )


def _new_clinician(row: ClinicianRow, recording: Recording) -> tuple[Any, ...]:
    has_name = row.first_name or row.last_name
    return (
        row.emr_id,
        (row.first_name or "") if has_name else NO_NAME,
        (row.last_name or "") if has_name else row.emr_id,
        row.discipline,
        (row.role or Role.NURSE).value,
        recording.branches.get(row.branch or ""),
        encryption.ring().seal(row.phone, "clinicians.phone") if row.phone else None,
        encryption.phone_hash(row.phone) if row.phone else None,
        row.left_on,
    )


def _changed_clinician(stored: tuple[Any, ...], row: ClinicianRow, recording: Recording) -> tuple[Any, ...] | None:
    """id, names, discipline, role, branch, day of leaving, phone in clear and its hash as they shall be; None when they are."""
    row_id, _, first, last, discipline, role, branch, phone_hash, left_on = stored
    has_name = row.first_name or row.last_name
    names = ((row.first_name or ""), (row.last_name or "")) if has_name else (first, last)
    own = row if row.is_directory else ClinicianRow(row.emr_id)
    after = (
        *names,
        own.discipline or discipline or row.discipline,
        own.role.value if own.role else role,
        recording.branches.get(own.branch or "", branch),
        own.left_on or left_on,
    )
    hashed = encryption.phone_hash(own.phone) if own.phone else None
    has_new_phone = hashed is not None and (phone_hash is None or bytes(phone_hash) != hashed)
    if after == (first, last, discipline, role, branch, left_on) and not has_new_phone:
        return None
    return (row_id, *after, own.phone if has_new_phone else None, hashed if has_new_phone else None)


def _update_clinicians(recording: Recording, changed: list[tuple[Any, ...]]) -> None:
    bulk = recording.bulk
    columns = ("first_name", "last_name", "discipline", "role", "branch_id", "left_on")
    bulk.update("clinicians", columns, [row[:7] for row in changed])
    sealed = [(row[0], encryption.ring().seal(row[7], "clinicians.phone"), row[8]) for row in changed if row[7]]
    bulk.update("clinicians", ("phone", "phone_hash"), sealed)


@dataclass(frozen=True, slots=True)
class _StoredPatient:
    """A patient as he stands."""

    id: int
    emr_id: str
    mrn: str | None
    first_name: str
    last_name: str
    born_on: date | None
    language: str
    state: str | None
    zip_code: str | None
    time_zone: str
    branch_id: int
    case_manager_id: int | None
    status: str
    status_since: datetime
    died_on: date | None
    is_imports_status: bool


_PATIENT = (
    *("emr_id", "mrn", "first_name", "last_name", "born_on", "language", "state", "zip_code", "time_zone"),
    *("branch_id", "case_manager_id", "status", "status_since", "died_on"),
)
_ZONE = _PATIENT.index("time_zone")
# The mark that an import set a state is the audit's line of that very instant: anybody else would have moved the instant.
_STORED_PATIENTS = """
SELECT p.id, p.emr_id, p.mrn, p.first_name, p.last_name, p.born_on, p.language, p.state, p.zip_code, p.time_zone,
       p.branch_id, p.case_manager_id, p.status, p.status_since, p.died_on,
       p.status <> 'active' AND EXISTS (
           SELECT FROM audit_events a
           WHERE a.agency_id = p.agency_id AND a.subject = 'patient' AND a.subject_id = p.id
             AND a.actor = 'import' AND a.action = 'patient.status' AND a.at = p.status_since)
FROM patients p JOIN {keys} k ON k.emr_id = p.emr_id WHERE p.agency_id = %(agency)s
"""
_NEW_ZONE = "SELECT id, time_zone FROM branches WHERE agency_id = %(agency)s"


def record_patients(recording: Recording) -> None:
    """Patients by key, those that other rows only mention included: they must be known, or their rows are rejected."""
    batch, bulk = recording.batch, recording.bulk
    mentioned = {row.patient for row in batch.visits.values()} | {row.patient for row in batch.episodes.values()}
    keys = bulk.stage("patients", ("emr_id",), ((key,) for key in mentioned | set(batch.patients)))
    stored = {row[1]: _StoredPatient(*row) for row in bulk.ask(_STORED_PATIENTS.format(keys=keys))}
    zones: dict[int, str] = dict(bulk.ask(_NEW_ZONE))
    named = {row.zone for row in batch.patients.values() if row.zone}
    unknown = unknown_zones(bulk, named | set(zones.values()) | {row.time_zone for row in stored.values()})
    added, changed, states = [], [], []
    stuck = 0
    for key, row in batch.patients.items():
        before = stored.get(key)
        if before is None:
            if row.first_name and row.last_name:
                new = _new_patient(row, recording, zones)
                if new[_ZONE] in unknown:
                    recording.rejected.append(_in_no_zone(row, new[_ZONE]))
                else:
                    added.append(new)
            continue
        after = _changed_patient(before, row, recording)
        if after[_ZONE] in unknown:
            recording.rejected.append(_in_no_zone(row, after[_ZONE]))
            continue
        stuck += row.status is not None and row.status.value != after[11]
        if after != _as_stored(before):
            changed.append((before.id, *after))
            if after[11] != before.status:
                states.append((before.id, after[11]))
    bulk.update("patients", _PATIENT, changed)
    ids = dict(bulk.insert("patients", _PATIENT, added, "emr_id"))
    states += [(ids[row[0]], row[11]) for row in added if row[11] != PatientStatus.ACTIVE]
    _remember_states(recording, states)
    recording.patients = {key: (row.id, row.time_zone) for key, row in stored.items() if row.time_zone not in unknown}
    recording.patients |= {row[1]: (row[0], row[1 + _ZONE]) for row in changed}
    recording.patients |= {row[0]: (ids[row[0]], row[_ZONE]) for row in added}
    recording.count("patients", Change.ADDED, len(added))
    recording.count("patients", Change.CHANGED, len(changed))
    recording.count("patients", Change.UNCHANGED, len(batch.patients.keys() & stored.keys()) - len(changed))
    _explain(recording, stuck, sum(row.has_strange_status for row in batch.patients.values()))


def _in_no_zone(row: PatientRow, zone: str) -> Rejected:
    reason = f"nobody knows the time zone {zone!r}: correct it in config/emr/zones.toml, the branch or the patient, and import again"
    return Rejected(row.at.file, row.at.line, "the patient's time zone", reason)


def _new_patient(row: PatientRow, recording: Recording, zones: dict[int, str]) -> tuple[Any, ...]:
    branch = recording.branches.get(row.branch or "") or min(recording.branches.values())
    status = row.status or (PatientStatus.ON_HOLD if row.has_strange_status else PatientStatus.ACTIVE)
    return (
        *(
            row.emr_id,
            row.mrn,
            row.first_name,
            row.last_name,
            row.born_on,
            row.language or "en",
            row.state,
            row.zip_code,
        ),
        *(row.zone or zones[branch], branch, recording.clinicians.get(row.case_manager or "")),
        *(status.value, recording.now, _died_on(status, row, recording)),
    )


def _changed_patient(stored: _StoredPatient, row: PatientRow, recording: Recording) -> tuple[Any, ...]:
    """The columns of `_PATIENT` as they shall be."""
    state, zip_code = row.state or stored.state, row.zip_code or stored.zip_code
    has_new_address = (state, zip_code) != (stored.state, stored.zip_code)
    status = status_after(PatientStatus(stored.status), row.status, is_imports=stored.is_imports_status)
    is_same = status.value == stored.status
    return (
        *(stored.emr_id, row.mrn or stored.mrn, row.first_name or stored.first_name, row.last_name or stored.last_name),
        *(row.born_on or stored.born_on, row.language or stored.language, state, zip_code),
        # A person may have corrected the zone: only another address changes it.
        (row.zone or stored.time_zone) if has_new_address else stored.time_zone,
        recording.branches.get(row.branch or "", stored.branch_id),
        recording.clinicians.get(row.case_manager or "", stored.case_manager_id),
        status.value,
        stored.status_since if is_same else recording.now,
        stored.died_on if is_same else _died_on(status, row, recording),
    )


def _as_stored(stored: _StoredPatient) -> tuple[Any, ...]:
    return tuple(getattr(stored, column) for column in _PATIENT)


def _died_on(status: PatientStatus, row: PatientRow, recording: Recording) -> date | None:
    if status is not PatientStatus.DECEASED:
        return None
    return row.died_on or recording.now.date()


def _remember_states(recording: Recording, states: list[tuple[int, str]]) -> None:
    """The audit knows that an import, not a person, put these patients into their state."""
    rows = [
        (recording.now, "import", "patient.status", "patient", patient_id, f'{{"status": "{status}"}}')
        for patient_id, status in states
    ]
    recording.bulk.insert("audit_events", ("at", "actor", "action", "subject", "subject_id", "detail"), rows)


def _explain(recording: Recording, stuck: int, strange: int) -> None:
    recording.note(
        stuck,
        "1 patient has another status here than in the file, set by a person: it was left.",
        "{n} patients have another status here than in the file, set by a person: they were left.",
    )
    recording.note(
        strange,
        "1 patient has a status that is not on the list: if new, on hold, so never texted ([patient_statuses] in config/emr).",
        "{n} patients have a status that is not on the list: if new, on hold, so never texted ([patient_statuses] in config/emr).",
    )


_NAMED_MANAGERS = """
WITH said AS (
    SELECT DISTINCT ON (c.id) c.id, k.first_name, k.last_name
    FROM {names} k
    JOIN patients p ON p.agency_id = %(agency)s AND p.emr_id = k.emr_id
    JOIN clinicians c ON c.agency_id = p.agency_id AND c.id = p.case_manager_id
    WHERE c.first_name = %(nobody)s AND c.last_name = c.emr_id
)
UPDATE clinicians c SET first_name = said.first_name, last_name = said.last_name
FROM said WHERE c.agency_id = %(agency)s AND c.id = said.id
"""
_FOUND_MANAGERS = """
WITH unique_names AS (
    SELECT lower(first_name) AS first_name, lower(last_name) AS last_name, min(id) AS id
    FROM clinicians WHERE agency_id = %(agency)s GROUP BY 1, 2 HAVING count(*) = 1
)
UPDATE patients p SET case_manager_id = u.id
FROM {names} k JOIN unique_names u ON u.first_name = lower(k.first_name) AND u.last_name = lower(k.last_name)
WHERE p.agency_id = %(agency)s AND p.emr_id = k.emr_id AND p.case_manager_id IS NULL
"""


def record_case_managers(recording: Recording) -> None:
    """Names that come without a key (Axxess' PatientInfo) go to the case manager whose key came without a name; a patient
    without case manager gets the one clinician who has that name.
    """
    named = [
        (row.emr_id, row.case_manager_first_name, row.case_manager_last_name)
        for row in recording.batch.patients.values()
        if row.case_manager_first_name and row.case_manager_last_name
    ]
    if named:
        names = recording.bulk.stage("patients", ("emr_id", "first_name", "last_name"), named)
        recording.bulk.run(_NAMED_MANAGERS.format(names=names), nobody=NO_NAME)
        recording.bulk.run(_FOUND_MANAGERS.format(names=names))
