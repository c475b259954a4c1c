"""An agency's file as values: TOML as a dict in, the same in its one normal form and every fault by its place out. Pure.

The normal form has the fields in their order and leaves out what is meant anyway, so that two files which mean the same are
written the same.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

from engage.onboarding.rules.fields import (
    AGENCY,
    ALERT,
    DAYS,
    SECTIONS,
    STEP,
    WORDING,
    Absent,
    Field,
)
from engage.outreach.rules.groups import Group, TaperStep, group_as_json, read_group, read_taper, taper_as_json
from engage.outreach.rules.words import Anchor

Entry = dict[str, Any]
_TOP = ("agency", *SECTIONS, "alert", "wording")


@dataclass(frozen=True, slots=True)
class Faults:
    """Sentences about what is wrong, in the order in which it was found."""

    says: list[str] = field(default_factory=list)

    def add(self, where: str, what: str) -> None:
        """Note one."""
        self.says.append(f"{where}: {what}")


@dataclass(frozen=True, slots=True)
class AgencyDocument:
    """An agency in its normal form. `sections` holds branches, senders, touchpoints, ladders (with `steps`) and shifts."""

    agency: Entry
    sections: Mapping[str, tuple[Entry, ...]]
    alerts: Mapping[str, Entry]
    wordings: tuple[Entry, ...]  # each with `texts`: template to words


def read_document(data: Mapping[str, Any]) -> AgencyDocument | tuple[str, ...]:
    """The agency that a file describes, or a sentence for everything in it that cannot be read."""
    faults = Faults()
    for key in sorted(data.keys() - set(_TOP)):
        faults.add(f"[{key}]", f"means nothing here; known are {', '.join(_TOP)}.")
    agency = _entry(AGENCY, data.get("agency"), "[agency]", faults)
    sections = {name: tuple(_section(name, data.get(name, []), faults)) for name in SECTIONS}
    alerts = data.get("alert", {})
    if not isinstance(alerts, dict):
        faults.add("[alert]", "must be tables such as [alert.urgent].")
        alerts = {}
    rules = {kind: _entry(ALERT, entry, f"[alert.{kind}]", faults) for kind, entry in sorted(alerts.items())}
    wordings = tuple(_wordings(data.get("wording", []), faults))
    if faults.says:
        return tuple(faults.says)
    return normal(AgencyDocument(agency, sections, rules, wordings))


def with_touchpoint(document: AgencyDocument, given: Mapping[str, Any]) -> AgencyDocument | tuple[str, ...]:
    """The document with the touchpoint of `given`'s key as `given` has it, or a sentence for everything in it that cannot be read."""
    faults = Faults()
    entry = _entry(SECTIONS["touchpoint"][0], dict(given), f"touchpoint {given.get('key')!r}", faults)
    if faults.says:
        return tuple(faults.says)
    others = [one for one in document.sections["touchpoint"] if one["key"] != entry["key"]]
    sections = {**document.sections, "touchpoint": (*others, entry)}
    return normal(AgencyDocument(document.agency, sections, document.alerts, document.wordings))


def normal(document: AgencyDocument) -> AgencyDocument:
    """The same in its order, whatever the order of a file or of rows: touchpoints as the day goes, the rest by name."""
    sections = {name: tuple(sorted(entries, key=_ORDERS[name])) for name, entries in document.sections.items()}
    return AgencyDocument(
        document.agency,
        sections,
        dict(sorted(document.alerts.items())),
        tuple(sorted(document.wordings, key=_wording_order)),
    )


_ANCHORS = [str(a.value) for a in (Anchor.VISIT_DAY, Anchor.EVERY_DAY, Anchor.SCORE, Anchor.VISIT_COMPLETED)]


def _as_the_day_goes(entry: Entry) -> tuple[int, int, time, str]:
    anchor = _ANCHORS.index(entry["anchor"]) if entry["anchor"] in _ANCHORS else len(_ANCHORS)
    return anchor, entry.get("offset_days", 0), entry.get("local_time", time.max), entry["key"]


