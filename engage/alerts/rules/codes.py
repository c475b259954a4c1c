"""Finds the code of an alert in what a clinician texts: "4821", "ack 4821", "4821 ok", "'4821'". Pure."""

import re

_CODE = re.compile(r"(?<!\d)(\d{4,6})(?!\d)")


def codes_in(text: str) -> tuple[str, ...]:
    """Every number of four to six digits in `text`, in order, each once; full-width digits count as plain ones."""
    plain = "".join(str(int(character)) if character.isdecimal() else character for character in text)
    return tuple(dict.fromkeys(_CODE.findall(plain)))
