"""What follows from a failed message, in the transaction that records the failure: a failed row and its meaning in, rows out.

A second try, a call to a landline instead, a mark on the number, an opt-out that only Twilio knew of. It sends nothing.
"""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from engage import log
from engage.outreach.call_instead import call_instead
from engage.outreach.marks import mark_if_out_for_days, mark_number, mark_opt_out
from engage.outreach.second_tries import try_again
from engage.sms.rules.codes import CodeClass, Meaning, NumberMark


def follow_failure(session: Session, meaning: Meaning, failed: Any, now: datetime) -> None:
    """Do what `meaning` says beyond the message itself.

    `failed` has id, agency_id, contact_id, clinician_id and error_code of the message.
    """
    if meaning.kind is CodeClass.OPTED_OUT:
        mark_opt_out(session, failed.agency_id, failed.contact_id, failed.clinician_id, now)
    elif meaning.may_retry:
        was_last = not try_again(session, failed, meaning, now)
        if was_last and meaning.marks_number is NumberMark.UNREACHABLE:
            mark_if_out_for_days(session, failed.agency_id, failed.contact_id, failed.error_code, now)
    elif meaning.marks_number is not None:
        mark_number(session, failed.agency_id, failed.contact_id, meaning.marks_number)
        if meaning.marks_number is NumberMark.LANDLINE:
            call_instead(session, failed, now)
    if meaning.needs_operator:
        log.get().error(
            "twilio refused a text", agency=failed.agency_id, code=failed.error_code, kind=str(meaning.kind)
        )
