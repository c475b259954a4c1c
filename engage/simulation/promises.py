"""Were the promises of DESIGN §2 kept? Our rows and what the fake Twilio saw in; sentences about broken ones out. Reads only."""

from collections import Counter
from datetime import datetime

from sqlalchemy import text

from engage.db import Database
from engage.simulation.twilio import FakeTwilio

# Each query counts rows that must not exist.
_NEVER = {
    "A text of a patient was stored but not handled": "SELECT count(*) FROM replies WHERE state = 'stored'",
    "A low score has no alert": """
        SELECT count(*) FROM scores s WHERE s.scale = 5 AND s.value <= 2 AND NOT EXISTS (
            SELECT FROM alert_events e WHERE e.agency_id = s.agency_id AND e.reply_id = s.reply_id AND e.kind IN ('opened', 'evidence'))""",
    "Urgent words have no alert": """
        SELECT count(*) FROM readings r WHERE 'urgent' = ANY(r.intents) AND NOT EXISTS (
            SELECT FROM alert_events e WHERE e.agency_id = r.agency_id AND e.reply_id = r.reply_id AND e.kind IN ('opened', 'evidence'))""",
    "An open alert has neither a next step nor the mark that nobody is left": """
        SELECT count(*) FROM alerts WHERE state = 'open' AND next_due_at IS NULL AND exhausted_at IS NULL""",
    "An alert's next step is overdue": """
        SELECT count(*) FROM alerts WHERE state <> 'resolved' AND next_due_at < CAST(:now AS timestamptz) - interval '10 minutes'""",
    "A text was sent without consent": """
        SELECT count(*) FROM messages m WHERE m.kind = 'touchpoint' AND m.claimed_at IS NOT NULL AND NOT EXISTS (
            SELECT FROM consent_events e WHERE e.agency_id = m.agency_id AND e.contact_id = m.contact_id AND e.category = m.category
            AND e.kind = 'granted' AND e.said_at <= m.claimed_at)""",
    "A text was sent after an opt-out": """
        SELECT count(*) FROM messages m JOIN contacts c ON c.agency_id = m.agency_id AND c.id = m.contact_id
        WHERE m.kind = 'touchpoint' AND m.sid IS NOT NULL AND EXISTS (
            SELECT FROM consent_events e WHERE e.agency_id = c.agency_id AND e.phone_hash = c.phone_hash AND e.kind = 'opted_out'
            AND e.said_at < m.claimed_at AND NOT EXISTS (
                SELECT FROM consent_events i WHERE i.agency_id = c.agency_id AND i.phone_hash = c.phone_hash AND i.kind = 'opted_in'
                AND i.said_at > e.said_at AND i.said_at < m.claimed_at))""",
    "A text was sent outside the patient's hours": """
        SELECT count(*) FROM messages m JOIN patients p ON p.agency_id = m.agency_id AND p.id = m.patient_id
        JOIN agencies a ON a.id = m.agency_id
        WHERE m.kind = 'touchpoint' AND m.claimed_at IS NOT NULL
          AND NOT ((m.claimed_at AT TIME ZONE p.time_zone)::time >= a.texts_after
                   AND (m.claimed_at AT TIME ZONE p.time_zone)::time < a.texts_until)""",
    "A landline rang outside the hours of calls": """
        SELECT count(*) FROM messages m JOIN patients p ON p.agency_id = m.agency_id AND p.id = m.patient_id
        WHERE m.kind = 'touchpoint' AND m.channel = 'voice' AND m.claimed_at IS NOT NULL
          AND NOT (m.claimed_at AT TIME ZONE p.time_zone)::time BETWEEN '09:00' AND '20:00'""",
    "A text was sent after it had lost its use": "SELECT count(*) FROM messages WHERE claimed_at >= expires_at AND sid IS NOT NULL",
    "A contact got more texts in a day than the cap": """
        SELECT count(*) FROM (
            SELECT 1 FROM messages m JOIN patients p ON p.agency_id = m.agency_id AND p.id = m.patient_id
            JOIN agencies a ON a.id = m.agency_id
            WHERE m.kind = 'touchpoint' AND m.sid IS NOT NULL AND NOT (m.state = 'undelivered' AND m.channel = 'sms')
            GROUP BY m.agency_id, m.contact_id, a.daily_cap, (m.claimed_at AT TIME ZONE p.time_zone)::date HAVING count(*) > a.daily_cap) over_cap""",
    "A message is still claimed by nobody": "SELECT count(*) FROM messages WHERE state = 'sending' AND lease_until < :now",
}


def broken_promises(db: Database, fake: FakeTwilio, now: datetime) -> list[str]:
    """A sentence for each promise that was not kept; none is what we want."""
    with db.system_session("promises") as session:
        counts = {
            sentence: session.execute(text(query), {"now": now}).scalar_one() for sentence, query in _NEVER.items()
        }
        ours = Counter(session.execute(text("SELECT sid FROM messages WHERE sid IS NOT NULL")).scalars())
        stored = set(session.execute(text("SELECT sid FROM replies UNION SELECT sid FROM unrouted_replies")).scalars())
        names = {name.lower() for (name,) in session.execute(text("SELECT DISTINCT last_name FROM patients"))}
        pages = set(
            session.execute(
                text("SELECT sid FROM messages WHERE kind IN ('page', 'note') AND sid IS NOT NULL")
            ).scalars()
        )
    broken = [f"{sentence} ({count})." for sentence, count in counts.items() if count]
    sent = Counter([*(message.sid for message in fake.messages), *(call.sid for call in fake.calls)])
    if extra := sent - ours:
        broken.append(f"Twilio took {extra.total()} text(s) that no message of ours knows: they may go out twice.")
    if lost := {entry.sid for entry in fake.texts_in} - stored:
        broken.append(f"{len(lost)} text(s) of patients were not stored.")
    telling = [m for m in fake.messages if m.sid in pages and names & set(m.body.lower().replace(".", " ").split())]
    if telling:
        broken.append(f"{len(telling)} text(s) to nurses name a patient.")
    return broken
