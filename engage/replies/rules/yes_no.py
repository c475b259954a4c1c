"""Whether a reply to a yes-or-no question says yes or no: words in, a verdict or None out. Pure; decides nothing.

Only plain answers are read here: "yes" with anything worrying after it is for the reading of replies as well.
"""

from dataclasses import dataclass

from engage.replies.rules.reading import RULE_VERSION, Evidence, Intent, Reading

_YES = frozenset({"y", "s", "yes", "yeah", "yep", "yup", "ya", "ok", "okay", "sure", "agree", "yes please", "please do", "si", "sí", "claro", "si claro",
                  "sí claro", "si por favor", "sí por favor", "de acuerdo"})  # fmt: skip
_NO = frozenset({"n", "no", "nope", "nah", "not really", "no thanks", "no thank you", "no not really", "not at all", "no gracias", "para nada",
                 "no it is not", "no its not", "it is not", "its not", "no igual"})  # fmt: skip
_FIRST_YES = frozenset({"y", "s", "yes", "yeah", "yep", "yup", "si", "sí"})


@dataclass(frozen=True, slots=True)
class Said:
    """What was answered. `is_all`: nothing else was said beside it."""

    is_yes: bool
    is_all: bool


def read_yes_no(text: str) -> Said | None:
    """The answer in `text`; None when it is none.

    A yes may have more after it ("yes a lot harder"), and then the rest is to be read too. A no is a no only when it is all that
    was said: "no but my chest hurts" must not pass for a no.
    """
    words = _words(text)
    whole = " ".join(words)
    if whole in _YES:
        return Said(True, True)
    if whole in _NO:
        return Said(False, True)
    return Said(True, False) if words and words[0] in _FIRST_YES and "?" not in text else None


def reading_of(text: str, said: Said) -> Reading:
    """The reading that is kept for a plain yes or no: it confirms, or it says nothing that any other rule looks for."""
    intent = Intent.CONFIRM if said.is_yes else Intent.THANKS
    rule = f"yes_no: {'yes' if said.is_yes else 'no'} to our question"
    return Reading((intent,), None, (), (Evidence(intent, text, 0, len(text), rule),), 1.0, False, RULE_VERSION)


def _words(text: str) -> list[str]:
    bare = "".join(
        character if character.isalpha() else " " for character in text.replace("'", "").replace("’", "").casefold()
    )
    return bare.split()
