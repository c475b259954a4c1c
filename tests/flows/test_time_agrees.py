"""Engage's wall clock and PostgreSQL's are one: the planner asks SQL, the rules ask Python, and both must say the same."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from engage.db import Database
from engage.patients.rules.hours import Week
from engage.patients.rules.window import instant, is_open, local_day

# Every zone of the United States and its territories, and odd ones: quarter and half hours, half-hour daylight saving,
# daylight saving that is negative, begins at midnight or has moved by a whole day.
ZONES = [
    "America/New_York", "America/Detroit", "America/Kentucky/Louisville", "America/Kentucky/Monticello",
    "America/Indiana/Indianapolis", "America/Indiana/Vincennes", "America/Indiana/Winamac", "America/Indiana/Marengo",
    "America/Indiana/Petersburg", "America/Indiana/Vevay", "America/Indiana/Tell_City", "America/Indiana/Knox",
    "America/Chicago", "America/Menominee", "America/North_Dakota/Center", "America/North_Dakota/New_Salem",
    "America/North_Dakota/Beulah", "America/Denver", "America/Boise", "America/Phoenix", "America/Los_Angeles",
    "America/Anchorage", "America/Juneau", "America/Sitka", "America/Metlakatla", "America/Yakutat", "America/Nome",
    "America/Adak", "Pacific/Honolulu", "America/Puerto_Rico", "America/St_Thomas", "Pacific/Guam", "Pacific/Saipan",
    "Pacific/Pago_Pago",
    "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Chatham", "America/St_Johns", "Europe/Dublin", "Europe/London",
    "America/Havana", "Asia/Tehran", "Asia/Kolkata", "Australia/Adelaide", "Pacific/Kiritimati", "Pacific/Apia", "UTC",
]  # fmt: skip
YEARS = range(2019, 2027)  # before and after, two releases of the zone tables may differ

_WALLS = text("""
SELECT array_agg((w.day + w.wall) AT TIME ZONE w.zone ORDER BY w.place)
FROM unnest(CAST(:days AS date[]), CAST(:walls AS time[]), CAST(:zones AS text[])) WITH ORDINALITY AS w(day, wall, zone, place)
""")
_SHOWN = text("""
SELECT array_agg((w.at AT TIME ZONE w.zone)::text ORDER BY w.place)
FROM unnest(CAST(:ats AS timestamptz[]), CAST(:zones AS text[])) WITH ORDINALITY AS w(at, zone, place)
""")

Wall = tuple[date, time, str]


def by_postgres(db: Database, walls: list[Wall]) -> list[datetime]:
    days, times, zones = (list(column) for column in zip(*walls, strict=True))
    with db.system_session("test") as session:
        found = session.execute(_WALLS, {"days": days, "walls": times, "zones": zones}).scalar_one()
    return [at.astimezone(UTC) for at in found]


def clock_changes(zone: str) -> list[datetime]:
    """The instants of `YEARS` at which clocks in `zone` are moved, to the minute (UTC)."""
    begin, end = datetime(YEARS.start, 1, 1, tzinfo=UTC), datetime(YEARS.stop, 1, 1, tzinfo=UTC)
    days = [begin + timedelta(days=n) for n in range((end - begin).days + 1)]
    found = []
    for before, after in zip(days, days[1:], strict=False):
        if _offset(before, zone) != _offset(after, zone):
            low, high = 0, 24 * 60
            while high - low > 1:
                middle = (low + high) // 2
                moved = _offset(before + timedelta(minutes=middle), zone) != _offset(before, zone)
                low, high = (low, middle) if moved else (middle, high)
            found.append(before + timedelta(minutes=high))
    return found


def _offset(at: datetime, zone: str) -> timedelta | None:
    return at.astimezone(ZoneInfo(zone)).utcoffset()


def test_around_every_clock_change(db: Database) -> None:
    walls: list[Wall] = []
    for zone in ZONES:
        for change in clock_changes(zone):
            local = change.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)
            around = (local + timedelta(minutes=minutes) for minutes in range(-150, 151, 5))
            walls += [(wall.date(), wall.time(), zone) for wall in around]
    assert len({zone for *_, zone in walls}) > 30  # the rest has no daylight saving
    assert [instant(*wall) for wall in walls] == by_postgres(db, walls)


@pytest.mark.parametrize("zone", ["America/New_York", "Australia/Lord_Howe"])
def test_there_are_two_changes_a_year(zone: str) -> None:
    assert len(clock_changes(zone)) == 2 * len(YEARS)


walls = st.tuples(
    st.dates(date(YEARS.start, 1, 1), date(YEARS.stop - 1, 12, 31)),
    st.times().map(lambda wall: wall.replace(fold=0)),
    st.sampled_from(ZONES),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(walls, min_size=1, max_size=200))
def test_at_any_wall_time(db: Database, walls: list[Wall]) -> None:
    assert [instant(*wall) for wall in walls] == by_postgres(db, walls)


moments = st.datetimes(datetime(YEARS.start, 1, 2), datetime(YEARS.stop - 1, 12, 30), timezones=st.just(UTC))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(st.tuples(moments, st.sampled_from(ZONES)), min_size=1, max_size=200))
def test_the_day_and_the_hours_are_the_same(db: Database, shown: list[tuple[datetime, str]]) -> None:
    ats, zones = (list(column) for column in zip(*shown, strict=True))
    with db.system_session("test") as session:
        found = session.execute(_SHOWN, {"ats": ats, "zones": zones}).scalar_one()
    for (at, zone), wall in zip(shown, found, strict=True):
        local = datetime.fromisoformat(wall)
        assert local_day(at, zone) == local.date()
        assert is_open(at, zone, Week.daily(time(8), time(21))) is (time(8) <= local.time() < time(21))
