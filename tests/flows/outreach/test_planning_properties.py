"""Plans under every zone, clock change, programme and order of events: never out of hours, and tick by tick as all at once."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import available_timezones

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from engage.db import Database
from engage.outreach.plan import Planned, plan
from engage.patients.rules.hours import Week
from engage.patients.rules.window import is_open
from tests.cast import NOON, Cast
from tests.flows.test_time_agrees import clock_changes

ONCE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
MINUTE = timedelta(minutes=1)


@lru_cache
def zones(db: Database) -> list[str]:
    """Every zone that both clocks know."""
    with db.system_session("test") as session:
        known = set(session.execute(text("SELECT name FROM pg_timezone_names")).scalars())
    return sorted(known & {zone for zone in available_timezones() if "/" in zone})


@lru_cache(maxsize=1000)
def changes(zone: str) -> list[datetime]:
    return clock_changes(zone)


def run(cast: Cast, *statements: str, **values: object) -> None:
    with cast.db.system_session("test") as session:
        for statement in statements:
            session.execute(text(statement), {name: value for name, value in values.items() if f":{name}" in statement})


# --- every zone, both clock changes -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Programme:
    """Hours, and a touchpoint of each anchor."""

    after: time
    until: time
    at: time
    offset_days: int
    useful: int
    spread: int
    delay: int
    visits: tuple[tuple[int, time | None], ...]  # days from the clock change, wall time
    done: int | None  # a visit completed so many minutes from the clock change


walls = st.times().map(lambda wall: wall.replace(second=0, microsecond=0, fold=0))
night = st.integers(0, 16).map(lambda quarters: time(quarters // 4, quarters % 4 * 15))  # when clocks are changed
programmes = st.builds(
    lambda bounds, **rest: Programme(after=min(bounds), until=max(bounds), **rest),
    st.one_of(
        st.just((time(8), time(21))), st.tuples(walls | night, walls | night).filter(lambda pair: pair[0] != pair[1])
    ),
    at=walls | night,
    offset_days=st.integers(-3, 1),
    useful=st.integers(5, 600),
    spread=st.just(180) | st.integers(0, 180),
    delay=st.integers(0, 3000),
    visits=st.lists(st.tuples(st.integers(-1, 4), st.one_of(st.none(), walls)), max_size=4).map(tuple),
    done=st.one_of(st.none(), st.integers(-2000, 2000)),
)

_PROGRAMME = (
    "UPDATE agencies SET texts_after = :after, texts_until = :until WHERE id = :agency",
    (
        "UPDATE touchpoints SET local_time = :at, offset_days = CASE WHEN anchor = 'visit_day' THEN CAST(:offset_days AS int) ELSE 0 END"
        " WHERE agency_id = :agency AND local_time IS NOT NULL"
    ),
    "UPDATE touchpoints SET useful_minutes = :useful, spread_minutes = :spread WHERE agency_id = :agency",
    "UPDATE touchpoints SET offset_minutes = :delay WHERE agency_id = :agency AND anchor = 'visit_completed'",
    "UPDATE patients SET time_zone = :zone WHERE agency_id = :agency",
)
_EMPTY = ("DELETE FROM messages", "DELETE FROM visit_clinicians", "DELETE FROM visits", "DELETE FROM planning")
_VISIT = """
INSERT INTO visits (agency_id, patient_id, emr_id, task, starts_on, starts_local, status, completed_at, changed_at)
VALUES (:agency, :rose, :emr_id, 'Visit', :on, :wall, CASE WHEN CAST(:done AS timestamptz) IS NULL THEN 'scheduled' ELSE 'completed' END, :done, now())
"""
_FOUND = text("""
SELECT m.touchpoint_id, m.contact_id, m.occasion, t.anchor, m.send_at, m.expires_at FROM messages m
JOIN touchpoints t ON t.agency_id = m.agency_id AND t.id = m.touchpoint_id WHERE m.agency_id = :agency AND m.state <> 'cancelled'
""")


@settings(ONCE, max_examples=40)
@given(data=st.data(), programme=programmes, hours=st.integers(-40, 10))
def test_no_plan_leaves_the_hours(cast: Cast, data: st.DataObject, programme: Programme, hours: int) -> None:
    zone = data.draw(st.sampled_from(zones(cast.db)))
    around = data.draw(st.sampled_from(changes(zone) or [NOON]))
    now = around + timedelta(hours=hours)
    values = {
        name: getattr(programme, name) for name in ("after", "until", "at", "offset_days", "useful", "spread", "delay")
    }
    run(cast, *_EMPTY, *_PROGRAMME, agency=cast.id, zone=zone, **values)
    done = [around + timedelta(minutes=programme.done)] if programme.done is not None else []
    visits = [((around + timedelta(days=days)).date(), wall, None) for days, wall in programme.visits]
    for number, (on, wall, at) in enumerate([*visits, *[(around.date(), None, at) for at in done]]):
        run(cast, _VISIT, agency=cast.id, rose=cast.rose, emr_id=f"v{number}", on=on, wall=wall, done=at)
    plan(cast.db, now, timedelta(hours=60))
    with cast.db.agency_session(cast.id) as session:
        rows = session.execute(_FOUND, {"agency": cast.id}).all()
    hours_of_day = Week.daily(programme.after, programme.until)
    for row in rows:
        assert is_open(row.send_at, zone, hours_of_day), row
        assert row.send_at < row.expires_at, row
        assert row.expires_at > now, row
    assert len({(row.touchpoint_id, row.contact_id, row.occasion) for row in rows}) == len(rows)
    assert plan(cast.db, now, timedelta(hours=60)) == Planned()
    assert plan(cast.db, now, timedelta(hours=60), whole=True) == Planned()


@pytest.mark.parametrize(
    ("day", "after", "until", "at", "send_at"),
    [
        # The hour from 01:00 is shown twice; the second counts, and nobody is spread into the first.
        (date(2026, 11, 1), time(0), time(1, 10), time(0, 50), "04:50"),
        # From 02:00 to 03:00 is not shown at all.
        (date(2026, 3, 8), time(2), time(2, 45), time(2, 10), None),
        (date(2026, 3, 8), time(1), time(4), time(2, 10), "07:10"),
        (date(2026, 3, 8), time(1), time(3, 5), time(2, 10), None),
    ],
)
def test_hours_in_which_clocks_are_changed(
    cast: Cast, day: date, after: time, until: time, at: time, send_at: str | None
) -> None:
    values = {"after": after, "until": until, "at": at, "offset_days": 0, "useful": 120, "spread": 60, "delay": 0}
    run(cast, *_EMPTY, *_PROGRAMME, agency=cast.id, zone="America/New_York", **values)
    plan(cast.db, datetime.combine(day, time(0), UTC), timedelta(hours=30))
    with cast.db.agency_session(cast.id) as session:
        rows = session.execute(_FOUND, {"agency": cast.id}).all()
    found = {f"{row.send_at.astimezone(UTC):%H:%M}" for row in rows if row.occasion == day.isoformat()}
    assert found == ({send_at} if send_at else set())


@pytest.mark.parametrize("zone", ["America/New_York", "Australia/Lord_Howe", "America/Havana", "Asia/Tehran"])
def test_usual_hours_lose_nothing_to_a_clock_change(cast: Cast, zone: str) -> None:
    """A day's check-ins are planned on the days of both changes as on any other."""
    for around in changes(zone)[:2]:
        run(
            cast,
            *_EMPTY,
            "UPDATE patients SET time_zone = :zone",
            "UPDATE touchpoints SET spread_minutes = 30",
            zone=zone,
        )
        plan(cast.db, around - timedelta(hours=30), timedelta(hours=72))
        with cast.db.agency_session(cast.id) as session:
            rows = session.execute(_FOUND, {"agency": cast.id}).all()
        days = {date.fromisoformat(row.occasion) for row in rows}
        whole_days = sorted(days)[1:-1]
        assert around.astimezone(UTC).date() in days
        assert len(whole_days) >= 1
        assert all(
            sum(row.occasion == day.isoformat() for row in rows) == 4 for day in whole_days
        )  # two check-ins for two


