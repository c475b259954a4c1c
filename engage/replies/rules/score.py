"""The one number that answers a 1-5 or 1-10 question, among all the numbers of a reply. Words in, a score or None out.

Takes the lower of a range, the last of a correction, the one for now of two times; never a time, a dose or a count.
"""

from dataclasses import dataclass, field, replace
from enum import Enum

from engage.replies.rules.words import Word

Lists = dict[str, frozenset[str]]


class Fit(Enum):
    """Whether the reply holds an answer to the question."""

    NONE = "no number that could answer"
    OFF = "a number off the scale"
    ON = "a number on the scale"


@dataclass(frozen=True, slots=True)
class Score:
    """The answer, if any, and the words it was read from (`first` up to not including `last`)."""

    fit: Fit
    value: int | None = None
    first: int = 0
    last: int = 0


@dataclass(frozen=True, slots=True)
class Number:
    """A number that may be the answer. `value` is rounded down; `off` means a fraction on another base."""

    value: int
    first: int
    last: int
    off: bool = False
    negated: bool = False
    then: bool = field(default=False)


def find_score(
    items: tuple[Word, ...],
    top: int,
    taken: frozenset[int],
    numbers: dict[str, int],
    sounds: dict[str, int],
    lists: Lists,
) -> Score:
    """Read the answer. `taken` are words already known to be no score; `sounds` are numbers only as the whole reply."""
    whole = _whole_reply(items, top, numbers, sounds, lists)
    if whole is not None and not taken:
        return whole
    found = _ranges(items, _numbers(items, top, taken, numbers, lists), lists)
    found = _without_echo(_without_negated(found), items, top)
    if not found:
        return _introduced_sound(items, top, sounds, lists)
    for settle in (_corrected, _changed, _of_now):
        chosen = settle(items, found, lists)
        if chosen is not None:
            return _scored(chosen, top)
    return _scored(_clearest(items, found, top), top)


def _scored(number: Number, top: int) -> Score:
    if number.off or not 1 <= number.value <= top:
        return Score(Fit.OFF, None, number.first, number.last)
    return Score(Fit.ON, number.value, number.first, number.last)


def _whole_reply(
    items: tuple[Word, ...], top: int, numbers: dict[str, int], sounds: dict[str, int], lists: Lists
) -> Score | None:
    """Homophones, Roman numerals and look-alikes, when nothing but courtesy stands beside them."""
    left = [i for i, w in enumerate(items) if w.text not in lists["answer_fillers"] and w.text not in _MARKS]
    if [w.text for w in items if w.text not in _MARKS] == ["i"]:
        return _scored(Number(1, 1, 2), top)
    is_okay_then = len(left) == 1 and left[0] > 1 and items[left[0]].text in lists["no_number_after_ok"]
    if not left or len(left) > 3 or is_okay_then:
        return None
    joined = "".join(items[i].text for i in left)
    if not joined.isascii() and joined in sounds:
        return _scored(Number(sounds[joined], left[0], left[-1] + 1), top)
    read = [_as_sound(items[i], top, numbers, sounds) for i in left]
    if len(left) == 1 and read[0] is not None:
        return _scored(Number(read[0], left[0], left[0] + 1), top)
    if len(left) == 3 and items[left[1]].text in lists["range_words"] and read[0] is not None and read[2] is not None:
        return _scored(Number(min(read[0], read[2]), left[0], left[2] + 1), top)
    return None


def _introduced_sound(items: tuple[Word, ...], top: int, sounds: dict[str, int], lists: Lists) -> Score:
    """ "Gonna say tree", "put me down as a too": a homophone that closes a clause which announces a number."""
    for i in range(2, len(items) - 1):
        if items[i].text not in sounds or items[i + 1].text not in _MARKS:
            continue
        lead = items[i - 2].text if items[i - 1].text in {"a", "an", "it", "un"} else items[i - 1].text
        if lead in lists["sound_leads"]:
            return _scored(Number(sounds[items[i].text], i, i + 1), top)
    return Score(Fit.NONE)


