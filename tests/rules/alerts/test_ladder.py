"""What a ladder does next: every move ends with a time at which somebody looks again, or with "exhausted"."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engage.alerts.rules.ladder import Exhausted, Move, Nobody, Page, Place, Step, climb
from engage.alerts.rules.words import Who

NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
TEN, QUARTER = timedelta(minutes=10), timedelta(minutes=15)
NURSE, ON_CALL, SUPERVISOR = Who.NURSE, Who.ON_CALL, Who.SUPERVISOR
STEPS = (Step(NURSE, TEN), Step(ON_CALL, TEN), Step(SUPERVISOR, QUARTER))
ANA, BEN, SUE, TOM = 1, 2, 3, 4
EVERYBODY = {NURSE: [ANA], ON_CALL: [BEN], SUPERVISOR: [SUE, TOM]}


@pytest.mark.parametrize(
    ("place", "people", "expected"),
    [
        (Place(1, 0), EVERYBODY, [Page(1, 1, (ANA,), NOW + TEN)]),  # just opened
        (Place(1, 1), EVERYBODY, [Page(1, 2, (BEN,), NOW + TEN)]),
        (Place(1, 2), EVERYBODY, [Page(1, 3, (SUE, TOM), NOW + QUARTER)]),
        (Place(1, 3), EVERYBODY, [Page(2, 1, (ANA,), NOW + TEN)]),  # the top: round two from the bottom
        (Place(2, 3), EVERYBODY, [Exhausted()]),
        (Place(2, 2), EVERYBODY, [Page(2, 3, (SUE, TOM), NOW + QUARTER)]),
        # rungs without anybody are passed at once, and noted
        (Place(1, 0), {ON_CALL: [BEN]}, [Nobody(1, 1, NURSE), Page(1, 2, (BEN,), NOW + TEN)]),
        (
            Place(1, 1),
            {NURSE: [ANA]},
            [Nobody(1, 2, ON_CALL), Nobody(1, 3, SUPERVISOR), Page(2, 1, (ANA,), NOW + TEN)],
        ),
        (Place(2, 1), {NURSE: [ANA]}, [Nobody(2, 2, ON_CALL), Nobody(2, 3, SUPERVISOR), Exhausted()]),
        (Place(1, 0), {NURSE: [], ON_CALL: [BEN]}, [Nobody(1, 1, NURSE), Page(1, 2, (BEN,), NOW + TEN)]),
        (
            Place(1, 0),
            {},
            [Nobody(turn, step, who) for turn in (1, 2) for step, who in enumerate(EVERYBODY, 1)] + [Exhausted()],
        ),
        (Place(1, 0), {NURSE: [ANA, ANA]}, [Page(1, 1, (ANA,), NOW + TEN)]),  # one page each
        (Place(1, 0), {Who.SCHEDULER: [9], NURSE: [ANA]}, [Page(1, 1, (ANA,), NOW + TEN)]),  # not on this ladder
    ],
)
def test_climb(place: Place, people: dict[Who, list[int]], expected: list[Move]) -> None:
    assert climb(place, STEPS, 2, people, NOW) == tuple(expected)


@pytest.mark.parametrize(
    ("place", "steps", "rounds"),
    [
        (Place(1, 0), (), 3),  # a ladder without rungs
        (Place(3, 0), STEPS, 2),  # a manager took rounds away meanwhile
        (Place(2, 7), STEPS, 2),  # … or rungs
    ],
)
def test_a_ladder_that_is_gone_is_exhausted_loudly(place: Place, steps: tuple[Step, ...], rounds: int) -> None:
    assert climb(place, steps, rounds, EVERYBODY, NOW) == (Exhausted(),)


steps = st.lists(
    st.builds(Step, st.sampled_from(Who), st.timedeltas(timedelta(minutes=1), timedelta(days=1))), max_size=6
)
places = st.builds(Place, st.integers(1, 5), st.integers(0, 7))
crews = st.dictionaries(st.sampled_from(Who), st.lists(st.integers(1, 6), max_size=4))


@given(places, steps, st.integers(1, 4), crews)
def test_it_always_ends_with_a_page_or_says_so(
    place: Place, steps: list[Step], rounds: int, crew: dict[Who, list[int]]
) -> None:
    *before, last = climb(place, steps, rounds, crew, NOW)
    assert isinstance(last, Page | Exhausted)
    assert all(isinstance(move, Nobody) for move in before)
    rungs = [(move.round, move.step) for move in (*before, last) if not isinstance(move, Exhausted)]
    assert rungs == sorted(set(rungs))  # upwards, never the same again
    assert all(rung > (place.round, place.step) for rung in rungs)
    if isinstance(last, Page):
        step = steps[last.step - 1]
        assert last.next_due_at == NOW + step.wait
        assert last.people
        assert len(set(last.people)) == len(last.people)
        assert set(last.people) <= set(crew[step.who])
        assert last.round <= rounds


@given(steps, st.integers(1, 4), crews)
def test_climbed_to_the_end_every_rung_was_tried_once(
    steps: list[Step], rounds: int, crew: dict[Who, list[int]]
) -> None:
    place, now, tried = Place(1, 0), NOW, []
    while True:
        moves = climb(place, steps, rounds, crew, now)
        tried += [(move.round, move.step) for move in moves if not isinstance(move, Exhausted)]
        last = moves[-1]
        if not isinstance(last, Page):
            break
        assert last.next_due_at > now
        place, now = Place(last.round, last.step), last.next_due_at
    assert tried == [(turn, step) for turn in range(1, rounds + 1) for step in range(1, len(steps) + 1)]
