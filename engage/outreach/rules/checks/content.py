"""What a text must say and may not say: sender, way out, 911, links, CANCEL, foreign phones, illnesses. Pure."""

import re
from collections.abc import Iterator

import phonenumbers

from engage.outreach.rules.checks.finding import Book, Finding, House, Purpose, Rule, Severity
from engage.outreach.rules.checks.lists import found
from engage.outreach.rules.grammar import Grammar, Slot, Variant
from engage.outreach.rules.placeholders import is_for_clinicians
from engage.outreach.rules.words import Asks

# Who texts, how to reach a person, how to end it: CTIA Messaging Principles 5.1; 47 CFR 64.1200(a)(10) and (12).
_MUST_SAY: dict[str, tuple[str, ...]] = {
    "answer-opt-out": ("START", "phone"),
    "answer-opt-in": ("STOP",),
    "answer-help": ("STOP", "phone"),
    "enrol": ("HELP", "STOP"),
    "enrol-again": ("HELP", "STOP"),
    "enrol-thanks": ("HELP", "STOP", "phone"),
    "verify-number": ("STOP",),
    "verify-number-again": ("STOP",),
}
_EMERGENCIES = {
    *("answer-urgent", "answer-low-score", "answer-nurse", "answer-person", "answer-which-low", "answer-clarify"),
    *("answer-picture", "answer-sure", "promise-call", "call-person"),
}
_WITH_CODE = {"page": "code", "page-again": "code", "page-many": "codes", "call-page": "spoken"}
_ANSWERS = {Asks.SCORE_1_5: ("1", "5"), Asks.SCORE_1_10: ("1", "10"), Asks.YES_NO: ("N",)}
_KEYS = ("1", "2", "9")
_REMINDERS = {"call-day-before", "call-day-of"}
_LINK = re.compile(
    r"(?:https?:|www\.)\S*|\b[a-z0-9][a-z0-9-]*\.(?:com|org|net|ly|io|gov|edu|us|info|me|co|app|health|care|link|gl)\b(?:/\S*)?",
    re.IGNORECASE,
)
_CANCEL = re.compile(r"cancel", re.IGNORECASE)
_SHORT = {"911", "988", "211", "711"}


def check_content(wording: str, grammar: Grammar, purpose: Purpose, house: House, book: Book) -> Iterator[Finding]:
    """Everything about what a text says, but for surveys and lengths."""
    yield from _missing(grammar, purpose)
    yield from _forbidden(wording, grammar)
    yield from _phones(wording, grammar, house)
    if not is_for_clinicians(purpose.template) or purpose.language in book.disclosing:
        yield from _illnesses(wording, grammar, purpose, book)


def _missing(grammar: Grammar, purpose: Purpose) -> Iterator[Finding]:
    template = purpose.template
    is_key_answer = purpose.is_spoken and template not in _REMINDERS
    if not is_key_answer and _lacks(grammar, "agency", "agency_name"):
        severity = Severity.REFUSE if purpose.is_unasked else Severity.WARN
        why = "A text must say who sends it (CTIA; 47 CFR 64.1200(b))."
        yield Finding(Rule.NO_SENDER_NAME, severity, why, "Begin with {{ agency }}:.")
    if purpose.is_unasked and not purpose.is_spoken and _lacks_word(grammar, "STOP"):
        why = "A text that nobody asked for must say how to end it (CTIA; 47 CFR 64.1200(a)(10))."
        yield Finding(Rule.NO_WAY_OUT, Severity.REFUSE, why, "Add: STOP ends texts.")
    for word in _MUST_SAY.get(template, ()):
        if word == "phone" and _lacks(grammar, "phone"):
            why = "It must say how to reach a person."
            yield Finding(Rule.NO_PHONE, Severity.REFUSE, why, "Add {{ phone }}.")
        elif word != "phone" and _lacks_word(grammar, word):
            why = f"It must name the word {word}: it is what this text is there for (CTIA)."
            yield Finding(Rule.NO_WAY_OUT, Severity.REFUSE, why, f"Add: Reply {word} …")
    if template in _EMERGENCIES and _lacks_word(grammar, "911"):
        why = "It may answer an emergency, and must name 911."
        yield Finding(Rule.NO_911, Severity.REFUSE, why, "Add: If it is an emergency call 911.")
    wanted = _KEYS if template in _REMINDERS else _ANSWERS.get(purpose.asks, ()) if purpose.asks else ()
    if unsaid := [word for word in wanted if _lacks_word(grammar, word)]:
        why = f"It does not say which answers are meant: {' and '.join(unsaid)} is missing."
        yield Finding(Rule.NO_ANSWERS, Severity.REFUSE, why, "Name both ends of the scale, or each key.")
    if template in _WITH_CODE and _lacks(grammar, _WITH_CODE[template]):
        why = "Without its code nobody can take the alert by text."
        yield Finding(Rule.NO_CODE, Severity.REFUSE, why, f"Add: Reply {{{{ {_WITH_CODE[template]} }}}} to take it.")


