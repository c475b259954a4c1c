"""How much a run of the planner looks at: the instants it has reached and `now` in, a span out. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

WHOLE_EVERY = timedelta(hours=1)
"""How often everything is re-derived, as a net under the log of changes."""
SKEW = timedelta(minutes=5)
"""How far the clocks of two workers may differ before one of them counts as set back."""


@dataclass(frozen=True, slots=True)
class Span:
    """The slots that begin after `after` (None: however early) and up to `until` are due to be planned at `now`."""

    now: datetime
    after: datetime | None
    until: datetime

    @property
    def is_whole(self) -> bool:
        """Whether everything is derived anew."""
        return self.after is None

    @property
    def horizon(self) -> "Span":
        """Everything that is due by now, for those of whom something has changed."""
        return Span(self.now, None, self.until)


def next_span(
    planned_until: datetime | None, whole_at: datetime | None, now: datetime, horizon: timedelta, *, whole: bool = False
) -> Span:
    """What comes after `planned_until`; everything when asked for, when it is an hour old, or when the clock was set back.

    A worker whose clock is a little behind plans nothing new, and changed patients as far as everybody else was planned.
    """
    until = now + horizon
    if whole or planned_until is None or whole_at is None:
        return Span(now, None, until)
    if planned_until > until + SKEW or not whole_at - SKEW <= now < whole_at + WHOLE_EVERY:
        return Span(now, None, until)
    return Span(now, planned_until, max(planned_until, until))
