"""The time zone of a service address: state, ZIP code and county in, a zone or None (ask the branch) out. Pure.

Never the area code of a phone: people keep their number when they move (facts: 47 CFR 64.1200 speaks of the called
party's location). The borders are those of 49 CFR part 71, kept as data in config/emr/zones.toml.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from engage.visits.rules.cells import key


@dataclass(frozen=True, slots=True)
class OtherZone:
    """The part of a state that keeps another time: ZIP prefixes and counties (as `county_key`)."""

    zone: str
    zips: tuple[str, ...]
    counties: frozenset[str]


@dataclass(frozen=True, slots=True)
class State:
    """A state or territory, the zone of most of it, and the parts that differ."""

    name: str
    zone: str
    others: tuple[OtherZone, ...] = ()


@dataclass(frozen=True, slots=True)
class Zones:
    """States by their two letters, and the letters by the state's name (as `key`)."""

    states: Mapping[str, State]
    letters: Mapping[str, str]

    def state(self, text: str) -> str | None:
        """The two letters of a state given by letters or name; None when there is no such state."""
        upper = text.strip().upper()
        return upper if upper in self.states else self.letters.get(key(text))


def county_key(text: str) -> str:
    """A county for comparing: "St. Clair County" is stclair."""
    return key(text).removesuffix("county")


def zone_of(zones: Zones, state: str | None, zip_code: str | None, county: str | None) -> str | None:
    """The zone at an address; None when the state is unknown, or is split and the address says no more than the state."""
    home = zones.states.get(state or "")
    if home is None:
        return None
    if not home.others:
        return home.zone
    if county:
        name = county_key(county)
        return next((other.zone for other in home.others if name in other.counties), home.zone)
    if zip_code:
        return next((other.zone for other in home.others if zip_code.startswith(other.zips)), home.zone)
    return None