_MARKS = frozenset({".", "?", ",", "*"})
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8, "ix": 9, "x": 10}
_LOOKALIKE = str.maketrans({"l": "1", "i": "1", "|": "1", "o": "0"})


def _as_sound(word: Word, top: int, numbers: dict[str, int], sounds: dict[str, int]) -> int | None:
    text = word.text
    if text in numbers:
        return numbers[text]
    if text in sounds:
        return sounds[text]
    if text in _ROMAN:
        return _ROMAN[text]
    if text.translate(_LOOKALIKE).isdigit() and len(text) <= 2 and not text.isdigit():
        return int(text.translate(_LOOKALIKE))
    return None


def _numbers(
    items: tuple[Word, ...], top: int, taken: frozenset[int], numbers: dict[str, int], lists: Lists
) -> list[Number]:
    found: list[Number] = []
    skip = 0
    for i in range(len(items)):
        if i < skip or i in taken:
            continue
        number = _read_number(items, i, top, numbers, lists)
        if number is None:
            continue
        skip = number.last
        if (
            _is_count(items, number, lists, numbers)
            or _is_time(items, number, lists)
            or _is_label(items, number, lists)
        ):
            skip = max(skip, number.last)
            continue
        if not _stands_out(items, number, lists):
            continue
        negated = items[number.first - 1].text == "not" or [w.text for w in items[number.first - 2 : number.first]] == [
            "not",
            "a",
        ]
        found.append(replace(number, negated=negated))
    return found


def _read_number(items: tuple[Word, ...], i: int, top: int, numbers: dict[str, int], lists: Lists) -> Number | None:
    text = items[i].text
    value = _value(text, numbers)
    if value is None:
        if "/" in text and text.replace("/", "").replace(".", "").isdigit():
            over, _, of = text.partition("/")
            return Number(int(float(over)), i, i + 1, off=float(of or 0) != top)
        return None
    return _with_half_or_base(items, i, value, top, numbers, lists)


def _with_half_or_base(
    items: tuple[Word, ...], i: int, value: int, top: int, numbers: dict[str, int], lists: Lists
) -> Number:
    """ "3 and a half", "8 out of 10": the words behind a number that belong to it."""
    following = [w.text for w in items[i + 1 : i + 5]] + [".", ".", ".", "."]
    if following[0] == "1/2" or following[:2] in (["and", "half"], ["y", "medio"], ["y", "media"]):
        return Number(value, i, i + (2 if following[0] == "1/2" else 3))
    if following[:3] == ["and", "a", "half"]:
        return Number(value, i, i + 4)
    at = 2 if following[:2] == ["out", "of"] else 1 if following[0] in lists["base_words"] else 0
    base = _value(following[at], numbers) if at else None
    if base is not None and (base in {5, 10, 100} or base == top) and base >= value:
        return Number(value, i, i + 2 + at, off=base != top)
    return Number(value, i, i + 1)


def _value(text: str, numbers: dict[str, int]) -> int | None:
    if text in numbers:
        return numbers[text]
    if text.removeprefix("-").isdigit() and len(text) <= 6:
        return int(text)
    if text.count(".") == 1 and text.replace(".", "").isdigit():
        return int(float(text))
    return None


def _is_count(items: tuple[Word, ...], number: Number, lists: Lists, numbers: dict[str, int]) -> bool:
    before, after = items[number.first - 1].text, items[number.last].text
    if after in lists["feet"] and items[number.last + 1].text not in lists["feet_measured"]:
        return False  # "4 foot is tingling"
    if after in lists["units"] or before in lists["currencies"]:
        return True
    # "2 or 3 days", "10-15 minutes": the unit stands behind the second number.
    if after in lists["range_words"] and number.last + 2 < len(items):
        second, unit = items[number.last + 1].text, items[number.last + 2].text
        if _value(second, numbers) is not None and unit in lists["units"]:
            return True
    if after in {"of", "de"} and (
        number.last + 1 >= len(items) or _value(items[number.last + 1].text, numbers) is None
    ):
        return True
    if items[number.first].text in lists["pronoun_numbers"]:
        return before in lists["pronoun_number_before"] or after not in lists["pronoun_number_after"]
    return _counts_a_noun(before, after, lists)


