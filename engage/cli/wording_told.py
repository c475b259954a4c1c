"""How findings and previews of a wording are printed: values in, lines or JSON out. Decides and reads nothing."""

from collections.abc import Iterable, Iterator
from typing import Any

from engage.outreach.rules.checks import Book, Finding, House, Purpose, Severity
from engage.outreach.rules.checks.lengths import filled, longest_values, usual_values
from engage.outreach.rules.grammar import Fault, read_wording
from engage.sms.rules.segments import count

_MARK = {Severity.REFUSE: "REFUSED", Severity.WARN: "note"}


def findings_text(findings: Iterable[Finding]) -> str:
    """Each finding in three lines: its rule and place, why, what to do."""
    return "\n".join(line for finding in findings for line in _lines(finding))


def _lines(finding: Finding) -> Iterator[str]:
    where = f", character {finding.place}" if finding.place else ""
    yield f"  {_MARK[finding.severity]} {finding.rule}{where}: {finding.why}"
    yield f"    {finding.do}"
    if finding.repair:
        yield f"    With --repair: {finding.repair}"


def findings_json(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """The same for a machine."""
    return [
        {
            "rule": str(finding.rule),
            "severity": str(finding.severity),
            "place": finding.place,
            "why": finding.why,
            "do": finding.do,
            "repair": finding.repair,
        }
        for finding in findings
    ]


def preview_text(wording: str, purpose: Purpose, house: House, book: Book) -> str:
    """Each text a wording can become, usual and at its longest, with segments and price."""
    grammar = read_wording(wording)
    if isinstance(grammar, Fault):
        return f"It cannot be shown: {grammar.says}"
    names = {slot.name for slot in grammar.slots}
    values = {"usual": usual_values(house, purpose.language), "longest": longest_values(house, purpose.language)}
    if unknown := names - values["usual"].keys():
        return f"It cannot be shown: there is no placeholder {min(unknown)}."
    texts: dict[str, str] = {}
    for name, chosen in values.items():
        for variant in grammar.variants:
            texts.setdefault(filled(variant, chosen), name)
    return "\n".join(f"{text}\n  {name}: {_cost(text, purpose, book)}" for text, name in texts.items())


def _cost(text: str, purpose: Purpose, book: Book) -> str:
    if purpose.is_spoken:
        return f"{len(text)} characters, spoken twice"
    cost = count(text)
    dear = f"; {' '.join(cost.not_gsm)} made it {cost.encoding}" if cost.not_gsm else ""
    parts = f"{cost.segments} segment{'' if cost.segments == 1 else 's'}"
    return f"{parts} ({cost.encoding}, {cost.units} units{dear}), about ${cost.segments * book.prices.sent:.3f}"
