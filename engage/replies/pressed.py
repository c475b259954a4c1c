"""Takes the key that somebody pressed in our call: stored like a text before it is understood, then answered in the call.

The rest is what any reply gets: `handle` confirms the visit, calls for a person, or ends the calls.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from engage import log
from engage.db import Database
from engage.outreach.links import Link
from engage.outreach.receipts import take_call
from engage.outreach.rules import wording
from engage.outreach.rules.calling import KEYS
from engage.replies.inbox import InboundText, store
from engage.sms.rules.calls import PRESSED
from engage.sms.rules.codes import CodeTable
from engage.sms.rules.phones import display


@dataclass(frozen=True, slots=True)
class Spoken:
    """Words to say, and their language; no words for nothing to say."""

    words: str
    language: str


@dataclass(frozen=True, slots=True)
class Key:
    """One key pressed in a call: Twilio's id of the call, the patient's number in E.164, and the key."""

    call_sid: str
    called: str
    digit: str


_ANSWERS = {"1": "call-confirmed", "2": "call-another-time", "9": "call-no-more"}
_TO_A_PERSON = "call-person"

# The newest reviewed wording in the language of the call, else in English.
_WORDING = text("""
SELECT s.phone AS our_phone, t.language, t.wording, COALESCE(a.alias, a.short_name) AS short_name, COALESCE(a.alias, a.name) AS name, p.first_name, COALESCE(b.phone, a.phone) AS office_phone
FROM messages m
JOIN agencies a ON a.id = m.agency_id
JOIN senders s ON s.agency_id = m.agency_id AND s.id = m.sender_id
LEFT JOIN patients p ON p.agency_id = m.agency_id AND p.id = m.patient_id
LEFT JOIN branches b ON b.agency_id = m.agency_id AND b.id = p.branch_id
LEFT JOIN templates t ON t.agency_id = m.agency_id AND t.key = :key AND t.language IN (m.language, 'en') AND t.reviewed_at IS NOT NULL
    AND t.retired_at IS NULL
WHERE m.agency_id = :agency AND m.id = :message AND m.channel = 'voice'
ORDER BY t.language = m.language DESC, t.version DESC NULLS LAST LIMIT 1
""")


def take_key(db: Database, codes: CodeTable, link: Link, key: Key, now: datetime) -> Spoken | None:
    """Store the key, once a call and key, and say what is to be answered; None when there is no such call of ours."""
    template = _ANSWERS.get(key.digit, _TO_A_PERSON)
    values = {"agency": link.agency_id, "message": link.message_id, "key": template}
    with db.agency_session(link.agency_id) as session:
        row = session.execute(_WORDING, values).first()
    if row is None:
        return None
    reply = InboundText(
        sid=f"{key.call_sid}-{key.digit}",
        from_phone=key.called,
        to=row.our_phone,
        service_sid=None,
        body=KEYS.get(key.digit, key.digit),
        message_id=link.message_id,
    )
    store(db, reply, now)
    take_call(db, codes, link, key.call_sid, PRESSED, None, now)
    return _spoken(row)


def _spoken(row: Row[Any]) -> Spoken:
    if row.wording is None:
        return Spoken("", "en")
    values = {
        "agency": row.short_name,
        "agency_name": row.name,
        "phone": display(row.office_phone),
        "patient": row.first_name,
    }
    try:
        return Spoken(wording.render(row.wording, values), row.language)
    except Exception:  # noqa: BLE001 - an agency's wording can fail in any way; the key is stored, and nobody hears an error
        log.get().exception("the answer to a key cannot be worded")
        return Spoken("", "en")