def _counts_a_noun(before: str, after: str, lists: Lists) -> bool:
    """ "My 2 dogs", "had 3 eggs"."""
    plain_noun = after.isalpha() and after not in lists["answer_fillers"] and after not in lists["not_a_noun"]
    if before in lists["owners"] and plain_noun:
        return True
    return before in lists["count_verbs"] and plain_noun and after.endswith("s")


def _is_time(items: tuple[Word, ...], number: Number, lists: Lists) -> bool:
    if number.last - number.first > 1 or not 0 < number.value <= 24:
        return False
    before, earlier = items[number.first - 1].text, items[number.first - 2].text if number.first > 1 else "."
    if before in lists["time_before"]:
        return True
    if before in lists["time_maybe_before"]:
        near = {w.text for w in items[max(0, number.first - 6) : number.last + 4]}
        return earlier not in lists["at_a_score"] and bool(near & lists["happenings"])
    return before in lists["months"]


def _is_label(items: tuple[Word, ...], number: Number, lists: Lists) -> bool:
    if 1900 <= number.value <= 2099 or number.value >= 10_000:
        return True
    for back in range(1, 4):
        text = items[number.first - back].text if number.first - back > 0 else "."
        if text in lists["number_labels"]:
            return True
        if text not in {"is", "number", "es", "the", "el", "numero"}:
            break
    return items[number.last].text in lists["street_words"]


def _stands_out(items: tuple[Word, ...], number: Number, lists: Lists) -> bool:
    """The number opens or closes a clause, or something introduces it as the answer."""
    before, after = items[number.first - 1].text, items[number.last].text
    return (
        before in _MARKS
        or after in _MARKS
        or before in lists["introduces_score"]
        or after in lists["follows_score"]
        or before in lists["but"]
        or after in lists["but"]
        or all(w.text in lists["answer_fillers"] for w in items[1 : number.first])
    )


def _ranges(items: tuple[Word, ...], found: list[Number], lists: Lists) -> list[Number]:
    """Join "2 or 3", "3-4", "between 2 and 3" to one number with the lower value."""
    joined: list[Number] = []
    for number in found:
        if joined:
            last = joined[-1]
            between = [w.text for w in items[last.last : number.first]]
            before = {w.text for w in items[max(0, last.first - 3) : last.first]}
            links = lists["range_words"] | (lists["and"] if before & lists["between_words"] else frozenset())
            changed = before & lists["change_words"]
            if between and set(between) <= links | lists["range_fillers"] and set(between) & links and not changed:
                lower = min(last.value, number.value)
                joined[-1] = Number(lower, last.first, number.last, last.off or number.off, last.negated)
                continue
        joined.append(number)
    return joined


def _without_negated(found: list[Number]) -> list[Number]:
    kept = [n for n in found if not n.negated]
    return kept or found


def _without_echo(found: list[Number], items: tuple[Word, ...], top: int) -> list[Number]:
    """Drop our own scale said back ("1 to 5") where another number answers."""
    ends = {"1", "one", "uno"}, {str(top)}
    rest = [
        n
        for n in found
        if not (n.last - n.first > 1 and items[n.first].text in ends[0] and items[n.last - 1].text in ends[1])
    ]
    return rest or found


