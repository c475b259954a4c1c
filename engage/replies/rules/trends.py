"""What a patient's scores say over days: a new score, those before it and the patient's level in, findings out. Pure.

Levels are the patient's own: whoever always feels a 3 is not worse at 3, and whoever always feels a 5 is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median_low

LOOKS_BACK = timedelta(days=14)
"""Older scores say nothing about now; two check-ins a day make at most 28."""
MOST_SCORES = 7
"""How many of the last scores make the level: three to seven days of a patient who answers."""
FEWEST_SCORES = 3
"""With fewer there is no level yet; only a nurse's baseline is."""
MIDDLE = 3
BOTTOM = 1
LONGEST_SNOOZE = timedelta(days=31)


class Trend(StrEnum):
    """What is found; each opens the alert `drop`, with this word as the reason."""

    DROP = "drop"  # so many points below the patient's own level
    THREES = "threes"  # in the middle of the scale again, from a better level


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What counts for one patient: the nurse's word, else the agency's. A nought switches that rule off."""

    alert_at_most: int | None = None  # the highest score to a check-in that opens an alert by itself
    drop_by: int = 2
    threes_in_a_row: int = 2
    silent_after: int = 3
    baseline: int | None = None
    snoozed_until: datetime | None = None

    def is_snoozed(self, now: datetime) -> bool:
        """Whether scores and silences are muted at `now`; it ends by itself. Words never are, nor is a 1."""
        return self.snoozed_until is not None and now < self.snoozed_until


def level_of(before: Sequence[int], baseline: int | None) -> int | None:
    """The patient's own level, 1 to 5: the nurse's baseline, else the median of the newest scores (the lower of two middles).

    `before` is oldest first, of the last LOOKS_BACK. None while there are too few.
    """
    if baseline is not None:
        return baseline
    newest = list(before)[-MOST_SCORES:]
    return median_low(newest) if len(newest) >= FEWEST_SCORES else None


def find_trend(value: int, before: Sequence[int], thresholds: Thresholds) -> Trend | None:
    """What the new score of a check-in means after those `before` it, oldest first; None for nothing to tell."""
    level = level_of(before, thresholds.baseline)
    if level is not None and thresholds.drop_by and level - value >= thresholds.drop_by:
        return Trend.DROP
    wanted = thresholds.threes_in_a_row
    if not wanted or value != MIDDLE:
        return None
    row = [*before, value][-wanted:]
    earlier = list(before)[: len(before) + 1 - wanted]
    usual = level_of(earlier, thresholds.baseline)
    is_new = usual is None or usual > MIDDLE
    follows_a_row = len(earlier) > 0 and earlier[-1] == MIDDLE  # told when the row was complete, not at each further 3
    return Trend.THREES if len(row) == wanted and set(row) == {MIDDLE} and is_new and not follows_a_row else None


def is_muted(value: int, thresholds: Thresholds, now: datetime) -> bool:
    """Whether a snooze keeps this score from calling a nurse: she knows of it. Not at the bottom of the scale."""
    return thresholds.is_snoozed(now) and value > BOTTOM