_ORDERS: dict[str, Callable[[Entry], Any]] = {
    "branch": lambda entry: entry["id"],
    "sender": lambda entry: entry["phone"],
    "touchpoint": _as_the_day_goes,
    "ladder": lambda entry: entry["key"],
    "shift": lambda entry: str(list(entry.items())),
}


def in_order(fields: tuple[Field, ...], values: Mapping[str, Any]) -> Entry:
    """The fields of one entry in their order, without those that say what is meant anyway."""
    told = {entry.key: values[entry.key] if values.get(entry.key) is not None else meant({}, entry) for entry in fields}
    return {
        entry.key: told[entry.key]
        for entry in fields
        if told[entry.key] is not None and (entry.is_shown or not _is_meant(told[entry.key], entry.absent))
    }


def _is_meant(value: Any, absent: Any) -> bool:
    return bool(value == absent) or (isinstance(absent, Mapping | tuple) and not value)


def meant(entry: Mapping[str, Any], field_: Field) -> Any:
    """The value of a field that may have been left out: what goes into the row."""
    if field_.key in entry:
        return entry[field_.key]
    if isinstance(field_.absent, Mapping | tuple):
        return dict(field_.absent) if isinstance(field_.absent, Mapping) else list(field_.absent)
    return None if isinstance(field_.absent, Absent) else field_.absent


_RANKS = ("answer-", "promise-", "page", "note", "call-", "mail-")


def template_order(template: str) -> tuple[int, str]:
    """Touchpoints first, then answers, promises, pages, notes, calls and mail."""
    rank = next((rank for rank, prefix in enumerate(_RANKS, start=1) if template.startswith(prefix)), 0)
    return rank, template


def _wording_order(entry: Entry) -> tuple[str, bool, str, str, str]:
    at = entry.get("reviewed_at")
    return (
        entry["language"],
        at is None,
        at.isoformat() if at else "",
        entry.get("reviewed_by", ""),
        entry["written_by"],
    )


def _section(name: str, entries: Any, faults: Faults) -> Iterable[Entry]:
    fields, key = SECTIONS[name]
    if not isinstance(entries, list):
        faults.add(f"[[{name}]]", "must be a list of tables, written with two brackets.")
        return
    seen: set[object] = set()
    for number, given in enumerate(entries, start=1):
        label = given.get(key) if key and isinstance(given, dict) else number
        where = f"[[{name}]] {label!r}"
        extra = {"steps"} if name == "ladder" else set()
        found = _entry(fields, given, where, faults, extra)
        if name == "ladder":
            found["steps"] = _steps(given, where, faults)
        if key and label in seen:
            faults.add(where, "stands there twice.")
        seen.add(label if isinstance(label, str | int) else repr(label))
        yield found


def _steps(given: Any, where: str, faults: Faults) -> list[Entry]:
    steps = given.get("steps") if isinstance(given, dict) else None
    if not isinstance(steps, list) or not steps:
        faults.add(where, 'needs steps, such as steps = [{ who = "nurse", wait_minutes = 10 }].')
        return []
    return [_entry(STEP, step, f"{where}, step {number}", faults) for number, step in enumerate(steps, start=1)]


def _wordings(entries: Any, faults: Faults) -> Iterable[Entry]:
    if not isinstance(entries, list):
        faults.add("[[wording]]", "must be a list of tables, written with two brackets.")
        return
    groups: dict[tuple[Any, ...], Entry] = {}
    seen: set[tuple[Any, ...]] = set()
    for number, given in enumerate(entries, start=1):
        where = f"[[wording]] {number}"
        found = _entry(WORDING, given, where, faults, {"texts"})
        texts = given.get("texts") if isinstance(given, dict) else None
        if not isinstance(texts, dict) or not texts or not all(isinstance(words, str) for words in texts.values()):
            faults.add(where, "needs [wording.texts] with one line for each template.")
            continue
        if ("reviewed_by" in found) != ("reviewed_at" in found):
            faults.add(where, "a review needs both reviewed_by and reviewed_at; without both it waits for one.")
        for template in texts:
            place = (found.get("language"), template, "reviewed_at" in found)
            if place in seen:
                faults.add(where, f"{template} has a wording in this language already.")
            seen.add(place)
        group = tuple(found.get(entry.key) for entry in WORDING)
        groups.setdefault(group, {**found, "texts": {}})["texts"].update(texts)
    for entry in groups.values():
        yield {**entry, "texts": dict(sorted(entry["texts"].items(), key=lambda text: template_order(text[0])))}