def _corrected(items: tuple[Word, ...], found: list[Number], lists: Lists) -> Number | None:
    for first, second in zip(reversed(found[:-1]), reversed(found[1:]), strict=True):
        between = [w.text for w in items[first.last : second.first]]
        if len(between) <= 10 and set(between) & lists["correction_strong"]:
            return second
        soft = set(between) & lists["correction_soft"]
        if soft and set(between) <= lists["correction_soft"] | lists["correction_fillers"]:
            return second
        after = [w.text for w in items[second.last : second.last + 3]]
        if (
            set(after) & lists["correction_strong"]
            and "not" not in after
            and set(between) <= lists["correction_fillers"]
        ):
            return second
    return None


def _changed(items: tuple[Word, ...], found: list[Number], lists: Lists) -> Number | None:
    """ "From a 4 to a 2": the end of the way is now."""
    if len(found) != 2:
        return None
    between = [w.text for w in items[found[0].last : found[1].first]]
    before = [w.text for w in items[max(0, found[0].first - 4) : found[0].first]]
    if between == ["a"] and before[-1:] == ["de"] and found[0].value < found[1].value:
        return found[0]  # "de 8 a 9" is a range, "de 4 a 2" a way
    moved = set(before) & lists["change_words"] or (set(before) & {"from", "de"} and set(between) & {"to", "a"})
    return found[1] if moved and set(between) & {"to", "a"} else None


def _of_now(items: tuple[Word, ...], found: list[Number], lists: Lists) -> Number | None:
    if len(found) < 2:
        return Number(0, found[0].first, found[0].last, off=True) if _is_of_then(items, found[0], lists) else None
    bound: dict[int, set[str]] = {i: set() for i in range(len(found))}
    first_mark = next((i for i, w in enumerate(items) if w.text in lists["now"] | lists["then"]), 0)
    leading = first_mark < found[0].first
    compares = any(w.text in lists["now"] for w in items)
    earlier = any(w.text in lists["then"] for w in items)
    for at, word in enumerate(items):
        when = "now" if word.text in lists["now"] else "then" if word.text in lists["then"] else ""
        if word.text in lists["of_the_morning"] and not compares:
            when = ""  # "3 this morning" is now, unless something later is said too
        if word.text in lists["since"] and not earlier:
            when = ""
        if when:
            nearest = min(range(len(found)), key=lambda n: _distance(items, at, found[n], leading, lists))
            bound[nearest].add(when)
    compared = [i for i, n in enumerate(found) if items[n.first - 1].text in lists["compared_to"]]
    for i in compared:
        bound[i].add("then")
    if not any("then" in marks for marks in bound.values()) and not any("now" in marks for marks in bound.values()):
        return None
    for i, marks in bound.items():
        if "now" in marks and i not in compared:
            return found[i]
    for i, marks in bound.items():
        if not marks:
            return found[i]
    return None


def _is_of_then(items: tuple[Word, ...], number: Number, lists: Lists) -> bool:
    """ "Was a 2 yesterday": the only number is not for today."""
    before = {w.text for w in items[max(0, number.first - 3) : number.first]}
    return bool(before & lists["then"]) and items[number.last].text in lists["yesterday"]


def _distance(items: tuple[Word, ...], at: int, number: Number, leading: bool, lists: Lists) -> float:
    """How far a "today" or "yesterday" is from a number; a comma or "but" between counts as far."""
    low, high = (number.last, at) if at >= number.last else (at + 1, number.first)
    between = [w.text for w in items[low:high]]
    walls = sum(w in _MARKS or w in lists["but"] or w in lists["and"] for w in between)
    side = 4 if (at < number.first) != leading else 0
    return len(between) + 5 * walls + side


def _clearest(items: tuple[Word, ...], found: list[Number], top: int) -> Number:
    on_scale = [n for n in found if not n.off and 1 <= n.value <= top]
    if not on_scale or (found[0] not in on_scale and found[0].value < 20):
        return found[0]
    alone = [n for n in on_scale if items[n.first - 1].text in _MARKS and items[n.last].text in _MARKS]
    return (alone or on_scale)[0]
