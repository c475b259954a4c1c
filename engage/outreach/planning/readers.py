"""Who may be texted: patients in, contacts with standing consent out, in a temporary table. Rows in SQL; no wording.

Consent is a condition here, and asked again by `may_text` when the text leaves.
"""

from collections.abc import Collection

from sqlalchemy import text
from sqlalchemy.orm import Session

# What stands is the last word: a grant that nothing revoked later, a STOP that no START followed. `place` orders the readers
# of one patient: check-ins and surveys ask one person, the patient before the family. `shared_phone` is set where several
# contacts have the number, whoever they are. `is_ours` is false for the other phones of neighbours: who else has those was
# not asked, so their first reader cannot be told. The planner of PostgreSQL needs few joins a statement and counted rows to
# choose well, so the steps of planning stand in temporary tables.
_READERS = """
CREATE TEMP TABLE planning_readers ON COMMIT DROP AS
WITH sharing AS (
    SELECT c.agency_id, c.phone_hash FROM {phones} GROUP BY c.agency_id, c.phone_hash HAVING count(*) > 1
)
SELECT c.agency_id, c.patient_id, c.id AS contact_id, p.time_zone, p.is_monitored, k.category, s.phone_hash AS shared_phone,
       row_number() OVER (PARTITION BY c.agency_id, c.patient_id, k.category ORDER BY c.relationship = 'patient' DESC, c.id) AS place,
       {is_ours} AS is_ours
FROM {people}
JOIN contacts c ON c.agency_id = p.agency_id AND c.patient_id = p.id AND c.ended_at IS NULL AND c.phone_kind IN ('unknown', 'mobile')
CROSS JOIN unnest(CAST(:categories AS text[])) AS k(category)
LEFT JOIN sharing s ON s.agency_id = c.agency_id AND s.phone_hash = c.phone_hash
WHERE p.status = 'active' AND (c.may_see = 'scores' OR k.category = 'visits')
  AND EXISTS (
    SELECT FROM consent_events g
    WHERE g.agency_id = c.agency_id AND g.contact_id = c.id AND g.category = k.category AND g.kind = 'granted' AND NOT EXISTS (
        SELECT FROM consent_events b
        WHERE b.agency_id = g.agency_id AND b.contact_id = g.contact_id AND b.category = g.category AND b.kind = 'revoked'
          AND (b.said_at, b.id) > (g.said_at, g.id)))
  AND NOT EXISTS (
    SELECT FROM consent_events o
    WHERE o.agency_id = c.agency_id AND o.phone_hash = c.phone_hash AND o.contact_id IS NULL AND o.kind = 'opted_out' AND NOT EXISTS (
        SELECT FROM consent_events b
        WHERE b.agency_id = o.agency_id AND b.phone_hash = o.phone_hash AND b.contact_id IS NULL AND b.kind = 'opted_in'
          AND (b.said_at, b.id) > (o.said_at, o.id)))
"""

# People of whom something has changed, and whoever has one of their phones: those decide together who of them is texted.
_NEAR = (
    """
CREATE TEMP TABLE planning_phones ON COMMIT DROP AS
SELECT DISTINCT c.agency_id, c.phone_hash
FROM unnest(CAST(:agencies AS bigint[]), CAST(:patients AS bigint[])) AS these(agency_id, patient_id)
JOIN contacts c ON c.agency_id = these.agency_id AND c.patient_id = these.patient_id
""",
    """
CREATE TEMP TABLE planning_near ON COMMIT DROP AS
SELECT DISTINCT c.agency_id, c.patient_id
FROM planning_phones f JOIN contacts c ON c.agency_id = f.agency_id AND c.phone_hash = f.phone_hash
""",
)

_EVERY_PHONE = "contacts c WHERE c.agency_id = ANY(CAST(:agencies AS bigint[]))"
_THEIR_PHONES = "planning_phones f JOIN contacts c ON c.agency_id = f.agency_id AND c.phone_hash = f.phone_hash"
_IS_THEIRS = "EXISTS (SELECT FROM planning_phones f WHERE f.agency_id = c.agency_id AND f.phone_hash = c.phone_hash)"

_IN_THE_SLOTS = """patients p JOIN (SELECT DISTINCT agency_id, zone FROM planning_slots WHERE anchor = 'every_day') z
    ON z.agency_id = p.agency_id AND z.zone = p.time_zone"""
_NEARBY = "planning_near n JOIN patients p ON p.agency_id = n.agency_id AND p.id = n.patient_id"
_WITH_A_WISH = """(SELECT DISTINCT agency_id, patient_id FROM planning_wishes) w
    JOIN patients p ON p.agency_id = w.agency_id AND p.id = w.patient_id"""


def stage_near(session: Session, patients: Collection[tuple[int, int]]) -> None:
    """Put those patients (agency, patient) and whoever shares a phone with them into planning_near."""
    phones, near = _NEAR
    values = {"agencies": [agency for agency, _ in patients], "patients": [patient for _, patient in patients]}
    session.execute(text(phones), values)
    session.execute(text("ANALYZE planning_phones"))
    session.execute(text(near))
    session.execute(text("ANALYZE planning_near"))


def stage_readers(
    session: Session, anchor: str, agencies: Collection[int], categories: Collection[str], *, is_narrow: bool
) -> None:
    """Put everybody who may be texted about `categories` into planning_readers.

    For every_day whoever is in a zone of the slots (narrow: in planning_near), else whoever has a row in planning_wishes.
    """
    people = _WITH_A_WISH if anchor != "every_day" else _NEARBY if is_narrow else _IN_THE_SLOTS
    phones, is_ours = (_THEIR_PHONES, _IS_THEIRS) if is_narrow else (_EVERY_PHONE, "true")
    statement = _READERS.format(people=people, phones=phones, is_ours=is_ours)
    session.execute(text(statement), {"agencies": list(agencies), "categories": list(categories)})
    session.execute(text("ANALYZE planning_readers"))


def forget_near(session: Session) -> None:
    """Make room for other people."""
    session.execute(text("DROP TABLE planning_near, planning_phones"))
