"""Reads config/emr/*.toml: files in, the words of an EMR at an agency out. ConfigurationError names what is wrong."""

import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import available_timezones

from engage.agencies.rules.people import Role
from engage.errors import ConfigurationError
from engage.patients.rules.words import PatientStatus
from engage.settings import read_toml
from engage.visits.rules.cells import key
from engage.visits.rules.lists import EmrLists, phrases
from engage.visits.rules.words import VisitStatus
from engage.visits.rules.zones import OtherZone, State, Zones, county_key

Word = TypeVar("Word", bound=StrEnum)
_TABLES = {"not_visits", "visits", "statuses", "patient_statuses", "disciplines", "roles", "languages"}


def load_lists(config_dir: Path, profile: str, agency_slug: str) -> EmrLists:
    """The shipped lists of `profile` with the agency's own (config/emr/<agency>/<profile>.toml) on top."""
    shipped = config_dir / "emr" / f"{profile}.toml"
    own = config_dir / "emr" / agency_slug / f"{profile}.toml"
    layers = [(path, _checked(path)) for path in (shipped, own) if path == shipped or path.exists()]
    return EmrLists(
        not_visit_names=_keys(layers, "not_visits", "names"),
        not_visit_types=_keys(layers, "not_visits", "types"),
        not_visit_statuses=_keys(layers, "not_visits", "statuses"),
        visit_names=_keys(layers, "visits", "names"),
        statuses=_meanings(layers, "statuses", VisitStatus),
        patient_statuses=_meanings(layers, "patient_statuses", PatientStatus),
        disciplines=_disciplines(layers),
        roles={word: _word(Role, role, "roles", layers) for role, word in _entries(layers, "roles")},
        languages={key(word): code for code, word in _entries(layers, "languages")},
        zones=load_zones(config_dir),
    )


def load_zones(config_dir: Path) -> Zones:
    """config/emr/zones.toml."""
    path = config_dir / "emr" / "zones.toml"
    known = available_timezones()
    states = {}
    try:
        for letters, given in read_toml(path)["states"].items():
            others = tuple(
                OtherZone(other["zone"], tuple(other["zips"]), frozenset(map(county_key, other["counties"])))
                for other in given.get("others", [])
            )
            states[letters] = State(given["name"], given["zone"], others)
    except (KeyError, TypeError, AttributeError) as problem:
        raise ConfigurationError(
            f"{path} is not a table of states with their zones: {problem} is missing or wrong."
        ) from None
    for letters, state in states.items():
        for zone in (state.zone, *(other.zone for other in state.others)):
            if zone not in known:
                raise ConfigurationError(f"{path}: {letters} names the time zone {zone!r}, which does not exist.")
    return Zones(states, {key(state.name): letters for letters, state in states.items()})


_Layers = list[tuple[Path, dict[str, Any]]]


def _checked(path: Path) -> dict[str, Any]:
    tables = read_toml(path)
    for name, table in tables.items():
        if name not in _TABLES:
            raise ConfigurationError(
                f"{path}: there is no table [{name}] here; there are: {', '.join(sorted(_TABLES))}."
            )
        for word, entries in table.items() if isinstance(table, dict) else [(name, None)]:
            if not (isinstance(entries, list) and all(isinstance(entry, str) for entry in entries)):
                raise ConfigurationError(f"{path}: {word} in [{name}] must be a list of texts.")
    return tables


def _keys(layers: _Layers, table: str, name: str) -> frozenset[str]:
    return frozenset(key(text) for _, tables in layers for text in tables.get(table, {}).get(name, []))


def _entries(layers: _Layers, table: str) -> Iterator[tuple[str, str]]:
    """Meaning and word, the shipped ones first, so that an agency's own word replaces its meaning."""
    for _, tables in layers:
        for meaning, words in tables.get(table, {}).items():
            yield from ((meaning, word) for word in words)


def _disciplines(layers: _Layers) -> dict[str, re.Pattern[str]]:
    words: dict[str, list[str]] = {}
    for code, word in _entries(layers, "disciplines"):
        words.setdefault(code, []).append(word)
    return {code: phrases(told) for code, told in words.items()}


def _meanings(layers: _Layers, table: str, words: type[Word]) -> dict[str, Word]:
    return {key(text): _word(words, meaning, table, layers) for meaning, text in _entries(layers, table)}


def _word(words: type[Word], text: str, table: str, layers: _Layers) -> Word:
    try:
        return words(text)
    except ValueError:
        where = " or ".join(str(path) for path, _ in layers)
        raise ConfigurationError(
            f"{where}: {text!r} in [{table}] is none of {', '.join(word.value for word in words)}."
        ) from None
