"""What one line says: the rows it makes, what of it is left out and why; never a word of what the cell held."""

from datetime import date, time

import pytest

from engage.agencies.rules.people import Role
from engage.patients.rules.words import Category, PatientStatus, Relationship
from engage.visits.rules.lines import READ
from engage.visits.rules.rows import (
    ClinicianRow,
    ConsentRow,
    ContactRow,
    EpisodeRow,
    LineRead,
    PatientRow,
    PayerRow,
    PeriodRow,
    VisitRow,
)
from engage.visits.rules.words import FileKind, VisitStatus
from tests.rules.visits.lists_for_tests import own_line

VISIT = {
    "visit_id": "V1",
    "patient_id": "P1",
    "date": "11/24/2026",
    "start": "9:00 AM",
    "end": "",
    "task": " SN  Visit ",
}
PATIENT = {"patient_id": "P1", "first_name": "Rose", "last_name": "Miller"}


def read(kind: FileKind, **values: str) -> LineRead:
    return READ[kind](own_line(**values))


def only(found: LineRead, kind: type) -> object:
    (row,) = [row for row in found.rows if type(row) is kind]
    return row


def test_a_visit_with_what_is_needed() -> None:
    found = only(read(FileKind.VISITS, **VISIT, clinician_id="N1; N2", status="Scheduled"), VisitRow)
    assert isinstance(found, VisitRow)
    assert (found.starts_on, found.starts_local, found.ends_local) == (date(2026, 11, 24), time(9), None)
    assert (found.task, found.discipline, found.status) == ("SN Visit", "SN", VisitStatus.SCHEDULED)
    assert found.clinicians == ("N1", "N2")


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({"date": ""}, "date"),
        ({"date": "02/30/2026"}, "date"),
        ({"date": "11/24/2206"}, "date"),  # a slip of the pen; it would stretch what a complete file covers
        ({"date": "11/24/1926"}, "date"),
        ({"visit_id": " "}, "visit_id"),
        ({"patient_id": "NULL"}, "patient_id"),
        ({"status": "Quantum"}, "status"),
    ],
)
def test_a_visit_is_rejected_with_its_column(cells: dict[str, str], column: str) -> None:
    found = read(FileKind.VISITS, **{**VISIT, **cells})
    assert found.rejected is not None
    assert (found.rejected.line, found.rejected.column, found.rejected.whole_row) == (7, column, True)
    assert not found.rows
    for text in cells.values():
        assert not text.strip() or text not in str(found.rejected)


def test_a_rejected_visit_is_still_seen() -> None:
    assert read(FileKind.VISITS, **{**VISIT, "date": "rubbish"}).visit_id == "V1"


@pytest.mark.parametrize("text", ["00:00", "12:00 AM", ""])
def test_midnight_is_no_time(text: str) -> None:
    row = only(read(FileKind.VISITS, **{**VISIT, "start": text}), VisitRow)
    assert isinstance(row, VisitRow)
    assert row.starts_local is None


def test_an_odd_time_costs_only_the_time() -> None:
    found = read(FileKind.VISITS, **{**VISIT, "start": "after lunch"})
    assert [each.column for each in found.ignored] == ["start"]
    assert isinstance(row := only(found, VisitRow), VisitRow)
    assert row.starts_local is None


def test_one_line_can_hold_everything() -> None:
    found = read(
        FileKind.VISITS,
        **VISIT,
        **{name: text for name, text in PATIENT.items() if name != "patient_id"},
        state="ny",
        zip="12207",
        phone="(202) 555-0143",
        emergency_phone="202 555 0144",
        episode_id="E1",
        episode_starts_on="2026-11-01",
        episode_ends_on="2026-10-01",  # before it begins: left out
        payer_id="PAY",
        payer_name="Plan",
        clinician_id="N1",
        clinician_name="Lopez, Ana RN",
    )
    assert isinstance(patient := only(found, PatientRow), PatientRow)
    assert (patient.first_name, patient.state, patient.zone) == ("Rose", "NY", "America/New_York")
    contacts = [row for row in found.rows if isinstance(row, ContactRow)]
    assert [(row.phone, row.relationship) for row in contacts] == [
        ("+12025550143", Relationship.PATIENT),
        ("+12025550144", Relationship.EMERGENCY),
    ]
    assert isinstance(episode := only(found, EpisodeRow), EpisodeRow)
    assert (episode.starts_on, episode.ends_on, episode.payer) == (date(2026, 11, 1), None, "PAY")
    assert isinstance(only(found, PayerRow), PayerRow)
    assert isinstance(nurse := only(found, ClinicianRow), ClinicianRow)
    assert (nurse.first_name, nurse.last_name, nurse.discipline, nurse.role) == ("Ana", "Lopez", "SN", Role.NURSE)
    assert [each.column for each in found.ignored] == ["episode_ends_on"]


