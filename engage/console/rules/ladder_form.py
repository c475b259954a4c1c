"""A ladder as its form sends it: rows of fields in, steps as the command line writes them out. Pure.

Each row becomes the words of a step ("on_call:SN 10 x2 voice 17:00-08:00"), which one function reads wherever they come from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from engage.alerts.rules.ladder import Step
from engage.alerts.rules.steps import Written, read_step
from engage.errors import BadInput

SPARE = 2
"""Empty rows beneath the steps, for new ones."""
_PARTS = ("place", "who", "discipline", "person", "minutes", "times", "channel", "after", "until")
Row = dict[str, str]


def rows_of(steps: Sequence[Step], people: Mapping[int, str]) -> list[Row]:
    """The rows of the form for steps as they are; `people` are EMR ids by clinician."""
    rows = [
        {
            "place": str(number),
            "who": str(step.who),
            "discipline": step.discipline or "",
            "person": people.get(step.person, "") if step.person is not None else "",
            "minutes": str(int(step.wait.total_seconds() // 60)),
            "times": str(step.times),
            "channel": str(step.channel),
            "after": f"{step.hours.after:%H:%M}" if step.hours else "",
            "until": f"{step.hours.until:%H:%M}" if step.hours else "",
        }
        for number, step in enumerate(steps, start=1)
    ]
    return [*rows, *(dict.fromkeys(_PARTS, "") | {"place": str(len(rows) + 1 + spare)} for spare in range(SPARE))]


def read_rows(form: Mapping[str, str]) -> list[Row]:
    """The rows that were sent, in the order of their places; those without anybody to page are taken out."""
    count = (
        max((int(name.split("-")[1]) for name in form if name.startswith("who-") and name[4:].isdecimal()), default=-1)
        + 1
    )
    rows = [
        {part: form.get(f"{part}-{number}", "").strip()[:80] for part in _PARTS} for number in range(min(count, 40))
    ]
    named = [row for row in rows if row["who"]]
    return sorted(named, key=lambda row: float(row["place"]) if _is_number(row["place"]) else float(len(rows)))


def read_steps(rows: Sequence[Row]) -> list[Written]:
    """The steps of the rows; BadInput says which row cannot be read, and why."""
    steps = []
    for number, row in enumerate(rows, start=1):
        of = {"person": row["person"], "on_call": row["discipline"]}.get(row["who"]) or None
        try:
            steps.append(replace(read_step(_words(row, is_named=of is not None)), of=of))  # an id may have a gap in it
        except BadInput as wrong:
            raise BadInput(f"Step {number}: {wrong}") from None
    return steps


def _words(row: Row, *, is_named: bool) -> str:
    words = [f"{row['who']}:of" if is_named else row["who"], row["minutes"] or "?", f"x{row['times'] or 1}"]
    if row["channel"]:
        words.append(row["channel"])
    if row["after"] or row["until"]:
        words.append(f"{row['after']}-{row['until']}")
    return " ".join(words)


def _is_number(said: str) -> bool:
    return said.replace(".", "", 1).isascii() and said.replace(".", "", 1).isdecimal()
