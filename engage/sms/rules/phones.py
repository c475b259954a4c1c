"""Phone numbers as people and EMRs write them: text in, an E.164 number or the reason why not out. Pure, never raises.

Uses Google's numbering plan (the `phonenumbers` library); never asks anyone whether the phone exists or can be texted.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType, ValidationResult

_LONGEST = 60  # a cell of an EMR export; more than that is not a phone number, whatever it is


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A number that can be dialled, in E.164: +12025550143."""

    e164: str


class PhoneRefusal(StrEnum):
    """Why a text is not a number we can text; `says` is the sentence for the person who typed it."""

    EMPTY = "empty"
    HAS_EXTENSION = "has_extension"
    HAS_LETTERS = "has_letters"
    NO_AREA_CODE = "no_area_code"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    NOT_ASSIGNED = "not_assigned"
    PREMIUM_RATE = "premium_rate"
    NOT_A_NUMBER = "not_a_number"

    @property
    def says(self) -> str:
        """What is wrong and what to do, for a person; it never repeats the number."""
        return _SENTENCES[self]


_SENTENCES = {
    PhoneRefusal.EMPTY: "There is no phone number.",
    PhoneRefusal.HAS_EXTENSION: "A number with an extension cannot be texted: give a direct mobile number.",
    PhoneRefusal.HAS_LETTERS: "The phone number has letters in it: keep the number only, notes belong elsewhere.",
    PhoneRefusal.NO_AREA_CODE: "The area code is missing: give all ten digits.",
    PhoneRefusal.TOO_SHORT: "The phone number has too few digits: give all ten, with the area code.",
    PhoneRefusal.TOO_LONG: "The phone number has too many digits: give one number only.",
    PhoneRefusal.NOT_ASSIGNED: "No such number can exist: check the area code and the digits after it.",
    PhoneRefusal.PREMIUM_RATE: "A premium-rate number cannot be a patient's phone.",
    PhoneRefusal.NOT_A_NUMBER: "This is not a phone number.",
}

_BY_LENGTH = {
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: PhoneRefusal.NO_AREA_CODE,
    ValidationResult.TOO_SHORT: PhoneRefusal.TOO_SHORT,
    ValidationResult.TOO_LONG: PhoneRefusal.TOO_LONG,
    ValidationResult.INVALID_LENGTH: PhoneRefusal.TOO_SHORT,
    ValidationResult.INVALID_COUNTRY_CODE: PhoneRefusal.NOT_ASSIGNED,
}

# Area codes [2-9][0-8]X but not X11 or the never-assignable 555, exchanges [2-9]XX but not X11 (NANPA).
_NORTH_AMERICAN = re.compile(r"(?!.11|555)[2-9][0-8]\d(?!.11)[2-9]\d{6}")


def parse_phone(raw: str, region: str = "US") -> PhoneNumber | PhoneRefusal:
    """The number in `raw`, read as someone in `region` (ISO 3166 letters) would dial it, or the reason for refusing it.

    Fictional numbers (555-0100 to 555-0199) pass: they are valid in Google's plan, reach nobody, and demos and tests
    live on them. Any number of North American shape passes even when the plan of this library's release does not know
    its area code: new ones come every year, and a patient must not wait for our next upgrade. Twilio says 21211 if the
    number is nobody's. Elsewhere the plan decides.
    """
    text = raw.strip().removeprefix("tel:")
    if not text:
        return PhoneRefusal.EMPTY
    if len(text) > _LONGEST:
        return PhoneRefusal.TOO_LONG if any(character.isdigit() for character in text) else PhoneRefusal.NOT_A_NUMBER
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException as problem:
        return _unreadable(text, problem.error_type)
    if number.extension:
        return PhoneRefusal.HAS_EXTENSION
    if any(character.isalpha() for character in text):  # the library would dial FLOWERS, or a note, as digits
        return PhoneRefusal.HAS_LETTERS
    return _refusal(number) or PhoneNumber(phonenumbers.format_number(number, PhoneNumberFormat.E164))


@lru_cache(maxsize=1024)  # the numbers of offices, the same in every text
def display(e164: str) -> str:
    """How people write the number: "(202) 555-0143" in the +1 countries, "+44 20 7946 0018" elsewhere.

    What is not a number comes back as it is.
    """
    try:
        number = phonenumbers.parse(e164, None)
    except NumberParseException:
        return e164
    form = PhoneNumberFormat.NATIONAL if number.country_code == 1 else PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, form)


def masked(e164: str) -> str:
    """The number of a sender of ours, short enough to be said aloud and to be told from the others: "…0143"."""
    return f"…{e164[-4:]}"


def _unreadable(text: str, error: int) -> PhoneRefusal:
    if any(character.isalpha() for character in text):
        return PhoneRefusal.HAS_LETTERS if any(character.isdigit() for character in text) else PhoneRefusal.NOT_A_NUMBER
    by_error = {
        NumberParseException.TOO_LONG: PhoneRefusal.TOO_LONG,
        NumberParseException.TOO_SHORT_NSN: PhoneRefusal.TOO_SHORT,
        NumberParseException.TOO_SHORT_AFTER_IDD: PhoneRefusal.TOO_SHORT,
    }
    return by_error.get(error, PhoneRefusal.NOT_A_NUMBER)


def _refusal(number: phonenumbers.PhoneNumber) -> PhoneRefusal | None:
    length = phonenumbers.is_possible_number_with_reason(number)
    if length != ValidationResult.IS_POSSIBLE:
        return _BY_LENGTH[length]
    if phonenumbers.number_type(number) == PhoneNumberType.PREMIUM_RATE:
        return PhoneRefusal.PREMIUM_RATE
    if phonenumbers.is_valid_number(number) or _has_north_american_shape(number):
        return None
    return PhoneRefusal.NOT_ASSIGNED


def _has_north_american_shape(number: phonenumbers.PhoneNumber) -> bool:
    return number.country_code == 1 and bool(
        _NORTH_AMERICAN.fullmatch(phonenumbers.national_significant_number(number))
    )
