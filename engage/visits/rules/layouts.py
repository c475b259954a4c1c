"""Which column of a file holds what: our own CSV, and Axxess' extracts by position. Data. Pure.

A field is our word for what a cell says (docs/guides/emr.md); a layout maps fields to the columns of one file. Columns
that no field names are dropped when a line is split: a Social Security number or a race never gets further than that.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from engage.visits.rules.cells import key
from engage.visits.rules.words import FileKind


def _columns(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_PATIENT = _columns(
    "mrn first_name last_name born_on language state zip county branch_id branch_name patient_status died_on"
    " case_manager_id case_manager_first_name case_manager_last_name"
    " phone phone_owner contact_name emergency_phone emergency_name"
    " consent_visits consent_checkins consent_surveys consent_source consent_on"
)
_EPISODE = _columns(
    "episode_starts_on episode_ends_on start_of_care_on discharged_on"
    " payer_id payer_name payer_class referral_source_id referral_source"
)

# Our own CSV: the fields that must be there, and those that may.
OWN_REQUIRED: Mapping[FileKind, tuple[str, ...]] = {
    FileKind.VISITS: ("visit_id", "patient_id", "date"),
    FileKind.PATIENTS: ("patient_id", "first_name", "last_name"),
    FileKind.CLINICIANS: ("clinician_id", "first_name", "last_name"),
    FileKind.PAYERS: ("payer_id", "payer_name"),
    FileKind.REFERRALS: ("referral_source_id", "referral_source"),
    FileKind.PERIODS: ("episode_id", "starts_on", "ends_on"),
}
OWN_OPTIONAL: Mapping[FileKind, tuple[str, ...]] = {
    FileKind.VISITS: (
        *_columns("start end task visit_type status discipline clinician_id clinician_name episode_id"),
        *_EPISODE,
        *_PATIENT,
    ),
    FileKind.PATIENTS: (
        "episode_id",
        *_EPISODE,
        *(name for name in _PATIENT if name not in {"first_name", "last_name"}),
    ),
    FileKind.CLINICIANS: ("discipline", "role", "phone", "branch_id", "branch_name", "left_on"),
    FileKind.PAYERS: ("payer_class",),
    FileKind.REFERRALS: ("referral_date", "first_name", "last_name", "born_on"),
    FileKind.PERIODS: ("patient_id", "lupa_threshold", "hipps", "completed_visits", *_EPISODE),
}


@dataclass(frozen=True, slots=True)
class Extract:
    """An extract of an EMR: its columns in order and, by field, those that Engage reads. No kind: Engage has no use for it."""

    name: str
    columns: tuple[str, ...]
    kind: FileKind | None = None
    fields: Mapping[str, str] | None = None


_AXXESS_PATIENT = {
    "patient_id": "PATIENT_ID",
    "mrn": "MRN",
    "first_name": "PATIENT_FIRST_NAME",
    "last_name": "PATIENT_LAST_NAME",
    "born_on": "DATE_OF_BIRTH",
    "state": "STATE",
    "zip": "ZIP_CODE",
}
PATIENT_VISITS = Extract(
    "PatientVisits",
    _columns(
        "VISIT_ID BRANCH_ID EPISODE_ID PATIENT_ID ACCOUNT BRANCH PAYOR_TYPE PAYOR_CLASS EPISODE_PRIMARY_INSURANCE"
        " CURRENT_PRIMARY_INSURANCE START_OF_CARE_DATE EPISODE_START_DATE EPISODE_END_DATE EPISODE_DISCHARGE_DATE MRN"
        " PATIENT_FIRST_NAME PATIENT_LAST_NAME PATIENT_STATUS ADMISSION_STATUS DATE_OF_BIRTH PATIENT_AGE CITY COUNTY STATE"
        " ZIP_CODE VISIT_NAME VISIT_TYPE VISIT_STATUS VISIT_DATE VISIT_TIME_IN VISIT_TIME_OUT SCHEDULE_DATE CLINICIAN_NAME"
        " IS_MISSED_VISIT ADDRESSLINE_1 ADDRESSLINE_2 IS_ORDER_FOR_NEXT_EPISODE IS_VISIT_AUTHORIZATION_REQUIRED"
        " IS_VISIT_AUTHORIZED ORDER_NUMBER ORDER_EPISODE_ID ORDER_CERTIFICATION_START_DATE ORDER_CERTIFICATION_END_DATE"
        " ORDER_MD_SIGNATURE_DATE ORDER_PHYSICIAN ORDER_RECEIVED_BY ORDER_RECEIVED_DATE ORDER_SENT_DATE ORDER_TYPE"
        " FACT_AR_ID ISBILLABLE IS_COMPLETED_VISIT CASE_MANAGER_ID CLINICIAN_ID INSURANCE_FEE_SCHEDULE_ID INSURANCE_ID"
        " PAYER_ID"
    ),
    FileKind.VISITS,
    {
        **_AXXESS_PATIENT,
        "visit_id": "VISIT_ID",
        "branch_id": "BRANCH_ID",
        "branch_name": "BRANCH",
        "episode_id": "EPISODE_ID",
        "payer_id": "PAYER_ID",
        "payer_name": "CURRENT_PRIMARY_INSURANCE",
        "payer_class": "PAYOR_CLASS",
        "start_of_care_on": "START_OF_CARE_DATE",
        "episode_starts_on": "EPISODE_START_DATE",
        "episode_ends_on": "EPISODE_END_DATE",
        "discharged_on": "EPISODE_DISCHARGE_DATE",
        "patient_status": "PATIENT_STATUS",
        "county": "COUNTY",
        "task": "VISIT_NAME",
        "visit_type": "VISIT_TYPE",
        "status": "VISIT_STATUS",
        "date": "VISIT_DATE",
        "scheduled_date": "SCHEDULE_DATE",
        "start": "VISIT_TIME_IN",
        "end": "VISIT_TIME_OUT",
        "clinician_id": "CLINICIAN_ID",
        "clinician_name": "CLINICIAN_NAME",
        "is_missed": "IS_MISSED_VISIT",
        "is_completed": "IS_COMPLETED_VISIT",
        "case_manager_id": "CASE_MANAGER_ID",
    },
)
VISIT_INFO = Extract(
    "VisitInfo",
    _columns("VISIT_ID PATIENT_ID EPISODE_ID DISCIPLINE_TASK VISIT_STATUS VISIT_DATE START_DATE END_DATE"),
    FileKind.VISITS,
    {
        "visit_id": "VISIT_ID",
        "patient_id": "PATIENT_ID",
        "episode_id": "EPISODE_ID",
        "task": "DISCIPLINE_TASK",
        "status": "VISIT_STATUS",
        "date": "VISIT_DATE",
        "episode_starts_on": "START_DATE",
        "episode_ends_on": "END_DATE",
    },
)
PATIENT_INFO = Extract(
    "PatientInfo",
    _columns(
        "PATIENT_ID MEDICAL_RECORD_NUMBER LAST_NAME FIRST_NAME MIDDLE_INITIAL SSN DATE_OF_BIRTH GENDER ADDRESS CITY STATE"
        " ZIP_CODE REFERRAL_DATE PHONE EMERGENCY_CONTACT_PHONE CASE_MANAGER_FIRST_NAME CASE_MANAGER_LAST_NAME RACE"
        " ENTHNICITY COMMENTS"  # the EMR's own spelling
    ),
    FileKind.PATIENTS,
    {
        **_AXXESS_PATIENT,
        "mrn": "MEDICAL_RECORD_NUMBER",
        "first_name": "FIRST_NAME",
        "last_name": "LAST_NAME",
        "phone": "PHONE",
        "emergency_phone": "EMERGENCY_CONTACT_PHONE",
        "case_manager_first_name": "CASE_MANAGER_FIRST_NAME",
        "case_manager_last_name": "CASE_MANAGER_LAST_NAME",
    },
)
# The dietitian's visits are not counted: dietetics is none of the six disciplines of the home-health benefit.
COMPLETED_BY_DISCIPLINE = ("sn", "pt", "ot", "st", "pta", "hha", "cota", "msw", "lpn")
BILLING_PERIODS = Extract(
    "BillingPeriods",
    _columns(
        "Branch_Id Episode_Id Patient_Id Account Branch Patient_First_Name Patient_Last_Name Mrn Patient_Status"
        " Is_Patient_Deleted Admission_Id Admission_Status Billing_Period_Type CaseMix_Weight Hhrg_Code Lupa_Threshold"
        " Clinical_Grouping CoMorbidity_Level CoMorbidity Functional_Score_Level Functional_Score Payor_Class"
        " Completed_Sn_Visit_Count Completed_Pt_Visit_Count Completed_Ot_Visit_Count Completed_St_Visit_Count"
        " Completed_Pta_Visit_Count Completed_Dietician_Visit_Count Completed_Hha_Visit_Count Completed_Cota_Visit_Count"
        " Completed_Msw_Visit_Count Completed_Lpn_Visit_Count Admission_Source Episode_Timing Final_Claim_Cash_Received"
        " Managed_Claim_Cash_Received Rap_Cash_Received Final_Claim_Amount Managed_Claim_Amount Rap_Amount End_Date"
        " Start_Date Is_Admission_Period_Discharged Is_Admit Is_Recert Is_Episode_Active Start_Of_Care_Date"
        " Actual_Hipps_Code Actual_Prospective_Pay Expected_Billing_Period_Amount Expected_Lupa_Amount Hipps_Code"
        " Medicare_Number Original_Prospective_Pay Schedule_Frequency CaseMix_Expected_Amount"
    ),
    FileKind.PERIODS,
    {
        "episode_id": "Episode_Id",
        "starts_on": "Start_Date",
        "ends_on": "End_Date",
        "lupa_threshold": "Lupa_Threshold",
        "hipps": "Hipps_Code",
        "is_deleted": "Is_Patient_Deleted",
        **{f"completed_{code}": f"Completed_{code.title()}_Visit_Count" for code in COMPLETED_BY_DISCIPLINE},
    },
)
REFERRALS = Extract(
    "Referrals",
    _columns(
        "Referral_Id Agency_Id Branch_Id Agency_Name Branch_Name Referral_Date Referral_First_Name Referral_Last_Name"
        " Admission_Source Referral_Dob Referral_Gender Referral_Status Referral_Is_NonMedical"
    ),
    FileKind.REFERRALS,
    {
        "referral_source": "Admission_Source",
        "referral_date": "Referral_Date",
        "first_name": "Referral_First_Name",
        "last_name": "Referral_Last_Name",
        "born_on": "Referral_Dob",
    },
)
PAYMENT_SOURCES = Extract(
    "PaymentSources",
    _columns(
        "Insurance_Id Payor_Id Agency_Id Agency_Name Insurance_Name Payor_Name Payor_Type_Name Payer_Category_Name"
    ),
    FileKind.PAYERS,
    {"payer_id": "Payor_Id", "payer_name": "Payor_Name", "payer_class": "Payor_Type_Name"},
)
AXXESS = (
    PATIENT_VISITS,
    VISIT_INFO,
    PATIENT_INFO,
    BILLING_PERIODS,
    REFERRALS,
    PAYMENT_SOURCES,
    # Known by name so that a folder of extracts can be given as it is; only their number of columns is needed.
    Extract("EvvVisitExceptionDetails", ("",) * 21),
    Extract("FeeSchedule", ("",) * 9),
    Extract("Transactions", ("",) * 20),
    Extract("Authorization", ("",) * 26),
)


def named_in(extracts: Iterable[Extract], file_name: str) -> Extract | None:
    """The extract whose name stands in the file's name ("2026-11-22 Patient_Visits.txt"); None when none does."""
    name = key(file_name)
    found = [extract for extract in extracts if key(extract.name).removesuffix("s") in name]
    return max(found, key=lambda extract: len(extract.name), default=None)


def header_of(extracts: Iterable[Extract], cells: Iterable[str]) -> Extract | None:
    """The extract to which a line of column names belongs; None when the line is no header."""
    names = {key(cell) for cell in cells} - {""}
    scored = [(len(names & {key(column) for column in extract.columns if column}), extract) for extract in extracts]
    best, extract = max(scored, key=lambda pair: pair[0])
    return extract if best >= 3 and best * 2 >= len(names) else None
