"""All checks of one wording in their order: what cannot be read or filled first, for then nothing else can be said. Pure."""

from collections.abc import Iterator

from rapidfuzz import process

from engage.outreach.rules.checks.content import check_content
from engage.outreach.rules.checks.finding import Book, Finding, House, Purpose, Rule, Severity
from engage.outreach.rules.checks.lengths import check_lengths
from engage.outreach.rules.checks.survey import check_survey
from engage.outreach.rules.grammar import Compared, Fault, Grammar, read_wording
from engage.outreach.rules.placeholders import PLACEHOLDERS, Placeholder, Type, is_for_clinicians, placeholders_of
from engage.outreach.rules.wording import LANGUAGES


def check_wording(wording: str, purpose: Purpose, house: House, book: Book) -> tuple[Finding, ...]:
    """Everything there is to say against `wording`, worst first; nothing, for one that is good."""
    if purpose.language not in LANGUAGES:
        why = f"Engage cannot say days and times in {purpose.language!r} yet."
        return (Finding(Rule.LANGUAGE_UNKNOWN, Severity.REFUSE, why, f"Use one of: {', '.join(sorted(LANGUAGES))}."),)
    grammar = read_wording(wording)
    if isinstance(grammar, Fault):
        at = wording.find(grammar.piece) + 1 if grammar.piece else 0
        do = "docs/reference/wording.md shows what is allowed."
        return (Finding(Rule(grammar.kind), Severity.REFUSE, grammar.says, do, at or None),)
    unfit = tuple(_unfit(wording, grammar, purpose))
    if unfit:
        return unfit
    findings = [
        *check_content(wording, grammar, purpose, house, book),
        *check_survey(wording, grammar, purpose, book),
        *check_lengths(wording, grammar, purpose, house, book),
    ]
    return tuple(sorted(findings, key=lambda finding: finding.severity is not Severity.REFUSE))


def _unfit(wording: str, grammar: Grammar, purpose: Purpose) -> Iterator[Finding]:
    """Placeholders that are not there, or not used as what they are: such a text would fail when it leaves."""
    allowed = placeholders_of(purpose.template)
    for name in sorted(grammar.names - allowed.keys()):
        place = wording.find(name) + 1
        if name == "patient" and is_for_clinicians(purpose.template):
            why = "A text to a nurse names no patient: it lies open on a phone."
            do = "Leave it out; the code tells whom it is about."
        elif name in PLACEHOLDERS:
            why = f"{{{{ {name} }}}} is not known when {purpose.template!r} is written; it is for {', '.join(PLACEHOLDERS[name].where)}."
            do = f"Use one of: {', '.join(sorted(allowed))}."
        else:
            near = process.extractOne(name, list(allowed), score_cutoff=70)
            why = f"There is no placeholder {{{{ {name} }}}}."
            do = f"Did you mean {{{{ {near[0]} }}}}?" if near else f"Use one of: {', '.join(sorted(allowed))}."
        rule = Rule.PLACEHOLDER_ELSEWHERE if name in PLACEHOLDERS else Rule.UNKNOWN_PLACEHOLDER
        yield Finding(rule, Severity.REFUSE, why, do, place or None)
    for slot in sorted(grammar.slots, key=lambda slot: slot.name):
        if slot.name in allowed and allowed[slot.name].may_be_missing and not slot.has_default:
            why = f"{{{{ {slot.name} }}}} is not always known; without it the text could not be written."
            do = f"Give words for then: {{{{ {slot.name} | default('nurse') }}}}."
            yield Finding(Rule.MAY_BE_MISSING, Severity.REFUSE, why, do, wording.find(slot.name) + 1)
    for slot in sorted(grammar.slots, key=lambda slot: slot.name):
        if slot.name in allowed and allowed[slot.name].type is Type.FLAG:
            why, do = (
                f"{slot.name} is yes or no: there is nothing to print.",
                "Write {{ 'come' if many else 'comes' }}.",
            )
            yield Finding(Rule.WRONG_COMPARISON, Severity.REFUSE, why, do, wording.find(slot.name) + 1)
    for compared in grammar.conditions:
        placeholder = allowed.get(compared.name)
        if placeholder is not None and (wrong := _wrong(compared, placeholder)):
            do = "Write, for example: {% if severity == 3 %}, {% if many %}, {% if clinicians == 'Ana' %}."
            yield Finding(Rule.WRONG_COMPARISON, Severity.REFUSE, wrong, do, wording.find(compared.name) + 1)


def _wrong(compared: Compared, placeholder: Placeholder) -> str | None:
    """What is wrong with the use of a placeholder in a condition; None if nothing is."""
    name, is_word = placeholder.name, isinstance(compared.literal, str)
    if compared.operator == "defined":
        return None
    if placeholder.may_be_missing:
        return f"{name} is not always known: ask only `{name} is defined`."
    if compared.operator and placeholder.type is Type.FLAG:
        return f"{name} is yes or no: it stands alone in an `if`."
    if compared.operator and placeholder.type is Type.NUMBER and is_word:
        return f"{name} is a number: compare it with one, without quotes."
    if compared.operator and placeholder.type is Type.WORDS and not (is_word and compared.operator in {"eq", "ne"}):
        return f"{name} is words: compare it with quoted words, by == or !=."
    return None
