"""Why a touchpoint has no message: one row a cause, changed from a Rose who should have got her morning's check-in."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engage.outreach.rules.words import Anchor
from engage.patients.rules.words import Category, ConsentKind, ConsentSource, PatientStatus, PhoneKind
from engage.reports.rules.absence import Cause, why_not
from engage.reports.rules.facts import Said, Whom
from engage.reports.rules.missing import Candidate, Missing, PatientThen, VisitThen
from engage.visits.rules.words import VisitAnswer, VisitStatus

NINE = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)  # 9 AM in New York
EVENING = NINE + timedelta(hours=12)
LONG_AGO = NINE - timedelta(days=60)


def said(kind: ConsentKind, at: datetime = LONG_AGO) -> Said:
    return Said(kind, ConsentSource.PAPER, at, at, has_proof=True)


ROSE = Candidate(
    contact_id=1,
    whom=Whom(None, "patient", "Rose", is_clinician=False, phone_ends="11"),
    phone_kind=PhoneKind.MOBILE,
    ended_at=None,
    consent=said(ConsentKind.GRANTED),
    phone_word=None,
    granted_later_at=None,
    told_with=None,
    has_message=False,
)
JOAN = replace(ROSE, contact_id=2, whom=Whom("Joan", "family", "Rose", is_clinician=False, phone_ends="14"))
PATIENT = PatientThen("Rose", PatientStatus.ACTIVE, LONG_AGO, is_monitored=True, is_in_care=True, care_ended_on=None)
VISIT = VisitThen(time(10), VisitStatus.SCHEDULED, None, None, LONG_AGO)
CHECKIN = Missing(
    key="morning-checkin",
    category=Category.CHECKINS,
    anchor=Anchor.EVERY_DAY,
    is_active=True,
    only_monitored=True,
    agency_is_active=True,
    occasion_on=date(2026, 11, 23),
    send_at=NINE,
    expires_at=NINE + timedelta(hours=3),
    moment=NINE,
    now=EVENING,
    horizon=timedelta(hours=26),
    zone="America/New_York",
    patient=PATIENT,
    visits=(),
    candidates=(ROSE,),
)
REMINDER = replace(
    CHECKIN, key="day-of", category=Category.VISITS, anchor=Anchor.VISIT_DAY, only_monitored=False, visits=(VISIT,)
)
SURVEY = replace(CHECKIN, key="survey", category=Category.SURVEYS, anchor=Anchor.VISIT_COMPLETED, only_monitored=False)

CANCELLED = replace(VISIT, status=VisitStatus.CANCELLED)
DECLINED = replace(VISIT, answer=VisitAnswer.DOES_NOT_WANT_IT, answered_at=NINE - timedelta(days=1))
DONE = replace(VISIT, status=VisitStatus.COMPLETED, changed_at=NINE + timedelta(hours=2))


def patient(missing: Missing, **changes: Any) -> Missing:
    return replace(missing, patient=replace(missing.patient, **changes))


def reader(missing: Missing, **changes: Any) -> Missing:
    return replace(missing, candidates=(replace(ROSE, **changes),))


def causes(missing: Missing) -> list[Cause]:
    """Those for everybody, else those of the first reader."""
    found = why_not(missing)
    assert found is not None
    return [absence.cause for absence in (found.causes or found.readers[0][1])]


@pytest.mark.parametrize(
    ("missing", "expected", "words"),
    [
        # --- for everybody ---
        (replace(CHECKIN, agency_is_active=False), [Cause.AGENCY_OFF], "agency"),
        (replace(CHECKIN, is_active=False), [Cause.TOUCHPOINT_OFF], "switched it off"),
        (patient(CHECKIN, status=PatientStatus.DISCHARGED), [Cause.NOT_ACTIVE], "is discharged since Thu Sep 24"),
        (patient(CHECKIN, status=PatientStatus.HOSPITALIZED), [Cause.NOT_ACTIVE], "in hospital since"),
        (patient(CHECKIN, status=PatientStatus.ON_HOLD), [Cause.NOT_ACTIVE], "on hold since"),
        (patient(CHECKIN, status=PatientStatus.DECEASED), [Cause.NOT_ACTIVE], "has died"),
        (patient(CHECKIN, is_monitored=False), [Cause.NOT_MONITORED], "Only monitored patients"),
        (patient(CHECKIN, is_in_care=False, care_ended_on=date(2026, 11, 20)), [Cause.NOT_IN_CARE], "Fri Nov 20, 2026"),
        (replace(REMINDER, visits=()), [Cause.NO_VISIT], "no visit on Mon Nov 23, 2026"),
        (replace(REMINDER, visits=(CANCELLED,)), [Cause.VISIT_CANCELLED], "is cancelled"),
        (replace(REMINDER, visits=(DECLINED,)), [Cause.VISIT_DECLINED], "not wanted"),
        (replace(REMINDER, visits=(CANCELLED, DECLINED)), [Cause.VISIT_CANCELLED, Cause.VISIT_DECLINED], ""),
        (SURVEY, [Cause.NO_COMPLETED_VISIT], "no visit was completed in time"),
        (replace(SURVEY, now=NINE), [Cause.NO_COMPLETED_VISIT], "none has been completed yet"),
        (replace(SURVEY, visits=(replace(VISIT, status=VisitStatus.MISSED),)), [Cause.NO_COMPLETED_VISIT], "is missed"),
        (replace(REMINDER, expires_at=NINE), [Cause.NO_TIME_LEFT], "the visit begins at 10:00 AM"),
        (replace(CHECKIN, candidates=()), [Cause.NO_CONTACT], "no phone"),
        (replace(CHECKIN, now=NINE - timedelta(hours=27)), [Cause.BEYOND_HORIZON], "26 hours ahead"),
        # several at once are all told, in this order; how far we plan does not matter then
        (
            patient(replace(CHECKIN, is_active=False, now=NINE - timedelta(days=9)), is_monitored=False),
            [Cause.TOUCHPOINT_OFF, Cause.NOT_MONITORED],
            "",
        ),
        # --- what is no cause for everybody ---
        (patient(REMINDER, is_monitored=False), [Cause.UNEXPLAINED], ""),  # reminders are for all
        (patient(REMINDER, is_in_care=False), [Cause.UNEXPLAINED], ""),  # as the planner has it
        (replace(REMINDER, visits=(CANCELLED, VISIT)), [Cause.UNEXPLAINED], ""),  # one is left
        (replace(REMINDER, visits=(DONE,)), [Cause.PERHAPS_VISIT], ""),  # it was to come, then
        # he said so when the reminder should long have been out
        (replace(REMINDER, visits=(replace(DECLINED, answered_at=NINE + timedelta(hours=1)),)), [Cause.UNEXPLAINED], ""),
        # --- of a reader ---
        (reader(CHECKIN, ended_at=LONG_AGO), [Cause.CONTACT_ENDED], "not theirs any more"),
        (reader(CHECKIN, ended_at=EVENING), [Cause.UNEXPLAINED], ""),  # it was theirs, then
        (reader(CHECKIN, phone_kind=PhoneKind.LANDLINE), [Cause.PHONE_UNFIT], "landline"),
        (reader(CHECKIN, phone_kind=PhoneKind.UNREACHABLE), [Cause.PHONE_UNFIT], "out of service"),
        (reader(CHECKIN, phone_kind=PhoneKind.WRONG_NUMBER), [Cause.PHONE_UNFIT], "not the patient's phone"),
        (reader(CHECKIN, phone_word=said(ConsentKind.OPTED_OUT)), [Cause.OPTED_OUT], "STOP"),
        (reader(CHECKIN, phone_word=said(ConsentKind.OPTED_IN)), [Cause.UNEXPLAINED], ""),
        (reader(CHECKIN, consent=None), [Cause.NO_CONSENT], "No consent for check-ins is recorded"),
        (reader(CHECKIN, consent=None, granted_later_at=EVENING), [Cause.NO_CONSENT], "by then, only Mon Nov 23, 9:00 PM"),
        (reader(CHECKIN, consent=said(ConsentKind.REVOKED)), [Cause.CONSENT_REVOKED], "TAKEN BACK for check-ins"),
        (reader(CHECKIN, told_with="Marta"), [Cause.TOLD_TOGETHER], "together with Marta"),
        (
            reader(CHECKIN, phone_kind=PhoneKind.LANDLINE, consent=None),  # both, so that nobody mends only one
            [Cause.PHONE_UNFIT, Cause.NO_CONSENT],
            "",
        ),
        # --- nothing speaks against it ---
        (replace(CHECKIN, now=NINE - timedelta(hours=1)), [Cause.NEXT_RUN], "next run"),
        (replace(CHECKIN, now=NINE + timedelta(hours=1)), [Cause.NEXT_RUN], "next run"),  # still of use
        (patient(CHECKIN, status_since=EVENING), [Cause.PERHAPS_STATUS], "active only since"),
        (patient(CHECKIN, status=PatientStatus.DISCHARGED, status_since=EVENING), [Cause.PERHAPS_STATUS], "discharged only"),
        (replace(REMINDER, visits=(replace(VISIT, changed_at=EVENING),)), [Cause.PERHAPS_VISIT], "not known in time"),
        (CHECKIN, [Cause.UNEXPLAINED], "No row tells why"),
    ],
)  # fmt: skip
def test_the_causes(missing: Missing, expected: list[Cause], words: str) -> None:
    assert causes(missing) == expected
    found = why_not(missing)
    assert found is not None
    told = found.causes or found.readers[0][1]
    assert words in " ".join(absence.says for absence in told)


@pytest.mark.parametrize(
    ("anchor", "rose", "joan"),
    [
        (Anchor.EVERY_DAY, Cause.UNEXPLAINED, Cause.ANOTHER_IS_ASKED),
        (Anchor.VISIT_DAY, Cause.UNEXPLAINED, Cause.UNEXPLAINED),  # reminders go to everybody
    ],
)
def test_who_is_asked_where_only_one_is(anchor: Anchor, rose: Cause, joan: Cause) -> None:
    missing = replace(REMINDER, anchor=anchor, candidates=(JOAN, ROSE))
    found = why_not(missing)
    assert found is not None
    told = {candidate.contact_id: absences[0].cause for candidate, absences in found.readers}
    assert told == {1: rose, 2: joan}


def test_the_family_is_asked_where_the_patient_cannot_be() -> None:
    missing = replace(CHECKIN, candidates=(replace(ROSE, phone_kind=PhoneKind.LANDLINE), JOAN))
    found = why_not(missing)
    assert found is not None
    assert [[absence.cause for absence in absences] for _, absences in found.readers] == [
        [Cause.PHONE_UNFIT],
        [Cause.UNEXPLAINED],
    ]


def test_who_has_a_message_is_not_missing() -> None:
    assert why_not(replace(CHECKIN, candidates=(replace(ROSE, has_message=True),))) is None
    both = why_not(replace(CHECKIN, candidates=(replace(ROSE, has_message=True), JOAN)))
    assert both is not None
    assert [candidate.contact_id for candidate, _ in both.readers] == [2]


@given(
    is_active=st.booleans(),
    status=st.sampled_from(PatientStatus),
    since=st.sampled_from([LONG_AGO, EVENING]),
    kind=st.sampled_from(PhoneKind),
    consent=st.sampled_from([None, ConsentKind.GRANTED, ConsentKind.REVOKED]),
    word=st.sampled_from([None, ConsentKind.OPTED_IN, ConsentKind.OPTED_OUT]),
    base=st.sampled_from([CHECKIN, REMINDER, SURVEY]),
    now=st.sampled_from([NINE - timedelta(days=9), NINE, EVENING]),
)
def test_there_is_always_a_cause_and_it_is_a_sentence(
    is_active: bool,
    status: PatientStatus,
    since: datetime,
    kind: PhoneKind,
    consent: ConsentKind | None,
    word: ConsentKind | None,
    base: Missing,
    now: datetime,
) -> None:
    changed = reader(
        base, phone_kind=kind, consent=said(consent) if consent else None, phone_word=said(word) if word else None
    )
    missing = patient(replace(changed, is_active=is_active, now=now), status=status, status_since=since)
    found = why_not(missing)
    assert found is not None
    told = found.causes or found.readers[0][1]
    assert told
    assert all(absence.says[0].isupper() and absence.says.endswith((".", ")")) for absence in told)