def test_a_bad_phone_costs_the_phone_and_is_not_repeated() -> None:
    found = read(FileKind.PATIENTS, **PATIENT, phone="555-019")
    assert not [row for row in found.rows if isinstance(row, ContactRow)]
    assert [each.column for each in found.ignored] == ["phone"]
    assert "555" not in str(found.ignored[0])


def test_one_number_for_patient_and_emergency_is_doubtful() -> None:
    doubtful = only(
        read(FileKind.PATIENTS, **PATIENT, phone="2025550143", emergency_phone="(202) 555-0143"), ContactRow
    )
    said = {"phone": "2025550143", "emergency_phone": "2025550143", "phone_owner": "patient"}
    certain = only(read(FileKind.PATIENTS, **PATIENT, **said), ContactRow)
    assert isinstance(doubtful, ContactRow)
    assert isinstance(certain, ContactRow)
    assert (doubtful.is_also_emergency, certain.is_also_emergency) == (True, False)


@pytest.mark.parametrize(
    ("cells", "granted", "ignored"),
    [
        ({"consent_visits": "yes", "consent_on": "11/01/2026", "consent_source": "paper"}, [True], []),
        ({"consent_visits": "yes", "consent_on": "11/01/2026"}, [True], []),
        ({"consent_visits": "no"}, [False], []),
        ({"consent_visits": "yes"}, [], ["consent_visits"]),  # no day, no proof
        ({"consent_visits": "yes", "consent_on": "11/24/2026"}, [], ["consent_on"]),  # tomorrow
        (
            {"consent_visits": "yes", "consent_on": "11/01/2026", "consent_source": "rumour"},
            [],
            ["consent_source", "consent_visits"],
        ),
        ({"consent_visits": "perhaps", "consent_on": "11/01/2026"}, [], ["consent_visits"]),
        ({"consent_visits": "", "consent_on": "11/01/2026"}, [], []),
    ],
)
def test_a_consent_needs_its_proof(cells: dict[str, str], granted: list[bool], ignored: list[str]) -> None:
    found = read(FileKind.PATIENTS, **PATIENT, phone="2025550143", **cells)
    consents = [row for row in found.rows if isinstance(row, ConsentRow)]
    assert [row.is_granted for row in consents] == granted
    assert all(row.category is Category.VISITS for row in consents)
    assert [each.column for each in found.ignored] == ignored


@pytest.mark.parametrize(
    ("cells", "status", "is_strange"),
    [
        ({"patient_status": "Active"}, PatientStatus.ACTIVE, False),
        ({"patient_status": "ON HOLD"}, PatientStatus.ON_HOLD, False),
        ({"patient_status": "deceased"}, PatientStatus.DECEASED, False),
        (
            {"patient_status": "active", "died_on": "11/20/2026"},
            PatientStatus.DECEASED,
            False,
        ),  # a day of death is word enough
        ({"patient_status": "purple"}, None, True),
        ({}, None, False),
    ],
)
def test_the_state_of_a_patient(cells: dict[str, str], status: PatientStatus | None, is_strange: bool) -> None:
    row = only(read(FileKind.PATIENTS, **PATIENT, **cells), PatientRow)
    assert isinstance(row, PatientRow)
    assert (row.status, row.has_strange_status) == (status, is_strange)


def test_a_period_counts_its_visits_and_knows_when_nothing_is_known() -> None:
    base = {"episode_id": "E1", "starts_on": "11/01/2026", "ends_on": "11/30/2026"}
    known = only(read(FileKind.PERIODS, **base, lupa_threshold="4", completed_sn="2", completed_pt="1"), PeriodRow)
    unknown = only(read(FileKind.PERIODS, **base, lupa_threshold="0"), PeriodRow)
    assert isinstance(known, PeriodRow)
    assert isinstance(unknown, PeriodRow)
    assert (known.lupa_threshold, known.completed_visits) == (4, 3)
    assert (unknown.lupa_threshold, unknown.completed_visits) == (None, None)
    backwards = read(FileKind.PERIODS, **{**base, "ends_on": "10/30/2026"})
    assert backwards.rejected is not None
    assert backwards.rejected.column == "ends_on"
