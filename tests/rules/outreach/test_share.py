"""Who gets the room: the awaited first, then agencies evenly, within an agency by priority."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engage.outreach.rules.share import Lane, evenly, share

ANSWER, PAGE, DAY_OF, CHECK_IN, SURVEY = 1, 2, 3, 4, 6
BIG, SMALL, THIRD = 1, 2, 3


@pytest.mark.parametrize(
    ("lanes", "room", "in_flight", "may_leave", "taken"),
    [
        ([(BIG, CHECK_IN, 500), (SMALL, CHECK_IN, 50)], 80, 0, {}, {(BIG, CHECK_IN): 35, (SMALL, CHECK_IN): 35}),
        ([(BIG, CHECK_IN, 500), (SMALL, SURVEY, 5)], 80, 0, {}, {(BIG, CHECK_IN): 65, (SMALL, SURVEY): 5}),
        ([(BIG, DAY_OF, 10), (BIG, CHECK_IN, 500)], 32, 0, {}, {(BIG, DAY_OF): 10, (BIG, CHECK_IN): 18}),
        # what somebody waits for goes before everything, whosever it is, and may use what is kept free
        ([(BIG, CHECK_IN, 500), (SMALL, PAGE, 3)], 8, 0, {}, {(SMALL, PAGE): 3, (BIG, CHECK_IN): 4}),
        ([(BIG, CHECK_IN, 500), (SMALL, PAGE, 3)], 8, 7, {}, {(SMALL, PAGE): 1}),
        ([(BIG, ANSWER, 100), (SMALL, ANSWER, 1), (THIRD, PAGE, 9)], 10, 0, {}, {(BIG, ANSWER): 9, (SMALL, ANSWER): 1}),
        # a sender with a pace holds its agency back, and nobody else
        ([(BIG, CHECK_IN, 500), (SMALL, CHECK_IN, 50)], 80, 0, {BIG: 3}, {(BIG, CHECK_IN): 3, (SMALL, CHECK_IN): 50}),
        ([(BIG, CHECK_IN, 500), (BIG, PAGE, 2)], 80, 0, {BIG: 0}, {(BIG, PAGE): 2}),
        ([(BIG, CHECK_IN, 500)], 80, 80, {}, {}),
        ([(BIG, CHECK_IN, 500)], 1, 0, {}, {(BIG, CHECK_IN): 1}),  # one try after a stop
        ([(BIG, CHECK_IN, 500)], 0, 0, {}, {}),
    ],
)
def test_the_room_is_shared(
    lanes: list[tuple[int, int, int]],
    room: int,
    in_flight: int,
    may_leave: dict[int, int],
    taken: dict[tuple[int, int], int],
) -> None:
    found = share([Lane(*lane) for lane in lanes], room, in_flight, may_leave)
    assert {(lane.agency_id, lane.priority): lane.waiting for lane in found} == taken


def test_more_agencies_than_room_still_uses_the_room() -> None:
    found = share([Lane(agency, CHECK_IN, 5) for agency in range(100)], 40, 0, {})
    assert sum(lane.waiting for lane in found) == 35


@given(st.dictionaries(st.integers(1, 50), st.integers(0, 500)), st.integers(-5, 2000))
def test_an_even_share_wastes_nothing_and_favours_nobody(wanted: dict[int, int], room: int) -> None:
    given_ = evenly(wanted, room)
    assert sum(given_.values()) == min(max(0, room), sum(wanted.values()))
    assert all(given_[agency] <= wanted[agency] for agency in given_)
    short = [given_.get(agency, 0) for agency, most in wanted.items() if given_.get(agency, 0) < most]
    assert max(given_.values(), default=0) - min(short, default=max(given_.values(), default=0)) <= 1


lanes_of = st.lists(
    st.tuples(st.integers(1, 6), st.integers(0, 7), st.integers(0, 300)), unique_by=lambda lane: lane[:2]
)


@given(lanes_of, st.integers(0, 300), st.integers(0, 300), st.dictionaries(st.integers(1, 6), st.integers(0, 50)))
def test_never_more_than_the_room_nor_than_waits(
    lanes: list[tuple[int, int, int]], room: int, in_flight: int, may_leave: dict[int, int]
) -> None:
    found = share([Lane(*lane) for lane in lanes], room, in_flight, may_leave)
    waiting = {lane[:2]: lane[2] for lane in lanes}
    assert sum(lane.waiting for lane in found) <= max(0, room - in_flight)
    assert all(0 < lane.waiting <= waiting[lane.agency_id, lane.priority] for lane in found)
    for agency, most in may_leave.items():
        assert sum(lane.waiting for lane in found if lane.agency_id == agency and not lane.is_awaited) <= most
