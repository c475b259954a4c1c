"""What a ladder does next: every move ends with a time at which somebody looks again, or with "exhausted"."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engage.alerts.rules.ladder import Exhausted, Hours, Move, Nobody, Page, Place, Step, climb, due_after_edit
from engage.alerts.rules.words import Channel, Who

NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
NOON = time(12)
TEN, QUARTER = timedelta(minutes=10), timedelta(minutes=15)
NURSE, ON_CALL, SUPERVISOR = 11, 12, 13  # ids of steps
STEPS = (Step(NURSE, Who.NURSE, TEN), Step(ON_CALL, Who.ON_CALL, TEN), Step(SUPERVISOR, Who.SUPERVISOR, QUARTER))
ANA, BEN, SUE, TOM = 1, 2, 3, 4
EVERYBODY = {NURSE: [ANA], ON_CALL: [BEN], SUPERVISOR: [SUE, TOM]}
ALL = (NURSE, ON_CALL, SUPERVISOR)


def page(turn: int, climbed: tuple[int, ...], *people: int, wait: timedelta = TEN, first: int = 1) -> Page:
    return Page(Place(turn, climbed, first), people, NOW + wait)


def nobody(turn: int, climbed: tuple[int, ...], who: Who) -> Nobody:
    return Nobody(Place(turn, climbed), who)


@pytest.mark.parametrize(
    ("place", "people", "expected"),
    [
        (Place(), EVERYBODY, [page(1, ALL[:1], ANA)]),  # just opened
        (Place(1, ALL[:1]), EVERYBODY, [page(1, ALL[:2], BEN)]),
        (Place(1, ALL[:2]), EVERYBODY, [page(1, ALL, SUE, TOM, wait=QUARTER)]),
        (Place(1, ALL), EVERYBODY, [page(2, ALL[:1], ANA)]),  # the top: round two from the bottom
        (Place(2, ALL), EVERYBODY, [Exhausted()]),
        (
            Place(2, ALL, 2),
            EVERYBODY,
            [page(3, ALL[:1], ANA, first=2)],
        ),  # a story that got worse began again in round two
        # rungs without anybody are passed at once, and noted
        (Place(), {ON_CALL: [BEN]}, [nobody(1, ALL[:1], Who.NURSE), page(1, ALL[:2], BEN)]),
        (
            Place(1, ALL[:1]),
            {NURSE: [ANA]},
            [nobody(1, ALL[:2], Who.ON_CALL), nobody(1, ALL, Who.SUPERVISOR), page(2, ALL[:1], ANA)],
        ),
        (
            Place(2, ALL[:1]),
            {NURSE: [ANA]},
            [nobody(2, ALL[:2], Who.ON_CALL), nobody(2, ALL, Who.SUPERVISOR), Exhausted()],
        ),
        (Place(), {NURSE: [ANA, ANA]}, [page(1, ALL[:1], ANA)]),  # one page each
        (Place(), {99: [9], NURSE: [ANA]}, [page(1, ALL[:1], ANA)]),  # not on this ladder
    ],
)
def test_climb(place: Place, people: dict[int, list[int]], expected: list[Move]) -> None:
    assert climb(place, STEPS, 2, people, NOON, NOW) == tuple(expected)


# --- a ladder that is edited under an open alert --------------------------------------------------------------------------

NEW = Step(14, Who.PERSON, TEN, person=9)


@pytest.mark.parametrize(
    ("climbed", "steps", "next_step"),
    [
        ((NURSE,), STEPS[::-1], SUPERVISOR),  # reordered: the first that was not climbed
        ((NURSE, ON_CALL), (STEPS[1], STEPS[0], STEPS[2]), SUPERVISOR),  # … and nobody again who was
        ((NURSE, ON_CALL), STEPS[1:], SUPERVISOR),  # a climbed one is gone: its neighbour is not left out
        ((NURSE,), (STEPS[0], STEPS[2]), SUPERVISOR),  # the next one is gone
        ((NURSE,), (NEW, *STEPS), 14),  # a new one below comes first, then the rest
        ((NURSE, 14), (NEW, *STEPS), ON_CALL),
        ((NURSE, ON_CALL, SUPERVISOR), (*STEPS, NEW), 14),  # a new one on top, in the same round
        ((77, 78), STEPS, NURSE),  # every climbed step is gone
    ],
)
def test_an_edit_leaves_nobody_out_and_pages_nobody_again(
    climbed: tuple[int, ...], steps: tuple[Step, ...], next_step: int
) -> None:
    (move,) = climb(Place(1, climbed), steps, 1, {step.id: [step.id] for step in steps}, NOON, NOW)
    assert isinstance(move, Page)
    assert (move.place.climbed, move.people) == ((*climbed, next_step), (next_step,))


@pytest.mark.parametrize(
    ("place", "steps", "rounds"),
    [
        (Place(), (), 3),  # a ladder without rungs
        (Place(3), STEPS, 2),  # a manager took rounds away meanwhile
        (Place(2, ALL), STEPS[:1], 2),  # … or rungs
    ],
)
def test_a_ladder_that_is_gone_is_exhausted_loudly(place: Place, steps: tuple[Step, ...], rounds: int) -> None:
    assert climb(place, steps, rounds, EVERYBODY, NOON, NOW) == (Exhausted(),)


FIVE, HOUR = timedelta(minutes=5), timedelta(hours=1)


@pytest.mark.parametrize(
    ("climbed", "after", "due_in"),
    [
        ((NURSE,), STEPS, TEN),  # nothing changed
        ((NURSE,), (Step(NURSE, Who.NURSE, FIVE),), FIVE),  # a shorter wait counts at once
        ((NURSE,), (Step(NURSE, Who.NURSE, HOUR),), HOUR),  # a longer one never puts off what was promised …
        ((NURSE,), STEPS[1:], timedelta()),  # nothing to wait for
        ((), STEPS[1:], TEN),  # not begun
        ((99,), STEPS, timedelta()),  # its step went in an earlier edit
    ],
)
def test_when_it_is_looked_at_after_an_edit(
    climbed: tuple[int, ...], after: tuple[Step, ...], due_in: timedelta
) -> None:
    due = due_after_edit(Place(1, climbed), NOW + TEN, STEPS, after, NOW)
    assert due == NOW + min(due_in, TEN)


# --- repetitions, hours, beginning again ----------------------------------------------------------------------------------


def test_a_step_is_repeated_before_the_next_one_unless_its_pages_fail() -> None:
    twice = (Step(NURSE, Who.NURSE, TEN, Channel.VOICE, times=2), *STEPS[1:])
    (again,) = climb(Place(1, (NURSE,)), twice, 1, EVERYBODY, NOON, NOW)
    assert again == Page(Place(1, (NURSE, NURSE)), (ANA,), NOW + TEN, Channel.VOICE)
    (on,) = climb(Place(1, (NURSE,)).given_up(twice), twice, 1, EVERYBODY, NOON, NOW)
    assert on == page(1, (NURSE, NURSE, ON_CALL), BEN)
    first, _ = climb(Place(), twice, 1, {ON_CALL: [BEN]}, NOON, NOW)  # nobody there: not asked twice
    assert first == Nobody(Place(1, (NURSE,)), Who.NURSE)


NIGHT = Hours(time(17), time(8))


@pytest.mark.parametrize(
    ("wall", "expected"),
    [
        ("12:00", NURSE),
        ("16:59", NURSE),
        ("17:00", ON_CALL),
        ("02:00", ON_CALL),
        ("07:59", ON_CALL),
        ("08:00", NURSE),
    ],
)
def test_other_steps_at_other_hours(wall: str, expected: int) -> None:
    by_hour = (
        Step(NURSE, Who.NURSE, TEN, hours=Hours(time(8), time(17))),
        Step(ON_CALL, Who.ON_CALL, TEN, hours=NIGHT),
    )
    (move,) = climb(Place(), by_hour, 1, EVERYBODY, time.fromisoformat(wall), NOW)
    assert isinstance(move, Page)
    assert move.place.climbed == (expected,)


def test_hours_never_leave_an_alert_without_a_step() -> None:
    only_by_day = (Step(NURSE, Who.NURSE, TEN, hours=Hours(time(8), time(17))),)
    assert climb(Place(), only_by_day, 1, EVERYBODY, time(2), NOW) == (page(1, ALL[:1], ANA),)


def test_beginning_again_counts_its_rounds_on() -> None:
    """Else the page of its first rung would be taken for the one that was sent an hour ago, and not be sent."""
    assert Place().begun_again() == Place()  # nothing was paged yet
    assert Place(1, ALL[:1]).begun_again() == Place(2, (), 2)
    assert Place(3, ALL).begun_again() == Place(4, (), 4)


# --- always ---------------------------------------------------------------------------------------------------------------

hours = st.none() | st.builds(Hours, st.times(), st.times())
steps = st.lists(
    st.builds(
        Step,
        st.integers(1, 8),
        st.sampled_from(Who),
        st.timedeltas(timedelta(minutes=1), timedelta(days=1)),
        times=st.integers(1, 3),
        hours=hours,
    ),
    max_size=6,
    unique_by=lambda step: step.id,
)
places = st.builds(Place, st.integers(3, 5), st.lists(st.integers(1, 8), max_size=8).map(tuple), st.integers(1, 3))
crews = st.dictionaries(st.integers(1, 8), st.lists(st.integers(1, 6), max_size=4))


@given(places, steps, st.integers(1, 4), crews, st.times())
def test_it_always_ends_with_a_page_or_says_so(
    place: Place, steps: list[Step], rounds: int, crew: dict[int, list[int]], wall: time
) -> None:
    *before, last = climb(place, steps, rounds, crew, wall, NOW)
    assert isinstance(last, Page | Exhausted)
    assert all(isinstance(move, Nobody) for move in before)
    rungs = [(move.place.round, move.place.step) for move in (*before, last) if not isinstance(move, Exhausted)]
    assert rungs == sorted(set(rungs))  # upwards, never the same again: each has a page of its own
    assert all(rung > (place.round, place.step) for rung in rungs)
    if isinstance(last, Page):
        step = next(step for step in steps if step.id == last.place.climbed[-1])
        assert last.next_due_at == NOW + step.wait
        assert last.people
        assert len(set(last.people)) == len(last.people)
        assert set(last.people) <= set(crew[step.id])
        assert last.place.round < place.first_round + rounds


@given(steps, st.integers(1, 4), crews)
def test_climbed_to_the_end_every_rung_was_tried(steps: list[Step], rounds: int, crew: dict[int, list[int]]) -> None:
    steps = [Step(step.id, step.who, step.wait, times=step.times) for step in steps]
    place, now, tried = Place(), NOW, []
    while True:
        moves = climb(place, steps, rounds, crew, NOON, now)
        tried += [(move.place.round, move.place.climbed[-1]) for move in moves if not isinstance(move, Exhausted)]
        last = moves[-1]
        if not isinstance(last, Page):
            break
        assert last.next_due_at > now
        place, now = last.place, last.next_due_at
    assert tried == [
        (turn, step.id)
        for turn in range(1, rounds + 1)
        for step in steps
        for _ in range(step.times if crew.get(step.id) else 1)
    ]
