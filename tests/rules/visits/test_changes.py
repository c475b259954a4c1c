"""What an import does to what is known: visits, patients' states, whose phone it is, consent."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engage.patients.rules.words import ConsentKind, PatientStatus, Relationship
from engage.visits.rules.changes import (
    ConsentVerdict,
    StoredVisit,
    VisitDecision,
    consent_verdict,
    decide_visit,
    relationship_after,
    status_after,
)
from engage.visits.rules.rows import ContactRow, VisitRow
from engage.visits.rules.words import Change, VisitStatus

NOW = datetime(2026, 11, 22, 17, tzinfo=UTC)
MONDAY = date(2026, 11, 23)
ROW = VisitRow("V1", "P1", "SN Visit", MONDAY, time(9), time(10))
STORED = StoredVisit(1, 5, None, "SN Visit", None, MONDAY, time(9), time(10), VisitStatus.SCHEDULED, None, frozenset())


def decide(stored: StoredVisit | None, row: VisitRow, *, now: datetime = NOW) -> VisitDecision:
    return decide_visit(
        stored, row, patient_id=5, episode_id=None, clinicians=frozenset(), zone="America/New_York", now=now
    )


@pytest.mark.parametrize(
    ("stored", "row", "change", "forgets"),
    [
        ({}, {}, Change.UNCHANGED, False),
        ({}, {"starts_local": time(11)}, Change.MOVED, True),
        ({}, {"starts_on": MONDAY + timedelta(1)}, Change.MOVED, True),
        ({}, {"starts_local": None}, Change.MOVED, True),  # the time is not known any more
        ({"starts_local": None}, {}, Change.MOVED, True),
        ({}, {"ends_local": time(11)}, Change.CHANGED, False),  # the patient opens the door at the same hour
        ({}, {"task": "PT Visit"}, Change.CHANGED, False),
        ({}, {"status": VisitStatus.COMPLETED}, Change.COMPLETED, False),
        (
            {},
            {"status": VisitStatus.COMPLETED, "starts_local": time(9, 7)},
            Change.COMPLETED,
            False,
        ),  # came at 9:07: no move
        ({}, {"status": VisitStatus.MISSED}, Change.MISSED, False),
        ({}, {"status": VisitStatus.CANCELLED}, Change.CANCELLED, False),
        ({"status": VisitStatus.CANCELLED}, {}, Change.CHANGED, False),  # it came back
        ({"status": VisitStatus.CANCELLED}, {"starts_local": time(11)}, Change.MOVED, True),
        (
            {},
            {"starts_local": None, "ends_local": None, "knows_times": False},
            Change.UNCHANGED,
            False,
        ),  # no such column
        ({}, {"starts_on": MONDAY + timedelta(1), "starts_local": None, "knows_times": False}, Change.MOVED, True),
    ],
)
def test_what_becomes_of_a_visit(
    stored: dict[str, object], row: dict[str, object], change: Change, forgets: bool
) -> None:
    decision = decide(replace(STORED, **stored), replace(ROW, **row))  # type: ignore[arg-type]
    assert (decision.change, decision.forgets_answer) == (change, forgets)


@pytest.mark.parametrize(
    ("row", "now", "at"),
    [
        ({"ends_local": time(10)}, "2026-11-24T00:00Z", "2026-11-23T15:00Z"),  # New York is five hours behind
        ({"ends_local": None}, "2026-11-25T00:00Z", "2026-11-24T04:59:59Z"),  # the end of her day
        ({"ends_local": None}, "2026-11-23T20:00Z", "2026-11-23T20:00Z"),  # never in the future
        ({"ends_local": time(10)}, "2026-11-23T14:30Z", "2026-11-23T14:30Z"),
        (
            {"starts_local": time(23), "ends_local": time(0, 30)},
            "2026-11-25T00:00Z",
            "2026-11-24T05:30Z",
        ),  # past midnight
        ({"starts_on": date(2026, 3, 8), "ends_local": time(2, 30)}, "2026-11-25T00:00Z", "2026-03-09T06:30Z"),
    ],
)
def test_when_a_completed_visit_ended(row: dict[str, object], now: str, at: str) -> None:
    done = replace(ROW, status=VisitStatus.COMPLETED, **row)  # type: ignore[arg-type]
    decision = decide(None, done, now=datetime.fromisoformat(now))
    assert decision.facts.completed_at == datetime.fromisoformat(at)


def test_an_hour_that_does_not_exist_still_has_an_instant() -> None:
    """At 2:30 of 8 March 2026 New York's clocks had sprung to 3:30."""
    done = replace(
        ROW, status=VisitStatus.COMPLETED, starts_on=date(2026, 3, 8), starts_local=time(1), ends_local=time(2, 30)
    )
    assert decide(None, done).facts.completed_at == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)


