"""Who is on call: shifts on the branch's wall clock, across clock changes; never a gap, never silently two people."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engage.agencies.rules.oncall import Shift, on_call

CHICAGO, LORD_HOWE = "America/Chicago", "Australia/Lord_Howe"
DAILY = frozenset(range(7))
ANA, BEN = 1, 2


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def shift(person: int, starts: str, ends: str, zone: str = CHICAGO, weekdays: frozenset[int] = DAILY) -> Shift:
    return Shift(person, zone, weekdays, time.fromisoformat(starts), time.fromisoformat(ends))


DAY, NIGHT = shift(ANA, "07:00", "19:00"), shift(BEN, "19:00", "07:00")


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-23T07:00-06:00", [ANA]),  # the first minute
        ("2026-11-23T18:59:59-06:00", [ANA]),
        ("2026-11-23T19:00-06:00", [BEN]),
        ("2026-11-23T23:59:59-06:00", [BEN]),
        ("2026-11-24T00:00-06:00", [BEN]),
        ("2026-11-24T02:00-06:00", [BEN]),  # an alert raised at two goes to the night shift
        ("2026-11-24T06:59:59-06:00", [BEN]),
        ("2026-11-23T13:00+00:00", [ANA]),  # the branch's wall clock, whoever asks
    ],
)
def test_day_and_night(now: str, expected: list[int]) -> None:
    assert on_call([DAY, NIGHT], at(now)) == tuple(expected)


FRIDAY_NIGHT = shift(BEN, "20:00", "06:00", weekdays=frozenset({4}))


@pytest.mark.parametrize(
    ("now", "is_on"),
    [
        ("2026-11-27T19:59-06:00", False),
        ("2026-11-27T20:00-06:00", True),
        ("2026-11-28T05:59-06:00", True),  # Saturday morning belongs to the shift that began on Friday
        ("2026-11-28T06:00-06:00", False),
        ("2026-11-28T20:00-06:00", False),
        ("2026-11-27T05:00-06:00", False),  # Friday morning would be Thursday's
    ],
)
def test_an_overnight_shift_belongs_to_the_day_on_which_it_begins(now: str, is_on: bool) -> None:
    assert FRIDAY_NIGHT.covers(at(now)) is is_on


@pytest.mark.parametrize(
    ("now", "is_on"),
    [
        ("2026-11-22T21:00-06:00", False),
        ("2026-11-23T05:00-06:00", False),  # of the night before the first
        ("2026-11-23T20:00-06:00", True),
        ("2026-11-24T05:00-06:00", True),
        ("2026-11-24T20:00-06:00", True),
        ("2026-11-25T05:00-06:00", True),  # the last shift runs to its end
        ("2026-11-25T20:00-06:00", False),
    ],
)
def test_the_first_and_the_last_day(now: str, is_on: bool) -> None:
    bounded = Shift(BEN, CHICAGO, DAILY, time(20), time(6), first_on=date(2026, 11, 23), last_on=date(2026, 11, 24))
    assert bounded.covers(at(now)) is is_on


def test_everybody_on_call_is_named_once_in_the_order_of_the_rota() -> None:
    shifts = [shift(BEN, "00:00", "00:00"), shift(ANA, "08:00", "17:00"), shift(BEN, "08:00", "12:00")]
    assert on_call(shifts, at("2026-11-23T09:00-06:00")) == (BEN, ANA)
    assert on_call(shifts, at("2026-11-23T20:00-06:00")) == (BEN,)
    assert on_call([], at("2026-11-23T09:00-06:00")) == ()


# --- clock changes ------------------------------------------------------------------------------------------------------

HOURLY = [shift(hour, f"{hour:02}:00", f"{(hour + 1) % 24:02}:00") for hour in range(24)]


def begins(shifts: list[Shift], from_: str, until: str) -> list[str]:
    """Who takes over, and when on the wall clock (with its offset), between two instants; minute by minute."""
    zone, now, last, found = ZoneInfo(shifts[0].zone), at(from_), None, []
    while now < at(until):
        (person,) = on_call(shifts, now)
        if person != last and last is not None:
            found.append(f"{person} {now.astimezone(zone):%m-%d %H:%M%z}")
        last, now = person, now + timedelta(minutes=1)
    return found


def test_the_doubled_hour_is_one_shift_of_two_hours() -> None:
    assert begins(HOURLY, "2020-10-31T23:30-05:00", "2020-11-01T03:30-06:00") == [
        "0 11-01 00:00-0500",
        "1 11-01 01:00-0500",
        "2 11-01 02:00-0600",
        "3 11-01 03:00-0600",
    ]


def test_in_spring_the_shift_of_the_missing_hour_has_no_time() -> None:
    assert begins(HOURLY, "2020-03-08T00:30-06:00", "2020-03-08T05:00-05:00") == [
        "1 03-08 01:00-0600",
        "3 03-08 03:00-0500",
        "4 03-08 04:00-0500",
    ]


def daily(handoff: str, zone: str) -> list[Shift]:
    """A rota in which another person takes over at `handoff` each day of the week: 0 on Monday."""
    return [shift(day, handoff, handoff, zone, frozenset({day})) for day in range(7)]


@pytest.mark.parametrize(
    ("handoff", "zone", "from_", "until", "expected"),
    [
        # five minutes after spring's change: 03:05 exists, five minutes after it struck three
        ("03:05", CHICAGO, "2020-03-07T12:00-06:00", "2020-03-08T12:00-05:00", ["6 03-08 03:05-0500"]),
        # 02:05 does not: at the change itself
        ("02:05", CHICAGO, "2020-03-07T12:00-06:00", "2020-03-08T12:00-05:00", ["6 03-08 03:00-0500"]),
        # in autumn 01:05 comes twice: the first counts, and nobody is called back for five minutes
        ("01:05", CHICAGO, "2020-10-31T12:00-05:00", "2020-11-01T12:00-06:00", ["6 11-01 01:05-0500"]),
        ("02:05", CHICAGO, "2020-10-31T12:00-05:00", "2020-11-01T12:00-06:00", ["6 11-01 02:05-0600"]),
        ("01:30", CHICAGO, "2020-10-31T12:00-05:00", "2020-11-01T12:00-06:00", ["6 11-01 01:30-0500"]),
        # half an hour is skipped: 02:15 does not exist on the 4th
        (
            "02:15",
            LORD_HOWE,
            "2020-10-02T12:00+10:30",
            "2020-10-05T12:00+11:00",
            ["5 10-03 02:15+1030", "6 10-04 02:30+1100", "0 10-05 02:15+1100"],
        ),
        ("01:45", LORD_HOWE, "2020-04-04T12:00+11:00", "2020-04-05T12:00+10:30", ["6 04-05 01:45+1100"]),
        # clocks go back at midnight, to 23:00 of the same day
        ("23:30", "America/Santiago", "2024-04-06T12:00-03:00", "2024-04-07T12:00-04:00", ["5 04-06 23:30-0300"]),
        ("00:00", "America/Santiago", "2024-04-06T12:00-03:00", "2024-04-07T12:00-04:00", ["6 04-07 00:00-0400"]),
    ],
)
def test_a_daily_handoff_near_a_clock_change(
    handoff: str, zone: str, from_: str, until: str, expected: list[str]
) -> None:
    assert begins(daily(handoff, zone), from_, until) == expected


handoffs = st.lists(st.integers(0, 24 * 60 - 1), min_size=1, max_size=5, unique=True).map(sorted)
moments = st.one_of(
    st.datetimes(datetime(2020, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),
    # within three hours of Chicago's and Lord Howe's changes
    st.builds(
        lambda change, minutes: at(change) + timedelta(minutes=minutes),
        st.sampled_from(["2020-03-08T08:00+00:00", "2020-11-01T07:00+00:00", "2020-10-03T15:30+00:00", "2020-04-04T15:00+00:00"]),
        st.integers(-180, 180),
    ),
)  # fmt: skip


@given(handoffs, moments, st.sampled_from([CHICAGO, LORD_HOWE, "America/Phoenix", "America/St_Johns"]))
@example([65, 600], at("2020-11-01T01:02-06:00"), CHICAGO)
@example([135], at("2020-03-08T03:00-05:00"), CHICAGO)
def test_a_rota_around_the_clock_has_exactly_one_person_at_any_time(
    handoffs: list[int], now: datetime, zone: str
) -> None:
    walls = [f"{minute // 60:02}:{minute % 60:02}" for minute in handoffs]
    rota = [
        shift(person, starts, ends, zone)
        for person, (starts, ends) in enumerate(zip(walls, [*walls[1:], walls[0]], strict=True))
    ]
    assert len(on_call(rota, now)) == 1


@given(st.integers(0, 239), moments, st.sampled_from([CHICAGO, LORD_HOWE]))
@example(65, at("2020-11-01T00:30-05:00"), CHICAGO)
@example(105, at("2020-04-05T01:00+11:00"), LORD_HOWE)
def test_a_handoff_is_never_taken_back(first: int, now: datetime, zone: str) -> None:
    """With six people a day, nobody comes on call twice within six hours, whatever the clocks do."""
    walls = [f"{minute // 60:02}:{minute % 60:02}" for minute in range(first, 24 * 60, 240)]
    rota = [
        shift(person, starts, ends, zone)
        for person, (starts, ends) in enumerate(zip(walls, [*walls[1:], walls[0]], strict=True))
    ]
    people = [on_call(rota, now + timedelta(minutes=5 * step))[0] for step in range(73)]
    turns = [person for index, person in enumerate(people) if index == 0 or people[index - 1] != person]
    assert len(turns) == len(set(turns))
