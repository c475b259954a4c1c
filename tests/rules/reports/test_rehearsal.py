"""A ladder rehearsed: it climbs as the escalation would, and pages nobody."""

from datetime import UTC, datetime, time, timedelta

from engage.agencies.rules.oncall import Shift
from engage.agencies.rules.people import Role
from engage.agencies.rules.rota import Rota
from engage.alerts.rules.ladder import Hours, Step
from engage.alerts.rules.words import Who
from engage.reports.rules.budget import LadderRule, Person, Roster
from engage.reports.rules.rehearsal import MOST_BEATS, SOMEBODY, rehearse

NIGHT = datetime(2026, 11, 23, 7, 10, tzinfo=UTC)  # 2:10 in New York
ZONE = "America/New_York"
NURSE, BEN, SUE = 1, 2, 3


def roster(*, on_call: bool = True, nurses: tuple[int, ...] = (NURSE,)) -> Roster:
    shifts = (Shift(BEN, ZONE, frozenset(range(7)), time(0), time(0)),) if on_call else ()
    people = (Person(NURSE, Role.NURSE, 1), Person(BEN, Role.NURSE, 1), Person(SUE, Role.SUPERVISOR, None))
    return Roster(Rota(ZONE, {1: ZONE}, shifts), people, {SOMEBODY: (1, nurses)})


def step(number: int, who: Who, minutes: int, hours: Hours | None = None) -> Step:
    return Step(number, who, timedelta(minutes=minutes), hours=hours)


LADDER = LadderRule((step(1, Who.NURSE, 10), step(2, Who.ON_CALL, 10), step(3, Who.SUPERVISOR, 15)), 2)


def told(rehearsal: object, start: datetime = NIGHT) -> list[tuple[int, int, tuple[int, ...]]]:
    return [(int((beat.at - start).total_seconds() // 60), beat.step.id, beat.people) for beat in rehearsal.beats]  # type: ignore[attr-defined]


def test_at_night_the_nurse_sleeps_and_whoever_is_on_call_is_paged() -> None:
    found = rehearse(LADDER, roster(), NIGHT)
    assert told(found)[:4] == [(0, 1, ()), (0, 2, (BEN,)), (10, 3, (SUE,)), (25, 1, ())]
    assert found.exhausted_at == NIGHT + timedelta(minutes=50)
    assert not found.reaches_nobody


def test_without_anybody_on_call_the_nurse_is_asked_all_the_same() -> None:
    assert told(rehearse(LADDER, roster(on_call=False), NIGHT))[:3] == [(0, 1, (NURSE,)), (10, 2, ()), (10, 3, (SUE,))]


def test_a_ladder_with_nobody_behind_it_says_so() -> None:
    found = rehearse(LadderRule((step(1, Who.SCHEDULER, 10),), 3), roster(), NIGHT)
    assert found.reaches_nobody
    assert found.exhausted_at == NIGHT


def test_hours_count_at_the_moment_of_each_step() -> None:
    early = Hours(time(0), time(2, 30))
    ladder = LadderRule(
        (step(1, Who.ON_CALL, 30, early), step(2, Who.ON_CALL, 30, early), step(3, Who.SUPERVISOR, 10)), 1
    )
    assert told(rehearse(ladder, roster(), NIGHT)) == [(0, 1, (BEN,)), (30, 3, (SUE,))]  # at 2:40 the second is over


def test_a_long_ladder_is_cut() -> None:
    found = rehearse(LadderRule(tuple(step(n, Who.ON_CALL, 1) for n in range(1, 21)), 20), roster(), NIGHT)
    assert (len(found.beats), found.exhausted_at) == (MOST_BEATS, None)
