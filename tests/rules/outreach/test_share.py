"""Who goes next: the awaited first, then agencies evenly, within an agency by priority."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engage.outreach.rules.share import Lane, evenly, for_unasked, share

ANSWER, PAGE, DAY_OF, CHECK_IN, SURVEY = 1, 2, 3, 4, 6
BIG, SMALL, THIRD = 1, 2, 3


@pytest.mark.parametrize(
    ("lanes", "most", "unasked", "may_leave", "taken"),
    [
        ([(BIG, CHECK_IN, 500), (SMALL, CHECK_IN, 50)], 80, 70, {}, {(BIG, CHECK_IN): 35, (SMALL, CHECK_IN): 35}),
        ([(BIG, CHECK_IN, 500), (SMALL, SURVEY, 5)], 80, 70, {}, {(BIG, CHECK_IN): 65, (SMALL, SURVEY): 5}),
        ([(BIG, DAY_OF, 10), (BIG, CHECK_IN, 500)], 32, 28, {}, {(BIG, DAY_OF): 10, (BIG, CHECK_IN): 18}),
        # what somebody waits for goes before everything, whosever it is, and may use what the others may not
        ([(BIG, CHECK_IN, 500), (SMALL, PAGE, 3)], 8, 4, {}, {(SMALL, PAGE): 3, (BIG, CHECK_IN): 4}),
        ([(BIG, CHECK_IN, 500), (SMALL, PAGE, 3)], 4, 4, {}, {(SMALL, PAGE): 3, (BIG, CHECK_IN): 1}),
        ([(BIG, CHECK_IN, 500), (SMALL, PAGE, 3)], 8, 0, {}, {(SMALL, PAGE): 3}),
        ([(BIG, ANSWER, 100), (SMALL, ANSWER, 1), (THIRD, PAGE, 9)], 10, 0, {}, {(BIG, ANSWER): 9, (SMALL, ANSWER): 1}),
        # a sender with a pace holds its agency back, and nobody else
        ([(BIG, CHECK_IN, 500), (SMALL, CHECK_IN, 50)], 80, 70, {BIG: 3}, {(BIG, CHECK_IN): 3, (SMALL, CHECK_IN): 50}),
        ([(BIG, CHECK_IN, 500), (BIG, PAGE, 2)], 80, 70, {BIG: 0}, {(BIG, PAGE): 2}),
        ([(BIG, CHECK_IN, 500)], 1, 1, {}, {(BIG, CHECK_IN): 1}),  # one try after a stop
        ([(BIG, PAGE, 1), (BIG, CHECK_IN, 500)], 1, 1, {}, {(BIG, PAGE): 1}),
        ([(BIG, CHECK_IN, 500)], 0, 0, {}, {}),
    ],
)
def test_what_is_taken_up_is_shared(
    lanes: list[tuple[int, int, int]],
    most: int,
    unasked: int,
    may_leave: dict[int, int],
    taken: dict[tuple[int, int], int],
) -> None:
    found = share([Lane(*lane) for lane in lanes], most, unasked, may_leave)
    assert {(lane.agency_id, lane.priority): lane.waiting for lane in found} == taken


@pytest.mark.parametrize(("room", "unasked"), [(0, 0), (1, 1), (2, 1), (8, 7), (32, 28), (128, 112)])
def test_some_room_is_kept_for_the_awaited(room: int, unasked: int) -> None:
    assert for_unasked(room) == unasked


def test_more_agencies_than_room_still_uses_the_room() -> None:
    found = share([Lane(agency, CHECK_IN, 5) for agency in range(100)], 40, 35, {})
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
def test_never_more_than_is_allowed_nor_than_waits(
    lanes: list[tuple[int, int, int]], most: int, unasked: int, may_leave: dict[int, int]
) -> None:
    found = share([Lane(*lane) for lane in lanes], most, unasked, may_leave)
    waiting = {lane[:2]: lane[2] for lane in lanes}
    assert sum(lane.waiting for lane in found) <= most
    assert sum(lane.waiting for lane in found if not lane.is_awaited) <= unasked
    assert all(0 < lane.waiting <= waiting[lane.agency_id, lane.priority] for lane in found)
    for agency, most in may_leave.items():
        assert sum(lane.waiting for lane in found if lane.agency_id == agency and not lane.is_awaited) <= most
