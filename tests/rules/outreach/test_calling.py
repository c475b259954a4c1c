"""Reminders that are spoken: to whom, in which hours, in how many words."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from engage.outreach.rules.calling import KEYS, MOST_SPOKEN
from engage.outreach.rules.draft import Draft, Drop, Ready, decide
from engage.outreach.rules.wording import PlannedVisit
from engage.outreach.rules.words import Channel, Kind
from engage.patients.rules.permission import Hold, Refusal
from engage.patients.rules.words import ConsentKind, PatientStatus, PhoneKind
from tests.rules.rose import ROSE

NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)  # Monday 12:00 in New York
LANDLINE = replace(ROSE, phone_kind=PhoneKind.LANDLINE)

CALL = Draft(
    kind=Kind.TOUCHPOINT,
    template="call-day-before",
    wording="This is {{ agency }}. {{ clinicians }} {{ day }} {{ times }}. Press 1.",
    language="en",
    reader=LANDLINE,
    clinician=None,
    to="+12025550111",
    has_sender=True,
    agency="Sunrise",
    office_phone="+12025550150",
    patient="Rose",
    zone="America/New_York",
    params={},
    occasion_on=date(2026, 11, 24),
    visits=(PlannedVisit(time(10), ("Ana",)),),
    visited_on=None,
    expires_at=NOON + timedelta(hours=30),
    channel=Channel.VOICE,
    may_call=True,
)


def test_a_call_has_words_and_no_segments() -> None:
    assert decide(CALL, NOON) == Ready("This is Sunrise. Ana Tue Nov 24 around 10:00 AM. Press 1.", 0)


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"reader": ROSE}, None),  # a phone that was a landline when this was planned; it is consented to all the same
        ({"may_call": False}, Refusal.LANDLINE),
        ({"channel": Channel.SMS}, Refusal.LANDLINE),
        ({"reader": replace(LANDLINE, consent=None)}, Refusal.NO_CONSENT),
        ({"reader": replace(LANDLINE, consent=ConsentKind.REVOKED)}, Refusal.CONSENT_REVOKED),
        ({"reader": replace(LANDLINE, phone_word=ConsentKind.OPTED_OUT)}, Refusal.OPTED_OUT),
        ({"reader": replace(LANDLINE, status=PatientStatus.DECEASED)}, Refusal.DECEASED),
        ({"reader": replace(LANDLINE, status=PatientStatus.DECEASED), "may_call": False}, Refusal.DECEASED),
        ({"reader": replace(LANDLINE, phone_kind=PhoneKind.UNREACHABLE)}, Refusal.UNREACHABLE),
        ({"reader": replace(LANDLINE, phone_kind=PhoneKind.WRONG_NUMBER)}, Refusal.WRONG_NUMBER),
        ({"reader": replace(LANDLINE, sent_today=LANDLINE.daily_cap)}, Refusal.DAILY_CAP),
        ({"visits": ()}, Drop.VISIT_CHANGED),
        ({"has_sender": False}, Drop.NO_SENDER),
        ({"wording": None}, Drop.NO_WORDING),
        ({"wording": "x" * (MOST_SPOKEN + 1)}, Drop.NO_WORDING),
        ({"wording": "&" * (MOST_SPOKEN // 4)}, Drop.NO_WORDING),  # each is five characters of XML
    ],
)
def test_everything_else_is_as_for_a_text(changes: dict[str, object], verdict: Refusal | Drop | None) -> None:
    found = decide(replace(CALL, **changes), NOON)  # type: ignore[arg-type]
    assert (None if isinstance(found, Ready) else found) == verdict


def local(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 23, hour + 5, minute, tzinfo=UTC)


TOMORROW_AT_9 = datetime(2026, 11, 24, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "texts", "until"),
    [
        (local(8, 30), (time(8), time(21)), local(9)),  # a text may go at 8, a call rings from 9
        (local(9), (time(8), time(21)), None),
        (local(18, 59), (time(8), time(21)), None),
        (local(18, 59), (time(8), time(18)), TOMORROW_AT_9),  # the agency's own hours are narrower
        (local(9, 30), (time(10), time(21)), local(10)),
    ],
)
def test_the_hours_of_calls(now: datetime, texts: tuple[time, time], until: datetime | None) -> None:
    reader = replace(LANDLINE, texts_after=texts[0], texts_until=texts[1])
    found = decide(replace(CALL, reader=reader), now)
    assert found == Hold(until) if until else isinstance(found, Ready)


def test_no_call_at_eight_in_the_evening() -> None:
    assert decide(CALL, datetime(2026, 11, 24, 1, tzinfo=UTC)) == Hold(TOMORROW_AT_9)


def test_hours_that_do_not_meet_never_open() -> None:
    reader = replace(LANDLINE, texts_after=time(6), texts_until=time(8))
    for hour in range(24):
        found = decide(replace(CALL, reader=reader), NOON + timedelta(hours=hour))
        assert not isinstance(found, Ready)


def test_the_keys() -> None:
    assert set(KEYS) == {"1", "2", "9"}
