"""A stored reason in, a plain sentence and the rule behind it out: for whoever asks why a text did not go. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Explanation:
    """`says`: what happened, as a scheduler would say it; `rule`: why Engage does so."""

    says: str
    rule: str


_CONSENT = "No text without recorded consent for its kind."
_STATUS = "Only a patient who is at home and in care is texted."
_PHONE = "A phone that cannot or must not get texts is not texted."
_CAPS = "Nobody gets more texts than the agency's caps allow; answers and pages do not count."
_OURS = "A text that cannot be written or sent as it should be does not leave."
_ONCE = "Nothing leaves twice: what may have been sent is looked up in Twilio's log before anything else."
_LOST = _ONCE
_CARRIER = "A text that Twilio or the carrier refused for good is not sent again; somebody should call."

_REASONS: Mapping[str, Explanation] = MappingProxyType(
    {
        "no_consent": Explanation("There was no consent for this kind of text.", _CONSENT),
        "consent_revoked": Explanation("The consent for this kind of text had been taken back.", _CONSENT),
        "opted_out": Explanation("The phone had said STOP.", "After a STOP nothing goes to that phone until a START."),
        "deceased": Explanation("The patient has died.", _STATUS),
        "discharged": Explanation("The patient was discharged.", _STATUS),
        "hospitalized": Explanation("The patient was in hospital.", _STATUS),
        "on_hold": Explanation("Care was on hold.", _STATUS),
        "contact_ended": Explanation("The EMR had given the patient another phone.", _CONSENT),
        "wrong_number": Explanation("Somebody had written that this is not the patient's phone.", _PHONE),
        "landline": Explanation("The phone is a landline.", _PHONE),
        "unreachable": Explanation("The number is out of service.", _PHONE),
        "daily_cap": Explanation("The day's number of texts to this phone was used up.", _CAPS),
        "weekly_cap": Explanation("The number of texts to this phone in seven days was used up.", _CAPS),
        "too_late": Explanation(
            "It was too late for it to be of use.", "A text past its use is expired, not sent late."
        ),
        "visit_changed": Explanation(
            "The visit it was about was moved, done, missed, cancelled or declined.",
            "A text whose reason is gone is cancelled; what replaces it is planned anew.",
        ),
        "touchpoint_off": Explanation(
            "The agency switched this kind of text off.", "Only active touchpoints are sent."
        ),
        "no_sender": Explanation("The agency has no number to send it from.", _OURS),
        "no_wording": Explanation("There was no reviewed wording that could be used.", _OURS),
        "no_phone": Explanation("The reader has no phone.", _OURS),
        "clinician_left": Explanation("The clinician no longer works here.", _OURS),
        "clinician_stopped": Explanation("The clinician had said STOP to pages.", "A STOP counts for nurses too."),
        "could_not_decide": Explanation("The facts of this message are broken; the log has it with its id.", _OURS),
        "alert_taken": Explanation(
            "Somebody had taken or resolved the alert before this page left.", "Only an open alert pages."
        ),
        "quiet_hours": Explanation(
            "The patient's hours were closed.", "Texts go only in the patient's hours, in the patient's time zone."
        ),
        "facts_unreadable": Explanation(
            "A phone could not be opened on that machine: an encryption key is missing. Tell the operator.", _OURS
        ),
        "provider_busy": Explanation("Twilio was busy or out of reach, and it certainly had not left.", _ONCE),
        "sending_stopped": Explanation(
            "Twilio refused our account, so nothing was sent. Tell the operator.",
            "While Twilio refuses the account, all sending stops.",
        ),
        "never_reached_twilio": Explanation("Twilio's log does not hold it, so it had not left.", _ONCE),
        "never_sent": Explanation("It never left, and by the time that was known it was no longer of use.", _ONCE),
        "retry_later": Explanation(
            "Twilio or the carrier could not deliver it just then.", "It is tried again while it is of use."
        ),
        "lease_lapsed": Explanation("The program that was sending it died.", _LOST),
        "unreadable answer": Explanation("Twilio's answer could not be read.", _LOST),
        "answer without a SID": Explanation("Twilio's answer could not be read.", _LOST),
        "stopped while sending": Explanation("Engage was stopped while it was on its way.", _LOST),
        "unexpected failure": Explanation("A fault of Engage's own; the log has it.", _LOST),
        "permanent_number": Explanation("This phone gets no texts.", _CARRIER),
        "permanent_message": Explanation("This text did not get through; the phone may be fine.", _CARRIER),
        "stop_all": Explanation("Twilio refused our account.", "While Twilio refuses the account, all sending stops."),
        "config_alarm": Explanation("Something is set up wrongly. Tell the operator.", _CARRIER),
        "unknown_outcome": Explanation("Twilio failed inside.", _LOST),
        "bug": Explanation("Engage asked Twilio for something impossible. Tell the operator.", _CARRIER),
        "unlisted": Explanation("It was refused with a code that nobody has described yet.", _CARRIER),
    }
)
_BEGINNINGS = {
    "no whole answer came back": Explanation("The line broke, or Twilio took too long to answer.", _LOST),
    "HTTP 5": Explanation("Twilio had trouble and may have taken it.", _LOST),
}


def explain(reason: str) -> Explanation:
    """What a stored reason means; one that nobody has described is told as it stands."""
    if reason in _REASONS:
        return _REASONS[reason]
    for beginning, explanation in _BEGINNINGS.items():
        if reason.startswith(beginning):
            return explanation
    return Explanation(f"The reason that was stored is: {reason.replace('_', ' ')}.", "See the page on reasons.")
