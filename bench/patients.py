"""Fills a database for a measurement: an agency where it is noon, its patients, texts that are due, and years of old ones.

Everything by set-based SQL. Nobody here exists; every number is of the fictional 555-01xx range.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from engage import clock
from engage.db import Database, encryption
from engage.onboarding import NewAgency, found_agency
from engage.resources import shipped
from engage.simulation import invented

MOST_PATIENTS = 50_000
"""There are not many more fictional numbers."""
FIRST_PATIENT, FIRST_NURSE = 1000, 10
SENDER, PAGES = invented.phone(0), invented.phone(1)

_PATIENTS = text("""
INSERT INTO patients (agency_id, branch_id, emr_id, first_name, last_name, time_zone, status_since)
SELECT :agency, (SELECT min(id) FROM branches), 'P' || n, 'Rose', 'Bench', :zone, :now FROM generate_series(1, :count) n
""")
_CONTACTS = text("""
INSERT INTO contacts (agency_id, patient_id, relationship, phone, phone_hash, phone_kind)
SELECT :agency, p.id, 'patient', x.phone, x.hash, 'mobile'
FROM unnest(CAST(:phones AS bytea[]), CAST(:hashes AS bytea[])) WITH ORDINALITY AS x(phone, hash, n) JOIN patients p ON p.emr_id = 'P' || x.n
""")
_CONSENTS = text("""
INSERT INTO consent_events (agency_id, contact_id, phone_hash, category, kind, source, said_at, recorded_at)
SELECT agency_id, id, phone_hash, 'checkins', 'granted', 'paper', :now, :now FROM contacts
""")
_NURSES = text("""
INSERT INTO clinicians (agency_id, branch_id, emr_id, first_name, last_name, discipline, role, phone, phone_hash)
SELECT :agency, (SELECT min(id) FROM branches), 'N' || x.n, 'Ana', 'Bench', 'SN', 'nurse', x.phone, x.hash
FROM unnest(CAST(:phones AS bytea[]), CAST(:hashes AS bytea[])) WITH ORDINALITY AS x(phone, hash, n)
""")
_CASE_MANAGERS = text("""
UPDATE patients p SET case_manager_id = k.id FROM clinicians k WHERE k.agency_id = p.agency_id AND substr(k.emr_id, 2) = substr(p.emr_id, 2)
""")
# The check-in of today is long past its time and the next one is tomorrow's: the planner plans nothing of its own meanwhile.
_CALM = text("UPDATE touchpoints SET local_time = '00:00', useful_minutes = 5 WHERE key = 'morning-checkin'")
_CAPS = text("UPDATE agencies SET daily_cap = 20, weekly_cap = 140")
_DUE = text("""
INSERT INTO messages (agency_id, kind, priority, touchpoint_id, occasion, patient_id, contact_id, template, category, asks,
                      planned_at, send_at, due_at, expires_at)
SELECT c.agency_id, 'touchpoint', t.priority, t.id, :occasion, c.patient_id, c.id, t.template, t.category, t.asks,
       :now, :now, :now, CAST(:now AS timestamptz) + interval '4 hours'
FROM contacts c JOIN touchpoints t ON t.agency_id = c.agency_id AND t.key = 'morning-checkin'
WHERE c.patient_id > (SELECT min(id) FROM patients) + :skip - 1
ORDER BY c.patient_id LIMIT :count
""")
_ASKED = text("""
INSERT INTO messages (agency_id, kind, priority, touchpoint_id, occasion, patient_id, contact_id, template, category, asks,
    planned_at, send_at, due_at, expires_at, state, attempts, attempt_id, claimed_at, sender_id, sid, body, language, segments, accepted_at)
SELECT c.agency_id, 'touchpoint', t.priority, t.id, :occasion, c.patient_id, c.id, t.template, t.category, t.asks,
       at, at, at, at + interval '4 hours', 'accepted', 1, gen_random_uuid(), at, (SELECT min(id) FROM senders),
       'SM' || md5('asked' || c.id || :occasion || at), :body, 'en', 1, at
FROM contacts c JOIN touchpoints t ON t.agency_id = c.agency_id AND t.key = 'morning-checkin',
LATERAL (SELECT CAST(:now AS timestamptz) - interval '10 minutes' AS at) times
ORDER BY c.patient_id LIMIT :count
""")

# What an agency leaves behind: delivered check-ins of half a year, a receipt for each, an answer to every fourth.
_OLD_MESSAGES = """
INSERT INTO messages (agency_id, kind, priority, touchpoint_id, occasion, patient_id, contact_id, template, category, asks,
    planned_at, send_at, due_at, expires_at, state, attempts, attempt_id, claimed_at, sender_id, sid, body, language, segments,
    accepted_at, sent_at, ended_at)
SELECT c.agency_id, 'touchpoint', t.priority, t.id, 'old-' || n, c.patient_id, c.id, t.template, t.category, t.asks,
       at, at, at, at + interval '4 hours', 'delivered', 1, gen_random_uuid(), at, (SELECT min(id) FROM senders),
       'SM' || md5('old' || n), %(body)s, 'en', 1, at, at, at