# --- tick by tick -----------------------------------------------------------------------------------------------------

_CONSENT = """
INSERT INTO consent_events (agency_id, contact_id, phone_hash, category, kind, source, said_at, recorded_at)
SELECT agency_id, id, phone_hash, category, '{}', 'staff', clock_timestamp(), now()
FROM contacts, unnest(ARRAY['visits', 'checkins']) AS category WHERE id = :contact
"""
_PHONE = """
INSERT INTO consent_events (agency_id, phone_hash, kind, source, said_at, recorded_at)
SELECT agency_id, phone_hash, '{}', 'text', clock_timestamp(), now() FROM contacts WHERE id = :contact
"""
_MOVE = "UPDATE visits SET starts_on = DATE '2026-11-22' + CAST(:days AS int), starts_local = :wall WHERE patient_id = :patient"
EVENTS = st.one_of(
    st.tuples(st.just(_MOVE), st.fixed_dictionaries({"days": st.integers(0, 3), "wall": st.one_of(st.none(), walls)})),
    st.tuples(
        st.sampled_from(
            [
                *(_CONSENT.format(kind) for kind in ("granted", "revoked")),
                *(_PHONE.format(kind) for kind in ("opted_out", "opted_in")),
                "UPDATE patients SET status = 'discharged' WHERE id = :patient",
                "UPDATE patients SET status = 'active' WHERE id = :patient",
                "UPDATE patients SET is_monitored = NOT is_monitored WHERE id = :patient",
                "UPDATE visits SET status = 'completed', completed_at = :now WHERE patient_id = :patient",
                "UPDATE visits SET status = 'scheduled', completed_at = NULL WHERE patient_id = :patient",
                "UPDATE visits SET answer = 'does_not_want_it', answered_at = now() WHERE patient_id = :patient",
                "UPDATE visits SET answer = NULL, answered_at = NULL WHERE patient_id = :patient",
                "UPDATE contacts SET phone_kind = CASE phone_kind WHEN 'mobile' THEN 'landline' ELSE 'mobile' END WHERE id = :contact",
                "UPDATE contacts SET ended_at = CASE WHEN ended_at IS NULL THEN now() END WHERE id = :contact",
                # One phone for both, or one each.
                "UPDATE contacts SET phone_hash = sha256('one phone') WHERE id = :contact",
                "UPDATE contacts SET phone_hash = sha256(int8send(id)) WHERE id = :contact",
                "UPDATE episodes SET discharged_on = CASE WHEN discharged_on IS NULL THEN DATE '2026-11-22' END WHERE patient_id = :patient",
                "DELETE FROM episodes WHERE patient_id = :patient",
                "INSERT INTO episodes (agency_id, patient_id, emr_id, starts_on) SELECT agency_id, id, gen_random_uuid()::text, '2026-11-23' FROM patients WHERE id = :patient",
                "UPDATE touchpoints SET is_active = NOT is_active WHERE key = 'evening-checkin'",
                "UPDATE agencies SET is_active = NOT is_active WHERE slug = 'sunrise'",
            ]
        ),
        st.just({}),
    ),
    st.tuples(
        st.just("UPDATE patients SET time_zone = :zone WHERE id = :patient"),
        st.fixed_dictionaries({"zone": st.sampled_from(["America/New_York", "Pacific/Honolulu", "Asia/Kathmandu"])}),
    ),
    st.tuples(
        st.just(
            "UPDATE touchpoints SET local_time = :wall, spread_minutes = :spread WHERE key = :key AND local_time IS NOT NULL"
        ),
        st.fixed_dictionaries(
            {
                "wall": walls,
                "spread": st.integers(0, 60),
                "key": st.sampled_from(["day-before", "day-of", "morning-checkin", "evening-checkin"]),
            }
        ),
    ),
    st.tuples(
        st.just("UPDATE agencies SET texts_until = :hour"),
        st.fixed_dictionaries({"hour": st.sampled_from([time(12), time(19), time(21)])}),
    ),
)
STEPS = (
    st.lists(  # what, to Rose or Marta, and how many minutes later the planner looks (None: not before the next step)
        st.tuples(EVENTS, st.booleans(), st.one_of(st.none(), st.integers(0, 15))), min_size=1, max_size=8
    )
)
_AS_AT_FIRST = (
    *_EMPTY,
    "DELETE FROM episodes",
    "UPDATE agencies SET is_active = true, texts_after = '08:00', texts_until = '21:00'",
    (
        "UPDATE touchpoints SET is_active = true, spread_minutes = 0, local_time = CASE key WHEN 'day-before' THEN time '15:00'"
        " WHEN 'day-of' THEN '08:00' WHEN 'morning-checkin' THEN '09:00' WHEN 'evening-checkin' THEN '18:00' END"
    ),
    "UPDATE patients SET status = 'active', is_monitored = true, time_zone = 'America/New_York'",
    "UPDATE contacts SET phone_kind = 'mobile', ended_at = NULL, phone_hash = sha256(int8send(id))",
)


