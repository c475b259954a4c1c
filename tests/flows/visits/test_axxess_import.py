"""Axxess' extracts, as they are: odd spacing, rows that are no visits, two clinicians, shared phones, Social Security numbers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from engage.db import encryption
from engage.errors import BadInput
from tests.flows.visits import axxess_sample as sample
from tests.flows.visits.conftest import Importing


def test_one_visit_file_makes_an_agency(importing: Importing, same_everywhere: Callable[[], None]) -> None:
    report = importing(sample.awkward_visits())
    visits = {
        row[0]: row[1:] for row in importing.ask("SELECT emr_id, starts_on, starts_local, status, task FROM visits")
    }
    assert visits == {
        "V1": (date(2026, 11, 24), time(9), "scheduled", "Skilled Nurse Visit"),
        "V2": (date(2026, 11, 25), None, "scheduled", "Skilled Nurse Visit"),
        "V6": (date(2026, 11, 20), time(9), "completed", "Skilled Nurse Visit"),
        "V7": (date(2026, 11, 19), time(9), "missed", "Skilled Nurse Visit"),
        "V9": (date(2026, 11, 24), time(9), "scheduled", "PT Visit"),
        "V11": (date(2026, 11, 26), time(9), "scheduled", "Skilled Nurse Visit"),
        "V12": (date(2026, 11, 24), time(9), "scheduled", "Skilled Nurse Visit"),
    }
    assert (report.number("visits", "added"), report.left_out, report.lines_read) == (7, 2, 14)
    assert [(each.line, each.column) for each in report.rejected] == [
        (7, "VISIT_DATE"),
        (10, "VISIT_STATUS"),
        (12, "the whole line"),
        (14, "VISIT_ID"),
    ]
    assert [(each.line, each.column) for each in report.ignored] == [(15, "ZIP_CODE"), (15, "DATE_OF_BIRTH")]
    assert any("another scheduled day" in note for note in report.notes)
    same_everywhere()


def test_who_comes_and_for_whom(importing: Importing) -> None:
    importing(sample.awkward_visits())
    comes = importing.ask(
        "SELECT c.first_name, c.role, c.discipline FROM visits v JOIN visit_clinicians k ON k.visit_id = v.id"
        " JOIN clinicians c ON c.id = k.clinician_id WHERE v.emr_id = 'V1' ORDER BY 1"
    )
    assert comes == [("Ana", "nurse", "SN"), ("Ben", "aide", "HHA")]
    patients = importing.ask(
        "SELECT p.emr_id, p.first_name, p.time_zone, m.emr_id, y.name FROM patients p"
        " JOIN clinicians m ON m.id = p.case_manager_id JOIN episodes e ON e.patient_id = p.id"
        " JOIN payers y ON y.id = e.payer_id WHERE p.emr_id IN ('P1', 'P2') ORDER BY 1"
    )
    assert patients == [
        ("P1", "Rose", "America/New_York", "N1", "Palmetto GBA"),
        ("P2", "Marta", "America/Chicago", "N9", "Sun Plan"),  # Pensacola keeps Central time
    ]


def test_a_completed_visit_ends_where_the_patient_lives(importing: Importing) -> None:
    importing(sample.awkward_visits())
    assert importing.ask("SELECT completed_at FROM visits WHERE emr_id = 'V6'") == [
        (datetime(2026, 11, 20, 19, 30, tzinfo=UTC),)
    ]


def test_the_only_branch_gets_its_key_and_keeps_its_people(importing: Importing) -> None:
    importing(sample.awkward_visits())
    (branch,) = importing.ask("SELECT id, emr_id, name FROM branches")
    assert branch == (importing.agency.branch, "B1", "Sunrise North")
    assert importing.ask("SELECT DISTINCT branch_id FROM shifts") == [(branch[0],)]


def test_a_second_branch_is_added_and_said(importing: Importing) -> None:
    report = importing(
        [sample.visit("V1"), sample.visit("V2", BRANCH_ID="B2", BRANCH="South", PATIENT_ID="P2", EPISODE_ID="")]
    )
    assert importing.ask("SELECT emr_id FROM branches ORDER BY 1") == [("B1",), ("B2",), ("main",)]
    assert any("branches are new" in note for note in report.notes)


def test_no_consent_no_text_and_the_report_says_how_many(importing: Importing) -> None:
    report = importing(sample.awkward_patients(), "PatientInfo.txt")
    found = importing.ask(
        "SELECT p.emr_id, c.relationship, c.phone, c.phone_hash FROM contacts c JOIN patients p ON p.id = c.patient_id"
        " WHERE p.emr_id LIKE 'P%' ORDER BY 1, 2"
    )
    opened = [(who, whose, encryption.ring().open(bytes(sealed), "contacts.phone")) for who, whose, sealed, _ in found]
    assert opened == [
        ("P1", "emergency", "+12125550112"),  # Marta's phone: her own consent would not make it Rose's
        ("P1", "patient", "+12125550111"),
        ("P2", "patient", "+12125550112"),
        ("P3", "emergency", "+12125550113"),  # one number for both: nobody knows who reads it
    ]
    assert all(
        bytes(hashed) == encryption.phone_hash(phone) for (*_, hashed), (*_, phone) in zip(found, opened, strict=True)
    )
    assert report.contacts_without_consent == 4
    assert report.patients_without_phone == 1
    assert any("4 contacts have no recorded consent and will not be texted" in line for line in report.lines())
    assert [(each.line, each.column) for each in report.ignored] == [(4, "PHONE")]
    notes = " ".join(report.notes)
    assert "another patient's phone (PatientInfo.txt line 1)" in notes
    assert "the patient's and as the emergency contact's (PatientInfo.txt line 3)" in notes


def test_what_nobody_needs_is_nowhere(importing: Importing) -> None:
    report = importing(sample.awkward_patients(), "PatientInfo.txt")
    everything = (
        str(importing.snapshot()) + str(importing.ask("SELECT counts FROM import_runs")) + str(report.as_dict())
    )
    for secret in ("078-05-1120", "078051120", "Declined", "Dog in the yard", "5550111"):
        assert secret not in everything


def test_reports_name_places_and_no_people(importing: Importing) -> None:
    for lines, name in ((sample.awkward_visits(), "PatientVisits.txt"), (sample.awkward_patients(), "PatientInfo.txt")):
        report = importing(lines, name)
        said = " ".join(report.lines()) + str(report.as_dict())
        for private in ("Rose", "ROSE", "Miller", "Marta", "Ruiz", "555", "M-1", "1941"):
            assert private not in said


def test_a_folder_is_one_import(importing: Importing, tmp_path: Path) -> None:
    folder = tmp_path / "extracts"
    folder.mkdir()
    sample.write(folder / "2026-11-22_PatientVisits.txt", sample.awkward_visits())
    sample.write(folder / "2026-11-22_PatientInfo.txt", sample.awkward_patients())
    sample.write(
        folder / "BillingPeriods.psv",
        [sample.period(), sample.period(Episode_Id="E404"), sample.period(Is_Patient_Deleted="Y")],
    )
    sample.write(folder / "PaymentSources.txt", [sample.payer("PAY1", "Palmetto")])
    sample.write(folder / "Referrals.txt", [sample.referral()])
    sample.write(folder / "FeeSchedule.txt", ["a|b|c|d|e|f|g|h|i"])
    report = importing.path(folder)
    assert importing.ask("SELECT name, payer_class FROM payers WHERE emr_id = 'PAY1'") == [("Palmetto", "MA")]
    assert importing.ask("SELECT starts_on, lupa_threshold, hipps, completed_visits FROM payment_periods") == [
        (date(2026, 11, 1), 4, "1FC11", 3)  # the dietitian's five do not count
    ]
    assert importing.ask(
        "SELECT r.name FROM episodes e JOIN referral_sources r ON r.id = e.referral_source_id WHERE e.emr_id = 'E1'"
    ) == [("Mercy Hospital",)]
    # PatientInfo knows the name of the case manager whose key PatientVisits gave.
    assert importing.ask("SELECT first_name, last_name FROM clinicians WHERE emr_id = 'N9'") == [("Dee", "Day")]
    assert any("FeeSchedule" in note for note in report.notes)
    assert ("BillingPeriods.psv", 2, "Episode_Id") in [(each.file, each.line, each.column) for each in report.rejected]
    assert set(report.kinds) == {"visits", "patients", "periods", "payers", "referrals"}
    assert importing.ask("SELECT kind FROM import_runs") == [("+".join(report.kinds),)]


def test_the_case_manager_is_named_by_a_later_file(importing: Importing) -> None:
    importing([sample.visit("V1", **sample.MARTA, CASE_MANAGER_ID="N9")])
    assert importing.ask("SELECT first_name, last_name FROM clinicians WHERE emr_id = 'N9'") == [("Clinician", "N9")]
    importing(sample.awkward_patients(), "PatientInfo.txt")
    assert importing.ask("SELECT first_name, last_name FROM clinicians WHERE emr_id = 'N9'") == [("Dee", "Day")]


def test_visit_info_needs_patients_that_are_known(importing: Importing) -> None:
    importing([sample.visit("V1")])
    lines = [sample.visit_info("V20", "P1", "11/25/2026"), sample.visit_info("V21", "P404", "11/25/2026")]
    report = importing(lines, "anything.txt")
    assert [(each.line, "not known" in each.reason) for each in report.rejected] == [(2, True)]
    assert importing.ask("SELECT discipline, starts_local FROM visits WHERE emr_id = 'V20'") == [("PT", None)]
    # VisitInfo has no times and no clinicians: those of PatientVisits stay.
    report = importing([sample.visit_info("V1", "P1", "11/24/2026", task="Skilled Nurse Visit")], "VisitInfo.txt")
    assert report.number("visits", "unchanged") == 1
    assert importing.ask(
        "SELECT starts_local, count(k.*) FROM visits v JOIN visit_clinicians k ON k.visit_id = v.id WHERE v.emr_id = 'V1' GROUP BY 1"
    ) == [(time(9), 1)]


@pytest.mark.parametrize(
    ("lines", "name", "says"),
    [
        (["a|b|c|d"], "x.txt", "has 4 columns, and no extract"),
        (["a|b|c|d"], "PatientVisits.txt", "has 4 columns; the extract PatientVisits has 57"),
        ([sample.payer("P", "Plan")] * 2, "x.txt", None),  # eight columns without a date: PaymentSources
        (
            ["V1|P1|E1|SN Visit|NoteNotStarted|||"],
            "x.txt",
            "more than one extract",
        ),  # eight columns, nothing to tell by
        (
            [sample.visit_info("V1", "Q", "")],
            "x.txt",
            "VISIT_DATE: the day of the visit is missing",
        ),  # told by the episode's dates
        (["a" + "|x" * 19] * 3, "Transactions.txt", "Engage uses nothing of it"),
        (["visit_id,patient_id,date", "V1,P1,11/24/2026"], "x.csv", "--profile csv"),
    ],
)
def test_the_extract_is_told_or_the_question_is_clear(
    importing: Importing, lines: list[str], name: str, says: str | None
) -> None:
    if says is None:
        assert importing(lines, name).kinds == ("payers",)
        return
    with pytest.raises(BadInput, match=says.replace("(", r"\(")):
        importing(lines, name)


def test_a_header_moves_columns(importing: Importing) -> None:
    order = [*reversed(sample.PATIENT_VISITS.columns), "NEW_COLUMN"]
    cells = dict(zip(sample.PATIENT_VISITS.columns, sample.visit("V1").split("|"), strict=True)) | {"NEW_COLUMN": "x"}
    importing(["|".join(order), "|".join(cells[name] for name in order)], "export.txt")
    assert importing.ask("SELECT emr_id, starts_on FROM visits") == [("V1", date(2026, 11, 24))]


def test_an_agency_may_have_lists_of_its_own(importing: Importing, tmp_path: Path) -> None:
    config = tmp_path / "config" / "emr"
    (config / "sunrise").mkdir(parents=True)
    for name in ("axxess.toml", "zones.toml"):
        (config / name).write_text(
            (importing.agency.config / "emr" / name).read_text(encoding="utf-8"), encoding="utf-8"
        )
    own = '[visits]\nnames = ["HHA  sup visit"]\n[not_visits]\nnames = ["Skilled Nurse Visit"]\n[statuses]\nscheduled = ["Quantum"]\n'
    (config / "sunrise" / "axxess.toml").write_text(own, encoding="utf-8")
    lines = [
        sample.visit("V1"),
        sample.visit("V2", VISIT_NAME="HHA Sup Visit"),
        sample.visit("V3", VISIT_NAME="PT Visit", VISIT_STATUS="Quantum"),
    ]
    report = importing(lines, config_dir=config.parent)
    assert importing.ask("SELECT emr_id FROM visits ORDER BY 1") == [("V2",), ("V3",)]
    assert report.left_out == 1


def test_a_visit_that_becomes_none_is_cancelled(importing: Importing) -> None:
    importing([sample.visit("V1"), sample.visit("V2", VISIT_DATE="11/20/2026")])
    report = importing(
        [sample.visit("V1", VISIT_NAME="Communication note"), sample.visit("V2", VISIT_TYPE="ReportsAndNotes")]
    )
    assert importing.ask("SELECT emr_id, status FROM visits ORDER BY 1") == [("V1", "cancelled"), ("V2", "scheduled")]
    assert report.number("visits", "cancelled") == 1


def test_windows_files_are_read_and_said(importing: Importing) -> None:
    report = importing(sample.visit("V1", PATIENT_LAST_NAME="Núñez").encode("cp1252"))
    assert importing.ask("SELECT last_name FROM patients WHERE emr_id = 'P1'") == [("Núñez",)]
    assert any("Windows-1252" in note for note in report.notes)
