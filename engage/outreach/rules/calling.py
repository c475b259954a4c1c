"""When and whom a reminder may be spoken to instead of texted, and what the keys mean. Pure.

A phone that rings is louder than a text, so its hours are narrower; everything else is decided as for a text.
"""

from dataclasses import replace
from datetime import time

from engage.patients.rules.permission import Reader
from engage.patients.rules.words import PhoneKind

CALLS_AFTER, CALLS_UNTIL = time(9), time(20)
"""Wall time where the patient lives, inside the agency's own hours. Federal law would allow 8 to 21 (47 CFR 64.1200(c)(1))."""

MOST_SPOKEN = 1500
"""Characters of one call's words as XML holds them: they are said twice within the 4,000 that Twilio takes."""

KEYS = {"1": "Yes", "2": "R", "9": "STOP"}
"""What a pressed key says, in the words of a texted reply, understood in every language. Another key is kept as it is."""


def as_called(reader: Reader, is_allowed: bool) -> Reader:
    """The reader as one who is called: a landline is fine where the agency allows calls, and the hours are narrower."""
    kind = reader.phone_kind
    if not is_allowed:
        kind = PhoneKind.LANDLINE if kind in {PhoneKind.UNKNOWN, PhoneKind.MOBILE} else kind
    elif kind is PhoneKind.LANDLINE:
        kind = PhoneKind.MOBILE
    return replace(
        reader,
        phone_kind=kind,
        texts_after=max(reader.texts_after, CALLS_AFTER),
        texts_until=min(reader.texts_until, CALLS_UNTIL),
    )
