"""Reads config/default.toml and config/messages/: dicts of TOML in, checked values out. Touches no database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import Any

from engage.alerts.rules.words import AlertKind, Who
from engage.errors import ConfigurationError
from engage.outreach.rules.groups import group_as_json, read_group, read_taper, taper_as_json
from engage.outreach.rules.words import Anchor, Asks
from engage.patients.rules.words import Category
from engage.settings import read_toml


@dataclass(frozen=True, slots=True)
class LadderPlan:
    """A ladder as a file says it: its steps in order, each (who, minutes to wait)."""

    key: str
    rounds: int
    steps: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Wording:
    """The templates of one language, and who reviewed them; unreviewed wording is never sent (45 CFR 92)."""

    language: str
    reviewed_by: str | None
    reviewed_on: date | None
    templates: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Programme:
    """Everything a new agency starts with."""

    agency: Mapping[str, Any]
    touchpoints: tuple[Mapping[str, Any], ...]
    ladders: tuple[LadderPlan, ...]
    alerts: Mapping[str, Mapping[str, Any]]
    wordings: tuple[Wording, ...]


_TOUCHPOINT_KEYS = {
    "key", "anchor", "offset_days", "offset_minutes", "local_time", "useful_minutes", "spread_minutes", "category",
    "priority", "template", "asks", "only_monitored", "alert_at_most", "for_whom", "taper", "follows", "follows_at_most", "yes_opens",
}  # fmt: skip
_AGENCY_KEYS = {"texts_after", "texts_until", "daily_cap", "weekly_cap"}
_MINUTES_A_WEEK = 7 * 24 * 60


def load_programme(config_dir: Path) -> Programme:
    """The programme of `config_dir`; ConfigurationError names the file, the entry and what it should be."""
    file = config_dir / "default.toml"
    data = read_toml(file)
    agency = _agency(data.get("agency", {}), file)
    ladders = tuple(_ladder(entry, file) for entry in data.get("ladder", ()))
    keys = {ladder.key for ladder in ladders}
    for kind, rule in data.get("alert", {}).items():
        _member(AlertKind, kind, file, "alert")
        if rule.get("ladder") not in keys:
            raise ConfigurationError(
                f"{file}: alert.{kind} names the ladder {rule.get('ladder')!r}, which is not there."
            )
        _whole(rule.get("severity"), (1, 3), file, f"alert.{kind}, severity")
        _whole(rule.get("acknowledged_minutes"), (5, _MINUTES_A_WEEK), file, f"alert.{kind}, acknowledged_minutes")
    missing = sorted(set(AlertKind) - set(data.get("alert", {})))
    if missing:
        raise ConfigurationError(f"{file}: there is no [alert.{missing[0]}]; every kind of alert needs a ladder.")
    touchpoints = tuple(_touchpoint(entry, file) for entry in data.get("touchpoint", ()))
    wordings = tuple(_wording(path) for path in sorted((config_dir / "messages").glob("*.toml")))
    for touchpoint in touchpoints:
        for wording in wordings:
            if touchpoint["template"] not in wording.templates:
                raise ConfigurationError(
                    f"messages/{wording.language}.toml has no wording for {touchpoint['template']!r}."
                )
    return Programme(agency, touchpoints, ladders, data.get("alert", {}), wordings)


def needed_templates(config_dir: Path) -> frozenset[str]:
    """What every agency has to be able to say in English: every answer, promise, page and note that ships."""
    english = read_toml(config_dir / "messages" / "en.toml").get("wording", {})
    return frozenset(
        key
        for key in english
        if key.startswith(("answer-", "promise-", "page", "note", "call-page", "mail-", "enrol", "verify-", "follow-"))
    )


def _agency(entry: Mapping[str, Any], file: Path) -> Mapping[str, Any]:
    _known(entry, _AGENCY_KEYS, file, "agency")
    bounds = [entry.get("texts_after", time(8)), entry.get("texts_until", time(21))]
    if not all(isinstance(bound, time) for bound in bounds) or bounds[0] >= bounds[1]:
        raise ConfigurationError(f"{file}: agency, texts_after must be a time such as 08:00:00 before texts_until.")
    _whole(entry.get("daily_cap", 5), (1, 20), file, "agency, daily_cap")
    _whole(entry.get("weekly_cap", 30), (1, 140), file, "agency, weekly_cap")
    return entry


def _touchpoint(entry: Mapping[str, Any], file: Path) -> Mapping[str, Any]:
    name = f"touchpoint {entry.get('key')!r}"
    _known(entry, _TOUCHPOINT_KEYS, file, name)
    missing = sorted({"key", "anchor", "useful_minutes", "category", "priority", "template", "asks"} - entry.keys())
    if missing:
        raise ConfigurationError(f"{file}: {name} lacks {missing[0]!r}.")
    _member(Anchor, entry["anchor"], file, f"{name}, anchor")
    _member(Asks, entry["asks"], file, f"{name}, asks")
    _member(Category, entry["category"], file, f"{name}, category")
    if not isinstance(entry.get("local_time", time()), time):
        raise ConfigurationError(f"{file}: {name}, local_time must look like 15:00:00.")
    if ("local_time" in entry) == (entry["anchor"] in {Anchor.VISIT_COMPLETED, Anchor.SCORE}):
        raise ConfigurationError(
            f"{file}: {name}: a local_time belongs to every anchor but visit_completed and score, which have offset_minutes."
        )
    group, taper = read_group(entry.get("for_whom", {})), read_taper(entry.get("taper", []))
    if isinstance(group, str) or isinstance(taper, str):
        raise ConfigurationError(f"{file}: {name}: {group if isinstance(group, str) else taper}.")
    _whole(entry["useful_minutes"], (5, _MINUTES_A_WEEK), file, f"{name}, useful_minutes")
    _whole(entry.get("spread_minutes", 0), (0, 180), file, f"{name}, spread_minutes")
    _whole(entry["priority"], (3, 9), file, f"{name}, priority")
    return {**entry, "for_whom": group_as_json(group), "taper": taper_as_json(taper)}


def _ladder(entry: Mapping[str, Any], file: Path) -> LadderPlan:
    name = f"ladder {entry.get('key')!r}"
    steps = entry.get("steps") or ()
    if not steps:
        raise ConfigurationError(f"{file}: {name} has no steps.")
    for step in steps:
        _member(
            [who for who in Who if who is not Who.PERSON], step.get("who"), file, f"{name}, who"
        )  # nobody has a name before there are people
        _whole(step.get("wait_minutes"), (1, 1440), file, f"{name}, wait_minutes")
    _whole(entry.get("rounds", 3), (1, 20), file, f"{name}, rounds")
    return LadderPlan(
        str(entry.get("key")), entry.get("rounds", 3), tuple((step["who"], step["wait_minutes"]) for step in steps)
    )


def _wording(path: Path) -> Wording:
    data = read_toml(path)
    return Wording(
        data.get("language", path.stem), data.get("reviewed_by"), data.get("reviewed_on"), data.get("wording", {})
    )


def _member(words: Any, value: object, file: Path, where: str) -> None:
    known = [str(word.value) for word in words]
    if value not in known:
        raise ConfigurationError(f"{file}: {where} is {value!r}; it must be one of {', '.join(known)}.")


def _known(entry: Mapping[str, Any], keys: set[str], file: Path, where: str) -> None:
    unknown = sorted(entry.keys() - keys)
    if unknown:
        raise ConfigurationError(
            f"{file}: {where} has {unknown[0]!r}, which means nothing; known: {', '.join(sorted(keys))}."
        )


def _whole(value: object, between: tuple[int, int], file: Path, where: str) -> None:
    if type(value) is not int or not between[0] <= value <= between[1]:
        raise ConfigurationError(
            f"{file}: {where} is {value!r}; it must be a whole number from {between[0]} to {between[1]}."
        )
