"""What a ladder does next for one alert: its place on the ladder and who could be paged in, the moves out. Pure.

Every move ends with a time at which somebody looks again, or with "exhausted": an open alert is never without either.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from engage.alerts.rules.words import Who


@dataclass(frozen=True, slots=True)
class Step:
    """One rung: whom to page, then how long to wait for somebody to take the alert."""

    who: Who
    wait: timedelta


@dataclass(frozen=True, slots=True)
class Place:
    """Where an alert stands: `step` is the last rung that was climbed in `round` (0: none yet)."""

    round: int
    step: int


@dataclass(frozen=True, slots=True)
class Page:
    """Page `people` (clinician ids) for this rung, and look again at `next_due_at`."""

    round: int
    step: int
    people: tuple[int, ...]
    next_due_at: datetime


@dataclass(frozen=True, slots=True)
class Nobody:
    """A rung that had nobody to page; the next one follows at once."""

    round: int
    step: int
    who: Who


@dataclass(frozen=True, slots=True)
class Exhausted:
    """Every rung of every round was climbed and nobody took it."""


Move = Page | Nobody | Exhausted


def climb(
    place: Place, steps: Sequence[Step], rounds: int, people: Mapping[Who, Sequence[int]], now: datetime
) -> tuple[Move, ...]:
    """The moves of an alert that is due at `now`; the last one is a Page or Exhausted.

    `people` are those who can be paged for each Who at this moment. An acknowledged alert that is due has gone stale and
    goes on one rung further (facts/alerts.md, rule 3).
    """
    moves: list[Move] = []
    for turn, position in _rungs_after(place, len(steps), rounds):
        step = steps[position - 1]
        reached = tuple(dict.fromkeys(people.get(step.who, ())))
        if reached:
            return (*moves, Page(turn, position, reached, now + step.wait))
        moves.append(Nobody(turn, position, step.who))
    return (*moves, Exhausted())


def _rungs_after(place: Place, height: int, rounds: int) -> list[tuple[int, int]]:
    every = [(turn, position) for turn in range(place.round, rounds + 1) for position in range(1, height + 1)]
    return [rung for rung in every if rung > (place.round, place.step)]
