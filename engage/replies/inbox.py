"""Stores what people text to us, before anybody understands it: once by Twilio's id, with its author, or as unrouted.

An exact STOP or START counts from this moment on, in the same transaction; everything else is for `handle`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from engage import log
from engage.agencies.rules.people import Purpose
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


_SENDER = text("""
SELECT agency_id, id, purpose FROM senders WHERE phone = :to OR messaging_service_sid = :service ORDER BY phone = :to DESC LIMIT 1
""")

# One phone may be several contacts: the one we texted last is the one who most likely answers.
_AUTHOR = text("""
SELECT (SELECT k.id FROM clinicians k WHERE k.agency_id = :agency AND k.phone_hash = :hash AND (k.left_on IS NULL OR k.left_on > :today)
        ORDER BY k.left_on IS NULL DESC, k.id LIMIT 1) AS clinician_id,
       (SELECT c.id FROM contacts c
        LEFT JOIN LATERAL (SELECT max(m.claimed_at) AS at FROM messages m WHERE m.agency_id = c.agency_id AND m.contact_id = c.id) last ON true
        WHERE c.agency_id = :agency AND c.phone_hash = :hash
        ORDER BY c.ended_at IS NULL DESC, last.at DESC NULLS LAST, c.id LIMIT 1) AS contact_id
""")

_CALLED = text("SELECT contact_id FROM messages WHERE agency_id = :agency AND id = :message")

_STORE = text("""
INSERT INTO replies (agency_id, sid, sender_id, contact_id, clinician_id, message_id, phone, phone_hash, body, media, provider_answered, received_at)
VALUES (:agency, :sid, :sender, :contact, :clinician, :message, :phone, :hash, :body, :media, :answered, :now)
ON CONFLICT (sid) DO NOTHING RETURNING id
""")

_STORE_UNROUTED = text("""
INSERT INTO unrouted_replies (sid, sent_to, phone, body, received_at) VALUES (:sid, :to, :phone, :body, :now) ON CONFLICT (sid) DO NOTHING
""")

_OPT = text("""
INSERT INTO consent_events (agency_id, phone_hash, kind, source, reply_id, said_at, recorded_at)
VALUES (:agency, :hash, :kind, 'text', :reply, :said, :now)
""")


def store(db: Database, inbound: InboundText, now: datetime) -> Stored:
    """Store one text; a second time it changes nothing."""
    seal = encryption.ring().seal
    phone_hash = encryption.phone_hash(inbound.from_phone)
    with db.system_session("inbox") as session:
        sender = session.execute(_SENDER, {"to": inbound.to, "service": inbound.service_sid}).first()
        if sender is None:
            _keep_unrouted(session, inbound, now)
            return Stored.UNROUTED
        clinician_id, contact_id = _author(session, sender, inbound, phone_hash, now)
        reply_id = session.scalar(
            _STORE,
            {
                "agency": sender.agency_id,
                "sid": inbound.sid,
                "sender": sender.id,
                "contact": contact_id,
                "clinician": clinician_id,
                "message": inbound.message_id,
                "phone": seal(inbound.from_phone, "replies.phone"),
                "hash": phone_hash,
                "body": seal(inbound.body, "replies.body"),
                "media": inbound.media,
                "answered": inbound.opt_out_type is not None,
                "now": inbound.at or now,
            },
        )
        if reply_id is None:
            return Stored.KNOWN
        if clinician_id is None:
            _note_keyword(session, sender.agency_id, phone_hash, reply_id, inbound, now)
    return Stored.NEW


def _author(
    session: Session, sender: Row[Any], inbound: InboundText, phone_hash: bytes, now: datetime
) -> tuple[int | None, int | None]:
    if inbound.message_id is not None:
        return None, session.scalar(_CALLED, {"agency": sender.agency_id, "message": inbound.message_id})
    who = {"agency": sender.agency_id, "hash": phone_hash, "today": now.date()}
    return _who(session.execute(_AUTHOR, who).one(), inbound.body, sender.purpose)


def _who(author: Row[Any], body: str, purpose: str) -> tuple[int | None, int | None]:
    """A nurse may also be somebody's daughter: to the number of pages, or with a code, the nurse writes; else the daughter."""
    is_nurse = author.contact_id is None or purpose == Purpose.PAGES or codes_in(body)
    if author.clinician_id is not None and is_nurse:
        return author.clinician_id, None
    return None, author.contact_id


def _note_keyword(
    session: Session, agency_id: int, phone_hash: bytes, reply_id: int, inbound: InboundText, now: datetime
) -> None:
    if is_stop(inbound.body) or inbound.opt_out_type == "STOP":
        kind = "opted_out"
    elif is_start(inbound.body) or inbound.opt_out_type == "START":
        kind = "opted_in"
    else:
        return
    said_at = inbound.at or now
    names = {"agency": agency_id, "hash": phone_hash, "kind": kind, "reply": reply_id}
    session.execute(_OPT, {**names, "said": said_at, "now": now})


def _keep_unrouted(session: Session, inbound: InboundText, now: datetime) -> None:
    seal = encryption.ring().seal
    session.execute(
        _STORE_UNROUTED,
        {
            "sid": inbound.sid,
            "to": inbound.to or inbound.service_sid or "",
            "phone": seal(inbound.from_phone, "unrouted_replies.phone"),
            "body": seal(inbound.body, "unrouted_replies.body"),
            "now": now,
        },
    )
    log.get().error("a text reached a number that no agency has", sid=inbound.sid)
