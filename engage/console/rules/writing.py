"""What becomes of a text that is about to be written by hand: the phone's facts in; whether and when out. Pure."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from engage.patients.rules.hours import Hours, Week
from engage.patients.rules.permission import Hold, Purpose, Reader, Refusal, may_text
from engage.patients.rules.words import Category, ConsentKind, PatientStatus, PhoneKind

USEFUL = timedelta(hours=12)
"""As long as a text by hand may wait (engage.outreach.outbox)."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Whoever would read it: the facts that the dispatcher will ask for as well."""

    status: PatientStatus
    phone_kind: PhoneKind
    has_ended: bool
    granted: Category | None
    phone_word: ConsentKind | None
    zone: str
    hours: tuple[time, time]
    own_hours: tuple[time, time] | None
    state_week: Week | None
    has_exemption_only: bool
    has_written: bool


def verdict(reading: Reading, now: datetime) -> Refusal | Hold | None:
    """None when a text by hand would leave now, else why not, or until when it would wait; as the dispatcher will decide."""
    reader = Reader(
        status=reading.status,
        phone_kind=reading.phone_kind,
        has_ended=reading.has_ended,
        consent=ConsentKind.GRANTED if reading.granted else None,
        phone_word=reading.phone_word,
        zone=reading.zone,
        texts_after=reading.hours[0],
        texts_until=reading.hours[1],
        sent_today=0,  # a text by hand counts for no cap
        sent_this_week=0,
        daily_cap=1,
        weekly_cap=1,
        own_hours=Hours(*reading.own_hours) if reading.own_hours else None,
        state_week=reading.state_week,
        category=reading.granted or Category.CHECKINS,
        has_exemption_only=reading.has_exemption_only,
    )
    purpose = Purpose.ANSWER if reading.has_written else Purpose.UNASKED
    return may_text(reader, purpose, now + USEFUL, now)
