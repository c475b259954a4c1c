"""Which time zones nobody can reckon with: names in, those that Python or PostgreSQL does not know out.

The planner asks PostgreSQL and the rules ask Python, each with tables of its own; a zone that one of them lacks stops both.
"""

from collections.abc import Iterable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engage.visits.record.bulk import Bulk

_KNOWN = "SELECT name FROM pg_timezone_names WHERE name = ANY(%(zones)s)"


def unknown_zones(bulk: Bulk, zones: Iterable[str]) -> frozenset[str]:
    """Those of `zones` in which no text could be planned or sent."""
    wanted = frozenset(zones)
    in_postgres = {name for (name,) in bulk.ask(_KNOWN, zones=list(wanted))} if wanted else set()
    return frozenset(zone for zone in wanted if zone not in in_postgres or not _is_known_here(zone))


def _is_known_here(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
