"""How long a wording can get: its values at their longest; segments, cost, and the characters that make it dear. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, time, timedelta
from functools import lru_cache
from html import escape

from engage.outreach.rules.calling import MOST_SPOKEN
from engage.outreach.rules.checks.finding import Book, Finding, House, Purpose, Rule, Severity
from engage.outreach.rules.grammar import Fault, Grammar, Slot, Variant, read_wording
from engage.outreach.rules.placeholders import PLACEHOLDERS, Type
from engage.outreach.rules.wording import PlannedVisit, either, render, visit_values, visit_when
from engage.sms.rules.phones import display
from engage.sms.rules.segments import Segments, count
from engage.sms.rules.smart import plainly, smart_encode

_A_MONDAY = date(2026, 1, 5)
_LONG_BY_RULE = frozenset({"enrol", "enrol-again"})  # what CTIA wants said at the first takes two segments
_DEAR_LETTERS = frozenset("áíóúÁÉÍÓÚ")  # what Spanish needs and GSM-7 lacks


def usual_values(house: House, language: str) -> dict[str, str]:
    """What stands for each placeholder in a usual text: one visitor, one time, the agency's longest names."""
    return _values(house, language, house.clinicians[:1], (time(10, 30),))


def longest_values(house: House, language: str) -> dict[str, str]:
    """The longest that each placeholder becomes: two visitors at two times."""
    two = _values(house, language, house.clinicians, (time(10, 30), time(12, 30)))
    one = usual_values(house, language)
    return {name: max(two[name], one[name], key=len) for name in one}


def _values(house: House, language: str, clinicians: tuple[str, ...], times: tuple[time, ...]) -> dict[str, str]:
    disciplines = ("PT", "OT")[: len(clinicians)] if language == "en" else ("ST", "OT")[: len(clinicians)]
    visits = [PlannedVisit(times[0], clinicians, disciplines[0])]
    visits += [PlannedVisit(at, clinicians, disciplines[-1]) for at in times[1:]]
    told = visit_values(visits, longest_day(language), language)
    return {
        "agency": house.agency,
        "agency_name": house.agency_name,
        "phone": max((display(phone) for phone in house.phones), key=len, default=""),
        "patient": house.patient,
        "when": max((visit_when(_A_MONDAY - timedelta(days), _A_MONDAY, language) for days in range(3)), key=len),
        "score": "10",
        "code": "482137",
        "codes": " ".join(["482137"] * 8) + " and 12 more",
        "count": "20",
        "spoken": "4 8 2 1 3 7, and 1 1 7 7 2 0",
        "link": "https://engage.example.org/page/" + "x" * 43,
        "missing": "2",
        "outcome": "nobody answered",
        "either": either((house.patient, house.patient), language),
        "name": house.patient,
        "top": "10",
        "severity": "3",
        "many": "True",
        "visits": "True",
        "checkins": "True",
        "surveys": "True",
        "most": "140",
        "who": house.clinicians[0],
        "at": "10:42 AM",
        **{name: str(told[name]) for name in ("clinicians", "discipline", "day", "times", "window")},
    }


@lru_cache(maxsize=8)
def longest_day(language: str) -> date:
    """A day of the year whose words are longest."""
    year = (_A_MONDAY + timedelta(days) for days in range(366))
    return max(year, key=lambda day: len(str(visit_values([], day, language)["day"])))


def filled(variant: Variant, values: Mapping[str, str]) -> str:
    """The text of one variant, encoded as it leaves."""
    return smart_encode("".join(values[piece.name] if isinstance(piece, Slot) else piece for piece in variant)).strip()


def usual_text(wording: str, house: House, language: str) -> str | None:
    """The text that `wording` usually becomes, for invented people: a patient and one nurse who are nobody's. None if it cannot be read."""
    grammar = read_wording(wording)
    nobody = House("", "", ())
    values = usual_values(replace(house, patient=nobody.patient, clinicians=nobody.clinicians), language)
    if isinstance(grammar, Fault) or not grammar.names <= values.keys():
        return None
    return render(wording, {name: _typed(name, value) for name, value in values.items()})


