"""What a reason on a message means: the word as it is stored in, a plain sentence and the rule behind it out. Pure.

A reason is a word for programs; a nurse who asks why a text did not go reads the sentence, and whoever doubts it the rule.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Explanation:
    """One reason: what it says of the text, and what asks for it: a law, a setting, a promise of ours, or Twilio."""

    says: str
    rule: str


def explain(reason: str) -> Explanation:
    """The explanation of `reason`; a word nobody has explained gets an honest sentence that repeats it."""
    known = _EXPLANATIONS.get(reason)
    if known is None:
        known = next((found for start, found in _BEGINNINGS.items() if reason.startswith(start)), None)
    return known or Explanation(
        f"Engage noted the reason {reason!r}, which nobody has explained here.",
        "none on record: tell whoever runs Engage",
    )


_PROMISE = "Engage's promise: never unwelcome"
_TCPA = "47 CFR 64.1200"
_EXEMPTION = f"{_TCPA}(a)(9)(iv), the healthcare exemption, because agencies.healthcare_exemption is on"
_NOTHING_TWICE = "Engage's promise: nothing twice, nothing stale"
_TWILIO = "Twilio's error code, as config/twilio-codes.toml reads it"
_PACE = "the number's segments_per_second and segments_per_day: engage sender list"
_OURS = "a fact of our own, not of the patient's"

_READER = {
    "no_consent": (
        "The contact has not agreed to this kind of text.",
        f"prior express consent ({_TCPA}(a)(1)); consent_events has none for this category",
    ),
    "consent_revoked": (
        "The contact once agreed to this kind of text and has taken it back.",
        f"{_TCPA}(a)(10): consent may be revoked by any reasonable means",
    ),
    "opted_out": (
        "The person has said STOP, to us or to Twilio; only a START from that phone takes it back.",
        f"{_TCPA}(a)(10); CTIA; Twilio's codes 21610 and its kin",
    ),
    "deceased": ("The patient has died; no text may reach the family.", _PROMISE),
    "discharged": ("The patient has been discharged.", _PROMISE),
    "hospitalized": ("The patient is in hospital; texts pause until somebody sets them active again.", _PROMISE),
    "on_hold": ("The patient's care is on hold; texts pause with it.", _PROMISE),
    "contact_ended": (
        "This phone was ended: the EMR gives another one, or somebody of the agency said that it is no longer theirs.",
        "contacts.ended_at: an import, or engage contact end",
    ),
    "wrong_number": (
        "Somebody answered from this phone that it is not the patient's.",
        f"{_TCPA}(a)(1): consent is the called party's, and this is somebody else",
    ),
    "landline": ("This phone is a landline and gets no texts.", "Twilio's answer to an earlier text"),
    "unreachable": ("This phone is out of service.", "Twilio's answer to an earlier text"),
    "number_unverified": (
        "Nobody has been heard of at this phone for so long that it may be a stranger's now; the text waits for a yes from it.",
        f"agencies.verify_after_months; {_TCPA}(m), the Reassigned Numbers Database: consent does not pass on with a number",
    ),
    "may_not_see": (
        "This contact may be told of visits only, and this text is about how the patient feels.",
        "contacts.may_see: engage contact set",
    ),
    "shared_phone": (
        "Several patients share this phone, and it has had this text for the same day already, with all their names.",
        "one text a phone, touchpoint and day",
    ),
    "daily_cap": (
        "This phone has had the agency's number of texts for today, over all its patients.",
        "agencies.daily_cap; answers and pages do not count",
    ),
    "weekly_cap": (
        "This phone has had the agency's number of texts for these seven days, over all its patients.",
        "agencies.weekly_cap; answers and pages do not count",
    ),
    "exemption_cap": (
        "This phone has had the one text of the day, or the three of seven days, that the healthcare exemption allows.",
        _EXEMPTION,
    ),
    "exemption_purpose": (
        "A text of this kind, such as a survey, is not among the purposes of the healthcare exemption.",
        _EXEMPTION,
    ),
    "exemption_length": (
        "The text takes more than one segment, and the healthcare exemption allows 160 characters.",
        _EXEMPTION,
    ),
    "loop_guard": (
        "This phone was answered so often in so short a time that a machine is probably answering us.",
        "6 answers in ten minutes and 20 in a day to one phone; twice that for an urgent answer",
    ),
    "no_common_hours": (
        "There is no hour at which the agency, the patient and the patient's state all allow a text.",
        "agencies.texts_after and texts_until, patients.texts_after and texts_until, config/states.toml",
    ),
    "quiet_hours": (
        "It is outside the agency's hours where the patient lives; the text waits until they open.",
        f"agencies.texts_after and texts_until; for sales calls {_TCPA}(c)(1), 8 to 21 at the called party's place",
    ),
    "patient_hours": (
        "It is outside the hours that the patient wished for; the text waits for them, or ends if it has no use by then.",
        "patients.texts_after and texts_until",
    ),
    "state_hours": (
        "It is outside the hours that the patient's state allows; the text waits for them, or ends if it has no use by then.",
        "config/states.toml, the row of patients.state",
    ),
    "too_late": ("Its useful time was over, or will be before the hours open.", _NOTHING_TWICE),
}

_US = {
    "visit_changed": ("The visit was moved, done, missed, cancelled or declined, so there is nothing to remind of.", _OURS),
    "touchpoint_off": ("The agency has switched this touchpoint off.", "touchpoints.is_active"),
    "agency_off": ("The agency has been switched off.", "agencies.is_active"),
    "out_of_care": ("No episode of the patient's care holds that day any more.", "the table episodes"),
    "not_monitored": (
        "Only monitored patients get this text, and the patient is not monitored any more.",
        "touchpoints.only_monitored and patients.is_monitored",
    ),
    "not_in_group": (
        "The touchpoint is for a group of patients, or for certain days of care, and the patient is not or no longer among them.",
        "touchpoints.for_whom and taper: engage programme preview tells which part of the rule",
    ),
    "override_off": ("Somebody has switched this touchpoint off for the patient.", "programme_overrides: engage programme override"),
    "no_time": (
        "Its time no longer lies within the agency's hours, since the touchpoint, the hours or the patient's zone changed.",
        "touchpoints.local_time, agencies.texts_after and texts_until, patients.time_zone",
    ),
    "no_sender": ("The agency has no number to send it from.", "the table senders"),
    "sender_busy": ("Our number had more to send than it may, and by its turn the text would have lost its use.", _PACE),
    "sender_pace": ("Our number sends so many texts a second and no more; it waits for its turn.", _PACE),
    "sender_day_cap": ("Our number has sent what its carrier allows it in a day; it waits for midnight in California.", _PACE),
    "no_wording": (
        "There is no reviewed wording for it that can be filled in, or the text would be empty or too long.",
        "the table templates; unreviewed wording is not sent (45 CFR 92, Section 1557)",
    ),
    "no_phone": ("The reader has no phone on record.", _OURS),
    "clinician_left": ("The clinician no longer works here.", "clinicians.left_on"),
    "clinician_stopped": ("The clinician has said STOP to pages.", "clinicians.texts_stopped_at; CTIA"),
    "alert_taken": ("Somebody had taken or resolved the alert before this page left.", "the alert is not open any more"),
    "bundled": ("It travels in another page to the same person, which names both alerts.", "one page for all that waits for one person"),
    "page_pace": (
        "Its reader has had as many pages lately as they may, and this one is not urgent; it waits for its turn.",
        "ENGAGE_PAGES_A_MINUTE and ENGAGE_PAGES_A_QUARTER_HOUR",
    ),
    "person_quiet": (
        "Its reader has quiet hours, is not on call, and the alert is not urgent; the next person is asked at once.",
        "clinicians.quiet_from and quiet_until",
    ),
    "no_mail": ("There is no mail server to send it through; the next person is asked at once.", "ENGAGE_SMTP_URL and ENGAGE_MAIL_FROM"),
    "no_address": ("The reader has no e-mail address on record.", _OURS),
    "could_not_decide": ("The facts of this message are broken; the log has it with its id.", "a fault of ours"),
    "facts_unreadable": (
        "A phone cannot be opened on this machine, mostly because a key is missing; tried again in five minutes.",
        "ENGAGE_ENCRYPTION_KEYS",
    ),
}  # fmt: skip

_ON_THE_WAY = {
    "provider_busy": ("Twilio was busy or out of reach, and the text had certainly not left; it is tried again.", _TWILIO),
    "stopped_before_it_left": ("Its turn had not come when our program was stopped or had waited too long; it was decided anew.", _NOTHING_TWICE),
    "sent_again": ("Somebody of the agency asked for it to be sent again; the new text is decided like any other.", _NOTHING_TWICE),
    "twilios_log": ("Twilio's log holds the text, so it had left; it is not sent again.", _NOTHING_TWICE),
    "sending_stopped": ("Twilio refuses our account, so nothing is sent; it is tried again every minute.", _TWILIO),
    "lease_lapsed": ("The worker that was sending it died; Twilio's log will tell whether it left.", _NOTHING_TWICE),
    "never_reached_twilio": ("Twilio's log does not have it, so it had not left; it is sent again while useful.", _NOTHING_TWICE),
    "never_sent": ("It never left, and by the time that was known it had no use any more.", _NOTHING_TWICE),
    "stopped while sending": ("Our program was stopped while it was on its way; Twilio's log will tell.", _NOTHING_TWICE),
    "unexpected failure": ("A fault of ours while it was on its way; the log has it, and Twilio's log will tell.", _NOTHING_TWICE),
    "unreadable answer": ("Something between us and Twilio answered nonsense; Twilio's log will tell.", _NOTHING_TWICE),
    "answer without a SID": ("Twilio's answer did not name the text; Twilio's log will tell.", _NOTHING_TWICE),
}  # fmt: skip

_CALLED_OR_MAILED = {
    "no_key": ("Somebody answered the call and pressed nothing, so the next way is tried.", "a page counts when a key is pressed"),
    "mail_refused": ("The mail server refused the address or the mail; the next person is asked at once.", "what the server of ENGAGE_SMTP_URL answered"),
    "mail_unreachable": (
        "The mail server could not be reached, or its answer did not come in time; the next person is asked at once.",
        "ENGAGE_SMTP_URL and ENGAGE_SMTP_TIMEOUT_SECONDS",
    ),
    "mail_lost": ("The worker that was sending it died, and nobody can say whether the mail left.", _NOTHING_TWICE),
}  # fmt: skip

_REFUSED = {
    "retry_later": ("The phone was off or the network had trouble; the same text may get through later.", _TWILIO),
    "permanent_number": ("This phone gets no texts.", _TWILIO),
    "permanent_message": ("This text did not get through as it is; the phone may be fine.", _TWILIO),
    "stop_all": ("The Twilio account is suspended or refused; nobody gets anything.", _TWILIO),
    "config_alarm": ("Something is set up wrongly at Twilio or the carrier; whoever runs Engage must act.", _TWILIO),
    "unknown_outcome": ("Twilio failed inside; nobody can say whether the text arrived.", _TWILIO),
    "bug": ("Engage asked Twilio for something impossible; whoever runs Engage must act.", _TWILIO),
    "unlisted": ("Twilio or the carrier refused it without a reason that we know.", _TWILIO),
}

_EXPLANATIONS: Mapping[str, Explanation] = MappingProxyType(
    {
        reason: Explanation(*told)
        for reason, told in (_READER | _US | _ON_THE_WAY | _CALLED_OR_MAILED | _REFUSED).items()
    }
)
_BEGINNINGS: Mapping[str, Explanation] = MappingProxyType(
    {
        "no whole answer came back": Explanation(
            "The line to Twilio broke, or Twilio took too long; Twilio's log will tell whether it left.", _NOTHING_TWICE
        ),
        "HTTP ": Explanation("Twilio had trouble and may have taken it; Twilio's log will tell.", _NOTHING_TWICE),
    }
)
