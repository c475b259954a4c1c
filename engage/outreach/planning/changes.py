"""The log of what has changed since the planner last looked: takes it out of the table, says of whom. Triggers write it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

# By address: nobody but the planner removes rows, it holds the lock of `planning`, and an address needs no index.
_TAKE = text("""
DELETE FROM changes WHERE ctid = ANY(ARRAY(SELECT ctid FROM changes LIMIT :most)) RETURNING agency_id, patient_id
""")
_TAKE_AGENCIES = text("DELETE FROM changes WHERE agency_id = ANY(:agencies)")
_TAKE_ALL = text("DELETE FROM changes")

AT_ONCE = 20_000
MANY = 5_000
"""So many changed patients make it cheaper to plan their whole agency; an import of a new agency changes everybody."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Whole agencies, and patients (agency, patient) of others, to be planned again."""

    agencies: frozenset[int]
    patients: frozenset[tuple[int, int]]


def take_changes(session: Session) -> Iterator[Changes]:
    """What has changed, part by part. What is taken is gone if the transaction commits, so plan it before that.

    Every statement of the transaction sees what was committed before it began, so whatever a part is about is visible to
    the statements that follow it (read committed).
    """
    is_more = True
    while is_more:
        taken = session.execute(_TAKE, {"most": AT_ONCE}).all()
        is_more = len(taken) == AT_ONCE
        agencies = {row.agency_id for row in taken if row.patient_id is None}
        patients = {(row.agency_id, row.patient_id) for row in taken if row.agency_id not in agencies}
        counted = Counter(agency for agency, _ in patients)
        agencies |= {agency for agency, count in counted.items() if count >= MANY}
        if agencies:
            session.execute(_TAKE_AGENCIES, {"agencies": sorted(agencies)})
        if taken:
            yield Changes(frozenset(agencies), frozenset((a, p) for a, p in patients if a not in agencies))


def drop_changes(session: Session) -> None:
    """Take everything: the run that follows looks at everybody."""
    session.execute(_TAKE_ALL)