def _forbidden(wording: str, grammar: Grammar) -> Iterator[Finding]:
    for words in _literals(grammar):
        if hit := _CANCEL.search(words):
            why = (
                "It prints the word C-A-N-C-E-L: patients answer it, and their carrier then blocks every text of ours."
            )
            do = "Say it in other words: Reply R for another time."
            yield Finding(Rule.PRINTS_CANCEL, Severity.REFUSE, why, do, _place(wording, hit.group()))
            break
    for words in _literals(grammar):
        if hit := _LINK.search(words):
            why = f"It has a link ({hit.group()}): carriers filter them, and nobody should learn to tap links in texts about care."
            do = "Leave it out; give the phone: {{ phone }}."
            yield Finding(Rule.HAS_LINK, Severity.REFUSE, why, do, _place(wording, hit.group()))
            break


def _phones(wording: str, grammar: Grammar, house: House) -> Iterator[Finding]:
    told: set[str] = set()
    for words in _literals(grammar):
        for match in phonenumbers.PhoneNumberMatcher(words, "US", leniency=phonenumbers.Leniency.POSSIBLE):
            number = phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164)
            if match.raw_string in _SHORT or number in house.phones or number in told:
                continue
            told.add(number)
            why = f"{match.raw_string} is not a number of this agency: a wrong digit sends patients to a stranger."
            do = "Write {{ phone }}: it is the branch's number, always the present one."
            yield Finding(Rule.FOREIGN_PHONE, Severity.REFUSE, why, do, _place(wording, match.raw_string))


def _illnesses(wording: str, grammar: Grammar, purpose: Purpose, book: Book) -> Iterator[Finding]:
    lists = book.disclosing.get(purpose.language)
    if lists is None:
        return
    for severity, words in ((Severity.REFUSE, lists.refuse), (Severity.WARN, lists.warn)):
        hits = {hit[0]: None for text in _literals(grammar) if (hit := found(words, text))}
        for word in hits:
            why = f'"{word}" tells whoever looks at the phone about somebody\'s health (45 CFR 164.502(b)).'
            do = "Name a person, a visit and a time; leave the illness to the visit."
            yield Finding(Rule.DISCLOSES_HEALTH, severity, why, do, _place(wording, word))


def _literals(grammar: Grammar) -> list[str]:
    """The words of each text it can become, without its values."""
    return list(dict.fromkeys(_words(variant) for variant in grammar.variants))


def _words(variant: Variant) -> str:
    return "".join(piece if isinstance(piece, str) else " " for piece in variant)


def _lacks(grammar: Grammar, *names: str) -> bool:
    """Whether some text it can become has none of these placeholders."""
    return any(not any(isinstance(piece, Slot) and piece.name in names for piece in v) for v in grammar.variants)


def _lacks_word(grammar: Grammar, word: str) -> bool:
    """Whether some text it can become lacks this word, as a whole word in capitals or digits."""
    pattern = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)")
    return any(not pattern.search(words) for words in _literals(grammar))


def _place(wording: str, piece: str) -> int | None:
    at = wording.find(piece)
    return at + 1 if at >= 0 else None