FROM generate_series(%(first)s::bigint, %(last)s::bigint) n
JOIN contacts c ON c.id = (SELECT min(id) FROM contacts) + n %% %(contacts)s
JOIN touchpoints t ON t.agency_id = c.agency_id AND t.key = 'morning-checkin',
LATERAL (SELECT %(youngest)s::timestamptz - (n * %(apart)s %% 15552000) * interval '1 second' AS at) times
"""
_OLD_RECEIPTS = """
INSERT INTO receipts (agency_id, message_id, sid, status, received_at)
SELECT agency_id, id, sid, 'delivered', ended_at FROM messages WHERE state = 'delivered' ON CONFLICT DO NOTHING
"""
_OLD_REPLIES = """
INSERT INTO replies (agency_id, sid, sender_id, contact_id, phone, phone_hash, body, received_at, state, handled_at)
SELECT c.agency_id, 'SM' || md5('reply' || n), (SELECT min(id) FROM senders), c.id, c.phone, c.phone_hash, %(body)s, at, 'handled', at
FROM generate_series(%(first)s::bigint, %(last)s::bigint, 4) n
JOIN contacts c ON c.id = (SELECT min(id) FROM contacts) + n %% %(contacts)s,
LATERAL (SELECT %(youngest)s::timestamptz - (n * %(apart)s %% 15552000) * interval '1 second' AS at) times
"""

# What a run made; the old ones are more than a week old and stay.
_NEW = (
    "DELETE FROM alert_events",
    "DELETE FROM alerts",
    "DELETE FROM clarifications",
    "DELETE FROM scores",
    "DELETE FROM readings",
    "DELETE FROM message_events",
    "DELETE FROM consent_events WHERE reply_id IS NOT NULL",
    "DELETE FROM receipts WHERE received_at > %s",
    "DELETE FROM replies WHERE received_at > %s",
    "DELETE FROM messages WHERE planned_at > %s",
)
_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Town:
    """An agency in which it is now between twelve and one, so that no window closes while we measure."""

    agency: int
    zone: str
    patients: int


def afternoon_zone(now: datetime) -> str:
    """A zone of the IANA list in which the clocks show two in the afternoon: no check-in of the programme is useful then or soon."""
    offset = 14 - now.hour  # of its clocks to UTC, -9 to 14
    zone = f"Etc/GMT{-offset:+d}" if offset else "Etc/GMT"
    if now.astimezone(ZoneInfo(zone)).hour != 14:
        raise AssertionError(zone)
    return zone


def settle(db: Database, patients: int, nurses: int = 0) -> Town:
    """Found the agency with `patients`, each with a phone and consent; the first `nurses` of them have a nurse of their own."""
    if patients > MOST_PATIENTS:
        raise ValueError(f"there are fictional numbers for {MOST_PATIENTS} patients")
    now = clock.now()
    zone = afternoon_zone(now)
    facts = NewAgency("bench", "Bench Home Health", invented.phone(2), zone, SENDER, pages_phone=PAGES)
    agency = found_agency(db, facts, shipped("config"), now)
    with db.system_session("bench") as session:
        names = {"agency": agency, "zone": zone, "now": now - timedelta(days=1), "count": patients}
        session.execute(_CALM)
        session.execute(_CAPS)
        session.execute(_PATIENTS, names)
        session.execute(_CONTACTS, names | _sealed(FIRST_PATIENT, patients, "contacts.phone"))
        session.execute(_CONSENTS, names)
        session.execute(_NURSES, names | _sealed(FIRST_NURSE, nurses, "clinicians.phone"))
        session.execute(_CASE_MANAGERS)
    return Town(agency, zone, patients)


def make_due(session: Session, count: int, skip: int = 0) -> None:
    """Give `count` patients, after the first `skip`, a check-in that is due now; when the caller commits, it can be claimed."""
    now = clock.now()
    made = session.execute(_DUE, {"now": now, "occasion": now.date().isoformat(), "count": count, "skip": skip})
    if made.rowcount != count:  # type: ignore[attr-defined]
        raise ValueError(f"{made.rowcount} check-ins became due instead of {count}")  # type: ignore[attr-defined]


def have_asked(session: Session, count: int) -> None:
    """The first `count` patients have had a check-in ten minutes ago, and may answer it."""
    now = clock.now()
    body = encryption.ring().seal("How do you feel today compared to yesterday? Reply 1 to 5.", "messages.body")
    session.execute(_ASKED, {"now": now, "occasion": now.date().isoformat(), "count": count, "body": body})


def grow_old(
    superuser: psycopg.Connection,
    town: Town,
    have: int,
    want: int,
    *,
    apart: int = 1,
    age: timedelta = timedelta(days=8),
) -> None:
    """Fill up from `have` to `want` ended messages with receipts and answers, each `apart` seconds older than the one before, the
    youngest of that `age`; by the superuser, past foreign keys."""
    seal = encryption.ring().seal
    names = {"first": have + 1, "last": want, "contacts": town.patients, "youngest": clock.now() - age, "apart": apart}
    with superuser.transaction():
        superuser.execute("SET LOCAL session_replication_role = replica")
        asked = "Bench: Good morning Rose. How do you feel today compared to yesterday? Reply 1 (much worse) to 5 (much better). STOP ends texts."
        superuser.execute(_OLD_MESSAGES, names | {"body": seal(asked, "messages.body")})
        superuser.execute(_OLD_RECEIPTS)
        superuser.execute(_OLD_REPLIES, names | {"body": seal("4", "replies.body")})


def forget_new(superuser: psycopg.Connection) -> None:
    """Remove what a run made, so that the next one meets the same tables and nobody meets a daily cap; then tidy up."""
    with superuser.transaction():
        superuser.execute("SET LOCAL session_replication_role = replica")
        for statement in _NEW:
            superuser.execute(statement, (clock.now() - _WEEK,) if "%s" in statement else None)
    superuser.execute("VACUUM ANALYZE")
    superuser.execute("CHECKPOINT")


def _sealed(first: int, count: int, column: str) -> dict[str, object]:
    phones = [invented.phone(first + number) for number in range(count)]
    seal = encryption.ring().seal
    return {
        "phones": [seal(phone, column) for phone in phones],
        "hashes": [encryption.phone_hash(phone) for phone in phones],
    }