@given(
    st.sampled_from(VisitStatus),
    st.sampled_from(VisitStatus),
    st.none() | st.times().map(lambda at: at.replace(microsecond=0)),
    st.integers(-30, 30),
    st.integers(0, 100),
)
def test_the_same_file_twice_changes_nothing(
    before: VisitStatus, said: VisitStatus, at: time | None, days: int, hours: int
) -> None:
    """Also hours later, and whatever was there before; and a completed visit never ends in the future."""
    stored = replace(STORED, status=before, completed_at=NOW if before is VisitStatus.COMPLETED else None)
    row = replace(ROW, status=said, ends_local=at, starts_on=MONDAY + timedelta(days))
    facts = decide(stored, row).facts
    assert facts.completed_at is None or facts.completed_at <= NOW
    again = StoredVisit(1, *(getattr(facts, name) for name in StoredVisit.__slots__[1:]))
    assert decide(again, row, now=NOW + timedelta(hours=hours)).change is Change.UNCHANGED


A, D, H, W, X = (
    PatientStatus.ACTIVE,
    PatientStatus.DISCHARGED,
    PatientStatus.HOSPITALIZED,
    PatientStatus.ON_HOLD,
    PatientStatus.DECEASED,
)


@pytest.mark.parametrize(
    ("stored", "said", "is_imports", "after"),
    [
        (A, None, False, A),
        (A, D, False, D),
        (A, X, False, X),
        (H, A, False, H),  # a person knows she is in hospital; the EMR calls her active all the while
        (H, A, True, A),  # the EMR said hospital, now it says home
        (H, D, False, D),
        (D, A, False, D),
        (D, A, True, A),  # admitted again
        (W, X, False, X),
        (X, A, False, X),
        (X, A, True, X),  # no file takes a death back
        (X, D, True, X),
    ],
)
def test_the_state_of_a_patient(
    stored: PatientStatus, said: PatientStatus | None, is_imports: bool, after: PatientStatus
) -> None:
    assert status_after(stored, said, is_imports=is_imports) is after


P, F, E = Relationship.PATIENT, Relationship.FAMILY, Relationship.EMERGENCY


@pytest.mark.parametrize(
    ("stored", "said", "is_named", "is_also_emergency", "after"),
    [
        (None, P, False, False, P),
        (None, P, False, True, E),  # nobody knows who would read it
        (None, E, False, False, E),
        (P, P, False, True, P),  # it was certain before
        (P, E, False, False, E),
        (E, P, False, False, P),  # the file gives it as the patient's alone
        (F, P, False, False, F),  # a person said it is the daughter's
        (F, E, False, False, F),
        (E, F, True, False, F),
        (F, P, True, False, P),
        (Relationship.PROXY, F, True, False, Relationship.PROXY),  # only a person knows who decides
        (Relationship.PROXY, P, False, False, Relationship.PROXY),
        (Relationship.PROXY, P, True, False, P),
    ],
)
def test_whose_phone_it_is(
    stored: Relationship | None, said: Relationship, is_named: bool, is_also_emergency: bool, after: Relationship
) -> None:
    row = ContactRow("P1", "+12025550143", said, is_named=is_named, is_also_emergency=is_also_emergency)
    assert relationship_after(stored, row) is after


GRANTED, REVOKED = ConsentKind.GRANTED, ConsentKind.REVOKED
EARLY, MIDDLE, LATE = NOW - timedelta(9), NOW - timedelta(5), NOW - timedelta(1)


@pytest.mark.parametrize(
    ("is_granted", "said_at", "standing", "phone", "verdict"),
    [
        (True, MIDDLE, None, None, ConsentVerdict.GRANT),
        (True, MIDDLE, (GRANTED, EARLY), None, ConsentVerdict.STANDS),
        (True, MIDDLE, (REVOKED, EARLY), None, ConsentVerdict.GRANT),
        (True, MIDDLE, (REVOKED, MIDDLE), None, ConsentVerdict.OLDER),
        (True, MIDDLE, (REVOKED, LATE), None, ConsentVerdict.OLDER),  # the yes of before the no
        (True, LATE, (GRANTED, EARLY), ConsentKind.OPTED_OUT, ConsentVerdict.OPTED_OUT),
        (True, LATE, None, ConsentKind.OPTED_OUT, ConsentVerdict.OPTED_OUT),
        (True, LATE, None, ConsentKind.OPTED_IN, ConsentVerdict.GRANT),
        (False, MIDDLE, None, None, ConsentVerdict.STANDS),
        (False, MIDDLE, (GRANTED, EARLY), None, ConsentVerdict.REVOKE),
        (False, MIDDLE, (GRANTED, MIDDLE), None, ConsentVerdict.REVOKE),  # in doubt, no
        (False, MIDDLE, (GRANTED, LATE), None, ConsentVerdict.OLDER),
        (False, None, (GRANTED, LATE), None, ConsentVerdict.REVOKE),
        (False, MIDDLE, (REVOKED, EARLY), None, ConsentVerdict.STANDS),
    ],
)
def test_consent_follows_the_last_word(
    is_granted: bool,
    said_at: datetime | None,
    standing: tuple[ConsentKind, datetime] | None,
    phone: ConsentKind | None,
    verdict: ConsentVerdict,
) -> None:
    assert consent_verdict(is_granted=is_granted, said_at=said_at, standing=standing, phone_word=phone) is verdict