@settings(ONCE, max_examples=25)
@given(steps=STEPS, hours=st.integers(0, 30))
def test_tick_by_tick_as_all_at_once(
    cast: Cast, steps: list[tuple[tuple[str, dict[str, object]], bool, int | None]], hours: int
) -> None:
    """Whatever changes between the ticks: deriving everything anew afterwards finds nothing to do."""
    patients = {True: (cast.rose, cast.rose_contact), False: (cast.marta, cast.marta_contact)}
    run(cast, *_AS_AT_FIRST)
    for patient, contact in patients.values():
        run(cast, _CONSENT.format("granted"), _PHONE.format("opted_in"), contact=contact)
        run(
            cast,
            _VISIT,
            agency=cast.id,
            rose=patient,
            emr_id=f"v{patient}",
            on=date(2026, 11, 23),
            wall=time(10),
            done=None,
        )
    now = NOON + timedelta(hours=hours)
    plan(cast.db, now)
    for (event, values), is_rose, minutes in steps:
        patient, contact = patients[is_rose]
        run(cast, event, patient=patient, contact=contact, now=now, **values)
        if minutes is not None:
            now += minutes * MINUTE
            plan(cast.db, now)
            assert plan(cast.db, now) == Planned()
    plan(cast.db, now)
    assert plan(cast.db, now, whole=True) == Planned()
