"""The texts that a wording can become, each with what it takes: words and an agency's house in, texts with segments and price out. Pure."""

from dataclasses import dataclass
from decimal import Decimal

from engage.outreach.rules.checks import House, Purpose
from engage.outreach.rules.checks.lengths import filled, longest_values, usual_values
from engage.outreach.rules.grammar import Fault, read_wording
from engage.sms.rules.segments import Segments, count


@dataclass(frozen=True, slots=True)
class Preview:
    """One text: as it usually is, or with the longest names. `cost` is None for what is spoken; `price` is in dollars."""

    words: str
    is_longest: bool
    cost: Segments | None
    price: Decimal | None


def previews(wording: str, purpose: Purpose, house: House, price: Decimal) -> tuple[Preview, ...]:
    """Each text that `wording` can become, the usual ones first; none for a wording that cannot be read. `price` is a segment's."""
    grammar = read_wording(wording)
    if isinstance(grammar, Fault):
        return ()
    values = {False: usual_values(house, purpose.language), True: longest_values(house, purpose.language)}
    if not {slot.name for slot in grammar.slots} <= values[False].keys():
        return ()
    texts: dict[str, bool] = {}
    for is_longest, chosen in values.items():
        for variant in grammar.variants:
            texts.setdefault(filled(variant, chosen), is_longest)
    return tuple(_preview(words, is_longest, purpose, price) for words, is_longest in texts.items())


def _preview(words: str, is_longest: bool, purpose: Purpose, price: Decimal) -> Preview:
    if purpose.is_spoken:
        return Preview(words, is_longest, None, None)
    cost = count(words)
    return Preview(words, is_longest, cost, cost.segments * price)
