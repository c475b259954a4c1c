"""The scores of a patient as a chart: scores and level in, points and lines of an SVG out. Pure.

The chart is drawn by a template; whoever cannot see it reads the table beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

WIDTH, HEIGHT = 600, 190
LEFT, RIGHT, TOP, BOTTOM = 34, 12, 14, 30


@dataclass(frozen=True, slots=True)
class Given:
    """One score, who gave it (what that person is to the patient), and whether it was low enough to call a nurse."""

    at: datetime
    value: int
    by: str | None = None
    is_low: bool = False
    is_corrected: bool = False


@dataclass(frozen=True, slots=True)
class Point:
    """A score's place in the drawing."""

    x: float
    y: float
    given: Given


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn: points, the line through them, a grid line for each score, the patient's own level, the ends of the axis."""

    points: tuple[Point, ...]
    line: str
    grid: tuple[tuple[int, float], ...]
    level_y: float | None
    first_at: datetime
    last_at: datetime
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM


def draw(scores: Sequence[Given], level: int | None, scale: int = 5) -> Chart | None:
    """The chart of `scores`, oldest first; None without any. A corrected score is not part of the line."""
    if not scores:
        return None
    first, last = scores[0].at, scores[-1].at
    length = (last - first).total_seconds()

    def x(at: datetime) -> float:
        share = (at - first).total_seconds() / length if length else 0.5
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y(value: float) -> float:
        return round(TOP + (scale - value) / (scale - 1) * (HEIGHT - TOP - BOTTOM), 1)

    points = tuple(Point(x(given.at), y(given.value), given) for given in scores)
    line = " ".join(f"{point.x},{point.y}" for point in points if not point.given.is_corrected)
    grid = tuple((value, y(value)) for value in range(1, scale + 1))
    return Chart(points, line, grid, y(level) if level is not None else None, first, last)
