"""What the auditor looks for, and what it means for a person. Pure.

Only a run that found nothing is clean: whatever is found withholds the ping, what was repaired in the same run included.
"""

from dataclasses import dataclass
from enum import StrEnum


class Finding(StrEnum):
    """One thing that must not be."""

    LOST_STEP = "lost_step"  # an alert without a next step, or with one further away than any wait of its ladder
    OVERDUE = "overdue"  # a next step more than a minute past: nobody escalates
    NO_PAGE = "no_page"  # no page of an open alert has arrived, though the first wait is over
    EXHAUSTED = "exhausted"  # the whole ladder was paged, nobody took the alert, and nobody has resolved it
    REPLIES_WAITING = "replies_waiting"  # texts that nobody has read for minutes: alerts that are not open yet
    UNREACHABLE = "unreachable"  # somebody with a shift this week whom no page can reach
    ROTA_GAP = "rota_gap"  # an open alert says that hours of the next days have nobody on call


@dataclass(frozen=True, slots=True)
class Found:
    """How many of one finding; `some` of them by "agency/id", never by a name."""

    finding: Finding
    count: int
    some: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Audit:
    """What one run found, without the findings that there were none of, and how many alerts it made due again."""

    found: tuple[Found, ...]
    repaired: int = 0

    @property
    def is_clean(self) -> bool:
        """Whether the outside may be told that all is well."""
        return not self.found

    def counts(self) -> dict[str, int]:
        """The findings by their words."""
        return {str(found.finding): found.count for found in self.found}


_SENTENCES = {
    Finding.LOST_STEP: "{} alert(s) had no next step, or one too far away; the auditor made them due",
    Finding.OVERDUE: "{} alert(s) wait for a step that is overdue: no worker escalates",
    Finding.NO_PAGE: "no page of {} open alert(s) has arrived on a phone: see engage alerts show, and call somebody",
    Finding.EXHAUSTED: "{} alert(s) went up the whole ladder and nobody took them: engage alerts list",
    Finding.REPLIES_WAITING: "{} text(s) of patients have waited for minutes to be read: no worker handles them",
    Finding.UNREACHABLE: "{} person(s) with a shift this week cannot be paged: no phone, pages stopped, or left",
    Finding.ROTA_GAP: "{} rota(s) have hours with nobody on call: engage alerts list",
}


def sentence(finding: str, count: int) -> str:
    """A finding for a person, without a full stop; an unknown word (of a newer release) stands for itself."""
    if finding not in set(Finding):
        return f"{count} of {finding}"
    return _SENTENCES[Finding(finding)].format(count)


def worse(counts: dict[str, int], before: dict[str, int]) -> set[str]:
    """Findings that are new or have grown since `before`: those are news, the others were told."""
    return {finding for finding, count in counts.items() if count > before.get(finding, 0)}
