"""What an agency's EMR means by its words: which rows are visits, what a status says, who is a nurse. Pure.

The lists are data (config/emr/*.toml); matching ignores spacing, case and punctuation, for EMRs vary all three.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from engage.agencies.rules.people import Role
from engage.patients.rules.words import PatientStatus
from engage.visits.rules.cells import key, person, tidy
from engage.visits.rules.words import VisitStatus
from engage.visits.rules.zones import Zones

_BETWEEN = re.compile(r"[\s.,()]+")


@dataclass(frozen=True, slots=True)
class EmrLists:
    """The words of one EMR at one agency, as `key`s. `visit_names` wins over both lists of what is no visit.

    `disciplines` has, by code such as SN, the pattern that tells it (`phrases`), in the order in which they are tried.
    """

    not_visit_names: frozenset[str]
    not_visit_types: frozenset[str]
    visit_names: frozenset[str]
    statuses: Mapping[str, VisitStatus]
    not_visit_statuses: frozenset[str]
    patient_statuses: Mapping[str, PatientStatus]
    disciplines: Mapping[str, re.Pattern[str]]
    roles: Mapping[str, Role]
    languages: Mapping[str, str]
    zones: Zones

    def is_visit(self, task: str, visit_type: str, status: str) -> bool:
        """Whether a row of the visit file is somebody coming to the patient's home."""
        if key(task) in self.visit_names:
            return True
        return (
            key(task) not in self.not_visit_names
            and key(visit_type) not in self.not_visit_types
            and key(status) not in self.not_visit_statuses
        )

    def status(self, text: str, *, is_missed: bool, is_completed: bool) -> VisitStatus | None:
        """What the EMR says of a visit; None for a word that is not on the list.

        The missed mark is the strongest: a finished form about a missed visit carries the status Completed.
        """
        if is_missed:
            return VisitStatus.MISSED
        said = self.statuses.get(key(text)) if key(text) else VisitStatus.SCHEDULED
        if is_completed and said is not VisitStatus.MISSED:
            return VisitStatus.COMPLETED
        return said

    def discipline(self, *texts: str) -> str | None:
        """The code (SN, PT …) that the first telling text holds: "PTA Visit", "Skilled Nurse Visit"; None when none does."""
        for text in texts:
            for code, pattern in self.disciplines.items():
                if pattern.search(text):
                    return code
        return None

    def role(self, discipline: str | None) -> Role | None:
        """What a clinician of this discipline does about an alert; None when it is not known."""
        return self.roles.get(discipline or "")

    def clinician(self, text: str) -> tuple[str | None, str | None, str | None]:
        """First name, last name and discipline of "Doe, Jane RN", "Jane Doe, RN" or "JANE DOE"."""
        clean = tidy(text)
        words = [word for word in _BETWEEN.split(clean) if word]
        credentials = [word for word in words[1:] if self.discipline(word) and word.isupper()]
        if clean.isupper():  # all capitals: only what stands last or after a comma can be a credential
            credentials = [word for word in words[2:] if self.discipline(word)]
        code = self.discipline(*credentials)
        kept = [part for part in clean.split(",") if _names(part, credentials)]
        if len(kept) > 1:
            last, first = _names(kept[0], credentials), _names(kept[1], credentials)
        else:
            first, _, last = _names(clean.replace(",", " "), credentials).rpartition(" ")
        return person(first) or None, person(last) or None, code


def phrases(words: Iterable[str]) -> re.Pattern[str]:
    """A pattern that finds any of `words` as whole words, whatever their case and spacing."""
    ways = (r"[\W_]+".join(map(re.escape, re.findall(r"[^\W_]+", phrase))) for phrase in words)
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(way for way in ways if way)})(?![^\W_])", re.IGNORECASE)


def _names(part: str, credentials: list[str]) -> str:
    """The words of `part` that are no credentials."""
    return " ".join(word for word in part.split() if word.strip(".,()") not in credentials)
