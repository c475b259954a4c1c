"""Files shaped like Axxess' extracts, with everybody in them invented: lines by column name, and whole agencies by size.

The phones are fictional (555-01xx in many area codes). The bench uses the same writer as the tests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path

from engage.visits.rules.layouts import (
    BILLING_PERIODS,
    PATIENT_INFO,
    PATIENT_VISITS,
    PAYMENT_SOURCES,
    REFERRALS,
    VISIT_INFO,
    Extract,
)

MONDAY = date(2026, 11, 23)

_VISIT = {
    "BRANCH_ID": "B1",
    "BRANCH": "Sunrise  North",
    "EPISODE_ID": "E1",
    "PATIENT_ID": "P1",
    "PAYOR_TYPE": "Medicare",
    "PAYOR_CLASS": "Medicare Traditional",
    "CURRENT_PRIMARY_INSURANCE": "Palmetto GBA",
    "START_OF_CARE_DATE": "11/01/2026",
    "EPISODE_START_DATE": "11/01/2026",
    "EPISODE_END_DATE": "12/30/2026",
    "MRN": "M-1",
    "PATIENT_FIRST_NAME": "ROSE",
    "PATIENT_LAST_NAME": "MILLER",
    "PATIENT_STATUS": "Active",
    "DATE_OF_BIRTH": "03/04/1941",
    "CITY": "Albany",
    "COUNTY": "Albany",
    "STATE": "NY",
    "ZIP_CODE": "12207",
    "VISIT_NAME": "Skilled Nurse Visit",
    "VISIT_TYPE": "Nursing",
    "VISIT_STATUS": "NoteNotStarted",
    "VISIT_DATE": "11/24/2026",
    "VISIT_TIME_IN": "09:00 AM",
    "VISIT_TIME_OUT": "10:00 AM",
    "CLINICIAN_NAME": "Lopez, Ana RN",
    "CLINICIAN_ID": "N1",
    "CASE_MANAGER_ID": "N1",
    "IS_MISSED_VISIT": "False",
    "IS_COMPLETED_VISIT": "False",
    "PAYER_ID": "PAY1",
}
_PATIENT = {
    "PATIENT_ID": "P1",
    "MEDICAL_RECORD_NUMBER": "M-1",
    "LAST_NAME": "Miller",
    "FIRST_NAME": "Rose",
    "SSN": "078-05-1120",  # the number printed on sample cards; never valid
    "DATE_OF_BIRTH": "1941-03-04",
    "GENDER": "Female",
    "ADDRESS": "1 Sample St",
    "CITY": "Albany",
    "STATE": "NY",
    "ZIP_CODE": "12207",
    "PHONE": "(212) 555-0111",
    "EMERGENCY_CONTACT_PHONE": "",
    "CASE_MANAGER_FIRST_NAME": "Ana",
    "CASE_MANAGER_LAST_NAME": "Lopez",
    "RACE": "Declined",
    "COMMENTS": "Dog in the yard",
}


def line(extract: Extract, cells: dict[str, str]) -> str:
    """One line of `extract`; columns that `cells` does not name are empty."""
    assert set(cells) <= set(extract.columns), set(cells) - set(extract.columns)
    return "|".join(cells.get(column, "") for column in extract.columns)


def header(extract: Extract) -> str:
    """The line of column names, which real extracts do not promise."""
    return "|".join(extract.columns)


def visit(visit_id: str, **cells: str) -> str:
    """A line of PatientVisits: a visit of Rose's on Tuesday at nine, but for `cells`."""
    return line(PATIENT_VISITS, {**_VISIT, "VISIT_ID": visit_id, **cells})


def visit_info(visit_id: str, patient: str, on: str, status: str = "NoteNotStarted", task: str = "PT Visit") -> str:
    """A line of VisitInfo."""
    cells = {"VISIT_ID": visit_id, "PATIENT_ID": patient, "EPISODE_ID": "E1", "DISCIPLINE_TASK": task}
    dates = {"VISIT_DATE": on, "START_DATE": "11/01/2026", "END_DATE": "12/30/2026"}
    return line(VISIT_INFO, {**cells, "VISIT_STATUS": status, **dates})


