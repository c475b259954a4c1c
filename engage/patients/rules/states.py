"""The hours in which states allow automated texts: the table of config/states.toml in, a week for a state out. Pure.

Only states that are stricter than the country (8 to 21, 47 CFR 64.1200(c)(1)) stand there; any other has no row.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from types import MappingProxyType
from typing import Any

from engage.errors import ConfigurationError
from engage.patients.rules.hours import DAYS_A_WEEK, Hours, Week


@dataclass(frozen=True, slots=True)
class StateHours:
    """One state: when texts may go, what says so, and, in plain words, what we made of it."""

    state: str  # two letters
    week: Week
    source: str
    note: str
    judgement: str | None = None  # where we went beyond or short of the letter, and why


@dataclass(frozen=True, slots=True)
class StateTable:
    """Every state that has hours of its own."""

    rows: Mapping[str, StateHours] = field(default_factory=lambda: MappingProxyType({}))

    def week(self, state: str | None) -> Week | None:
        """The hours of a state by its two letters; None where it adds nothing, or is not known."""
        row = self.rows.get(state or "")
        return row.week if row else None


_SATURDAY, _SUNDAY = 5, 6
_REQUIRED = {"state", "after", "until", "source", "note"}
_ALLOWED = _REQUIRED | {"saturday", "sunday", "judgement"}
_CLOSED = "closed"


def parse_states(table: Mapping[str, Any]) -> StateTable:
    """The table from the parsed TOML: `[[states]]` rows with state, after, until, source, note, and where they apply
    saturday and sunday ({ after, until } or "closed") and judgement.

    Raises ConfigurationError that names the row.
    """
    rows: dict[str, StateHours] = {}
    for position, row in enumerate(table.get("states", []), start=1):
        found = _state(row, position)
        if found.state in rows:
            raise _wrong(row, position, "the state stands there twice")
        rows[found.state] = found
    if not rows:
        raise ConfigurationError("states.toml: there is no [[states]] row.")
    return StateTable(MappingProxyType(rows))


def _state(row: Mapping[str, Any], position: int) -> StateHours:
    if missing := _REQUIRED - row.keys():
        raise _wrong(row, position, f"{', '.join(sorted(missing))} is missing")
    if strange := row.keys() - _ALLOWED:
        raise _wrong(row, position, f"{', '.join(sorted(strange))} is not known")
    if not re.fullmatch(r"[A-Z]{2}", str(row["state"])):
        raise _wrong(row, position, "a state is written in two capital letters, such as FL")
    for name in ("source", "note"):
        if not str(row[name]).strip():
            raise _wrong(row, position, f"{name} is empty; a row without it cannot be checked")
    days: list[Hours | None] = [_hours(row, position, "the row")] * DAYS_A_WEEK
    for name, weekday in (("saturday", _SATURDAY), ("sunday", _SUNDAY)):
        if name in row:
            days[weekday] = None if row[name] == _CLOSED else _hours(row[name], position, name, row)
    judgement = row.get("judgement")
    return StateHours(
        str(row["state"]), Week(tuple(days)), str(row["source"]), str(row["note"]), judgement and str(judgement)
    )


def _hours(said: Any, position: int, where: str, row: Mapping[str, Any] | None = None) -> Hours:
    after, until = (said.get("after"), said.get("until")) if isinstance(said, Mapping) else (None, None)
    if isinstance(after, time) and isinstance(until, time) and after < until:
        return Hours(after, until)
    what = f"{where} needs after and until, times such as 08:00:00, the first before the second"
    raise _wrong(row or said, position, what if row is None else f'{what}, or "closed"')


def _wrong(row: Mapping[str, Any], position: int, what: str) -> ConfigurationError:
    return ConfigurationError(f"states.toml: row {position}, state {row.get('state', '?')}: {what}.")
