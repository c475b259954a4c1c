"""What a check finds in a wording, in short and in the language of whoever looks: the id of a rule in, a sentence out.

What is wrong in this very text, and what to do, the rules say themselves, in English.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from flask_babel import lazy_gettext

FINDINGS: Mapping[str, Any] = MappingProxyType(
    {
        "broken": lazy_gettext("It cannot be read: a bracket or a word of the template is missing."),
        "not_allowed": lazy_gettext("It uses something that a wording may not."),
        "too_many_variants": lazy_gettext("It can become too many different texts."),
        "language_unknown": lazy_gettext("Engage does not speak this language."),
        "unknown_placeholder": lazy_gettext("There is no such placeholder."),
        "placeholder_elsewhere": lazy_gettext("This placeholder is not known in this text."),
        "may_be_missing": lazy_gettext("A placeholder is not always known, and has no words for then."),
        "wrong_comparison": lazy_gettext("A condition asks what cannot be asked."),
        "may_be_empty": lazy_gettext("The text could be empty."),
        "too_long": lazy_gettext("It is too long."),
        "several_segments": lazy_gettext("It usually takes several segments, and costs more."),
        "not_gsm": lazy_gettext("A letter or sign makes it dearer."),
        "no_sender_name": lazy_gettext("It does not say who writes."),
        "no_way_out": lazy_gettext("It does not say how to end these texts, or what to answer for that."),
        "no_phone": lazy_gettext("It does not say how to reach a person."),
        "no_911": lazy_gettext("It may answer an emergency and does not name 911."),
        "no_answers": lazy_gettext("It does not say which answers are meant."),
        "no_code": lazy_gettext("The code to take the alert is missing."),
        "prints_cancel": lazy_gettext("It prints the word CANCEL: whoever answers with it is blocked by carriers."),
        "has_link": lazy_gettext("It has a link."),
        "foreign_phone": lazy_gettext("It has a phone that is not the agency's."),
        "discloses_health": lazy_gettext("It tells of an illness or of care on a lock screen."),
        "copies_a_question": lazy_gettext("It is close to a question of an official survey."),
        "names_the_survey": lazy_gettext("It names an official survey."),
        "rates_the_agency": lazy_gettext("It asks to rate the agency, as the official survey does."),
        "asks_to_recommend": lazy_gettext(
            "It asks whether they would recommend the agency, as the official survey does."
        ),
        "looks_back_two_months": lazy_gettext("It asks about two months back, as the official survey does."),
        "uses_its_answers": lazy_gettext("It uses the answers of the official survey."),
        "asks_why": lazy_gettext("It asks for the reason of an answer."),
        "coaches": lazy_gettext("It asks for a good answer."),
        "offers_something": lazy_gettext("It offers something for an answer."),
        "asks_for_reviews": lazy_gettext("It asks for public reviews."),
        "asks_the_bereaved": lazy_gettext(
            "It asks the family about the care after a death, as the official survey does."
        ),
    }
)


def finding_told(rule: str) -> str:
    """The sentence for a rule; none for an agency's own, which has no translation."""
    return str(FINDINGS.get(rule, ""))
