"""What can be wrong with a rota and the ladders that lean on it: facts in, a sentence out. Pure.

The facts stay apart, so that a page can say them in its own language.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from engage.agencies.rules.people import Unreachable
from engage.alerts.rules.words import Who


class TroubleKind(StrEnum):
    """What is wrong."""

    HOLE = "hole"  # hours in which nobody on call can be paged
    MORE_HOLES = "more_holes"
    UNREACHABLE = "unreachable"  # somebody on the rota whom nobody can page
    EMPTY_STEP = "empty_step"  # a step of a ladder with nobody behind it


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong in a branch. `starts`, `ends` are of a hole (None: past what was looked at), in `zone`; `count` of more
    holes; `person` and `why` of somebody; `ladder`, `position`, `who` and `discipline` of a step.
    """

    kind: TroubleKind
    branch_id: int
    branch: str
    zone: str
    starts: datetime | None = None
    ends: datetime | None = None
    count: int = 0
    person: str = ""
    why: Unreachable | None = None
    ladder: str = ""
    position: int = 0
    who: Who | None = None
    discipline: str | None = None

    @property
    def says(self) -> str:
        """A sentence."""
        match self.kind:
            case TroubleKind.HOLE:
                ends = self._wall(self.ends) if self.ends is not None else "the end of what was looked at"
                what = f"nobody on call can be paged from {self._wall(self.starts)} to {ends}"
            case TroubleKind.MORE_HOLES:
                what = f"and {self.count} more times with nobody on call"
            case TroubleKind.UNREACHABLE:
                what = f"{self.person} is on the rota and cannot be paged: {self.why}"
            case TroubleKind.EMPTY_STEP:
                who = f"{(self.who or '').replace('_', ' ')}{f' ({self.discipline})' if self.discipline else ''}"
                what = f"the ladder {self.ladder!r}, step {self.position}: no {who} can be paged"
        return f"{self.branch}: {what}."

    def _wall(self, at: datetime | None) -> str:
        return "" if at is None else f"{at.astimezone(ZoneInfo(self.zone)):%a %b %d %H:%M}"
