"""May this text go to this contact now: a row for every refusal and hold, their order, and what no input can break."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engage.patients.rules.hours import Hours, Week
from engage.patients.rules.loops import Answered
from engage.patients.rules.permission import Hold, Purpose, Reader, Refusal, may_text
from engage.patients.rules.words import Category, ConsentKind, MaySee, PatientStatus, PhoneKind
from tests.rules.rose import ROSE

UNASKED, INVITATION, ANSWER, LAST_WORD, URGENT = Purpose
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
        ({"is_told": True}, Refusal.SHARED_PHONE),
        ({"answered": Answered(99, 99)}, None),  # a touchpoint is no answer: the caps count it
        # 47 CFR 64.1200(a)(9)(iv), where the agency has chosen it: one a day, three a week, and only for its purposes
        ({"has_exemption_only": True, "category": Category.VISITS}, None),
        ({"has_exemption_only": True, "category": Category.CHECKINS, "sent_this_week": 2}, None),
        ({"has_exemption_only": True, "category": Category.VISITS, "sent_today": 1}, Refusal.EXEMPTION_CAP),
        ({"has_exemption_only": True, "category": Category.VISITS, "sent_this_week": 3}, Refusal.EXEMPTION_CAP),
        ({"has_exemption_only": True, "category": Category.SURVEYS}, Refusal.EXEMPTION_PURPOSE),
        ({"has_exemption_only": True, "category": None}, Refusal.EXEMPTION_PURPOSE),  # unknown is not exempt
        ({"has_exemption_only": False, "category": Category.SURVEYS}, None),
        ({"may_see": MaySee.VISITS, "category": Category.VISITS}, None),
        ({"may_see": MaySee.VISITS, "category": Category.CHECKINS}, Refusal.MAY_NOT_SEE),
        ({"may_see": MaySee.VISITS, "category": Category.SURVEYS}, Refusal.MAY_NOT_SEE),
        ({"is_stale": True, "consent": None}, Refusal.NO_CONSENT),
        # the agency's own caps stay where they are lower, and are the ones told
        (
            {"has_exemption_only": True, "category": Category.VISITS, "sent_this_week": 2, "weekly_cap": 2},
            Refusal.WEEKLY_CAP,
        ),
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


EVENING = Hours(time(17), time(21))
EARLY = Hours(time(5), time(8))  # nothing in common with the agency's 8 to 21
EIGHT_TO_EIGHT = Week.daily(time(8), time(20))
NOT_ON_SUNDAYS = Week((*[Hours(time(8), time(21))] * 6, None))
LONG = NOON + timedelta(days=10)
HALF_PAST_EIGHT = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)  # Monday 20:30
SATURDAY_NIGHT = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)  # 21:30
FIVE = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)  # Monday 17:00


@pytest.mark.parametrize(
    ("changed", "now", "expires_at", "expected"),
    [
        # the patient wishes for the evening
        ({"own_hours": EVENING}, NOON, LONG, Hold(FIVE, "patient_hours")),
        ({"own_hours": EVENING}, FIVE, LONG, None),
        ({"own_hours": EVENING}, NIGHT, LONG, Hold(FIVE, "patient_hours")),  # both closed: the later to open is told
        ({"own_hours": EVENING}, NOON, FIVE, Refusal.PATIENT_HOURS),  # of no use by then
        ({"own_hours": Hours(time(6), time(23))}, NIGHT, LONG, Hold(OPENING)),  # wider than the agency's: no matter
        ({"own_hours": EARLY}, NIGHT, LONG, Refusal.NO_COMMON_HOURS),  # not held for ever
        ({"own_hours": EARLY}, NOON, LONG, Refusal.NO_COMMON_HOURS),
        # the state ends the day an hour early
        ({"state_week": EIGHT_TO_EIGHT}, NOON, LONG, None),
        ({"state_week": EIGHT_TO_EIGHT}, HALF_PAST_EIGHT, LONG, Hold(OPENING + timedelta(days=1), "state_hours")),
        ({"state_week": EIGHT_TO_EIGHT}, HALF_PAST_EIGHT, OPENING + timedelta(days=1), Refusal.STATE_HOURS),
        ({"state_week": EIGHT_TO_EIGHT}, NIGHT, LONG, Hold(OPENING)),  # both open at eight: the agency's hours are told
        ({"state_week": NOT_ON_SUNDAYS}, SATURDAY_NIGHT, LONG, Hold(OPENING, "state_hours")),  # over the whole Sunday
        ({"state_week": Week((None,) * 7)}, NOON, LONG, Refusal.NO_COMMON_HOURS),
        # narrow hours of the agency leave nothing to the state
        ({"state_week": EIGHT_TO_EIGHT, "texts_until": time(18)}, HALF_PAST_EIGHT, LONG, Hold(OPENING + timedelta(days=1))),
        # all three
        ({"own_hours": EVENING, "state_week": EIGHT_TO_EIGHT}, FIVE, LONG, None),
        ({"own_hours": EVENING, "state_week": EIGHT_TO_EIGHT}, HALF_PAST_EIGHT, LONG, Hold(FIVE + timedelta(days=1), "state_hours")),
        ({"own_hours": EVENING, "state_week": Week.daily(time(8), time(17))}, NOON, LONG, Refusal.NO_COMMON_HOURS),
    ],
)  # fmt: skip
def test_everybody_s_hours(
    changed: dict[str, Any], now: datetime, expires_at: datetime, expected: Refusal | Hold | None
) -> None:
    assert may_text(replace(ROSE, **changed), UNASKED, expires_at, now) == expected


@pytest.mark.parametrize(
    ("zone", "now", "until"),
    [
        ("America/New_York", "2026-03-08 05:00", "2026-03-08 12:00"),  # the night that loses an hour
        ("America/New_York", "2026-11-01 03:00", "2026-11-01 13:00"),  # … and the one that gains one
        ("Pacific/Honolulu", "2026-11-23 17:00", "2026-11-23 18:00"),  # planned in New York, moved to Hawaii since
        ("America/Los_Angeles", "2026-11-23 13:00", "2026-11-23 16:00"),
        ("Asia/Kathmandu", "2026-11-23 17:00", "2026-11-24 02:15"),
    ],
)
def test_hours_are_those_of_the_patient_s_place_and_day(zone: str, now: str, until: str) -> None:
    asked, opens_at = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (now, until))
    reader = replace(ROSE, zone=zone)
    assert may_text(reader, UNASKED, opens_at + timedelta(minutes=1), asked) == Hold(opens_at)
    assert may_text(reader, UNASKED, opens_at, asked) is Refusal.TOO_LATE  # a hold never leaves the useful time
    assert may_text(reader, UNASKED, opens_at + timedelta(minutes=1), opens_at) is None


@pytest.mark.parametrize("now", [NOON, NIGHT])
@pytest.mark.parametrize("purpose", [ANSWER, LAST_WORD, URGENT])
@pytest.mark.parametrize(
    "changed",
    [
        {"own_hours": EARLY},
        {"state_week": Week((None,) * 7)},
        {"is_told": True},
        {"has_exemption_only": True, "category": Category.SURVEYS, "sent_today": 9},
    ],
)
def test_who_writes_is_answered_whatever_the_hours_and_the_caps(
    changed: dict[str, Any], purpose: Purpose, now: datetime
) -> None:
    assert may_text(replace(ROSE, **changed), purpose, LATER, now) is None


@pytest.mark.parametrize(
    ("answered", "answer", "urgent"),
    [
        (Answered(5, 19), None, None),
        (Answered(6, 6), Refusal.LOOP_GUARD, None),
        (Answered(0, 20), Refusal.LOOP_GUARD, None),
        (Answered(12, 12), Refusal.LOOP_GUARD, Refusal.LOOP_GUARD),
    ],
)
def test_two_machines_do_not_answer_each_other_for_ever(
    answered: Answered, answer: Refusal | None, urgent: Refusal | None
) -> None:
    reader = replace(ROSE, answered=answered)
    assert may_text(reader, ANSWER, LATER, NOON) is may_text(reader, LAST_WORD, LATER, NOON) is answer
    assert may_text(reader, URGENT, LATER, NOON) is urgent


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"status": PatientStatus.DECEASED, "consent": None}, Refusal.DECEASED),
        ({"status": PatientStatus.DECEASED, "phone_word": ConsentKind.OPTED_OUT}, Refusal.OPTED_OUT),
        ({"has_ended": True, "phone_kind": PhoneKind.LANDLINE}, Refusal.CONTACT_ENDED),
        ({"phone_kind": PhoneKind.LANDLINE, "consent": None}, Refusal.LANDLINE),
        ({"consent": None, "sent_today": 9}, Refusal.NO_CONSENT),
        ({"is_told": True, "status": PatientStatus.DECEASED}, Refusal.DECEASED),
        ({"is_told": True, "sent_today": 9}, Refusal.SHARED_PHONE),  # the text that left is why the cap is reached
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
    assert may_text(reader, URGENT, LATER, now) is last_word


@pytest.mark.parametrize("purpose", Purpose)
def test_nothing_leaves_stale(purpose: Purpose) -> None:
    assert may_text(ROSE, purpose, NOON, NOON) is Refusal.TOO_LATE


minutes = st.integers(0, 24 * 60 - 1).map(lambda minute: time(minute // 60, minute % 60))
spans = st.lists(minutes, min_size=2, max_size=2, unique=True).map(sorted).map(lambda bounds: Hours(*bounds))
weeks = st.one_of(
    spans.map(lambda span: Week.daily(span.after, span.until)),
    st.lists(st.one_of(st.none(), spans), min_size=7, max_size=7).map(lambda days: Week(tuple(days))),
)
readers = st.builds(
    lambda hours, **rest: Reader(texts_after=hours.after, texts_until=hours.until, **rest),
    hours=spans,
    status=st.sampled_from(PatientStatus),
    phone_kind=st.sampled_from(PhoneKind),
    has_ended=st.booleans(),
    consent=st.sampled_from([None, ConsentKind.GRANTED, ConsentKind.REVOKED]),
    phone_word=st.sampled_from([None, ConsentKind.OPTED_OUT, ConsentKind.OPTED_IN]),
    zone=st.sampled_from(
        ["America/New_York", "Pacific/Honolulu", "America/St_Johns", "Australia/Lord_Howe", "America/Havana"]
    ),
    sent_today=st.integers(0, 6),
    sent_this_week=st.integers(0, 31),
    daily_cap=st.integers(1, 6),
    weekly_cap=st.integers(1, 31),
    own_hours=st.one_of(st.none(), spans),
    state_week=st.one_of(st.none(), weeks),
    category=st.sampled_from([None, *Category]),
    has_exemption_only=st.booleans(),
    is_told=st.booleans(),
    answered=st.builds(Answered, st.integers(0, 13), st.integers(0, 41)),
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
        category=Category.VISITS,
        is_told=False,
    )
)
# Any instant, and many around the two nights on which American clocks are moved.
instants = st.one_of(
    st.datetimes(datetime(2025, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC)),
    st.datetimes(datetime(2026, 3, 7), datetime(2026, 3, 10), timezones=st.just(UTC)),
    st.datetimes(datetime(2026, 10, 31), datetime(2026, 11, 3), timezones=st.just(UTC)),
)
lives = st.timedeltas(timedelta(hours=-1), timedelta(days=9))


def is_within_all_hours(reader: Reader, at: datetime) -> bool:
    """Asked again from nothing: what does the clock on the wall show, and does everybody agree to it?"""
    local = at.astimezone(ZoneInfo(reader.zone))
    wall, weekday = local.time().replace(fold=0), local.weekday()
    spans = [Hours(reader.texts_after, reader.texts_until)]
    spans += [reader.own_hours] if reader.own_hours else []
    state = reader.state_week.days[weekday] if reader.state_week else spans[0]
    return state is not None and all(span.after <= wall < span.until for span in (*spans, state))


@given(readers, st.sampled_from(Purpose), instants, lives)
def test_an_opted_out_phone_gets_nothing_but_the_last_word(
    reader: Reader, purpose: Purpose, now: datetime, life: timedelta
) -> None:
    verdict = may_text(replace(reader, phone_word=ConsentKind.OPTED_OUT), purpose, now + life, now)
    assert isinstance(verdict, Refusal) or purpose in {Purpose.LAST_WORD, Purpose.URGENT}


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
        assert not reader.is_told
        assert now < now + life
        if reader.has_exemption_only:
            assert reader.sent_today == 0
            assert reader.sent_this_week < 3
            assert reader.category in {Category.VISITS, Category.CHECKINS}
    if verdict is None:
        assert is_within_all_hours(reader, now)


@settings(max_examples=200)
@given(healthy, instants, lives)
def test_a_hold_ends_at_the_first_moment_that_suits_everybody(reader: Reader, now: datetime, life: timedelta) -> None:
    verdict = may_text(reader, Purpose.UNASKED, now + life, now)
    if isinstance(verdict, Hold):
        assert now < verdict.until < now + life
        assert is_within_all_hours(reader, verdict.until)
        assert verdict.reason in {"quiet_hours", "patient_hours", "state_hours"}
        assert may_text(reader, Purpose.UNASKED, now + life, verdict.until) is None
        until = verdict.until
    else:
        until = now + life if isinstance(verdict, Refusal) else now
    # Hours begin and clocks are moved on whole minutes: no minute before was open, and a refusal gave no chance away.
    minute = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while minute < until:
        assert not is_within_all_hours(reader, minute)
        minute += timedelta(minutes=1)


@given(healthy, instants, lives)
def test_nobody_waits_for_ever(reader: Reader, now: datetime, life: timedelta) -> None:
    """Hours that have nothing in common are an end, whatever the text is still good for."""
    state = Week.daily(reader.texts_after, reader.texts_until)
    apart = replace(reader, own_hours=Hours(reader.texts_until, time(23, 59, 59)), state_week=state)
    assert may_text(apart, Purpose.UNASKED, now + abs(life) + timedelta(1), now) is Refusal.NO_COMMON_HOURS


@pytest.mark.parametrize(
    ("changed", "now", "expected"),
    [
        ({"consent": None}, NOON, None),  # it asks for it
        ({"consent": None, "category": None, "is_stale": True}, NOON, None),
        ({"consent": ConsentKind.REVOKED}, NIGHT, Hold(OPENING)),
        ({"consent": None, "phone_word": ConsentKind.OPTED_OUT}, NOON, Refusal.OPTED_OUT),
        ({"consent": None, "status": PatientStatus.DECEASED}, NOON, Refusal.DECEASED),
        ({"consent": None, "sent_today": 5}, NOON, Refusal.DAILY_CAP),
        ({"consent": None, "phone_kind": PhoneKind.WRONG_NUMBER}, NOON, Refusal.WRONG_NUMBER),
    ],
)
def test_an_invitation_needs_everything_but_consent(changed: dict[str, Any], now: datetime, expected: object) -> None:
    assert may_text(replace(ROSE, **changed), INVITATION, LATER, now) == expected


def test_a_number_unheard_of_holds_a_text_while_it_is_of_use() -> None:
    stale = replace(ROSE, is_stale=True)
    assert may_text(stale, UNASKED, LATER, NOON) == Hold(NOON + timedelta(hours=1), "number_unverified")
    assert may_text(stale, UNASKED, NOON + timedelta(minutes=59), NOON) is Refusal.NUMBER_UNVERIFIED
    assert may_text(stale, ANSWER, LATER, NOON) is None  # who has just written is answered
