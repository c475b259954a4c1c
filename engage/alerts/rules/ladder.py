"""What an alert's ladder does next: where it stands and who can be reached in, the moves of this moment out. Pure.

A ladder is climbed rung by rung, its rounds times, then it is exhausted. A place is the steps that were climbed, not a
number: a ladder may be edited under an open alert, and nobody is left out or paged again for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from engage.alerts.rules.words import Channel, Who


@dataclass(frozen=True, slots=True)
class Hours:
    """Wall time from `after` (included) to `until` (not included); past midnight if `until` is earlier."""

    after: time
    until: time

    def has(self, wall: time) -> bool:
        """Whether a clock that shows `wall` is within."""
        wall = wall.replace(fold=0)
        if self.after < self.until:
            return self.after <= wall < self.until
        return wall >= self.after or wall < self.until


@dataclass(frozen=True, slots=True)
class Step:
    """Page `who`, then wait that long for somebody to take the alert; `times` in a row. Without `hours`: at any hour.

    `id` stays with the step when the ladder is edited. `person` is a clinician's id, for Who.PERSON.
    """

    id: int
    who: Who
    wait: timedelta
    channel: Channel = Channel.ANY
    times: int = 1
    discipline: str | None = None
    person: int | None = None
    hours: Hours | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where an alert stands: the ids of the steps climbed in `round`, in order, one for each time.

    `first_round` is the round in which the present climb began.
    """

    round: int = 1
    climbed: tuple[int, ...] = ()
    first_round: int = 1

    @property
    def step(self) -> int:
        """How many rungs of this round were climbed."""
        return len(self.climbed)

    def begun_again(self) -> "Place":
        """The bottom, for a whole new climb; its rounds go on being counted, so that no page is taken for an earlier one."""
        first = self.round + 1 if self.climbed or self.round > self.first_round else self.round
        return Place(first, (), first)

    def given_up(self, steps: Sequence[Step]) -> "Place":
        """Without the repetitions that the last step still had: its pages reach nobody."""
        times = {step.id: step.times for step in steps}
        last = self.climbed[-1:]
        left = times.get(last[0], 0) - self.climbed.count(last[0]) if last else 0
        return replace(self, climbed=self.climbed + last * left)


@dataclass(frozen=True, slots=True)
class Page:
    """Page `people` (clinician ids) for this rung, and look again at `next_due_at`."""

    place: Place
    people: tuple[int, ...]
    next_due_at: datetime
    channel: Channel = Channel.ANY


@dataclass(frozen=True, slots=True)
class Nobody:
    """A rung that had nobody to page; the next one follows at once."""

    place: Place
    who: Who


@dataclass(frozen=True, slots=True)
class Exhausted:
    """Every rung of every round was climbed and nobody took it."""


Move = Page | Nobody | Exhausted


def climb(
    place: Place, steps: Sequence[Step], rounds: int, people: Mapping[int, Sequence[int]], wall: time, now: datetime
) -> tuple[Move, ...]:
    """The moves of an alert that is due at `now`; the last one is a Page or Exhausted.

    `people` are those who can be paged for each step's id at this moment, `wall` is what the branch's clock shows. An
    acknowledged alert that is due has gone stale and goes on one rung further (facts/alerts.md, rule 3).
    """
    moves: list[Move] = []
    at_this_hour = [step for step in steps if step.hours is None or step.hours.has(wall)] or steps
    while place.round < place.first_round + rounds:
        step = next((step for step in at_this_hour if place.climbed.count(step.id) < step.times), None)
        if step is None:
            place = Place(place.round + 1, (), place.first_round)
            continue
        place = replace(place, climbed=(*place.climbed, step.id))
        if reached := tuple(dict.fromkeys(people.get(step.id, ()))):
            return (*moves, Page(place, reached, now + step.wait, step.channel))
        moves.append(Nobody(place, step.who))
        place = place.given_up(steps)
    return (*moves, Exhausted())


def due_after_edit(
    place: Place, due: datetime, before: Sequence[Step], after: Sequence[Step], now: datetime
) -> datetime:
    """When an open alert that was due at `due` is looked at after its ladder was edited at `now`.

    A shorter wait counts at once, a longer one from the next time; when its step is gone there is nothing to wait for.
    """
    if not place.climbed:
        return due
    waits = {step.id: step.wait for step in before}, {step.id: step.wait for step in after}
    was, becomes = (found.get(place.climbed[-1]) for found in waits)
    if becomes is None:
        return min(due, now)
    return due if was is None else min(due, due - was + becomes)
