"""Why a text did not go, or what became of it, in the words of whoever looks: a reason in, a sentence in their language out.

The English is that of engage.outreach.rules.reasons, which knows no language; a test holds the two together.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from flask import has_request_context
from flask_babel import gettext, lazy_gettext

from engage.outreach.rules.reasons import explain

REASONS: Mapping[str, Any] = MappingProxyType(
    {
        "no_consent": lazy_gettext("The contact has not agreed to this kind of text."),
        "consent_revoked": lazy_gettext("The contact once agreed to this kind of text and has taken it back."),
        "opted_out": lazy_gettext(
            "The person has said STOP, to us or to Twilio; only a START from that phone takes it back."
        ),
        "deceased": lazy_gettext("The patient has died; no text may reach the family."),
        "discharged": lazy_gettext("The patient has been discharged."),
        "hospitalized": lazy_gettext("The patient is in hospital; texts pause until somebody sets them active again."),
        "on_hold": lazy_gettext("The patient's care is on hold; texts pause with it."),
        "contact_ended": lazy_gettext(
            "This phone was ended: the EMR gives another one, or somebody of the agency said that it is no longer theirs."
        ),
        "wrong_number": lazy_gettext("Somebody answered from this phone that it is not the patient's."),
        "landline": lazy_gettext("This phone is a landline and gets no texts."),
        "unreachable": lazy_gettext("This phone is out of service."),
        "number_unverified": lazy_gettext(
            "Nobody has been heard of at this phone for so long that it may be a stranger's now; the text waits for a yes from it."
        ),
        "may_not_see": lazy_gettext(
            "This contact may be told of visits only, and this text is about how the patient feels."
        ),
        "shared_phone": lazy_gettext(
            "Several patients share this phone, and it has had this text for the same day already, with all their names."
        ),
        "daily_cap": lazy_gettext("This phone has had the agency's number of texts for today, over all its patients."),
        "weekly_cap": lazy_gettext(
            "This phone has had the agency's number of texts for these seven days, over all its patients."
        ),
        "exemption_cap": lazy_gettext(
            "This phone has had the one text of the day, or the three of seven days, that the healthcare exemption allows."
        ),
        "exemption_purpose": lazy_gettext(
            "A text of this kind, such as a survey, is not among the purposes of the healthcare exemption."
        ),
        "exemption_length": lazy_gettext(
            "The text takes more than one segment, and the healthcare exemption allows 160 characters."
        ),
        "loop_guard": lazy_gettext(
            "This phone was answered so often in so short a time that a machine is probably answering us."
        ),
        "no_common_hours": lazy_gettext(
            "There is no hour at which the agency, the patient and the patient's state all allow a text."
        ),
        "quiet_hours": lazy_gettext(
            "It is outside the agency's hours where the patient lives; the text waits until they open."
        ),
        "patient_hours": lazy_gettext(
            "It is outside the hours that the patient wished for; the text waits for them, or ends if it has no use by then."
        ),
        "state_hours": lazy_gettext(
            "It is outside the hours that the patient's state allows; the text waits for them, or ends if it has no use by then."
        ),
        "too_late": lazy_gettext("Its useful time was over, or will be before the hours open."),
        "visit_changed": lazy_gettext(
            "The visit was moved, done, missed, cancelled or declined, so there is nothing to remind of."
        ),
        "touchpoint_off": lazy_gettext("The agency has switched this touchpoint off."),
        "agency_off": lazy_gettext("The agency has been switched off."),
        "out_of_care": lazy_gettext("No episode of the patient's care holds that day any more."),
        "not_monitored": lazy_gettext(
            "Only monitored patients get this text, and the patient is not monitored any more."
        ),
        "not_in_group": lazy_gettext(
            "The touchpoint is for a group of patients, or for certain days of care, and the patient is not or no longer among them."
        ),
        "override_off": lazy_gettext("Somebody has switched this touchpoint off for the patient."),
        "no_time": lazy_gettext(
            "Its time no longer lies within the agency's hours, since the touchpoint, the hours or the patient's zone changed."
        ),
        "no_sender": lazy_gettext("The agency has no number to send it from."),
        "sender_busy": lazy_gettext(
            "Our number had more to send than it may, and by its turn the text would have lost its use."
        ),
        "sender_pace": lazy_gettext("Our number sends so many texts a second and no more; it waits for its turn."),
        "sender_day_cap": lazy_gettext(
            "Our number has sent what its carrier allows it in a day; it waits for midnight in California."
        ),
        "no_wording": lazy_gettext(
            "There is no reviewed wording for it that can be filled in, or the text would be empty or too long."
        ),
        "no_phone": lazy_gettext("The reader has no phone on record."),
        "clinician_left": lazy_gettext("The clinician no longer works here."),
        "clinician_stopped": lazy_gettext("The clinician has said STOP to pages."),
        "alert_taken": lazy_gettext("Somebody had taken or resolved the alert before this page left."),
        "bundled": lazy_gettext("It travels in another page to the same person, which names both alerts."),
        "page_pace": lazy_gettext(
            "Its reader has had as many pages lately as they may, and this one is not urgent; it waits for its turn."
        ),
        "person_quiet": lazy_gettext(
            "Its reader has quiet hours, is not on call, and the alert is not urgent; the next person is asked at once."
        ),
        "no_mail": lazy_gettext("There is no mail server to send it through; the next person is asked at once."),
        "no_address": lazy_gettext("The reader has no e-mail address on record."),
        "could_not_decide": lazy_gettext("The facts of this message are broken; the log has it with its id."),
        "facts_unreadable": lazy_gettext(
            "A phone cannot be opened on this machine, mostly because a key is missing; tried again in five minutes."
        ),
        "provider_busy": lazy_gettext(
            "Twilio was busy or out of reach, and the text had certainly not left; it is tried again."
        ),
        "stopped_before_it_left": lazy_gettext(
            "Its turn had not come when our program was stopped or had waited too long; it was decided anew."
        ),
        "sent_again": lazy_gettext(
            "Somebody of the agency asked for it to be sent again; the new text is decided like any other."
        ),
        "twilios_log": lazy_gettext("Twilio's log holds the text, so it had left; it is not sent again."),
        "sending_stopped": lazy_gettext(
            "Twilio refuses our account, so nothing is sent; it is tried again every minute."
        ),
        "lease_lapsed": lazy_gettext("The worker that was sending it died; Twilio's log will tell whether it left."),
        "never_reached_twilio": lazy_gettext(
            "Twilio's log does not have it, so it had not left; it is sent again while useful."
        ),
        "never_sent": lazy_gettext("It never left, and by the time that was known it had no use any more."),
        "stopped while sending": lazy_gettext(
            "Our program was stopped while it was on its way; Twilio's log will tell."
        ),
        "unexpected failure": lazy_gettext(
            "A fault of ours while it was on its way; the log has it, and Twilio's log will tell."
        ),
        "unreadable answer": lazy_gettext("Something between us and Twilio answered nonsense; Twilio's log will tell."),
        "answer without a SID": lazy_gettext("Twilio's answer did not name the text; Twilio's log will tell."),
        "no_key": lazy_gettext("Somebody answered the call and pressed nothing, so the next way is tried."),
        "mail_refused": lazy_gettext(
            "The mail server refused the address or the mail; the next person is asked at once."
        ),
        "mail_unreachable": lazy_gettext(
            "The mail server could not be reached, or its answer did not come in time; the next person is asked at once."
        ),
        "mail_lost": lazy_gettext("The worker that was sending it died, and nobody can say whether the mail left."),
        "retry_later": lazy_gettext(
            "The phone was off or the network had trouble; the same text may get through later."
        ),
        "permanent_number": lazy_gettext("This phone gets no texts."),
        "permanent_message": lazy_gettext("This text did not get through as it is; the phone may be fine."),
        "stop_all": lazy_gettext("The Twilio account is suspended or refused; nobody gets anything."),
        "config_alarm": lazy_gettext(
            "Something is set up wrongly at Twilio or the carrier; whoever runs Engage must act."
        ),
        "unknown_outcome": lazy_gettext("Twilio failed inside; nobody can say whether the text arrived."),
        "bug": lazy_gettext("Engage asked Twilio for something impossible; whoever runs Engage must act."),
        "unlisted": lazy_gettext("Twilio or the carrier refused it without a reason that we know."),
    }
)
BEGINNINGS: Mapping[str, Any] = MappingProxyType(
    {
        "no whole answer came back": lazy_gettext(
            "The line to Twilio broke, or Twilio took too long; Twilio's log will tell whether it left."
        ),
        "HTTP ": lazy_gettext("Twilio had trouble and may have taken it; Twilio's log will tell."),
    }
)
"""Reasons that end in something else each time."""


def reason_told(reason: str) -> str:
    """The sentence for `reason`; a word nobody has explained gets an honest one that repeats it. Without a page, in English."""
    if not has_request_context():
        return explain(reason).says
    known = REASONS.get(reason) or next((says for start, says in BEGINNINGS.items() if reason.startswith(start)), None)
    return str(known or gettext("Engage noted the reason %(reason)s, which nobody has explained here.", reason=reason))
