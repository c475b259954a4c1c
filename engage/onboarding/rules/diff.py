"""What one file of an agency changes against another: two documents in, a line for each change out. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engage.onboarding.rules.document import AgencyDocument, Entry
from engage.onboarding.rules.fields import SECTIONS

# Rows that others refer to for ever: they are switched off, never removed.
KEPT = {
    "branch": "patients may belong to it",
    "sender": "texts have left from it; take it away with the help of the operator",
    "touchpoint": "texts refer to it: write is_active = false",
    "ladder": "alerts may stand on it",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: its place, and what was there before and is there after (None: nothing)."""

    where: str
    before: Any
    after: Any

    @property
    def says(self) -> str:
        """The change in one line: + new, - gone, ~ changed."""
        if self.before is None:
            return f"+ {self.where}: {_shown(self.after)}"
        if self.after is None:
            return f"- {self.where}: {_shown(self.before)}"
        return f"~ {self.where}: {_shown(self.before)} -> {_shown(self.after)}"


def changes(before: AgencyDocument | None, after: AgencyDocument) -> tuple[Change, ...]:
    """Every change from `before` (None: there is no agency yet) to `after`, in the order of the file."""
    return tuple(_changes(before or AgencyDocument({}, dict.fromkeys(SECTIONS, ()), {}, ()), after))


def lost(found: tuple[Change, ...]) -> tuple[str, ...]:
    """A sentence for each row that the file leaves out but that cannot be removed."""
    sentences = []
    for change in found:
        name, _, label = change.where.partition(" ")
        if change.after is None and name in KEPT and "," not in label:
            sentences.append(f"The file leaves out the {name} {label}: {KEPT[name]}.")
    return tuple(sentences)


def stale_reviews(before: AgencyDocument | None, after: AgencyDocument) -> tuple[str, ...]:
    """A sentence for each text whose words are new while its review is still that of the old ones (45 CFR 92)."""
    old, new = _reviewed(before) if before else {}, _reviewed(after)
    return tuple(
        f"{template} ({language}): the words are new, but the review by {entry['reviewed_by']} is that of the old ones. Have "
        "them reviewed and write who and when, or put them where nobody has reviewed anything yet, to wait for it."
        for (language, template), (words, entry) in new.items()
        if (language, template) in old and old[language, template][0] != words and old[language, template][1] == entry
    )


def _reviewed(document: AgencyDocument) -> dict[tuple[str, str], tuple[str, Entry]]:
    found: dict[tuple[str, str], tuple[str, Entry]] = {}
    for entry in document.wordings:
        if "reviewed_by" in entry:
            review = {"reviewed_by": entry["reviewed_by"], "reviewed_at": entry["reviewed_at"]}
            found |= {(entry["language"], template): (words, review) for template, words in entry["texts"].items()}
    return found


def _changes(before: AgencyDocument, after: AgencyDocument) -> Iterator[Change]:
    yield from _entries("agency", before.agency, after.agency)
    for name, (_, key) in SECTIONS.items():
        yield from _rows(name, _by(before.sections[name], key), _by(after.sections[name], key))
    yield from _rows("alert", before.alerts, after.alerts)
    yield from _texts(_words(before), _words(after))


def _rows(name: str, before: Mapping[str, Entry], after: Mapping[str, Entry]) -> Iterator[Change]:
    for label in dict.fromkeys([*before, *after]):
        where = f"{name} {label}" if SECTIONS.get(name, ("", "kind"))[1] else name
        if label not in before or label not in after:
            yield Change(where, before.get(label), after.get(label))
        else:
            yield from _entries(where, before[label], after[label])


def _entries(where: str, before: Entry, after: Entry) -> Iterator[Change]:
    for key in dict.fromkeys([*before, *after]):
        if before.get(key) != after.get(key):
            yield Change(f"{where}, {key}", before.get(key), after.get(key))


def _by(entries: tuple[Entry, ...], key: str) -> dict[str, Entry]:
    """Entries by what names them; those without a name of their own by all they say."""
    return {str(entry[key]) if key else _shown(entry): entry for entry in entries}


def _words(document: AgencyDocument) -> dict[str, tuple[str, str]]:
    """Each text, by language, template and whether it waits; with whoever answers for it."""
    found = {}
    for entry in document.wordings:
        signed = f"by {entry['written_by']}"
        if "reviewed_by" in entry:
            signed += f", reviewed by {entry['reviewed_by']} on {entry['reviewed_at']:%Y-%m-%d %H:%M:%S.%f}"
        waits = "" if "reviewed_by" in entry else ", waiting"
        for template, words in entry["texts"].items():
            found[f"wording {entry['language']} {template}{waits}"] = (words, signed)
    return found


def _texts(before: Mapping[str, tuple[str, str]], after: Mapping[str, tuple[str, str]]) -> Iterator[Change]:
    for where in dict.fromkeys([*before, *after]):
        was, becomes = before.get(where), after.get(where)
        if was != becomes:
            yield Change(where, was and f"{was[0]!r} ({was[1]})", becomes and f"{becomes[0]!r} ({becomes[1]})")


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(one)}" for key, one in value.items())
    if isinstance(value, list | tuple):
        return " > ".join(_shown(one) for one in value)
    return str(value)
