"""The shipped lists, as the rules of visits get them."""

from pathlib import Path

from engage.visits.lists import load_lists
from engage.visits.rules.line import Line, Reading
from engage.visits.rules.rows import Place
from tests.flows.visits.axxess_sample import MONDAY

CONFIG = Path(__file__).resolve().parents[3] / "config"
AXXESS = load_lists(CONFIG, "axxess", "sunrise")
OWN = load_lists(CONFIG, "csv", "sunrise")


def own_line(**values: str) -> Line:
    """A line of our own CSV with these cells."""
    return Line(Place("file.csv", 7), values, Reading(OWN, MONDAY, {name: name for name in values}))
