"""The rules' verdict and the learned weights in, the verdict that both come to out. Pure; policy, no words.

The weights may add a label that the rules missed and take away one that they found wrongly. They never touch a score,
a keyword that stands alone, an automatic reply, or an emergency that the rules found in words that leave no doubt.
"""

from collections.abc import Iterable

from engage.replies.rules.lexicon import Entry, Find
from engage.replies.rules.reading import Intent
from engage.replies.rules.settle import Verdict
from engage.replies.rules.weights import Opinion, Weights

LAST_RESORT = -0.5
"""How near an emergency must come where nothing else is understood: rather a nurse looks once too often."""

LONG_ENOUGH = 8
"""Words from which the weights may say that what the rules took for an emergency is none; a person reads it then."""

_ALONE = frozenset({Intent.AUTO_REPLY, Intent.THANKS, Intent.UNCLEAR})


def second_opinion(verdict: Verdict, opinion: Opinion, weights: Weights) -> Verdict:
    """Take the rules' labels and the weights' sums together, label by label, and apply the policy again."""
    ruled = verdict.finds
    if Intent.AUTO_REPLY in ruled:
        return verdict
    nothing, symptom = Intent.UNCLEAR in ruled, Intent.SYMPTOM in ruled
    margins = {
        intent: trust.margin(
            opinion.sums[intent],
            intent in ruled,
            nothing and intent is not Intent.UNCLEAR,
            symptom and intent is Intent.URGENT,
        )
        for intent, trust in weights.trust.items()
    }
    labels = {i for i, margin in margins.items() if margin > 0 and i not in _ALONE and i is not Intent.SCORE}
    labels |= {i for i, finds in ruled.items() if i is Intent.SCORE or (i is Intent.URGENT and _is_firm(finds, opinion))}
    labels |= ruled.keys() - margins.keys()
    labels = _settled(labels, margins, ruled) or _nearest(margins, ruled)
    if labels == ruled.keys():
        return verdict
    calmed = Intent.URGENT in ruled and Intent.URGENT not in labels
    finds = {i: ruled[i] if i in ruled else _told(weights.reasons(opinion, i), i) for i in labels}
    return Verdict(finds, verdict.score, verdict.contradicts, is_weighed=True, is_doubtful=nothing or calmed)


def _is_firm(finds: list[Find], opinion: Opinion) -> bool:
    """Whether an emergency of the rules stands whatever the weights say: few words, a measured value, one's own life,
    or another language. A longer text has room to say that it is a movie, a neighbor or last spring.
    """
    if opinion.length < LONG_ENOUGH:
        return True
    return any(f.entry.kind == "own life" or f.entry.language not in {"en", "es"} for f in finds)


def _settled(labels: set[Intent], margins: dict[Intent, float], ruled: Iterable[Intent]) -> set[Intent]:
    """The policy again, for labels that were added: urgent before symptom, one answer to a visit, a stay explains."""
    if Intent.URGENT in labels:
        labels -= {Intent.SYMPTOM, Intent.HELP}
    if {Intent.CONFIRM, Intent.CANCEL_VISIT} <= labels:
        pair = (Intent.CONFIRM, Intent.CANCEL_VISIT)
        labels.discard(min(pair, key=lambda i: margins.get(i, 0.0)))
    return labels


def _nearest(margins: dict[Intent, float], ruled: Iterable[Intent]) -> set[Intent]:
    """Where no label stands: the likeliest; an emergency only if it comes near enough."""
    candidates = [
        i
        for i, margin in margins.items()
        if i not in {Intent.SCORE, Intent.AUTO_REPLY} and (i is not Intent.URGENT or i in ruled or margin > LAST_RESORT)
    ]
    return {max(candidates, key=lambda i: (margins[i], i.value))}


def _told(spans: list[tuple[int, int]], intent: Intent) -> list[Find]:
    entry = Entry(name="words that weigh together", means=intent.value, language="weights", says=())
    return [Find(entry, first, last) for first, last in spans]
