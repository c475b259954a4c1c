"""A branch's rota: changes, swaps, holidays, holes; all on the branch's wall clock, whatever the clocks do."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engage.agencies.rules.oncall import Shift, struck
from engage.agencies.rules.people import Duty, ShiftChangeKind, Unreachable, why_unreachable
from engage.agencies.rules.rota import Change, Hole, Holiday, Rota

CHICAGO, NEW_YORK, LORD_HOWE = "America/Chicago", "America/New_York", "Australia/Lord_Howe"
DAILY, WEEK, WEEKEND = frozenset(range(7)), frozenset(range(5)), frozenset({5, 6})
ANA, BEN, SUE, TOM = 1, 2, 3, 4
EAST, WEST = 10, 20  # branches
ADD, REMOVE, REPLACE = ShiftChangeKind


def at(words: str) -> datetime:
    return datetime.fromisoformat(words).astimezone(UTC)


def shift(
    person: int,
    starts: str,
    ends: str,
    weekdays: frozenset[int] = DAILY,
    duty: Duty = Duty.ON_CALL,
    branch: int | None = None,
) -> Shift:
    clock = time.fromisoformat(starts), time.fromisoformat(ends)
    return Shift(person, CHICAGO, weekdays, *clock, duty=duty, branch_id=branch)


def change(
    kind: ShiftChangeKind, person: int, starts: str, ends: str, instead: int | None = None, branch: int | None = None
) -> Change:
    return Change(kind, person, CHICAGO, datetime.fromisoformat(starts), datetime.fromisoformat(ends), instead, branch)


DAY_AND_NIGHT = (shift(ANA, "07:00", "19:00"), shift(BEN, "19:00", "07:00"))


def rota(*changes: Change, shifts: tuple[Shift, ...] = DAY_AND_NIGHT, holidays: tuple[Holiday, ...] = ()) -> Rota:
    return Rota(CHICAGO, {EAST: CHICAGO, WEST: CHICAGO}, shifts, changes, holidays)


# --- when a wall time comes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wall", "zone", "comes"),
    [
        ("2026-11-23T08:00", CHICAGO, "2026-11-23T08:00-06:00"),
        ("2020-03-08T02:05", CHICAGO, "2020-03-08T03:00-05:00"),  # missing: at the change itself
        ("2020-03-08T03:05", CHICAGO, "2020-03-08T03:05-05:00"),  # five minutes after it
        ("2020-11-01T01:05", CHICAGO, "2020-11-01T01:05-05:00"),  # twice: the first time
        ("2020-11-01T02:05", CHICAGO, "2020-11-01T02:05-06:00"),
        ("2020-10-03T02:15", LORD_HOWE, "2020-10-03T02:15+10:30"),
        ("2020-10-04T02:15", LORD_HOWE, "2020-10-04T02:30+11:00"),  # half an hour is missing
        ("2020-10-05T02:15", LORD_HOWE, "2020-10-05T02:15+11:00"),
        ("2024-04-06T23:30", "America/Santiago", "2024-04-06T23:30-03:00"),
    ],
)
def test_struck(wall: str, zone: str, comes: str) -> None:
    assert struck(datetime.fromisoformat(wall), zone) == at(comes)


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2028, 1, 1)).map(lambda wall: wall.replace(second=0, microsecond=0)),
    st.sampled_from([CHICAGO, LORD_HOWE, "America/Phoenix", "America/St_Johns"]),
)
@example(datetime(2020, 3, 8, 2, 59), CHICAGO)
@example(datetime(2020, 10, 4, 2, 1), LORD_HOWE)
def test_a_wall_time_comes_when_it_is_first_shown(wall: datetime, zone: str) -> None:
    comes = struck(wall, zone)
    shown, before = (
        when.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for when in (comes, comes - timedelta(seconds=1))
    )
    assert shown >= wall > before


# --- changes --------------------------------------------------------------------------------------------------------------

NOON_23, NIGHT_23 = "2026-11-23T12:00-06:00", "2026-11-23T22:00-06:00"


@pytest.mark.parametrize(
    ("changes", "now", "expected"),
    [
        ([], NOON_23, [ANA]),
        ([change(ADD, SUE, "2026-11-23T12:00", "2026-11-23T18:00")], NOON_23, [ANA, SUE]),
        ([change(ADD, SUE, "2026-11-23T09:00", "2026-11-23T12:00")], NOON_23, [ANA]),  # over at noon
        ([change(REMOVE, ANA, "2026-11-23T00:00", "2026-11-24T00:00")], NOON_23, []),
        ([change(REPLACE, ANA, "2026-11-23T00:00", "2026-11-24T00:00", SUE)], NOON_23, [SUE]),
        ([change(REPLACE, ANA, "2026-11-23T00:00", "2026-11-24T00:00", SUE)], NIGHT_23, [BEN]),  # Ana is not on then
        # one after the other: Sue takes over from Ana, then Tom from Sue
        (
            [
                change(REPLACE, ANA, "2026-11-23T00:00", "2026-11-24T00:00", SUE),
                change(REPLACE, SUE, "2026-11-23T11:00", "2026-11-23T13:00", TOM),
            ],
            NOON_23,
            [TOM],
        ),
        (
            [change(REPLACE, ANA, "2026-11-23T00:00", "2026-11-24T00:00", SUE, branch=WEST)],
            NOON_23,
            [ANA],
        ),  # another branch
    ],
)
def test_changes(changes: list[Change], now: str, expected: list[int]) -> None:
    assert rota(*changes).on(Duty.ON_CALL, EAST, at(now)) == tuple(expected)


def test_a_swap_is_two_replacements() -> None:
    swapped = rota(
        change(REPLACE, ANA, "2026-11-23T07:00", "2026-11-23T19:00", BEN),
        change(REPLACE, BEN, "2026-11-23T19:00", "2026-11-24T07:00", ANA),
    )
    assert [swapped.on(Duty.ON_CALL, None, at(now)) for now in (NOON_23, NIGHT_23)] == [(BEN,), (ANA,)]
    assert not swapped.holes(None, {ANA, BEN}, at(NOON_23), at(NOON_23) + timedelta(days=14))


def test_a_change_across_a_clock_change_is_wall_time() -> None:
    """From 22:00 to 06:00 over the night of 2020-11-01, nine hours long; the pattern's people before and after."""
    night = rota(change(REPLACE, BEN, "2020-10-31T22:00", "2020-11-01T06:00", SUE))
    who = [
        night.on(Duty.ON_CALL, None, at("2020-11-01T02:30+00:00") + timedelta(minutes=30 * step)) for step in range(22)
    ]
    assert who == [(BEN,)] + [(SUE,)] * 18 + [(BEN,)] * 2 + [(ANA,)]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-25T12:00-06:00", [ANA]),
        ("2026-11-26T06:59-06:00", [BEN]),  # the night before belongs to its own day
        ("2026-11-26T12:00-06:00", [SUE]),  # Thanksgiving has Sunday's shifts
        ("2026-11-27T06:59-06:00", [SUE]),  # and its night runs to the end
        ("2026-11-27T12:00-06:00", [ANA]),
    ],
)
def test_a_holiday_has_another_day_s_shifts(now: str, expected: list[int]) -> None:
    by_day = (
        shift(ANA, "07:00", "19:00", WEEK),
        shift(BEN, "19:00", "07:00", WEEK),
        shift(SUE, "07:00", "07:00", WEEKEND),
    )
    thanksgiving = Holiday(date(2026, 11, 26), 6)
    assert rota(shifts=by_day, holidays=(thanksgiving,)).on(Duty.ON_CALL, None, at(now)) == tuple(expected)


