"""A ladder by the hours of the day: its steps in; for each part of the day in which the same steps hold, what follows after how long, out. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time, timedelta

from engage.alerts.rules.ladder import Step


@dataclass(frozen=True, slots=True)
class Rung:
    """`step` comes `after` so long, if nobody has taken the alert by then; the first time is 1."""

    after: timedelta
    step: Step
    time: int


@dataclass(frozen=True, slots=True)
class Window:
    """From `starts` to `ends` of the branch's clock (None: at every hour) these rungs hold; `whole` is one round."""

    starts: time | None
    ends: time | None
    rungs: tuple[Rung, ...]
    whole: timedelta


def windows(steps: Sequence[Step]) -> tuple[Window, ...]:
    """The parts of the day, in order; one without bounds for a ladder that is the same at every hour.

    As when it is climbed, a part of the day in which no step holds has them all.
    """
    bounds = sorted(
        {bound for step in steps if step.hours is not None for bound in (step.hours.after, step.hours.until)}
    )
    holding = [
        tuple(step for step in steps if step.hours is None or step.hours.has(bound)) or tuple(steps) for bound in bounds
    ]
    if len(set(holding)) < 2:
        return (_window(None, None, holding[0] if holding else tuple(steps)),)
    firsts = [place for place in range(len(bounds)) if holding[place] != holding[place - 1]]
    return tuple(
        _window(bounds[place], bounds[firsts[(number + 1) % len(firsts)]], holding[place])
        for number, place in enumerate(firsts)
    )


def _window(starts: time | None, ends: time | None, steps: Sequence[Step]) -> Window:
    after, rungs = timedelta(0), []
    for step in steps:
        for turn in range(1, step.times + 1):
            rungs.append(Rung(after, step, turn))
            after += step.wait
    return Window(starts, ends, tuple(rungs), after)
