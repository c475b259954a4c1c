"""May this text go to this contact now: a row for every refusal and hold, their order, and what no input can break."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engage.patients.rules.permission import Hold, Purpose, Reader, Refusal, may_text
from engage.patients.rules.window import is_open
from engage.patients.rules.words import ConsentKind, PatientStatus, PhoneKind
from tests.rules.rose import ROSE

UNASKED, ANSWER, LAST_WORD = Purpose.UNASKED, Purpose.ANSWER, Purpose.LAST_WORD
NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)  # Monday 12:00 in New York
NIGHT = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)  # 02:00
OPENING = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)  # 08:00
LATER = NOON + timedelta(hours=3)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, None),
        ({"phone_kind": PhoneKind.UNKNOWN}, None),  # nobody has looked; Twilio will tell
        ({"phone_word": ConsentKind.OPTED_IN}, None),
        ({"sent_today": 4, "sent_this_week": 29}, None),  # one below both caps
        ({"status": PatientStatus.DECEASED}, Refusal.DECEASED),
        ({"status": PatientStatus.DISCHARGED}, Refusal.DISCHARGED),
        ({"status": PatientStatus.HOSPITALIZED}, Refusal.HOSPITALIZED),
        ({"status": PatientStatus.ON_HOLD}, Refusal.ON_HOLD),
        ({"has_ended": True}, Refusal.CONTACT_ENDED),
        ({"phone_kind": PhoneKind.WRONG_NUMBER}, Refusal.WRONG_NUMBER),
        ({"phone_kind": PhoneKind.LANDLINE}, Refusal.LANDLINE),
        ({"phone_kind": PhoneKind.UNREACHABLE}, Refusal.UNREACHABLE),
        ({"consent": None}, Refusal.NO_CONSENT),
        ({"consent": ConsentKind.REVOKED}, Refusal.CONSENT_REVOKED),
        ({"phone_word": ConsentKind.OPTED_OUT}, Refusal.OPTED_OUT),
        ({"sent_today": 5}, Refusal.DAILY_CAP),
        ({"sent_today": 6}, Refusal.DAILY_CAP),  # the cap was lowered meanwhile
        ({"sent_this_week": 30}, Refusal.WEEKLY_CAP),
    ],
)
def test_a_touchpoint(changed: dict[str, Any], expected: Refusal | None) -> None:
    assert may_text(replace(ROSE, **changed), UNASKED, LATER, NOON) is expected


@pytest.mark.parametrize(
    ("now", "expires_at", "expected"),
    [
        (NIGHT, LATER, Hold(OPENING)),
        (OPENING, LATER, None),
        (NIGHT, OPENING, Refusal.TOO_LATE),  # of no use once the window opens: said now, not at eight
        (NIGHT, OPENING + timedelta(microseconds=1), Hold(OPENING)),
        (NOON, NOON, Refusal.TOO_LATE),
        (NOON, NOON - timedelta(days=1), Refusal.TOO_LATE),
        (NOON, NOON + timedelta(microseconds=1), None),
    ],
)
def test_hours(now: datetime, expires_at: datetime, expected: Refusal | Hold | None) -> None:
    assert may_text(ROSE, UNASKED, expires_at, now) == expected


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"status": PatientStatus.DECEASED, "consent": None}, Refusal.DECEASED),
        ({"status": PatientStatus.DECEASED, "phone_word": ConsentKind.OPTED_OUT}, Refusal.OPTED_OUT),
        ({"has_ended": True, "phone_kind": PhoneKind.LANDLINE}, Refusal.CONTACT_ENDED),
        ({"phone_kind": PhoneKind.LANDLINE, "consent": None}, Refusal.LANDLINE),
        ({"consent": None, "sent_today": 9}, Refusal.NO_CONSENT),
        ({"sent_today": 9, "sent_this_week": 99}, Refusal.DAILY_CAP),
    ],
)
def test_the_weightier_reason_is_the_one_told(changed: dict[str, Any], expected: Refusal) -> None:
    assert may_text(replace(ROSE, **changed), UNASKED, LATER, NIGHT) is expected


def test_a_refusal_is_told_before_a_hold() -> None:
    assert may_text(replace(ROSE, sent_today=5), UNASKED, LATER, NIGHT) is Refusal.DAILY_CAP


@pytest.mark.parametrize(
    ("changed", "answer", "last_word"),
    [
        ({}, None, None),
        ({"consent": None}, None, None),  # whoever writes may be answered
        ({"consent": ConsentKind.REVOKED}, None, None),
        ({"sent_today": 9, "sent_this_week": 99}, None, None),
        ({"has_ended": True}, None, None),
        ({"status": PatientStatus.HOSPITALIZED}, None, None),
        ({"status": PatientStatus.DECEASED}, Refusal.DECEASED, None),  # a person calls the widow
        ({"phone_kind": PhoneKind.LANDLINE}, Refusal.LANDLINE, None),  # a phone that texts is marked mobile before
        ({"phone_kind": PhoneKind.WRONG_NUMBER}, Refusal.WRONG_NUMBER, None),  # we said that we would not text it again
        ({"phone_word": ConsentKind.OPTED_OUT}, Refusal.OPTED_OUT, None),
    ],
)
@pytest.mark.parametrize("now", [NOON, NIGHT])  # at any hour
def test_answers(changed: dict[str, Any], answer: Refusal | None, last_word: Refusal | None, now: datetime) -> None:
    reader = replace(ROSE, **changed)
    assert may_text(reader, ANSWER, LATER, now) is answer
    assert may_text(reader, LAST_WORD, LATER, now) is last_word


@pytest.mark.parametrize("purpose", Purpose)
def test_nothing_leaves_stale(purpose: Purpose) -> None:
    assert may_text(ROSE, purpose, NOON, NOON) is Refusal.TOO_LATE


walls = st.integers(0, 24 * 60 - 1).map(lambda minute: time(minute // 60, minute % 60))
readers = st.builds(
    lambda hours, **rest: Reader(texts_after=hours[0], texts_until=hours[1], **rest),
    hours=st.lists(walls, min_size=2, max_size=2, unique=True).map(sorted),
    status=st.sampled_from(PatientStatus),
    phone_kind=st.sampled_from(PhoneKind),
    has_ended=st.booleans(),
    consent=st.sampled_from([None, ConsentKind.GRANTED, ConsentKind.REVOKED]),
    phone_word=st.sampled_from([None, ConsentKind.OPTED_OUT, ConsentKind.OPTED_IN]),
    zone=st.sampled_from(["America/New_York", "Pacific/Honolulu", "America/St_Johns", "Australia/Lord_Howe"]),
    sent_today=st.integers(0, 6),
    sent_this_week=st.integers(0, 31),
    daily_cap=st.integers(1, 6),
    weekly_cap=st.integers(1, 31),
)
healthy = readers.map(
    lambda reader: replace(
        reader,
        status=PatientStatus.ACTIVE,
        phone_kind=PhoneKind.MOBILE,
        has_ended=False,
        consent=ConsentKind.GRANTED,
        phone_word=None,
        sent_today=0,
        sent_this_week=0,
    )
)
instants = st.datetimes(datetime(2025, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC))
lives = st.timedeltas(timedelta(hours=-1), timedelta(days=3))


@given(readers, st.sampled_from(Purpose), instants, lives)
def test_an_opted_out_phone_gets_nothing_but_the_last_word(
    reader: Reader, purpose: Purpose, now: datetime, life: timedelta
) -> None:
    verdict = may_text(replace(reader, phone_word=ConsentKind.OPTED_OUT), purpose, now + life, now)
    assert isinstance(verdict, Refusal) or purpose is Purpose.LAST_WORD


@given(st.one_of(readers, healthy), instants, lives)
def test_a_touchpoint_goes_only_with_every_condition_met(reader: Reader, now: datetime, life: timedelta) -> None:
    verdict = may_text(reader, Purpose.UNASKED, now + life, now)
    if verdict is None or isinstance(verdict, Hold):
        assert reader.status is PatientStatus.ACTIVE
        assert not reader.has_ended
        assert reader.phone_kind in {PhoneKind.MOBILE, PhoneKind.UNKNOWN}
        assert reader.consent is ConsentKind.GRANTED
        assert reader.phone_word is not ConsentKind.OPTED_OUT
        assert reader.sent_today < reader.daily_cap
        assert reader.sent_this_week < reader.weekly_cap
        assert now < now + life
    if verdict is None:
        assert is_open(now, reader.zone, reader.texts_after, reader.texts_until)


@given(healthy, instants, lives)
def test_a_hold_ends_within_the_hours_and_before_the_text_is_stale(
    reader: Reader, now: datetime, life: timedelta
) -> None:
    verdict = may_text(reader, Purpose.UNASKED, now + life, now)
    if isinstance(verdict, Hold):
        assert now < verdict.until < now + life
        assert is_open(verdict.until, reader.zone, reader.texts_after, reader.texts_until)
        assert may_text(reader, Purpose.UNASKED, now + life, verdict.until) is None  # held once, then sent


@given(readers, st.sampled_from([Purpose.ANSWER, Purpose.LAST_WORD]), instants, lives)
def test_whoever_writes_is_never_made_to_wait(reader: Reader, purpose: Purpose, now: datetime, life: timedelta) -> None:
    assert not isinstance(may_text(reader, purpose, now + life, now), Hold)
