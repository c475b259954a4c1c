"""Fetches texts that reached Twilio while we could not take them: Twilio's log in, stored replies out. Never answers."""

from datetime import datetime, timedelta

from sqlalchemy import select, text

from engage.agencies.model import Agency, Sender
from engage.db import Database
from engage.replies.inbox import InboundText, Stored, store
from engage.sms.gateway import Gateway, GatewayUnavailable

OVERLAP = timedelta(minutes=15)
"""A text may appear in Twilio's log a little after it was sent; what is seen twice is stored once."""


def sweep(db: Database, gateway: Gateway, now: datetime) -> int:
    """Store every inbound text of the log that we do not have yet, oldest first; how many there were.

    Each counts from when it was written: of STOP and START the later one stands, and an answer belongs to the question
    that was open then.
    A sender whose log cannot be read now is swept from the same point the next time.
    """
    found = 0
    with db.system_session("sweep") as session:
        senders = session.execute(
            select(Sender.id, Sender.phone, Sender.swept_until, Agency.created_at).join(
                Agency, Agency.id == Sender.agency_id
            )
        ).all()
    for sender_id, phone, swept_until, created_at in senders:
        try:
            entries = list(gateway.received_since(phone, (swept_until or created_at) - OVERLAP))
        except GatewayUnavailable:
            continue
        for entry in sorted(entries, key=lambda entry: entry.created_at or now):
            at = min(entry.created_at or now, now)
            inbound = InboundText(entry.sid, entry.from_, entry.to, None, entry.body, entry.num_media, at=at)
            found += store(db, inbound, now) is Stored.NEW
        with db.system_session("sweep") as session:
            session.execute(text("UPDATE senders SET swept_until = :now WHERE id = :id"), {"now": now, "id": sender_id})
    return found
