"""Who goes next: what waits, by agency and priority, in; how many of each are taken up now, out. Pure.

Somebody who waits at a phone (an opt-out, an answer, a page) goes before everything unasked, whosever it is. What is
unasked is shared evenly between agencies, so that one agency's 50,000 do not delay another's 50; within an agency the
priorities count.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from engage.outreach.rules.words import Priority

LAST_AWAITED = Priority.PAGE
"""The least urgent priority for which somebody is waiting."""
_KEPT_FREE = 8


@dataclass(frozen=True, slots=True)
class Lane:
    """What waits in one agency at one priority; `waiting` is a count, perhaps cut off above what could be taken."""

    agency_id: int
    priority: int
    waiting: int

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits at a phone for these."""
        return self.priority <= LAST_AWAITED


def share(lanes: Iterable[Lane], most: int, unasked: int, may_leave: Mapping[int, int]) -> list[Lane]:
    """Lanes with `waiting` cut to what is taken up now, most urgent first.

    `most` may be taken, and of those for whom nobody waits at a phone no more than `unasked`. `may_leave` says for agencies
    whose senders have a pace how many unasked texts may leave now; the others have no entry.
    """
    free = max(0, most)
    taken: list[Lane] = []
    lanes = sorted((lane for lane in lanes if lane.waiting > 0), key=lambda lane: (lane.priority, lane.agency_id))
    for priority in sorted({lane.priority for lane in lanes if lane.is_awaited}):
        level = {lane.agency_id: lane.waiting for lane in lanes if lane.priority == priority}
        for agency_id, count in evenly(level, free).items():
            taken.append(Lane(agency_id, priority, count))
            free -= count
    lanes = [lane for lane in lanes if not lane.is_awaited]
    wanted: dict[int, int] = {}
    for lane in lanes:
        wanted[lane.agency_id] = wanted.get(lane.agency_id, 0) + lane.waiting
    for agency_id, pace in may_leave.items():
        if agency_id in wanted:
            wanted[agency_id] = min(wanted[agency_id], pace)
    left = evenly(wanted, min(free, unasked))
    for lane in lanes:
        count = min(lane.waiting, left.get(lane.agency_id, 0))
        if count:
            taken.append(Lane(lane.agency_id, lane.priority, count))
            left[lane.agency_id] -= count
    return taken


def for_unasked(room: int) -> int:
    """How much of the room the unasked may use: one part in eight is kept for the awaited.

    So a page never waits until check-ins have come back, even where nothing comes back.
    """
    return room if room <= 1 else room - max(1, room // _KEPT_FREE)


def evenly(wanted: Mapping[int, int], room: int) -> dict[int, int]:
    """`room` divided so that nobody gets more than wanted and nobody less than another who wants as much.

    The odd ones go to the smallest wants first. Only entries above zero are returned.
    """
    given: dict[int, int] = {}
    room = max(0, room)
    for place, (agency_id, most) in enumerate(sorted(wanted.items(), key=lambda item: (item[1], item[0]))):
        part = min(most, -(-room // (len(wanted) - place)))
        if part > 0:
            given[agency_id] = part
            room -= part
    return given