def test_a_branch_s_own_holiday_is_only_its_own() -> None:
    both = (shift(ANA, "00:00", "00:00", WEEK, branch=EAST), shift(BEN, "00:00", "00:00", WEEK, branch=WEST))
    own = rota(shifts=both, holidays=(Holiday(date(2026, 11, 23), 6, EAST),))
    assert [own.on(Duty.ON_CALL, branch, at(NOON_23)) for branch in (EAST, WEST)] == [(), (BEN,)]


# --- who is at work -------------------------------------------------------------------------------------------------------

VISITING = shift(ANA, "08:00", "16:00", WEEK, Duty.VISITING)


@pytest.mark.parametrize(
    ("shifts", "changes", "now", "is_at_work"),
    [
        ((VISITING,), (), "2026-11-23T12:00-06:00", True),
        ((VISITING,), (), "2026-11-23T17:00-06:00", False),
        ((VISITING,), (), "2026-11-23T02:00-06:00", False),
        ((VISITING,), (), "2026-11-22T12:00-06:00", False),  # a Sunday
        ((VISITING, shift(ANA, "19:00", "07:00")), (), "2026-11-23T02:00-06:00", True),  # on call herself
        # she has no visiting shifts: the hours in which the agency texts
        ((), (), "2026-11-22T12:00-06:00", True),
        ((), (), "2026-11-23T02:00-06:00", False),
        ((), (), "2026-11-23T21:00-06:00", False),
        ((shift(BEN, "08:00", "16:00", WEEK, Duty.VISITING),), (), "2026-11-23T18:00-06:00", True),  # another's shifts
        # away
        ((VISITING,), (change(REMOVE, ANA, "2026-11-20T00:00", "2026-11-30T00:00"),), "2026-11-23T12:00-06:00", False),
        ((), (change(REPLACE, ANA, "2026-11-20T00:00", "2026-11-30T00:00", BEN),), "2026-11-23T12:00-06:00", False),
    ],
)
def test_is_at_work(shifts: tuple[Shift, ...], changes: tuple[Change, ...], now: str, is_at_work: bool) -> None:
    assert rota(*changes, shifts=shifts).is_at_work(ANA, EAST, at(now)) is is_at_work


# --- holes ----------------------------------------------------------------------------------------------------------------

MONDAY = "2026-11-23T00:00-06:00"


