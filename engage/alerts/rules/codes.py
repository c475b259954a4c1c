"""Finds the code of an alert in what a clinician texts: "4821", "ack 4821", "4821 ok", "'4821'". Pure."""

import re

_CODE = re.compile(r"(?<!\d)(\d{4,6})(?!\d)")
# "202-555-4821", "(202) 555 4821", "555-4821": a number to call back is not a code, though its last four digits look like one.
_PHONE = re.compile(r"(?<!\d)(?:(?:\+?1[ .–-]?)?(?:\(\d{3}\) ?|\d{3}[ .–-])\d{3}[ .–-]?\d{4}|\d{3}[.–-]\d{4})(?!\d)")


def codes_in(text: str) -> tuple[str, ...]:
    """Every number of four to six digits in `text`, in order, each once; full-width digits count as plain ones.

    Digits of a phone number are not among them.
    """
    plain = "".join(str(int(character)) if character.isdecimal() else character for character in text)
    return tuple(dict.fromkeys(_CODE.findall(_PHONE.sub(" ", plain))))
