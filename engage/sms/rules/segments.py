"""How many segments a text costs: a body in, its encoding and number of segments out. Pure.

Counts as Twilio's own calculator does (npm sms-segments-calculator 1.3.0). `smart_encode` in smart.py makes texts cheaper.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

Encoding = Literal["GSM-7", "UCS-2"]

MOST_CHARACTERS = 1600
"""Twilio refuses a longer body with error 21617."""

# 3GPP TS 23.038: the default alphabet, and the extension table whose characters are an escape and a second septet.
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")
_GSM = _BASIC | _EXTENSION

# Units in a text that is one part, and in each part of a longer one: 140 octets, less six of header.
_ALONE: dict[Encoding, int] = {"GSM-7": 160, "UCS-2": 70}
_IN_PART: dict[Encoding, int] = {"GSM-7": 153, "UCS-2": 67}

_ZERO_WIDTH_JOINER = "\u200d"
_ZERO_WIDTH_NON_JOINER = "\u200c"


IS_BASIC = re.compile(f"[{re.escape(''.join(sorted(_BASIC)))}]*").fullmatch
"""Whether a text is made of GSM-7's basic characters alone, as nearly every text is: the answer without looking at each."""


@dataclass(frozen=True, slots=True)
class Segments:
    """What a body costs. `units` are septets (GSM-7) or UTF-16 code units (UCS-2); `not_gsm` is why it is UCS-2."""

    encoding: Encoding
    segments: int
    units: int
    not_gsm: tuple[str, ...] = ()


def count(text: str) -> Segments:
    """The segments a body is billed as; an empty body is one, as in Twilio's calculator.

    `not_gsm` holds each character that GSM-7 lacks once, in order of appearance.
    """
    if len(text) <= _ALONE["GSM-7"] and IS_BASIC(text):
        return Segments("GSM-7", 1, len(text))
    not_gsm = tuple(dict.fromkeys(character for character in text if character not in _GSM))
    if not_gsm:
        sizes = _sizes_in_ucs2(text)
        return Segments("UCS-2", _parts(sizes, "UCS-2"), sum(sizes), not_gsm)
    sizes = [2 if character in _EXTENSION else 1 for character in text]
    return Segments("GSM-7", _parts(sizes, "GSM-7"), sum(sizes))


def _parts(sizes: list[int], encoding: Encoding) -> int:
    """Fill parts in order: what does not fit whole (an escape pair, an emoji) begins the next part."""
    if sum(sizes) <= _ALONE[encoding]:
        return 1
    parts, free = 1, _IN_PART[encoding]
    for size in sizes:
        if size > free:
            parts, free = parts + 1, _IN_PART[encoding]
        free -= size
    return parts


def _sizes_in_ucs2(text: str) -> list[int]:
    """Code units of each thing a reader sees as one character: those are not torn apart over two parts.

    Flags, families and skin tones are several code points. Approximates UAX #29 for what people type.
    """
    sizes: list[int] = []
    previous = ""
    flag_is_open = False
    for character in text:
        units = 2 if ord(character) > 0xFFFF else 1
        is_second_of_flag = flag_is_open and _is_regional(character)
        joins = is_second_of_flag or _joins(previous, character)
        # a pile of accents longer than a whole part has to be torn all the same
        if joins and sizes and sizes[-1] + units <= _IN_PART["UCS-2"]:
            sizes[-1] += units
        else:
            sizes.append(units)
        flag_is_open = _is_regional(character) and not is_second_of_flag
        previous = character
    return sizes


def _joins(previous: str, character: str) -> bool:
    if not previous or unicodedata.category(previous) == "Cc":
        return False
    if character in {_ZERO_WIDTH_JOINER, _ZERO_WIDTH_NON_JOINER} or unicodedata.category(character).startswith("M"):
        return True
    if "\U0001f3fb" <= character <= "\U0001f3ff":  # a skin tone
        return _is_pictograph(previous)
    return previous == _ZERO_WIDTH_JOINER and _is_pictograph(character)


def _is_regional(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _is_pictograph(character: str) -> bool:
    return unicodedata.category(character) == "So"