def patient(**cells: str) -> str:
    """A line of PatientInfo: Rose, but for `cells`."""
    return line(PATIENT_INFO, {**_PATIENT, **cells})


def period(**cells: str) -> str:
    """A line of BillingPeriods: the first thirty days of Rose's episode."""
    usual = {"Episode_Id": "E1", "Start_Date": "11/01/2026", "End_Date": "11/30/2026", "Lupa_Threshold": "4"}
    counts = {"Completed_Sn_Visit_Count": "2", "Completed_Pt_Visit_Count": "1", "Completed_Dietician_Visit_Count": "5"}
    return line(BILLING_PERIODS, {**usual, **counts, "Hipps_Code": "1FC11", "Is_Patient_Deleted": "False", **cells})


def payer(payer_id: str, name: str) -> str:
    """A line of PaymentSources."""
    return line(
        PAYMENT_SOURCES, {"Insurance_Id": "I1", "Payor_Id": payer_id, "Payor_Name": name, "Payor_Type_Name": "MA"}
    )


def referral(**cells: str) -> str:
    """A line of Referrals: Rose, sent by a hospital before her episode."""
    usual = {
        "Referral_Id": "R1",
        "Referral_First_Name": "rose",
        "Referral_Last_Name": "Miller",
        "Referral_Dob": "3/4/1941",
    }
    return line(REFERRALS, {**usual, "Admission_Source": "Mercy  Hospital", "Referral_Date": "10/30/2026", **cells})


def write(path: Path, lines: Iterable[str], *, end: str = "\r\n") -> Path:
    """The lines as a file."""
    path.write_text(end.join(lines) + end, encoding="utf-8", newline="")
    return path


def awkward_visits() -> list[str]:
    """A PatientVisits file with what real ones hold: a header, odd spacing, rows that are no visits, two clinicians, a missing
    time, bad dates and unknown words. Line 1 is the header; the comments name the others.
    """
    return [
        header(PATIENT_VISITS),
        visit(
            "V1", PATIENT_FIRST_NAME="  ROSE ", VISIT_STATUS=" notenotstarted ", VISIT_NAME="Skilled   Nurse Visit"
        ),  # 2
        visit("V1", CLINICIAN_ID="A1", CLINICIAN_NAME="BEN COLE HHA"),  # 3: the second clinician
        visit("V2", VISIT_TIME_IN="", VISIT_TIME_OUT="", VISIT_DATE="2026-11-25"),  # 4: no time
        visit("V3", VISIT_NAME="Physican Order", VISIT_DATE="rubbish"),  # 5: no visit, whatever its day
        visit("V4", VISIT_TYPE="ReportsAndNotes"),  # 6: no visit
        visit("V5", VISIT_DATE="02/30/2026"),  # 7: no such day
        visit("V6", VISIT_STATUS="Completed ( Export Ready)", VISIT_DATE="11/20/2026", VISIT_TIME_OUT="2:30 PM"),  # 8
        visit("V7", VISIT_STATUS="Missed Visits ( pending QA Review)", VISIT_DATE="11/19/2026"),  # 9
        visit("V8", VISIT_STATUS="Quantum"),  # 10: a status that nobody knows
        visit(
            "V9", **MARTA, VISIT_NAME="PT Visit", CLINICIAN_NAME="Cole, Cy PT", CLINICIAN_ID="T1", CASE_MANAGER_ID="N9"
        ),  # 11
        "V10|B1|only three",  # 12: broken
        visit("V11", VISIT_DATE="11/26/2026", SCHEDULE_DATE="11/27/2026"),  # 13: two days; the visit's counts
        visit("", VISIT_DATE="11/26/2026"),  # 14: no key
        visit(
            "V12", PATIENT_STATUS="Active", ZIP_CODE="122", DATE_OF_BIRTH="13/13/1941"
        ),  # 15: a bad birthday and ZIP code: only these cells go
    ]