def _typed(name: str, value: str) -> object:
    """A value as the dispatcher has it, so that the conditions of a wording are answered: one nurse comes, every kind of text is meant."""
    kind = PLACEHOLDERS[name].type if name in PLACEHOLDERS else Type.WORDS
    if kind is Type.FLAG:
        return name != "many"
    return int(value) if kind is Type.NUMBER else value


def dearest(grammar: Grammar, values: Mapping[str, str]) -> tuple[str, Segments]:
    """The text that takes most, of all that a wording can become, and what it takes."""
    texts = {filled(variant, values) for variant in grammar.variants}
    return max(((text, count(text)) for text in texts), key=lambda found: (found[1].segments, found[1].units, found[0]))


def check_lengths(wording: str, grammar: Grammar, purpose: Purpose, house: House, book: Book) -> Iterator[Finding]:
    """Too long, several segments, and the characters that cost; a spoken text only has to fit a call."""
    if any(not "".join(piece for piece in variant if isinstance(piece, str)).strip() for variant in grammar.variants):
        why = "Nothing of it is sure to be printed, so the text may be empty."
        yield Finding(Rule.MAY_BE_EMPTY, Severity.REFUSE, why, "Write words outside of the conditions.")
        return
    longest = longest_values(house, purpose.language)
    if purpose.is_spoken:
        length = max(len(escape(filled(variant, longest))) for variant in grammar.variants)
        if length > MOST_SPOKEN:
            why = f"It takes up to {length} characters; a call has room for {MOST_SPOKEN}."
            yield Finding(Rule.TOO_LONG, Severity.REFUSE, why, "Say less.")
        return
    if purpose.is_mailed:
        return
    text, cost = dearest(grammar, longest)
    over = cost.segments > house.most_segments
    if over:
        why = f"With the longest names it takes {cost.segments} segments ({cost.encoding}); this agency allows {house.most_segments}: {text}"
        yield Finding(Rule.TOO_LONG, Severity.REFUSE, why, _shorter(cost, house.most_segments))
    usual, usual_cost = dearest(grammar, usual_values(house, purpose.language))
    is_told = usual_cost.segments > 1 and purpose.template not in _LONG_BY_RULE
    if is_told and not over and not usual_cost.not_gsm:  # a dear letter is told by itself
        price = usual_cost.segments * book.prices.sent
        why = f"It usually takes {usual_cost.segments} segments, about ${price:.3f} each time: {usual}"
        yield Finding(Rule.SEVERAL_SEGMENTS, Severity.WARN, why, _shorter(usual_cost, 1))
    yield from _dear_characters(wording, grammar, purpose, house, book)


def _shorter(cost: Segments, allowed: int) -> str:
    if cost.not_gsm:
        return f"Choose words without {' '.join(cost.not_gsm)}, or say less."
    room = 160 if allowed == 1 else 153 * allowed
    return f"Shorten it by {cost.units - room} characters."


def _dear_characters(wording: str, grammar: Grammar, purpose: Purpose, house: House, book: Book) -> Iterator[Finding]:
    """Each character of the wording's own that GSM-7 lacks and smart encoding does not mend by itself."""
    values = usual_values(house, purpose.language)
    neutral = {name: "x" * len(value) for name, value in values.items()}
    dear = {
        character: text
        for variant in grammar.variants
        for text in (filled(variant, neutral),)
        for character in count(text).not_gsm
    }
    if not dear:
        return
    repaired = plainly(wording)
    for character, text in dear.items():
        place = wording.find(character) + 1
        now, then = count(text).segments, count("".join("x" if letter in dear else letter for letter in text)).segments
        extra = (now - then) * book.prices.sent
        where = f"'{character}' (U+{ord(character):04X}), character {place},"
        cost = (
            f"the text takes {now} segments instead of {then}, about ${extra:.3f} more each time"
            if extra
            else ("the text takes no more segments for it, but only 70 characters fit into one")
        )
        why = f"{where} is not in the phones' alphabet (GSM-7): {cost}."
        is_letter = character in _DEAR_LETTERS or character.isalpha()
        mends = character not in repaired and not is_letter
        do = (
            "It is spelt right: keep it and pay, or choose a word without it. Never leave an accent out."
            if is_letter
            else "Accept the repair: plain punctuation."
            if mends
            else "Leave it out, or pay."
        )
        yield Finding(Rule.NOT_GSM, Severity.WARN, why, do, place or None, repaired if mends else None)
