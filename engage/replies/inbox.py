"""Stores what people text to us, before anybody understands it: once by Twilio's id, with its author, or as unrouted.

An exact STOP or START counts from this moment on, in the same transaction; everything else is for `handle`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from engage import log
from engage.alerts.rules.codes import codes_in
from engage.db import Database, encryption
from engage.sms.rules.keywords import is_start, is_stop


@dataclass(frozen=True, slots=True)
class InboundText:
    """A text as Twilio hands it over. `to` or `service_sid` is ours, `opt_out_type` is set when Twilio has answered it.

    `at` is when it reached Twilio, if that was not just now: a swept text counts from then. `message_id` is our message that it
    certainly answers: the call in which a key was pressed. Its author is then whoever was called.
    """

    sid: str
    from_phone: str
    to: str
    service_sid: str | None
    body: str
    media: int = 0
    opt_out_type: str | None = None
    at: datetime | None = None
    message_id: int | None = None


class Stored(StrEnum):
    """What became of it."""

    NEW = "new"
    KNOWN = "known"
    UNROUTED = "unrouted"


# One statement, so that a burst costs one round trip a text. One phone may be several contacts: the one we texted last is the
# one who most likely answers. A nurse may also be somebody's daughter: to the number of pages, or with a code, the nurse
# writes; else the daughter. A key pressed in a call is whoever was called.
_STORE = """
WITH sender AS (
    SELECT agency_id, id, purpose FROM senders WHERE phone = %(to)s OR messaging_service_sid = %(service)s
    ORDER BY phone = %(to)s DESC LIMIT 1
), candidate AS (
    SELECT s.agency_id, s.id AS sender_id, s.purpose,
           CASE WHEN %(message)s::bigint IS NULL THEN (
               SELECT k.id FROM clinicians k
               WHERE k.agency_id = s.agency_id AND k.phone_hash = %(hash)s AND (k.left_on IS NULL OR k.left_on > %(today)s)
               ORDER BY k.left_on IS NULL DESC, k.id LIMIT 1) END AS clinician_id,
           CASE WHEN %(message)s::bigint IS NOT NULL THEN (
               SELECT m.contact_id FROM messages m WHERE m.agency_id = s.agency_id AND m.id = %(message)s::bigint)
           ELSE (
               SELECT c.id FROM contacts c
               LEFT JOIN LATERAL (SELECT max(m.claimed_at) AS at FROM messages m
                                  WHERE m.agency_id = c.agency_id AND m.contact_id = c.id) last ON true
               WHERE c.agency_id = s.agency_id AND c.phone_hash = %(hash)s
               ORDER BY c.ended_at IS NULL DESC, last.at DESC NULLS LAST, c.id LIMIT 1) END AS contact_id
    FROM sender s
), author AS (
    SELECT agency_id, sender_id, contact_id, clinician_id,
           clinician_id IS NOT NULL AND (contact_id IS NULL OR purpose = 'pages' OR %(has_code)s) AS is_nurse
    FROM candidate
), reply AS (
    INSERT INTO replies (agency_id, sid, sender_id, contact_id, clinician_id, message_id, phone, phone_hash, body, media,
                         provider_answered, received_at)
    SELECT agency_id, %(sid)s, sender_id, CASE WHEN NOT is_nurse THEN contact_id END, CASE WHEN is_nurse THEN clinician_id END,
           %(message)s::bigint, %(phone)s, %(hash)s, %(body)s, %(media)s, %(answered)s, %(at)s
    FROM author
    ON CONFLICT (sid) DO NOTHING RETURNING agency_id, id, clinician_id
){word}
SELECT EXISTS (SELECT FROM sender), EXISTS (SELECT FROM reply)
"""

# Only with the words that need it: an insert of no rows would still wake the planner's log of changes.
_WORD = """, word AS (
    INSERT INTO consent_events (agency_id, phone_hash, kind, source, reply_id, said_at, recorded_at)
    SELECT agency_id, %(hash)s, %(word)s, 'text', id, %(at)s, %(now)s FROM reply
    WHERE clinician_id IS NULL
)"""
_STORE_ORDINARY, _STORE_WORD = _STORE.format(word=""), _STORE.format(word=_WORD)

_STORE_UNROUTED = """
INSERT INTO unrouted_replies (sid, sent_to, phone, body, received_at) VALUES (%(sid)s, %(to)s, %(phone)s, %(body)s, %(now)s)
ON CONFLICT (sid) DO NOTHING RETURNING id
"""


def store(db: Database, inbound: InboundText, now: datetime) -> Stored:
    """Store one text; a second time it changes nothing."""
    seal = encryption.ring().seal
    word = _word(inbound)
    found = db.at_once(
        "inbox",
        _STORE_WORD if word else _STORE_ORDINARY,
        {
            "sid": inbound.sid,
            "to": inbound.to,
            "service": inbound.service_sid,
            "message": inbound.message_id,
            "hash": encryption.phone_hash(inbound.from_phone),
            "phone": seal(inbound.from_phone, "replies.phone"),
            "body": seal(inbound.body, "replies.body"),
            "has_code": bool(codes_in(inbound.body)),
            "word": word,
            "media": inbound.media,
            "answered": inbound.opt_out_type is not None,
            "today": now.date(),
            "at": inbound.at or now,
            "now": now,
        },
    )
    if found is None:
        raise AssertionError("a SELECT without FROM has one row")
    is_routed, is_new = found
    if not is_routed:
        _keep_unrouted(db, inbound, now)
        return Stored.UNROUTED
    return Stored.NEW if is_new else Stored.KNOWN


def _word(inbound: InboundText) -> str | None:
    """What an exact STOP or START means for the consent of its phone, ours or the one Twilio has acted on."""
    if is_stop(inbound.body) or inbound.opt_out_type == "STOP":
        return "opted_out"
    if is_start(inbound.body) or inbound.opt_out_type == "START":
        return "opted_in"
    return None


def _keep_unrouted(db: Database, inbound: InboundText, now: datetime) -> None:
    seal = encryption.ring().seal
    values = {
        "sid": inbound.sid,
        "to": inbound.to or inbound.service_sid or "",
        "phone": seal(inbound.from_phone, "unrouted_replies.phone"),
        "body": seal(inbound.body, "unrouted_replies.body"),
        "now": now,
    }
    db.at_once("inbox", _STORE_UNROUTED, values)
    log.get().error("a text reached a number that no agency has", sid=inbound.sid)
