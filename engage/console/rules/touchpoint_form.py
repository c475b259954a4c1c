"""A touchpoint as the form of the programme's page sends it: what stands in the fields and the touchpoint as it is in, its entry as a
file would have it out. Bounds and what fits together are asked where files are read (engage.onboarding.rules). Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from engage.console.rules.board import read_wall
from engage.errors import BadInput
from engage.outreach.rules.groups import DAYS
from engage.outreach.rules.words import Anchor, Asks

MOST_STEPS = 4
"""So many steps of a taper the form has room for."""
_LISTS = ("payers", "disciplines", "tags", "without_tags")
_NUMBERS = ("from_day", "until_day")
_SCORES = frozenset({Asks.SCORE_1_5, Asks.SCORE_1_10})
Form = Mapping[str, Sequence[str]]


def read_touchpoint(form: Form, present: Mapping[str, Any]) -> dict[str, Any]:
    """The entry of `present` with what the form says; fields that the form does not have stay. Raises BadInput."""
    entry = {key: value for key, value in present.items() if key not in {"for_whom", "taper", "alert_at_most"}}
    entry |= {"is_active": _is_set(form, "is_active"), "only_monitored": _is_set(form, "only_monitored")}
    entry["useful_minutes"] = _needed(form, "useful_minutes", "How long it stays useful")
    if present["anchor"] in {Anchor.VISIT_COMPLETED, Anchor.SCORE}:
        entry["offset_minutes"] = _needed(form, "offset_minutes", "How long after")
    else:
        at = read_wall(_one(form, "local_time"))
        if at is None:
            raise BadInput("The hour is missing: write it such as 09:30.")
        entry["local_time"] = at
    if present["anchor"] == Anchor.VISIT_DAY:
        entry["offset_days"] = _needed(form, "offset_days", "The day")
    if present["asks"] in _SCORES and (at_most := _whole(form, "alert_at_most", "The score")) is not None:
        entry["alert_at_most"] = at_most
    if template := _one(form, "template"):
        entry["template"] = template
    if group := _group(form):
        entry["for_whom"] = group
    if taper := _taper(form):
        entry["taper"] = taper
    return entry


def _group(form: Form) -> dict[str, Any]:
    lists = {name: [word.strip() for word in _one(form, name).split(",") if word.strip()] for name in _LISTS}
    found: dict[str, Any] = {"lines": list(form.get("lines", ())), **lists}
    found |= {name: _whole(form, name, "The day of care") for name in _NUMBERS}
    return {name: value for name, value in found.items() if value}


def _taper(form: Form) -> list[dict[str, Any]]:
    """The steps that say anything: until which day of care, on which weekdays; neither ends the taper."""
    found = []
    for number in range(MOST_STEPS):
        until = _whole(form, f"taper-{number}-until", "The day of care")
        days = [day for day in form.get(f"taper-{number}-days", ()) if day in DAYS]
        step = ({"until_day": until} if until is not None else {}) | ({"days": days} if days else {})
        if step:
            found.append(step)
    return found


def _is_set(form: Form, name: str) -> bool:
    return bool(_one(form, name))


def _needed(form: Form, name: str, called: str) -> int:
    found = _whole(form, name, called)
    if found is None:
        raise BadInput(f"{called} is missing: write a whole number.")
    return found


def _whole(form: Form, name: str, called: str) -> int | None:
    said = _one(form, name)
    digits = said.removeprefix("-")
    if not said:
        return None
    if not (digits.isascii() and digits.isdigit() and len(digits) < 6):
        raise BadInput(f"{called} must be a whole number, not {said!r}.")
    return int(said)


def _one(form: Form, name: str) -> str:
    return next(iter(form.get(name, ())), "").strip()