def holes(made: Rota, able: set[int], days: int = 1, from_: str = MONDAY) -> list[str]:
    found = made.holes(EAST, able, at(from_), at(from_) + timedelta(days=days))
    zone = ZoneInfo(CHICAGO)
    return [
        f"{h.starts.astimezone(zone):%d %H:%M} {h.ends.astimezone(zone):%d %H:%M}"
        if h.ends
        else f"{h.starts.astimezone(zone):%d %H:%M}"
        for h in found
    ]


@pytest.mark.parametrize(
    ("made", "able", "expected"),
    [
        (rota(), {ANA, BEN}, []),
        (rota(), {ANA}, ["23 00:00 23 07:00", "23 19:00"]),  # Ben cannot be paged
        (rota(shifts=()), {ANA}, ["23 00:00"]),
        (rota(shifts=(*DAY_AND_NIGHT, shift(SUE, "00:00", "00:00", duty=Duty.FALLBACK))), {SUE}, []),
        (rota(shifts=(shift(ANA, "00:00", "23:30"),)), {ANA}, ["23 23:30 24 00:00"]),
        (rota(shifts=(shift(ANA, "00:00", "00:00", branch=WEST),)), {ANA}, ["23 00:00"]),
        (rota(change(REMOVE, ANA, "2026-11-23T09:00", "2026-11-23T10:30")), {ANA, BEN}, ["23 09:00 23 10:30"]),
        (
            rota(shifts=(shift(ANA, "00:00", "00:00", duty=Duty.VISITING),)),
            {ANA},
            ["23 00:00"],
        ),  # at work is not on call
    ],
)
def test_holes(made: Rota, able: set[int], expected: list[str]) -> None:
    assert holes(made, able) == expected


def test_a_hole_on_a_holiday_is_seen_before_it_comes() -> None:
    weekdays_only = rota(shifts=(shift(ANA, "00:00", "00:00", WEEK),), holidays=(Holiday(date(2026, 11, 26), 6),))
    assert holes(weekdays_only, {ANA}, 8) == ["26 00:00 27 00:00", "28 00:00 30 00:00"]


walls = st.integers(0, 95).map(lambda quarter: time(quarter // 4, quarter % 4 * 15))
shifts = st.builds(
    Shift,
    st.integers(1, 3),
    st.just(CHICAGO),
    st.sets(st.integers(0, 6), min_size=1).map(frozenset),
    walls,
    walls,
)
spans = st.tuples(st.integers(0, 300), st.integers(1, 100)).map(
    lambda two: (
        datetime(2020, 10, 30) + timedelta(minutes=15 * two[0]),
        datetime(2020, 10, 30) + timedelta(minutes=15 * sum(two)),
    )
)
changes = st.tuples(st.sampled_from(ShiftChangeKind), st.integers(1, 3), spans).map(
    lambda c: Change(c[0], c[1], CHICAGO, *c[2], instead_id=4 if c[0] is REPLACE else None)
)


@given(
    st.lists(shifts, max_size=3).map(tuple),
    st.lists(changes, max_size=2).map(tuple),
    st.sets(st.integers(0, 2)),
    st.sets(st.integers(1, 4)),
)
def test_holes_are_where_nobody_is(
    own: tuple[Shift, ...], changed: tuple[Change, ...], holidays: set[int], able: set[int]
) -> None:
    """Minute by quarter hour over the night in which the clocks go back, and a day on each side."""
    days = tuple(Holiday(date(2020, 10, 31) + timedelta(days=day), 6) for day in holidays)
    made = Rota(CHICAGO, {}, own, changed, days)
    from_ = at("2020-10-31T00:00-05:00")
    found = made.holes(None, able, from_, from_ + timedelta(days=3))
    assert all(hole.ends is None or hole.starts < hole.ends for hole in found)
    spans = made.spans(None, from_, from_ + timedelta(days=3))
    assert [span.ends for span in spans[:-1]] == [span.starts for span in spans[1:]]  # no gap, no overlap
    assert (spans[0].starts, spans[-1].ends) == (from_, from_ + timedelta(days=3))
    for quarter in range(4 * 72):
        now = from_ + timedelta(minutes=15 * quarter)
        assert made.on(Duty.ON_CALL, None, now) == next(s.on_call for s in spans if s.starts <= now < s.ends), now
        in_hole = any(hole.starts <= now and (hole.ends is None or now < hole.ends) for hole in found)
        assert in_hole == (not able & set(made.on(Duty.ON_CALL, None, now))), now
    assert found == () or isinstance(found[0], Hole)


@pytest.mark.parametrize(
    ("has_phone", "has_stopped", "left_on", "expected"),
    [
        (True, False, None, None),
        (False, False, None, Unreachable.NO_PHONE),
        (True, True, None, Unreachable.STOPPED),
        (True, False, date(2026, 11, 23), Unreachable.LEFT),
        (True, False, date(2026, 11, 24), None),  # leaves tomorrow
        (False, True, date(2026, 11, 1), Unreachable.LEFT),
    ],
)
def test_why_unreachable(
    has_phone: bool, has_stopped: bool, left_on: date | None, expected: Unreachable | None
) -> None:
    assert why_unreachable(has_phone, has_stopped, left_on, date(2026, 11, 23)) is expected
