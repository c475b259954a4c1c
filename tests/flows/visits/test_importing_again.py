"""The same agency, an hour later: unchanged, moved, done, gone; and what a person or the patient said in between."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from tests.cast import NOON
from tests.flows.visits import axxess_sample as sample
from tests.flows.visits.conftest import Importing

LATER = NOON + timedelta(hours=1)


def test_the_same_file_again_changes_nothing(importing: Importing) -> None:
    importing(sample.awkward_visits())
    importing(sample.awkward_patients(), "PatientInfo.txt")
    before = importing.snapshot()
    for lines, name in ((sample.awkward_visits(), "PatientVisits.txt"), (sample.awkward_patients(), "PatientInfo.txt")):
        report = importing(lines, name, now=LATER, is_complete=True)
        assert {change.value for changes in report.counts.values() for change in changes} == {"unchanged"}
    assert importing.snapshot() == before


@pytest.mark.parametrize("is_complete", [False, True])
def test_a_dry_run_says_what_the_real_one_does_and_writes_nothing(importing: Importing, is_complete: bool) -> None:
    importing(sample.awkward_visits())
    lines = [
        sample.visit("V1", VISIT_TIME_IN="1:15 PM"),
        sample.visit("V2", VISIT_STATUS="Completed"),
        sample.visit("V30", VISIT_DATE="11/27/2026"),
        sample.visit("V31", VISIT_DATE="rubbish"),
    ]
    before = importing.snapshot()
    dry = importing(lines, now=LATER, is_complete=is_complete, dry_run=True)
    assert importing.snapshot() == before
    assert importing.ask("SELECT count(*) FROM import_runs") == [(1,)]
    real = importing(lines, now=LATER, is_complete=is_complete)
    assert {**dry.as_dict(), "dry_run": False} == real.as_dict()
    cancelled = 3 if is_complete else 0  # V9 and V12 on the 24th, V11 on the 26th
    expected = {"added": 1, "moved": 1, "completed": 1, "cancelled": cancelled}
    assert {change: real.number("visits", change) for change in expected} == expected
    assert {(shift.visit, shift.before, shift.after) for shift in dry.shifts if shift.change == "moved"} == {
        ("V1", "2026-11-24 09:00", "2026-11-24 13:15")
    }


def test_a_moved_visit_forgets_what_the_patient_agreed_to(importing: Importing) -> None:
    importing([sample.visit("V1"), sample.visit("V2")])
    importing.tell("UPDATE visits SET answer = 'confirmed', answered_at = :now", now=NOON)
    importing([sample.visit("V1", VISIT_TIME_IN="11:00"), sample.visit("V2", VISIT_TIME_OUT="11:30")], now=LATER)
    found = importing.ask("SELECT emr_id, answer, answered_at, changed_at FROM visits ORDER BY 1")
    assert found == [("V1", None, None, LATER), ("V2", "confirmed", NOON, LATER)]


def test_clinicians_are_replaced(importing: Importing) -> None:
    importing([sample.visit("V1"), sample.visit("V1", CLINICIAN_ID="N2", CLINICIAN_NAME="Roe, Bo LPN")])
    importing([sample.visit("V1", CLINICIAN_ID="N2", CLINICIAN_NAME="Roe, Bo LPN")])
    query = "SELECT c.emr_id FROM visit_clinicians k JOIN clinicians c ON c.id = k.clinician_id"
    assert importing.ask(query) == [("N2",)]


def test_only_a_complete_file_cancels_and_only_its_own_days(importing: Importing) -> None:
    days = {"V1": "11/21/2026", "V2": "11/22/2026", "V3": "11/24/2026", "V4": "11/25/2026", "V5": "12/24/2026"}
    importing([sample.visit(key, VISIT_DATE=day) for key, day in days.items()])
    some = [sample.visit("V0", VISIT_DATE="11/20/2026"), sample.visit("V9", VISIT_DATE="11/25/2026")]
    assert importing(some).number("visits", "cancelled") == 0
    assert importing(some, is_complete=True).number("visits", "cancelled") == 3
    status = dict(importing.ask("SELECT emr_id, status FROM visits"))
    # V1 was yesterday, V5 lies beyond the last day that the file covers.
    assert {key for key, word in status.items() if word == "cancelled"} == {"V2", "V3", "V4"}
    importing([sample.visit("V3", VISIT_DATE="11/24/2026")])
    assert importing.ask("SELECT status FROM visits WHERE emr_id = 'V3'") == [("scheduled",)]


def test_a_rejected_line_has_not_vanished(importing: Importing) -> None:
    importing([sample.visit("V1"), sample.visit("V2"), sample.visit("V3")])
    report = importing([sample.visit("V1"), sample.visit("V2", VISIT_DATE="11/31/2026")], is_complete=True)
    assert importing.ask("SELECT emr_id, status FROM visits WHERE emr_id < 'V9' ORDER BY 1") == [
        ("V1", "scheduled"),
        ("V2", "scheduled"),
        ("V3", "cancelled"),
    ]
    assert len(report.rejected) == 1


def test_a_torn_file_cancels_nothing(importing: Importing) -> None:
    importing([sample.visit("V1"), sample.visit("V2")])
    report = importing([sample.visit("V1"), sample.visit("V2")[:40]], is_complete=True)
    assert importing.ask("SELECT DISTINCT status FROM visits") == [("scheduled",)]
    assert any("no visit was cancelled" in note for note in report.notes)


def test_another_branch_is_not_cancelled_by_a_file_that_does_not_name_it(importing: Importing) -> None:
    south = {**sample.MARTA, "BRANCH_ID": "B2", "BRANCH": "South"}
    importing([sample.visit("V1"), sample.visit("V2", **south)])
    importing([sample.visit("V3")], is_complete=True)
    assert dict(importing.ask("SELECT emr_id, status FROM visits")) == {
        "V1": "cancelled",
        "V2": "scheduled",
        "V3": "scheduled",
    }


def test_completed_and_missed_and_back(importing: Importing) -> None:
    importing([sample.visit("V1", VISIT_DATE="11/20/2026"), sample.visit("V2", VISIT_DATE="11/20/2026")])
    done = [
        sample.visit("V1", VISIT_DATE="11/20/2026", VISIT_STATUS="Submitted with Signature"),
        sample.visit("V2", VISIT_DATE="11/20/2026", VISIT_STATUS="Completed", IS_MISSED_VISIT="True"),
    ]
    report = importing(done)
    assert (report.number("visits", "completed"), report.number("visits", "missed")) == (1, 1)
    assert importing(done, now=LATER).number("visits", "unchanged") == 2
    importing([sample.visit("V1", VISIT_DATE="11/20/2026")])
    assert importing.ask("SELECT status, completed_at FROM visits WHERE emr_id = 'V1'") == [("scheduled", None)]


def test_a_person_is_stronger_than_the_file(importing: Importing) -> None:
    importing([sample.visit("V1"), sample.visit("V2", **sample.MARTA)])
    importing.tell("UPDATE patients SET status = 'hospitalized', status_since = :at WHERE emr_id = 'P1'", at=NOON)
    importing.tell(
        "UPDATE patients SET status = 'deceased', died_on = :day, status_since = :at WHERE emr_id = 'P2'",
        day=date(2026, 11, 22),
        at=NOON,
    )
    report = importing([sample.visit("V1"), sample.visit("V2", **sample.MARTA)], now=LATER)
    assert dict(importing.ask("SELECT emr_id, status FROM patients WHERE emr_id LIKE 'P%'")) == {
        "P1": "hospitalized",
        "P2": "deceased",
    }
    assert any("2 patients have another status here" in note for note in report.notes)


def test_what_the_file_did_the_file_can_undo(importing: Importing) -> None:
    importing([sample.visit("V1", PATIENT_STATUS="Hospitalized")])
    query = "SELECT status, status_since FROM patients WHERE emr_id = 'P1'"
    assert importing.ask(query) == [("hospitalized", NOON)]
    importing([sample.visit("V1", PATIENT_STATUS="Discharged")], now=LATER)
    assert importing.ask(query) == [("discharged", LATER)]
    importing([sample.visit("V1", PATIENT_STATUS="Active")], now=LATER + timedelta(days=9))
    assert importing.ask(query) == [("active", LATER + timedelta(days=9))]
    importing([sample.visit("V1", PATIENT_STATUS="Deceased", EPISODE_DISCHARGE_DATE="11/20/2026")], now=LATER)
    assert importing.ask("SELECT status, died_on FROM patients WHERE emr_id = 'P1'") == [
        ("deceased", date(2026, 11, 20))
    ]
    importing([sample.visit("V1", PATIENT_STATUS="Active")], now=LATER)
    assert importing.ask(query)[0][0] == "deceased"


def test_a_status_nobody_knows_holds_a_new_patient_back(importing: Importing) -> None:
    report = importing([sample.visit("V1", PATIENT_STATUS="Purple")])
    assert importing.ask("SELECT status FROM patients WHERE emr_id = 'P1'") == [("on_hold",)]
    assert any("not on the list" in note for note in report.notes)
    importing([sample.visit("V1", PATIENT_STATUS="Active")])
    assert importing.ask("SELECT status FROM patients WHERE emr_id = 'P1'") == [("active",)]


def test_a_corrected_zone_and_role_stay(importing: Importing) -> None:
    importing([sample.visit("V1")])
    importing.tell("UPDATE patients SET time_zone = 'America/Denver' WHERE emr_id = 'P1'")
    importing.tell("UPDATE clinicians SET role = 'supervisor' WHERE emr_id = 'N1'")
    importing([sample.visit("V1")])
    assert importing.ask("SELECT time_zone FROM patients WHERE emr_id = 'P1'") == [("America/Denver",)]
    assert importing.ask("SELECT role FROM clinicians WHERE emr_id = 'N1'") == [("supervisor",)]
    importing([sample.visit("V1", STATE="CA", ZIP_CODE="90001")])  # she has moved
    assert importing.ask("SELECT time_zone FROM patients WHERE emr_id = 'P1'") == [("America/Los_Angeles",)]


def test_a_new_phone_ends_the_old_one(importing: Importing) -> None:
    importing([sample.patient()], "PatientInfo.txt")
    report = importing([sample.patient(PHONE="212-555-0199")], "PatientInfo.txt", now=LATER)
    query = "SELECT ended_at FROM contacts c JOIN patients p ON p.id = c.patient_id WHERE p.emr_id = 'P1' ORDER BY c.id"
    assert importing.ask(query) == [(LATER,), (None,)]
    assert any("new phone" in note for note in report.notes)
    importing([sample.patient()], "PatientInfo.txt", now=LATER)  # the old one again: only a person revives it
    assert importing.ask(query) == [(LATER,), (None,)]


def test_an_import_waits_for_another_of_the_same_agency(importing: Importing) -> None:
    """Two at once would add the same visit twice; the second one sees what the first has added."""
    path = sample.write(importing.folder / "PatientVisits.txt", sample.awkward_visits())
    lock = "SELECT pg_advisory_xact_lock(hashtextextended('engage import', :agency))"
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    with ThreadPoolExecutor(1) as pool:
        with importing.db.agency_session(importing.agency.id) as first:
            first.execute(text(lock), {"agency": importing.agency.id})
            second = pool.submit(importing.path, path)
            while not first.execute(waiting).scalar_one():
                assert not second.done(), "it did not wait"
        assert second.result().number("visits", "added") == 7
