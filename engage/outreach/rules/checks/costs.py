"""What a month of texts costs: how many of each a month, at their segments and prices, in; a bill out. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from engage.outreach.rules.checks.finding import Prices


@dataclass(frozen=True, slots=True)
class Load:
    """One kind of text in one language: how many leave in a month, in how many segments each; is an answer asked for?"""

    template: str
    language: str
    texts: Decimal
    segments: int
    is_asking: bool


@dataclass(frozen=True, slots=True)
class Bill:
    """A month in dollars: with the cheapest carriers, and with the dearest; of all, and of one patient."""

    texts: int
    segments: int
    lowest: Decimal
    highest: Decimal
    patients: int

    @property
    def middle(self) -> Decimal:
        """Between the two."""
        return (self.lowest + self.highest) / 2

    @property
    def of_one(self) -> Decimal | None:
        """Of one patient; None if there is none."""
        return self.middle / self.patients if self.patients else None


def cost_of(load: Load, prices: Prices, carrier_fee: Decimal) -> Decimal:
    """A month of one kind of text, with its answers: each answered text brings one segment in and one answer of one out."""
    out = prices.segment + carrier_fee
    answers = load.texts * prices.answered_share if load.is_asking else Decimal(0)
    return load.texts * load.segments * out + answers * (prices.segment + out)


def bill(loads: Sequence[Load], patients: int, prices: Prices) -> Bill:
    """A month of all texts; `texts` and `segments` are those that leave unasked."""
    lowest, highest = (
        sum((cost_of(load, prices, fee) for load in loads), Decimal(0))
        for fee in (prices.carrier_fee_lowest, prices.carrier_fee_highest)
    )
    segments = sum((load.texts * load.segments for load in loads), Decimal(0))
    return Bill(round(sum((load.texts for load in loads), Decimal(0))), round(segments), lowest, highest, patients)
