"""When a person may be texted: wall-clock hours across every clock change, without a database."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engage.patients.rules.hours import Hours, Week
from engage.patients.rules.window import instant, is_open, local_day, next_opening

NEW_YORK = "America/New_York"
ZONES = [
    "America/New_York", "America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles", "America/Anchorage",
    "America/Adak", "Pacific/Honolulu", "America/Puerto_Rico", "Pacific/Guam", "Pacific/Pago_Pago", "America/St_Johns",
    "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Chatham", "Europe/Dublin", "America/Havana", "Pacific/Apia", "UTC",
]  # fmt: skip

instants = st.datetimes(datetime(2011, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))
days = st.dates(date(2011, 1, 1), date(2035, 1, 1))
minutes = st.integers(0, 24 * 60 - 1).map(lambda minute: time(minute // 60, minute % 60))
windows = st.lists(minutes, min_size=2, max_size=2, unique=True).map(sorted)
zones = st.sampled_from(ZONES)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "wall", "zone", "expected"),
    [
        ("2026-11-23", "15:00", NEW_YORK, "2026-11-23 20:00"),
        ("2026-07-01", "15:00", NEW_YORK, "2026-07-01 19:00"),
        ("2026-03-08", "01:59", NEW_YORK, "2026-03-08 06:59"),
        ("2026-03-08", "02:00", NEW_YORK, "2026-03-08 07:00"),  # skipped: moved forward, the clock shows 03:00
        ("2026-03-08", "02:30", NEW_YORK, "2026-03-08 07:30"),  # … 03:30
        ("2026-03-08", "03:00", NEW_YORK, "2026-03-08 07:00"),
        ("2026-11-01", "00:59", NEW_YORK, "2026-11-01 04:59"),
        ("2026-11-01", "01:00", NEW_YORK, "2026-11-01 06:00"),  # repeated: the second, standard time
        ("2026-11-01", "01:30", NEW_YORK, "2026-11-01 06:30"),
        ("2026-11-01", "02:00", NEW_YORK, "2026-11-01 07:00"),
        ("2026-03-08", "02:30", "America/Phoenix", "2026-03-08 09:30"),  # no daylight saving at all
        ("2026-11-01", "01:30", "America/Phoenix", "2026-11-01 08:30"),
        ("2026-11-23", "08:00", "Asia/Kathmandu", "2026-11-23 02:15"),
        ("2026-10-04", "02:15", "Australia/Lord_Howe", "2026-10-03 15:45"),  # half an hour is skipped
        ("2026-04-05", "01:45", "Australia/Lord_Howe", "2026-04-04 15:15"),  # half an hour is repeated
        ("2011-12-30", "08:00", "Pacific/Apia", "2011-12-30 18:00"),  # a day that never was: the next one's
    ],
)
def test_instant(day: str, wall: str, zone: str, expected: str) -> None:
    found = instant(date.fromisoformat(day), time.fromisoformat(wall), zone)
    assert found == utc(expected)
    assert found.tzinfo is UTC


@pytest.mark.parametrize("fold", [0, 1])
def test_the_fold_of_a_given_time_means_nothing(fold: int) -> None:
    assert instant(date(2026, 11, 1), time(1, 30, fold=fold), NEW_YORK) == utc("2026-11-01 06:30")


@given(days, minutes, zones)
def test_an_instant_shows_its_wall_time_unless_that_was_skipped(day: date, wall: time, zone: str) -> None:
    local = instant(day, wall, zone).astimezone(ZoneInfo(zone))
    assert local.replace(tzinfo=None, fold=0) >= datetime.combine(day, wall)
    if (local.date(), local.time().replace(fold=0)) != (day, wall):
        shown_before = (instant(day, wall, zone) - timedelta(days=1)).astimezone(ZoneInfo(zone))
        assert shown_before.utcoffset() != local.utcoffset()


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-23 12:59", False),
        ("2026-11-23 13:00", True),  # 08:00: the first minute counts
        ("2026-11-24 01:59", True),
        ("2026-11-24 02:00", False),  # 21:00: the last does not
        ("2026-07-01 12:00", True),  # 08:00 in summer
    ],
)
def test_is_open(now: str, expected: bool) -> None:
    assert is_open(utc(now), NEW_YORK, Week.daily(time(8), time(21))) is expected


@pytest.mark.parametrize(
    ("now", "after", "until", "zone", "expected"),
    [
        ("2026-11-23 15:00", "08:00", "21:00", NEW_YORK, "2026-11-23 15:00"),  # open: now
        ("2026-11-23 12:59", "08:00", "21:00", NEW_YORK, "2026-11-23 13:00"),  # this morning
        ("2026-11-24 02:00", "08:00", "21:00", NEW_YORK, "2026-11-24 13:00"),  # tomorrow morning
        ("2026-11-24 04:59", "08:00", "21:00", NEW_YORK, "2026-11-24 13:00"),  # just before midnight
        (
            "2026-03-08 04:00",
            "08:00",
            "21:00",
            NEW_YORK,
            "2026-03-08 12:00",
        ),  # 23:00; spring takes an hour of the night
        ("2026-11-01 03:00", "08:00", "21:00", NEW_YORK, "2026-11-01 13:00"),  # 23:00; autumn gives one
        ("2026-11-23 08:00", "08:00", "21:00", "Pacific/Honolulu", "2026-11-23 18:00"),
        # the whole window is skipped: the next day's
        ("2026-03-08 06:00", "02:15", "02:45", NEW_YORK, "2026-03-09 06:15"),
        # its beginning is skipped: open as soon as the clock has been moved, at 03:00
        ("2026-03-08 06:00", "02:15", "03:30", NEW_YORK, "2026-03-08 07:00"),
        # an hour comes twice, and both count
        ("2026-11-01 05:00", "01:30", "03:00", NEW_YORK, "2026-11-01 05:30"),
        ("2026-11-01 05:45", "01:00", "01:30", NEW_YORK, "2026-11-01 06:00"),  # closed at 01:30, open at 01:00 again
        ("2026-11-01 05:45", "00:10", "01:30", NEW_YORK, "2026-11-01 06:00"),  # … the clock is moved into its midst
        ("2026-03-08 04:30", "00:30", "02:00", "America/Havana", "2026-03-08 05:00"),  # midnight itself is skipped
        ("2011-12-30 09:00", "08:00", "21:00", "Pacific/Apia", "2011-12-30 18:00"),  # a day is left out
    ],
)
def test_next_opening(now: str, after: str, until: str, zone: str, expected: str) -> None:
    week = Week.daily(time.fromisoformat(after), time.fromisoformat(until))
    assert next_opening(utc(now), zone, week) == utc(expected)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-21 23:59", "2026-11-21 23:59"),  # Saturday 18:59
        ("2026-11-22 01:00", "2026-11-23 14:00"),  # Saturday 20:00: not on Sunday, on Monday
        ("2026-11-22 17:00", "2026-11-23 14:00"),  # Sunday noon
        ("2026-11-23 14:00", "2026-11-23 14:00"),
    ],
)
def test_a_closed_day_is_passed_over(now: str, expected: str) -> None:
    week = Week((*[Hours(time(9), time(20))] * 6, None))
    assert next_opening(utc(now), NEW_YORK, week) == utc(expected)


def test_a_week_that_never_opens() -> None:
    assert next_opening(utc("2026-11-22 17:00"), NEW_YORK, Week((None,) * 7)) is None


spans = windows.map(lambda bounds: Hours(*bounds))
weeks = st.lists(st.one_of(st.none(), spans), min_size=7, max_size=7).map(lambda days: Week(tuple(days)))


@given(instants, zones, st.one_of(weeks, spans.map(lambda span: Week.daily(span.after, span.until))))
@example(utc("2026-03-08 06:00"), NEW_YORK, Week.daily(time(2, 15), time(2, 45)))
@example(utc("2026-11-01 05:45"), NEW_YORK, Week.daily(time(1, 0), time(1, 30)))
@example(utc("2011-12-30 09:00"), "Pacific/Apia", Week.daily(time(8), time(21)))
def test_the_next_opening_is_open_and_soon(now: datetime, zone: str, week: Week) -> None:
    opens_at = next_opening(now, zone, week)
    if opens_at is None:
        assert week.never_opens
        return
    assert is_open(opens_at, zone, week)
    assert (opens_at == now) is is_open(now, zone, week)
    assert now <= opens_at <= now + timedelta(days=15)
    if all(week.days) and len(set(week.days)) == 1:
        assert opens_at <= now + timedelta(hours=50)  # a skipped window or a day of 25 hours, but never a day left out


@given(instants, zones, windows)
def test_open_means_that_the_wall_shows_an_hour_between(now: datetime, zone: str, window: list[time]) -> None:
    after, until = window
    wall = now.astimezone(ZoneInfo(zone)).replace(tzinfo=None).time()
    shown = (wall.hour, wall.minute, wall.second, wall.microsecond)
    within = (after.hour, after.minute, 0, 0) <= shown < (until.hour, until.minute, 0, 0)
    assert is_open(now, zone, Week.daily(after, until)) is within


@pytest.mark.parametrize(
    ("zone", "expected"),
    [("America/New_York", date(2026, 11, 22)), ("UTC", date(2026, 11, 23)), ("Pacific/Chatham", date(2026, 11, 23))],
)
def test_local_day(zone: str, expected: date) -> None:
    assert local_day(utc("2026-11-23 04:30"), zone) == expected
