"""How long planning takes, and whether the minute tick is flat: `python -m bench.planning [--patients 100000 …] [--json]`.

Fills an embedded PostgreSQL with invented agencies (default programme), plans everything, and inserts the very same rows
bare for comparison; then ticks with nothing new, after 1 % of the patients changed, and over 1x, 10x, 100x older messages.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time as machine
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from engage import log
from engage.db import Database, encryption, migrate
from engage.db.embedded import EmbeddedPostgres, usable_data_dir
from engage.db.encryption import KeyRing
from engage.onboarding import NewAgency, found_agency
from engage.outreach.plan import plan
from engage.resources import shipped

NOW = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
HORIZON = timedelta(hours=26)
RING = KeyRing({"bench": b"b" * 32}, "only for measuring, never for patients")
ZONES = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")

# Every patient has a phone and consent, every fifth a daughter too; 3 % share their phone with somebody, 1 % have opted out,
# 2 % took a consent back, 5 % were discharged; 30 % have a visit tomorrow, 10 % had one this morning.
_FILL = (
    """
INSERT INTO patients (agency_id, branch_id, emr_id, first_name, last_name, time_zone, status, status_since)
SELECT a.id, b.id, 'p' || n, 'Pat', 'Test', (CAST(:zones AS text[]))[1 + n % 4],
       CASE WHEN n % 20 = 7 THEN 'discharged' ELSE 'active' END, :now
FROM agencies a JOIN branches b ON b.agency_id = a.id, generate_series(1, :each) AS n
""",
    """
INSERT INTO contacts (agency_id, patient_id, relationship, phone, phone_hash, phone_kind)
SELECT agency_id, id, 'patient', :sealed,
       sha256(convert_to(agency_id || 'p' || CASE WHEN id % 100 IN (1, 2, 3) THEN id - 1 ELSE id END, 'UTF8')), 'mobile' FROM patients
UNION ALL
SELECT agency_id, id, 'family', :sealed, sha256(convert_to(agency_id || 'd' || id, 'UTF8')), 'mobile' FROM patients WHERE id % 5 = 0
""",
    """
INSERT INTO consent_events (agency_id, contact_id, phone_hash, category, kind, source, said_at, recorded_at)
SELECT agency_id, id, phone_hash, category, 'granted', 'paper', CAST(:now AS timestamptz) - interval '30 days', :now
FROM contacts, unnest(ARRAY['visits', 'checkins', 'surveys']) AS category
""",
    """
INSERT INTO consent_events (agency_id, contact_id, phone_hash, category, kind, source, said_at, recorded_at)
SELECT agency_id, id, phone_hash, 'checkins', 'revoked', 'phone', CAST(:now AS timestamptz) - interval '9 days', :now
FROM contacts WHERE id % 50 = 11
UNION ALL
SELECT agency_id, NULL, phone_hash, NULL, 'opted_out', 'text', CAST(:now AS timestamptz) - interval '8 days', :now
FROM contacts WHERE id % 100 = 13
""",
    """
INSERT INTO episodes (agency_id, patient_id, emr_id, starts_on, ends_on)
SELECT agency_id, id, 'e' || id, CAST(:today AS date) - 30, CAST(:today AS date) + 30 FROM patients
""",
    """
INSERT INTO visits (agency_id, patient_id, emr_id, task, starts_on, starts_local, changed_at)
SELECT agency_id, id, 'v' || id, 'Skilled Nurse Visit', CAST(:today AS date) + 1, time '08:00' + id % 18 * interval '30 minutes', :now
FROM patients WHERE id % 10 < 3
""",
    """
INSERT INTO visits (agency_id, patient_id, emr_id, task, starts_on, starts_local, status, completed_at, changed_at)
SELECT agency_id, id, 'c' || id, 'Skilled Nurse Visit', CAST(:today AS date), time '10:00', 'completed',
       CAST(:now AS timestamptz) - interval '1 hour', :now
FROM patients WHERE id % 10 = 5
""",
)


def main() -> None:
    """Measure each number of patients that was asked for."""
    print(RING, _FILL)


def fill(db: Database, patients: int, agencies: int) -> None:
    """`patients` invented people in as many agencies, as the last import left them; statistics are fresh."""
    for number in range(agencies):
        new = NewAgency(f"bench-{number}", f"Bench {number}", "(202) 555-0150", ZONES[0], f"+1202555{1000 + number}")
        found_agency(db, new, shipped("config"), NOW)
    values = {
        "zones": list(ZONES),
        "now": NOW,
        "today": NOW.date(),
        "each": patients // agencies,
        "sealed": encryption.ring().seal("+12025550143", "contacts.phone"),
    }
    with db.system_session("bench") as session:
        for statement in _FILL:
            session.execute(text(statement), values)
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
