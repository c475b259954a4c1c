"""Writes an agency as TOML that reads like a document: a document in its normal form in, its one text out. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

import tomlkit

from engage.onboarding.rules.document import AgencyDocument, Entry

_HEADINGS = {
    "branch": "Offices. `id` is theirs in the EMR.",
    "sender": "The numbers that texts leave from: for patients, and better another one for pages.",
    "touchpoint": "What is said without being asked. priority: 3 day-of, 4 check-in, 5 day-before, 6 survey.",
    "ladder": "Who is paged for an alert, in which order, and how many minutes somebody has to take it.",
    "alert": "What each kind of alert means: severity 3 now, 2 within the hour, 1 today; how long taking it lasts.",
    "shift": "Who is on call, by the id in the EMR; wall time of the branch, and it may pass midnight.",
    "wording": "Words. What nobody has reviewed waits and is not sent; a reviewer is somebody else than the author.",
}


def as_toml(document: AgencyDocument) -> str:
    """The file of an agency: the same bytes for the same agency, whoever writes it and when."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: AgencyDocument) -> Iterator[str]:
    yield "# An agency of Engage (docs/guides/agency.md). No person's name or phone and no secret stands here."
    yield f"# To change it: engage agency import FILE --dry-run; for one as it is: engage agency export {document.agency['id']}"
    yield ""
    yield from _table("[agency]", document.agency)
    for name, entries in document.sections.items():
        if name == "shift":
            yield from _alerts(document.alerts)
        if entries:
            yield from _heading(name)
        for entry in entries:
            yield ""
            yield from _table(f"[[{name}]]", entry)
    if document.wordings:
        yield from _heading("wording")
    for entry in document.wordings:
        yield ""
        yield from _table("[[wording]]", {key: value for key, value in entry.items() if key != "texts"})
        yield from _table("[wording.texts]", entry["texts"])


def _alerts(alerts: Mapping[str, Entry]) -> Iterator[str]:
    if alerts:
        yield from _heading("alert")
    for kind, entry in alerts.items():
        yield ""
        yield from _table(f"[alert.{_key(kind)}]", entry)


def _heading(name: str) -> Iterator[str]:
    yield ""
    yield f"# --- {_HEADINGS[name]}"


def _table(head: str, entry: Entry) -> Iterator[str]:
    yield head
    for key, value in entry.items():
        if key == "steps":
            yield "steps = ["
            yield from (f"  {_inline(step)}," for step in value)
            yield "]"
        else:
            yield f"{_key(key)} = {_value(value)}"


def _inline(entry: Entry) -> str:
    return "{ " + ", ".join(f"{_key(key)} = {_value(value)}" for key, value in entry.items()) + " }"


def _key(key: str) -> str:
    return str(tomlkit.key(key).as_string())


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return _inline(value)
    if isinstance(value, list):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    return str(tomlkit.item(value).as_string())
