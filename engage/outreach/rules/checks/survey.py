"""The lint for HHCAHPS and CAHPS Hospice: words that coach, offer or ask why; and near-copies of their questions. Pure.

A near-copy is told by its telling words: the share of those of an official question that also stand in the text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rapidfuzz import fuzz

from engage.outreach.rules.checks.finding import Book, Finding, Purpose, Rule, Severity
from engage.outreach.rules.checks.lists import Question, SurveyRules, plain
from engage.outreach.rules.grammar import Grammar
from engage.outreach.rules.placeholders import is_for_clinicians
from engage.outreach.rules.words import Asks
from engage.patients.rules.words import Category

_NEARLY = 85  # of 100: "recommend" and "recommends"; not "care" and "case"
_FEWEST = 3
"""Telling words that a text must share with a question: two are chance."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How near a text comes to a question: the telling words they share, of how many the question has."""

    question: Question
    language: str
    shared: tuple[str, ...]
    of: int

    @property
    def share(self) -> float:
        """Between 0 and 1."""
        return len(self.shared) / self.of


def check_survey(wording: str, grammar: Grammar, purpose: Purpose, book: Book) -> Iterator[Finding]:
    """What would stand in the way of the official surveys; texts to nurses are none of their matter."""
    if is_for_clinicians(purpose.template):
        return
    texts = ["".join(piece if isinstance(piece, str) else " … " for piece in v) for v in grammar.variants]
    told: set[str] = set()
    for text in texts:
        for finding in _of_text(text, purpose, book.survey):
            if finding.rule not in told:
                told.add(finding.rule)
                yield finding


def _of_text(text: str, purpose: Purpose, rules: SurveyRules) -> Iterator[Finding]:
    small = plain(text)
    for rule in rules.rules:
        if not _applies(rule.applies, purpose):
            continue
        hit = next((hit for pattern in rule.any_of if (hit := re.search(pattern, small))), None)
        if hit and (not rule.and_of or any(re.search(pattern, small) for pattern in rule.and_of)):
            severity = Severity.REFUSE if rule.refuses else Severity.WARN
            yield Finding(rule.id, severity, f'"{text[hit.start() : hit.end()].strip()}": {rule.why}', rule.instead)
    like = likest(text, rules, purpose.language) if purpose.asks is not None or "?" in text else None
    if like is not None and like.share >= rules.warn_at:
        severity = Severity.REFUSE if like.share >= rules.refuse_at else Severity.WARN
        question = like.question.wording[like.language]
        why = (
            f"{len(like.shared)} of the {like.of} telling words of a question of {like.question.instrument} stand in it "
            f'({", ".join(like.shared)}): "{question}"'
        )
        do = "Ask about this visit in words of your own: How did today's visit go? Reply 1 (poor) to 10 (great)."
        yield Finding(Rule.COPIES_A_QUESTION, severity, why, do)


def _applies(applies: str, purpose: Purpose) -> bool:
    if applies == "survey":
        return purpose.category is Category.SURVEYS or purpose.asks is Asks.SCORE_1_10 or "survey" in purpose.template
    if applies == "bereavement":
        return "bereave" in purpose.template or "condolence" in purpose.template
    return True


def likest(text: str, rules: SurveyRules, language: str) -> Likeness | None:
    """The official question that `text` comes nearest to, in its own language or in English; None if it shares too little."""
    has = telling(text, rules)
    best: Likeness | None = None
    for question in rules.questions:
        for spoken in dict.fromkeys((language, "en")):
            words = telling(question.wording[spoken], rules) if spoken in question.wording else ()
            shared = tuple(word for word in words if any(fuzz.ratio(word, mine) >= _NEARLY for mine in has))
            if len(shared) >= _FEWEST:
                like = Likeness(question, spoken, shared, len(words))
                best = like if best is None or like.share > best.share else best
    return best


def telling(text: str, rules: SurveyRules) -> tuple[str, ...]:
    """The words of `text` that tell something, once each; words that mean the same become one."""
    words = re.findall(r"\w+", plain(text).replace("'", ""))
    return tuple(dict.fromkeys(rules.same.get(word, word) for word in words if word not in rules.empty))
