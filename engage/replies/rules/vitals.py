"""Numbers that measure the body: sugar, oxygen, pressure, pulse, temperature, weight, pain. Words in; which numbers
are measurements out, and which of them are an emergency by their value alone (a fever is not: the words must say it).

Thresholds are those at which home-health standing orders have a nurse call the same day; see docs/reference.
"""

from dataclasses import dataclass
from typing import NamedTuple

from engage.replies.rules.lexicon import Entry, Find
from engage.replies.rules.words import Word

_REACH = 6
_GUARDS = frozenset({"past", "imagined", "others", "denied"})


class Limit(NamedTuple):
    """Values of one measure: plausible within `low..high`; urgent under `floor` or from `ceiling`."""

    low: float
    high: float
    floor: float
    ceiling: float


LIMITS = {
    "sugar": Limit(15, 1500, 70, 300),
    "oxygen": Limit(40, 100, 90, 1000),
    "pulse": Limit(20, 250, 41, 130),
    "temperature": Limit(85, 115, 95, 103.5),
    "celsius": Limit(30, 43, 35, 39.7),
    "pressure": Limit(40, 300, 81, 180),
    "weight": Limit(60, 700, 0, 10_000),
}
SEVERE_PAIN = 8
DIASTOLIC_CEILING = 120


@dataclass(frozen=True, slots=True)
class Measured:
    """Positions of words that belong to a measurement, and what the values mean."""

    taken: frozenset[int]
    finds: tuple[Find, ...]
    pain: frozenset[int]


def measure(items: tuple[Word, ...], lists: dict[str, frozenset[str]], value_of: dict[str, int]) -> Measured:
    """Every measurement in the reply. `lists` holds the key words per measure, `value_of` the number words."""
    taken: set[int] = set()
    pain: set[int] = set()
    finds: list[Find] = []
    for i, item in enumerate(items):
        number = _number(item.text, value_of)
        if number is None or i in taken:
            continue
        pair = _pressure_pair(items, i)
        if pair is not None:
            systolic, diastolic, last = pair
            taken.update(range(i, last))
            finds.extend(_judge("pressure", systolic, i, last))
            if diastolic >= DIASTOLIC_CEILING and systolic < LIMITS["pressure"].ceiling:
                finds.append(_find("urgent", "dangerous pressure", i, last))
            continue
        kind, first = _kind(items, i, number, lists)
        if kind == "pain":
            last = _scale_end(items, i)
            taken.update(range(i, last))
            pain.update(range(i, last))
            if number >= SEVERE_PAIN:
                finds.append(_find("urgent", "severe pain by its number", first, last))
            elif number > 0:
                finds.append(_find("symptom", "pain by its number", first, last))
        elif kind:
            taken.add(i)
            finds.extend(_judge(kind, number, min(first, i), max(first, i) + 1))
    return Measured(frozenset(taken), tuple(finds), frozenset(pain))


def _judge(kind: str, value: float, first: int, last: int) -> list[Find]:
    if kind == "temperature" and LIMITS["celsius"].low <= value <= LIMITS["celsius"].high:
        kind = "celsius"
    limit = LIMITS[kind]
    if not limit.low <= value <= limit.high:
        return []
    if value < limit.floor or value >= limit.ceiling:
        return [_find("urgent", f"dangerous {kind}", first, last)]
    return []


def _find(means: str, name: str, first: int, last: int) -> Find:
    return Find(Entry(name=name, means=means, language="value", says=(), unless=_GUARDS), first, last)


def _number(text: str, value_of: dict[str, int]) -> float | None:
    if text.replace(".", "", 1).isdigit():
        return float(text)
    if "/" in text and text.split("/", maxsplit=1)[0].replace(".", "", 1).isdigit():
        return float(text.split("/", maxsplit=1)[0])
    return float(value_of[text]) if text in value_of else None


def _pressure_pair(items: tuple[Word, ...], i: int) -> tuple[float, float, int] | None:
    text = items[i].text
    if "/" in text:
        top, _, bottom = text.partition("/")
        if top.isdigit() and bottom.isdigit() and 50 <= int(top) <= 300 and 25 <= int(bottom) <= 200:
            return float(top), float(bottom), i + 1
    elif text.isdigit() and i + 2 < len(items) and items[i + 1].text in {"over", "sobre", "por"}:
        below = items[i + 2].text
        if below.isdigit() and int(text) >= 50 and 25 <= int(below) <= 200:
            return float(text), float(below), i + 3
    return None


def _kind(items: tuple[Word, ...], i: int, number: float, lists: dict[str, frozenset[str]]) -> tuple[str, int]:
    """The measure this number belongs to and the position of the word that says so; ("", i) for none."""
    bridged = False
    for at in range(i - 1, max(0, i - 1 - _REACH), -1):
        text = items[at].text
        kind = next((k for k in _MEASURES if text in lists[f"{k}_words"]), "")
        if text == "rate" and items[at - 1].text == "heart":
            kind = "pulse"
        if kind == "pain":
            return ("pain", at) if _is_pain_scale(items, at, i, number, bridged, lists) else ("", i)
        if kind:
            return kind, at
        if text not in lists["measure_bridges"]:
            break
        bridged = bridged or text in lists["scale_bridges"]
    if i + 1 < len(items) and number > 20:
        after = items[i + 1].text
        kind = next((k for k in _MEASURES if k != "pain" and after in lists[f"{k}_words"]), "")
        if kind:
            return kind, i + 1
    if "/10" in items[i].text and i + 1 < len(items):
        near = [w.text for w in items[i + 1 : i + 4]]
        if near[0] in lists["pain_words"] or (near[0] in {"in", "de", "on", "for"} and set(near) & lists["pain_words"]):
            return "pain", i + 1
    return "", i


_MEASURES = ("sugar", "oxygen", "pulse", "temperature", "pressure", "weight", "pain")


def _is_pain_scale(
    items: tuple[Word, ...], at: int, i: int, number: float, bridged: bool, lists: dict[str, frozenset[str]]
) -> bool:
    before = {w.text for w in items[max(0, at - 3) : at]}
    if before & (lists["negators"] | lists["passed"]) or number > 10:
        return False
    out_of_ten = "/10" in items[i].text or _scale_end(items, i) > i + 1
    return bridged or out_of_ten or items[at - 1].text in {".", ",", "my", "mi", "el"}


def _scale_end(items: tuple[Word, ...], i: int) -> int:
    following = [w.text for w in items[i + 1 : i + 4]]
    if following[:2] == ["out", "of"] and len(following) == 3:
        return i + 4
    if following[:1] in (["of"], ["de"], ["sobre"]) and following[1:2] in (["10"], ["ten"], ["diez"]):
        return i + 3
    return i + 1