MARTA = {
    "PATIENT_ID": "P2",
    "MRN": "M-2",
    "EPISODE_ID": "E2",
    "PATIENT_FIRST_NAME": "Marta",
    "PATIENT_LAST_NAME": "Ruiz",
    "STATE": "Florida",
    "COUNTY": "Escambia",
    "ZIP_CODE": "32501",
    "PAYER_ID": "PAY2",
    "CURRENT_PRIMARY_INSURANCE": "Sun  Plan",
    "PAYOR_CLASS": "MA",
}


def awkward_patients() -> list[str]:
    """A PatientInfo file whose phones are a trap: shared, doubtful, impossible. No header; SSNs are filled."""
    second = {
        "PATIENT_ID": "P2",
        "FIRST_NAME": "Marta",
        "LAST_NAME": "Ruiz",
        "MEDICAL_RECORD_NUMBER": "M-2",
        "STATE": "FL",
        "ZIP_CODE": "32501",
    }
    third = {"PATIENT_ID": "P3", "FIRST_NAME": "Jo", "LAST_NAME": "Old", "MEDICAL_RECORD_NUMBER": "M-3"}
    fourth = {"PATIENT_ID": "P4", "FIRST_NAME": "Al", "LAST_NAME": "New", "MEDICAL_RECORD_NUMBER": "M-4"}
    return [
        patient(EMERGENCY_CONTACT_PHONE="212.555.0112"),  # 1: Marta's phone
        patient(**second, PHONE="2125550112", CASE_MANAGER_FIRST_NAME="Dee", CASE_MANAGER_LAST_NAME="Day"),  # 2
        patient(**third, PHONE="+1 212 555 0113", EMERGENCY_CONTACT_PHONE="(212)555-0113"),  # 3: one number for both
        patient(**fourth, PHONE="555-01", EMERGENCY_CONTACT_PHONE="n/a"),  # 4: six digits
    ]


def agency(patients: int, visits: int, *, first_on: date = MONDAY) -> tuple[Iterator[str], Iterator[str]]:
    """PatientVisits and PatientInfo of an agency of some size: each patient with two phones, visits over thirty days."""

    def visit_lines() -> Iterator[str]:
        for number in range(visits):
            who, nurse = number % patients, number % 200
            on = first_on + timedelta(days=number // patients % 30)
            yield visit(
                f"V{number}",
                PATIENT_ID=f"P{who}",
                EPISODE_ID=f"E{who}",
                MRN=f"M{who}",
                PATIENT_FIRST_NAME=f"First{who}",
                PATIENT_LAST_NAME=f"Last{who}",
                VISIT_DATE=on.strftime("%m/%d/%Y"),
                VISIT_TIME_IN=f"{8 + number % 9:02}:{number % 4 * 15:02}",
                VISIT_TIME_OUT=f"{9 + number % 9:02}:{number % 4 * 15:02}",
                CLINICIAN_ID=f"N{nurse}",
                CLINICIAN_NAME=f"Nurse{nurse}, Nora RN",
                CASE_MANAGER_ID=f"N{who % 200}",
                PAYER_ID=f"PAY{who % 12}",
            )

    def patient_lines() -> Iterator[str]:
        for who in range(patients):
            names = {"PATIENT_ID": f"P{who}", "FIRST_NAME": f"First{who}", "LAST_NAME": f"Last{who}"}
            yield patient(**names, PHONE=_phone(2 * who), EMERGENCY_CONTACT_PHONE=_phone(2 * who + 1))

    return visit_lines(), patient_lines()


def _phone(number: int) -> str:
    """A fictional number: 100 of them in each exchange's 555-01xx are too few, so area codes and exchanges vary."""
    area, rest = divmod(number, 700 * 100)
    return f"({210 + area}) {200 + rest // 100 % 700:03}-01{rest % 100:02}"
