"""Check-ins are spread over a window, so that answers do not reach the nurses all at once."""

from collections import Counter
from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import text

from engage.onboarding import NewAgency, found_agency
from engage.outreach.plan import plan
from tests.cast import MONDAY, NOON, Cast

NINE = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


def crowd(cast: Cast, size: int) -> None:
    """More patients of Sunrise's, with consent."""
    with cast.db.system_session("test") as session:
        session.execute(
            text("""
            WITH p AS (
                INSERT INTO patients (agency_id, branch_id, emr_id, first_name, last_name, time_zone, status_since)
                SELECT :agency, :branch, 'crowd-' || n, 'Pat', 'Test', 'America/New_York', :now FROM generate_series(1, :size) AS n
                RETURNING agency_id, id),
            c AS (
                INSERT INTO contacts (agency_id, patient_id, relationship, phone, phone_hash)
                SELECT agency_id, id, 'patient', 'x', sha256(int8send(id)) FROM p RETURNING agency_id, id, phone_hash)
            INSERT INTO consent_events (agency_id, contact_id, phone_hash, category, kind, source, said_at, recorded_at)
            SELECT agency_id, id, phone_hash, category, 'granted', 'paper', :now, :now FROM c, unnest(ARRAY['visits', 'checkins', 'surveys']) AS category
            """),
            {"agency": cast.id, "branch": cast.branch, "size": size, "now": NOON},
        )


def spread(cast: Cast, key: str, minutes: int, **values: object) -> None:
    sets = ", ".join(f"{name} = :{name}" for name in ["spread_minutes", *values])
    with cast.db.agency_session(cast.id) as session:
        session.execute(
            text(f"UPDATE touchpoints SET {sets} WHERE key = :key"), {"key": key, "spread_minutes": minutes, **values}
        )


def times(cast: Cast, key: str, now: datetime = NOON) -> dict[int, tuple[datetime, datetime]]:
    """(leaves, expires) by contact, of the touchpoint's next day."""
    plan(cast.db, now)
    with cast.db.agency_session(cast.id) as session:
        rows = session.execute(
            text(
                "SELECT DISTINCT ON (m.contact_id) m.contact_id, m.send_at, m.expires_at FROM messages m"
                " JOIN touchpoints t ON t.agency_id = m.agency_id AND t.id = m.touchpoint_id"
                " WHERE t.key = :key AND m.state = 'planned' AND m.send_at > :now ORDER BY m.contact_id, m.send_at"
            ),
            {"key": key, "now": now},
        ).all()
    return {contact: (send_at.astimezone(UTC), expires_at.astimezone(UTC)) for contact, send_at, expires_at in rows}


def test_a_new_agency_spreads_its_checkins(cast: Cast) -> None:
    new = NewAgency("new", "New Home Health", "(202) 555-0152", "America/Chicago", "+12025550103")
    with cast.db.agency_session(found_agency(cast.db, new, cast.config, NOON)) as session:
        found = {
            row.key: row.spread_minutes for row in session.execute(text("SELECT key, spread_minutes FROM touchpoints"))
        }
    assert {key for key, minutes in found.items() if minutes} == {"morning-checkin", "evening-checkin"}
    assert {minutes for minutes in found.values() if minutes} == {30}


def test_each_at_a_minute_of_their_own(cast: Cast) -> None:
    crowd(cast, 300)
    spread(cast, "morning-checkin", 30)
    found = times(cast, "morning-checkin")
    assert len(found) == 302
    minutes = Counter((send_at - NINE) // timedelta(minutes=1) for send_at, _ in found.values())
    assert set(minutes) == set(range(30))
    assert max(minutes.values()) <= 2 * 302 / 30
    # As long useful as before, from when it leaves.
    assert {expires_at - send_at for send_at, expires_at in found.values()} == {timedelta(hours=3)}


def test_the_same_minute_each_day(cast: Cast) -> None:
    spread(cast, "morning-checkin", 30)
    today = times(cast, "morning-checkin")
    tomorrow = times(cast, "morning-checkin", NINE + timedelta(hours=6))
    assert {contact: send_at + timedelta(days=1) for contact, (send_at, _) in today.items()} == {
        contact: send_at for contact, (send_at, _) in tomorrow.items()
    }


def test_near_the_end_of_the_hours_it_takes_half_of_what_is_left(cast: Cast) -> None:
    crowd(cast, 100)
    spread(cast, "evening-checkin", 180, local_time=time(20, 40))
    found = times(cast, "evening-checkin")
    closing = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # 21:00
    assert len(found) == 102
    assert {expires_at for _, expires_at in found.values()} == {closing}
    assert closing - timedelta(minutes=20) <= min(send_at for send_at, _ in found.values())
    assert max(send_at for send_at, _ in found.values()) < closing - timedelta(minutes=10)


@pytest.mark.parametrize("at", [time(8, 20), time(10), time(18)])
def test_a_spread_reminder_leaves_half_of_the_time_before_the_visit(cast: Cast, at: time) -> None:
    cast.visit(cast.rose, MONDAY, at)
    spread(cast, "day-of", 120)
    send_at, expires_at = times(cast, "day-of")[cast.rose_contact]
    begins_at = datetime.combine(MONDAY, at, UTC) + timedelta(hours=5)
    eight = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)
    assert eight <= send_at <= eight + (min(begins_at, eight + timedelta(hours=4)) - eight) / 2
    assert send_at < expires_at <= begins_at


def test_taking_the_spread_away_moves_what_is_planned(cast: Cast) -> None:
    spread(cast, "morning-checkin", 30)
    assert {send_at for send_at, _ in times(cast, "morning-checkin").values()} != {NINE}
    spread(cast, "morning-checkin", 0)
    assert {send_at for send_at, _ in times(cast, "morning-checkin", NOON + timedelta(minutes=1)).values()} == {NINE}
