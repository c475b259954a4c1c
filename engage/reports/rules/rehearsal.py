"""What a ladder would do with one alert that nobody takes: a ladder, the rota and an instant in; who is paged when, out. Pure.

It climbs as the escalation does (engage.alerts.rules.ladder) and finds people as the alert budget does; it pages nobody.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from engage.alerts.rules.ladder import Nobody, Page, Place, Step, climb
from engage.reports.rules.budget import LadderRule, Roster

SOMEBODY = 0
"""The patient of a rehearsal: nobody's id."""
MOST_BEATS = 120


@dataclass(frozen=True, slots=True)
class Beat:
    """At `at`, in `round`, `step` pages `people` (clinician ids); none: nobody can be paged, and the next step follows at once."""

    at: datetime
    round: int
    step: Step
    people: tuple[int, ...]
    wait: timedelta


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Every beat, and when the ladder ends with nobody having taken the alert; None where only its beginning was looked at."""

    beats: tuple[Beat, ...]
    exhausted_at: datetime | None

    @property
    def reaches_nobody(self) -> bool:
        """Whether nobody at all would be paged."""
        return not any(beat.people for beat in self.beats)


def rehearse(ladder: LadderRule, roster: Roster, at: datetime) -> Rehearsal:
    """The whole climb of an alert of the patient SOMEBODY that opens at `at` (aware) and that nobody takes."""
    steps = {step.id: step for step in ladder.steps}
    beats: list[Beat] = []
    place = Place()
    while len(beats) < MOST_BEATS:
        people = roster.pageable(SOMEBODY, ladder.steps, at)
        for move in climb(place, ladder.steps, ladder.rounds, people, roster.wall(SOMEBODY, at), at):
            if isinstance(move, Nobody):
                beats.append(Beat(at, move.place.round, steps[move.place.climbed[-1]], (), timedelta(0)))
            elif isinstance(move, Page):
                beats.append(
                    Beat(at, move.place.round, steps[move.place.climbed[-1]], move.people, move.next_due_at - at)
                )
                place, after = move.place, move.next_due_at
            else:
                return Rehearsal(tuple(beats), at)
        at = after
    return Rehearsal(tuple(beats[:MOST_BEATS]), None)
