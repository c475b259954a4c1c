"""The learned weights in, what they say of one reply out: for every label a sum, and the words that weighed most.

A linear model and nothing else: a feature of the reply adds its weight to a label's sum, or takes it away. The weights
are a table that people can read (config/lexicon/weights.tsv); bench/weigh.py learns them. Decides nothing about a reply.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Self

from engage.replies.rules.features import Feature
from engage.replies.rules.reading import Intent

SPREAD = 3.0
"""A sum is SPREAD times the weights over the root of how many features are known: long texts do not shout."""

TOLD = 3
"""Words shown as evidence for one label."""

BELIEF = (
    "(at first)",
    "(rules say so)",
    "(weights)",
    "(weights, rules say so)",
    "(rules say nothing)",
    "(rules say symptom)",
)
"""The rows of the table that say how far a label's sum is believed beside the rules, as in Trust."""


@dataclass(frozen=True, slots=True)
class Trust:
    """How far one label's sum is believed beside the rules; learned from replies at first sight."""

    at_first: float
    found: float
    weighs: float
    weighs_found: float
    nothing: float
    symptom: float

    def margin(self, weight: float, *, found: bool, nothing: bool, symptom: bool) -> float:
        """Above 0 the label stands: what the weights say and what the rules found, taken together."""
        weighs = self.weighs + (self.weighs_found if found else 0.0)
        return (
            self.at_first
            + weighs * weight
            + (self.found if found else 0.0)
            + (self.nothing if nothing else 0.0)
            + (self.symptom if symptom else 0.0)
        )


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the weights say of one reply of `length` words: a sum for every label, the features that are known, and the
    share of the words that are.
    """

    sums: Mapping[Intent, float]
    known: tuple[Feature, ...]
    length: int
    share: float


@dataclass(frozen=True, slots=True)
class Weights:
    """The table as parsed. Empty where a folder of lexicon files has none: then the rules read alone."""

    begins: Mapping[Intent, float]
    by_feature: Mapping[str, tuple[tuple[Intent, float], ...]]
    trust: Mapping[Intent, Trust]

    def __bool__(self) -> bool:
        return bool(self.by_feature)

    @classmethod
    def parse(cls, lines: Iterable[str]) -> Self:
        """Read `label, weight, feature`, tab-separated; `#` opens a comment. Raises ValueError naming a broken line."""
        begins: dict[Intent, float] = {}
        trust: dict[Intent, dict[str, float]] = {}
        by_feature: dict[str, list[tuple[Intent, float]]] = {}
        for number, line in enumerate(lines, start=1):
            if not line.strip() or line.startswith("# "):
                continue
            try:
                label, weight, feature = line.rstrip("\n").split("\t")
                intent, value = Intent(label), float(weight)
            except ValueError:
                raise ValueError(
                    f"weights, line {number}: {line.strip()!r} is not a label, a weight and a feature."
                ) from None
            if feature in BELIEF:
                trust.setdefault(intent, {})[feature] = value
            elif feature == "(begins with)":
                begins[intent] = value
            else:
                by_feature.setdefault(feature, []).append((intent, value))
        for intent in begins:
            if missing := set(BELIEF) - trust.get(intent, {}).keys():
                raise ValueError(f"weights: {intent.value} lacks {', '.join(sorted(missing))}.")
        return cls(
            begins,
            {name: tuple(weighs) for name, weighs in by_feature.items()},
            {intent: Trust(*(trust[intent][name] for name in BELIEF)) for intent in begins},
        )

    def weigh(self, features: Iterable[Feature], length: int) -> Opinion:
        """Add up what is known of these features; each counts once."""
        first: dict[str, Feature] = {}
        for feature in features:
            if feature.name in self.by_feature:
                first.setdefault(feature.name, feature)
        told = {f.first for f in first.values() if f.last == f.first + 1}
        sums = dict.fromkeys(self.begins, 0.0)
        for name in first:
            for intent, weight in self.by_feature[name]:
                sums[intent] += weight
        scale = SPREAD / sqrt(max(1, len(first)))
        return Opinion(
            {i: self.begins[i] + scale * s for i, s in sums.items()},
            tuple(first.values()),
            length,
            len(told) / max(1, length),
        )

    def strongest(self, opinion: Opinion, intent: Intent) -> float:
        """The largest weight of one word, pair or class for a label, whatever was asked; 0 if none speaks for it."""
        return max(
            (
                w
                for f in opinion.known
                if f.last and ": " not in f.name
                for i, w in self.by_feature.get(f.name, ())
                if i is intent
            ),
            default=0.0,
        )

    def reasons(self, opinion: Opinion, intent: Intent) -> list[tuple[int, int]]:
        """Where the words stand that weighed most for a label, no word twice."""
        weighed = sorted(
            (
                (weight, f)
                for f in opinion.known
                if f.last
                for i, weight in self.by_feature.get(f.name, ())
                if i is intent
            ),
            key=lambda pair: (-pair[0], pair[1].first, pair[1].name),
        )
        spans: list[tuple[int, int]] = []
        for weight, feature in weighed:
            if weight <= 0 or len(spans) == TOLD:
                break
            if not any(feature.first < last and first < feature.last for first, last in spans):
                spans.append((feature.first, feature.last))
        return spans
