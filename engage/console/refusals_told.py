"""What somebody is told who asked for what cannot be: an error with its reason in, a sentence in their language out.

The verbs know no language: they raise a reason with its values, and an English sentence for the command line.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from flask_babel import lazy_gettext

from engage.errors import EngageError

REFUSALS: Mapping[str, Any] = MappingProxyType(
    {
        "visit.day_past": lazy_gettext("That day is past where the patient lives."),
        "visit.day_far": lazy_gettext("That day is more than %(days)s days away."),
        "visit.same_time": lazy_gettext("That is when the visit is already."),
        "visit.to_come": lazy_gettext("That visit is still to come."),
        "visit.to_come_move": lazy_gettext("That visit is still to come: move it, or cancel it in the EMR."),
        "visit.none": lazy_gettext("There is no such visit."),
        "visit.is_completed": lazy_gettext("That visit is done already."),
        "visit.is_missed": lazy_gettext("That visit is on record as missed already."),
        "visit.is_cancelled": lazy_gettext("That visit is cancelled already."),
        "phone.empty": lazy_gettext("There is no phone number."),
        "phone.has_extension": lazy_gettext(
            "A number with an extension cannot be texted: give a direct mobile number."
        ),
        "phone.has_letters": lazy_gettext(
            "The phone number has letters in it: keep the number only, notes belong elsewhere."
        ),
        "phone.no_area_code": lazy_gettext("The area code is missing: give all ten digits."),
        "phone.too_short": lazy_gettext("The phone number has too few digits: give all ten, with the area code."),
        "phone.too_long": lazy_gettext("The phone number has too many digits: give one number only."),
        "phone.not_assigned": lazy_gettext("No such number can exist: check the area code and the digits after it."),
        "phone.premium_rate": lazy_gettext("A premium-rate number cannot be a patient's phone."),
        "phone.not_a_number": lazy_gettext("This is not a phone number."),
        "contact.how_agreed": lazy_gettext("Say whether they agreed on paper or by phone."),
        "contact.known": lazy_gettext("The patient has this phone on record already."),
        "alert.nobody_reached": lazy_gettext(
            "Nobody was reached, so the alert cannot be closed: say when you will try again."
        ),
        "alert.minutes": lazy_gettext("%(minutes)s minutes cannot be: it must be 0 to %(most)s."),
        "alert.none": lazy_gettext("No open alert has the code %(code)s any more."),
        "clinician.none": lazy_gettext("That clinician does not work in this agency."),
        "text.length": lazy_gettext("A text has from 1 to %(most)s characters; this one has %(length)s."),
        "patient.no_phone": lazy_gettext("The patient has no phone on record."),
        "snooze.long": lazy_gettext("A snooze ends by itself, after %(days)s days at most."),
        "wording.english_only": lazy_gettext("Pages and notes to nurses are in English only."),
        "wording.same": lazy_gettext("These are the words of version %(version)s already."),
        "wording.no_version": lazy_gettext("There is no such version."),
        "wording.reviewed": lazy_gettext("Version %(version)s was reviewed by %(who)s already; nothing waits."),
        "wording.own": lazy_gettext("%(who)s wrote version %(version)s: somebody else must review it."),
        "wording.refused": lazy_gettext("Version %(version)s cannot be released: %(why)s"),
        "wording.older": lazy_gettext("Version %(version)s is newer and in force: write a new version instead."),
        "form.day": lazy_gettext("The day must be written as a date such as 2026-11-23."),
        "form.time": lazy_gettext("The time must be written such as 09:30."),
        "account.email": lazy_gettext("That is not an e-mail address."),
        "account.name": lazy_gettext("The name is missing or too long."),
    }
)


def refusal_told(problem: EngageError) -> str:
    """The sentence for an error; one without a reason that we know says what it says."""
    known = REFUSALS.get(problem.reason or "")
    return str(problem) if known is None else str(known) % problem.values
