"""When a touchpoint would have left for a patient on a local day: the planner's arithmetic, for one patient. Pure.

The planner (engage.outreach.plan) decides in SQL; this tells afterwards at which moment it would have.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from engage.patients.rules.window import instant

_BEFORE_VISIT = timedelta(minutes=60)


@dataclass(frozen=True, slots=True)
class Hours:
    """The agency's hours for texts, as wall time in the patient's zone."""

    zone: str
    after: time
    until: time


@dataclass(frozen=True, slots=True)
class Span:
    """When a text would leave, and until when it would be of use. No time at all where the second is not later."""

    send_at: datetime
    expires_at: datetime


def on_day(on: date, wall: time, useful: timedelta, hours: Hours, starts: Sequence[time | None], day: date) -> Span:
    """Of a touchpoint at `wall` on `on`; one about visits that start at `starts` on `day` leaves before the first of them."""
    at = instant(on, wall, hours.zone)
    begins = [instant(day, start, hours.zone) for start in starts if start is not None]
    send_at = max(min([at, *(first - _BEFORE_VISIT for first in begins)]), instant(on, hours.after, hours.zone))
    return Span(send_at, min(at + useful, instant(on, hours.until, hours.zone), *begins))


def after_visit(completed_at: datetime, offset: timedelta, useful: timedelta, hours: Hours) -> Span:
    """Of a touchpoint `offset` after a completed visit, moved into the patient's hours."""
    wall = (completed_at + offset).astimezone(ZoneInfo(hours.zone)).replace(tzinfo=None, fold=0)
    if wall.time() < hours.after:
        wall = datetime.combine(wall.date(), hours.after)
    elif wall.time() >= hours.until:
        wall = datetime.combine(wall.date() + timedelta(days=1), hours.after)
    send_at = instant(wall.date(), wall.time(), hours.zone)
    return Span(send_at, send_at + useful)