def _entry(
    fields: tuple[Field, ...], given: Any, where: str, faults: Faults, extra: Iterable[str] = frozenset()
) -> Entry:
    """The known fields of one table, checked; every fault is noted."""
    if not isinstance(given, dict):
        faults.add(where, "is missing, or no table.")
        return {}
    known = {entry.key: entry for entry in fields}
    for key in sorted(given.keys() - known.keys() - set(extra)):
        faults.add(where, f"{key!r} means nothing here; known are {', '.join(known)}.")
    values: Entry = {}
    for key, entry in known.items():
        if key not in given:
            if entry.absent is Absent.REFUSED:
                faults.add(where, f"{key} is missing" + (f": {entry.says}." if entry.says else "."))
            continue
        value, wrong = _value(entry, given[key])
        if wrong and entry.kind in {Group, TaperStep}:
            faults.add(where, f"{key}: {wrong}.")
        elif wrong:
            faults.add(where, f"{key} is {given[key]!r}; it must be {wrong}.")
        values[key] = value
    return in_order(fields, values)


def _value(entry: Field, value: Any) -> tuple[Any, str | None]:
    """The value in its normal form, and what it should be if it is wrong."""
    return _READERS[entry.kind](entry, value)


def _words(entry: Field, value: Any) -> tuple[Any, str | None]:
    if not isinstance(value, str) or not value.strip() or "\n" in value or "\x00" in value or value != value.strip():
        return value, entry.says or "words on one line"
    if entry.words is not None and value not in (known := [str(word.value) for word in entry.words]):
        return value, f"one of {', '.join(known)}"
    return value, None


def _number(entry: Field, value: Any) -> tuple[Any, str | None]:
    low, high = entry.bounds or (0, 0)
    kinds = (int, float) if entry.kind is float else (int,)
    if type(value) not in kinds or not low <= value <= high:
        return value, f"a {'whole ' if entry.kind is int else ''}number from {low:g} to {high:.12g}"
    return (round(float(value), 3) if entry.kind is float else value), None


def _time(_: Field, value: Any) -> tuple[Any, str | None]:
    fits = isinstance(value, time) and value.tzinfo is None
    return value, None if fits else "a time such as 08:00:00, without quotes"


def _day(_: Field, value: Any) -> tuple[Any, str | None]:
    return value, None if type(value) is date else "a day such as 2026-11-21, without quotes"


def _instant(_: Field, value: Any) -> tuple[Any, str | None]:
    if type(value) is date:  # a day is enough for a person who writes the file
        value = datetime.combine(value, time(), UTC)
    if not isinstance(value, datetime) or value.tzinfo is None:
        return value, "a day such as 2026-11-21, or an instant such as 2026-11-21T09:00:00Z"
    return value.astimezone(UTC), None


def _flag(_: Field, value: Any) -> tuple[Any, str | None]:
    return value, None if isinstance(value, bool) else "true or false"


def _days(_: Field, value: Any) -> tuple[Any, str | None]:
    if not isinstance(value, list) or not value or not set(map(str, value)) <= set(DAYS):
        return value, f"a list of {', '.join(DAYS)}"
    return [day for day in DAYS if day in value], None


def _group(_: Field, value: Any) -> tuple[Any, str | None]:
    group = read_group(value)
    return (value, group) if isinstance(group, str) else (group_as_json(group), None)


def _taper(_: Field, value: Any) -> tuple[Any, str | None]:
    steps = read_taper(value)
    return (value, steps) if isinstance(steps, str) else (taper_as_json(steps), None)


_READERS: dict[type, Callable[[Field, Any], tuple[Any, str | None]]] = {
    str: _words,
    int: _number,
    float: _number,
    time: _time,
    date: _day,
    datetime: _instant,
    bool: _flag,
    list: _days,
    Group: _group,
    TaperStep: _taper,
}
