"""A reference model of one alert and its ladder: times in, who must have been paged and when the next look is out.

Written for the reader, apart from the program's own rules: a list of names still to be tried, and minutes. No database.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

Rung = tuple[str, int, int]
"""(step's name, minutes to wait, times)."""


@dataclass
class ModelAlert:
    """An alert as a wall chart would show it. Time is in minutes."""

    ladder: Sequence[Rung]
    rounds: int
    nobody: set[str]
    """Steps with nobody to page; the test changes it."""
    due: float | None = 0
    taken_at: float | None = None
    resolved: bool = False
    exhausted: bool = False
    round: int = 1
    tried: list[str] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    ack_lasts: int = 60
    has_failed: bool = False

    def look(self, now: float) -> None:
        """The worker looks at `now`."""
        if self.resolved or self.exhausted or self.due is None or not (self.due <= now or self.has_failed):
            return
        stale = self.taken_at is not None
        if self.has_failed and self.due > now:
            self._skip(self.tried[-1])
        self.taken_at, self.has_failed = None, False
        rounds_left = self.rounds - self.round
        if not self._climb(now, rounds_left) and not (stale and self._climb(now, self.rounds - 1, again=True)):
            self.exhausted, self.due = True, None

    def _climb(self, now: float, rounds_left: int, *, again: bool = False) -> bool:
        if again:
            self.tried, self.round = [], 1
        before = list(self.tried), self.round
        for turn in range(rounds_left + 1):
            for name, wait, times in self.ladder:
                while self.tried.count(name) < times:
                    self.tried.append(name)
                    if name in self.nobody:
                        self._skip(name)
                    else:
                        self.pages.append(name)
                        self.due = now + wait
                        return True
            if turn < rounds_left:
                self.round, self.tried = self.round + 1, []
        self.tried, self.round = before
        return False

    def _skip(self, name: str) -> None:
        times = {step: most for step, _, most in self.ladder}
        self.tried += [name] * (times.get(name, 0) - self.tried.count(name))

    def take(self, now: float) -> None:
        """Somebody takes it."""
        if not self.resolved and self.taken_at is None:
            self.taken_at, self.due, self.exhausted, self.has_failed = now, now + self.ack_lasts, False, False

    def fail(self) -> None:
        """Every page of the last rung comes back undelivered."""
        self.has_failed = bool(self.tried) and self.taken_at is None and not self.exhausted and not self.resolved

    def edit(self, ladder: Sequence[Rung], rounds: int, now: float) -> None:
        """The ladder becomes another one. Shorter waits count at once; nobody waits for a step that is gone."""
        waits, new = ({name: wait for name, wait, _ in steps} for steps in (self.ladder, ladder))
        last = self.tried[-1] if self.tried else None
        self.ladder, self.rounds = ladder, rounds
        if last is not None and self.due is not None and self.taken_at is None and not self.resolved:
            shift = new[last] - waits[last] if last in new and last in waits else 0
            self.due = min(self.due, now) if last not in new else min(self.due, self.due + shift)
        self.tried = [name if name in new else "gone" for name in self.tried]  # brought back, it is a new step
