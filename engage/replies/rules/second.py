"""The rules' verdict and the learned weights in, the verdict that both come to out. Pure; policy, no words.

The weights may add a label that the rules missed and take away one that they found wrongly. They never touch a score,
a keyword that stands alone, an automatic reply, or an emergency that the rules found in words that leave no doubt.
"""

from collections.abc import Iterable

from engage.replies.rules.lexicon import Entry, Find
from engage.replies.rules.reading import Asked, Intent
from engage.replies.rules.settle import Verdict
from engage.replies.rules.weights import Opinion, Weights

LAST_RESORT = -0.5
"""How near a label must come where nothing else is understood: rather a nurse looks once too often."""

LONG_ENOUGH = 8
"""Words of a sentence from which the weights may say that what the rules took for an emergency is none; a person reads it then."""

ENOUGH = 4
"""Words from which the weights are asked at all: shorter replies are what the rules know best."""

HALF = 0.5
"""The share of words that the weights must know: a text in another language is not theirs to judge."""

UNASKED = 1.0
"""How sure the weights must be of an emergency in a text that answers nothing: most such texts of the world mean none."""

UNASKED_WORD = 2.2
"""What its strongest word must weigh then; without one, UNASKED_SYMPTOM beside a complaint that the rules found."""

UNASKED_SYMPTOM = 1.5

STOPS = 0.5
"""How sure the weights must be that texts shall stop: who is stopped by mistake hears nothing more from us.

In a text that answers nothing they are not asked at all: "Don't text and drive!" is what most of the world means by such words.
"""

NEVER = 1000.0

_ALONE = frozenset({Intent.AUTO_REPLY, Intent.THANKS, Intent.UNCLEAR})


def second_opinion(
    verdict: Verdict, opinion: Opinion, weights: Weights, asked: Asked, taken: frozenset[str], room: int
) -> Verdict:
    """Take the rules' labels and the weights' sums together, label by label, and apply the policy again.

    `taken` are the meanings that the rules found and took away again: denied, past, somebody else's. `room` is the words
    of the shortest sentence in which the rules found an emergency.
    """
    ruled = verdict.finds
    if Intent.AUTO_REPLY in ruled or opinion.length < ENOUGH or opinion.share < HALF:
        return verdict
    nothing, symptom = Intent.UNCLEAR in ruled, Intent.SYMPTOM in ruled
    margins: dict[Intent, float] = {
        intent: trust.margin(
            opinion.sums[intent],
            found=intent in ruled,
            nothing=nothing and intent is not Intent.UNCLEAR,
            symptom=symptom and intent is Intent.URGENT,
        )
        for intent, trust in weights.trust.items()
    }
    needed = {
        Intent.URGENT: _needed_for_urgent(opinion, weights, asked, symptom),
        Intent.OPTOUT: NEVER if asked is Asked.NONE else STOPS,
    }
    for intent, need in needed.items():
        if intent not in ruled:
            margins[intent] -= need
    for intent in margins:
        if intent.value in taken and intent not in ruled:
            margins[intent] -= NEVER  # what a guard took away, the weights do not bring back
    labels: set[Intent] = {
        i for i, margin in margins.items() if margin > 0 and i not in _ALONE and i is not Intent.SCORE
    }
    labels |= {i for i, finds in ruled.items() if i is Intent.SCORE or (i is Intent.URGENT and _is_firm(finds, room))}
    labels |= ruled.keys() - margins.keys()
    labels = _settled(labels, margins) or _nearest(margins, ruled)
    if labels == ruled.keys() or (ruled.keys() == {Intent.THANKS} and labels <= {Intent.UNCLEAR, Intent.SYMPTOM}):
        return verdict
    calmed = Intent.URGENT in ruled and Intent.URGENT not in labels
    finds = {i: ruled[i] if i in ruled else _told(weights.reasons(opinion, i), i) for i in labels}
    return Verdict(finds, verdict.score, verdict.contradicts, is_weighed=True, is_doubtful=nothing or calmed)


def _needed_for_urgent(opinion: Opinion, weights: Weights, asked: Asked, symptom: bool) -> float:
    """What must be left of an emergency's margin. An answer to a question comes from a patient; other texts may be anything."""
    if asked is not Asked.NONE:
        return 0.0
    if weights.strongest(opinion, Intent.URGENT) >= UNASKED_WORD:
        return UNASKED
    return UNASKED_SYMPTOM if symptom else NEVER


def _is_firm(finds: list[Find], room: int) -> bool:
    """Whether an emergency of the rules stands whatever the weights say: a short sentence, a measured value, one's own
    life, or another language. A longer one has room to say that it is a movie, a neighbor or last spring.
    """
    if room < LONG_ENOUGH:
        return True
    return any(f.entry.kind in {"own life", "firm"} or f.entry.language not in {"en", "es"} for f in finds)


def _settled(labels: set[Intent], margins: dict[Intent, float]) -> set[Intent]:
    """The policy again, for labels that were added: urgent before symptom, one answer to a visit, a stay explains."""
    if Intent.URGENT in labels:
        labels -= {Intent.SYMPTOM, Intent.HELP}
    if Intent.WRONG_NUMBER in labels:
        labels -= {Intent.HELP, Intent.CONFIRM}
    if {Intent.CONFIRM, Intent.CANCEL_VISIT} <= labels:
        pair = (Intent.CONFIRM, Intent.CANCEL_VISIT)
        labels.discard(min(pair, key=lambda i: margins.get(i, 0.0)))
    return labels


def _nearest(margins: dict[Intent, float], ruled: Iterable[Intent]) -> set[Intent]:
    """Where no label stands: the likeliest of what the rules said, what comes near, and what does no harm."""
    candidates = {*ruled, Intent.THANKS, Intent.UNCLEAR, Intent.QUESTION} & margins.keys()
    candidates |= {i for i, margin in margins.items() if margin > LAST_RESORT}
    candidates -= {Intent.SCORE, Intent.AUTO_REPLY}
    return {max(candidates, key=lambda i: (margins[i], i.value))}


def _told(spans: list[tuple[int, int]], intent: Intent) -> list[Find]:
    entry = Entry(name="words that weigh together", means=intent.value, language="weights", says=())
    return [Find(entry, first, last) for first, last in spans]
