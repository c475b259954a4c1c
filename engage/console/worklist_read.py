"""Reads the worklist: whose alerts in, entries in the order in which they need somebody out. Two statements for any number of rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from engage.alerts.rules.words import AlertKind, AlertState, Severity
from engage.console.opening import opened
from engage.console.rules.marking import Piece, quote, spans_of
from engage.console.rules.need import SERVICE, Next, Place, Standing, next_of, order, place

PAGE = 100
"""So many are on one page; the next begins after the last of them."""
_MOST_NEW = 20


class Whose(StrEnum):
    """Which alerts are looked at."""

    MINE = "mine"  # my patients', those I have, and those that I was paged about
    BRANCH = "branch"
    AGENCY = "agency"


@dataclass(frozen=True, slots=True)
class Reach:
    """Who looks: what the account may see. `branch_ids` None: every branch. `is_nurse`: complaints are not shown unless they are hers."""

    agency_id: int
    clinician_id: int | None
    branch_ids: frozenset[int] | None
    is_nurse: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One alert of the worklist. `said` is what the patient wrote last about it, with the words that matter marked, in `language`."""

    id: int
    code: str
    kind: AlertKind
    also: tuple[AlertKind, ...]
    standing: Standing
    next: Next
    next_at: datetime | None
    patient_id: int | None
    patient: str | None
    branch: str | None
    zone: str
    holder_id: int | None
    holder: str | None
    held_since: datetime | None
    said: tuple[Piece, ...]
    language: str | None
    score: int | None

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return self.standing.severity

    @property
    def is_open(self) -> bool:
        """Whether nobody has it."""
        return self.standing.state is AlertState.OPEN


@dataclass(frozen=True, slots=True)
class Worklist:
    """A page of the list, and how many there are for each choice of `Whose`. `before`: how many come before this page; `waiting`: how
    many of them all nobody has; `newest`: the highest id among them all; `next_after`: where the next page begins, if there is one."""

    entries: tuple[Entry, ...]
    counts: Mapping[Whose, int]
    whose: Whose
    before: int
    waiting: int
    newest: int
    next_after: Place | None

    @property
    def all(self) -> int:
        """How many there are on all pages."""
        return self.counts[self.whose]


@dataclass(frozen=True, slots=True)
class New:
    """An alert that has come since, as it is announced."""

    id: int
    kind: AlertKind
    severity: Severity
    patient: str | None


# What somebody may see at all, and which of it is theirs. An alert about no patient and no branch is everybody's.
_SEEN = """
SELECT a.*, p.first_name, p.last_name, p.time_zone AS patient_zone, p.language AS patient_language, COALESCE(a.branch_id, p.branch_id) AS of_branch, (
           p.case_manager_id = :me OR a.acknowledged_by = :me OR EXISTS (
               SELECT FROM alert_events e WHERE e.agency_id = a.agency_id AND e.alert_id = a.id AND e.clinician_id = :me
               AND e.kind IN ('paged', 'acknowledged'))) IS TRUE AS is_mine,
       CAST(:me AS bigint) IS NOT NULL AND COALESCE(a.branch_id, p.branch_id) IS NOT DISTINCT FROM
           (SELECT k.branch_id FROM clinicians k WHERE k.agency_id = a.agency_id AND k.id = :me) AS is_of_my_branch
FROM alerts a
LEFT JOIN patients p ON p.agency_id = a.agency_id AND p.id = a.patient_id
WHERE a.agency_id = :agency AND a.state <> 'resolved'
  AND (CAST(:branches AS bigint[]) IS NULL OR COALESCE(a.branch_id, p.branch_id) IS NULL OR COALESCE(a.branch_id, p.branch_id) = ANY(:branches))
"""
_ALLOWED = "(NOT (:is_nurse AND kind = ANY(:service)) OR brought)"
_BROUGHT = """
(acknowledged_by = :me OR EXISTS (SELECT FROM alert_events e WHERE e.agency_id = seen.agency_id AND e.alert_id = seen.id
 AND e.clinician_id = :me AND e.kind = 'paged')) IS TRUE AS brought
"""
_CHOSEN = "CASE CAST(:whose AS text) WHEN 'mine' THEN is_mine WHEN 'branch' THEN is_of_my_branch ELSE true END"
# The order in which a tired nurse reads them, as rules.need has it, and whether a row comes after the page before.
_PLACE = "state <> 'open', -severity, NOT COALESCE(promised_until < :now, false), opened_at, id"
_AFTER = f"""
(CAST(:after_id AS bigint) IS NULL OR ({_PLACE}) > (CAST(:after_taken AS boolean), -CAST(:after_severity AS int),
 CAST(:after_on_time AS boolean), CAST(:after_opened AS timestamptz), CAST(:after_id AS bigint)))
"""
_COUNTS = text(f"""
WITH seen AS ({_SEEN}), shown AS (SELECT *, {_BROUGHT} FROM seen)
SELECT count(*) FILTER (WHERE is_mine) AS mine, count(*) FILTER (WHERE is_of_my_branch) AS branch, count(*) AS agency,
       count(*) FILTER (WHERE {_CHOSEN} AND NOT {_AFTER}) AS before, count(*) FILTER (WHERE {_CHOSEN} AND state = 'open') AS waiting,
       COALESCE(max(id) FILTER (WHERE {_CHOSEN}), 0) AS newest
FROM shown WHERE {_ALLOWED}
""")  # noqa: S608 - parts of our own
_NEW = text(f"""
WITH seen AS ({_SEEN} AND a.id > :since AND a.state = 'open'), shown AS (SELECT *, {_BROUGHT} FROM seen)
SELECT id, kind, severity, first_name, last_name FROM shown WHERE {_ALLOWED} AND {_CHOSEN} ORDER BY {_PLACE} LIMIT :most
""")  # noqa: S608 - parts of our own
_ENTRIES = text(f"""
WITH seen AS ({_SEEN}), shown AS (SELECT *, {_BROUGHT} FROM seen), chosen AS (
    SELECT * FROM shown WHERE {_ALLOWED} AND {_CHOSEN} AND {_AFTER} ORDER BY {_PLACE} LIMIT :most)
SELECT c.id, c.code, c.kind, c.severity, c.state, c.opened_at, c.next_due_at, c.exhausted_at, c.try_again_at, c.promised_until,
       c.patient_id, c.first_name, c.last_name, COALESCE(c.patient_zone, b.time_zone, g.time_zone) AS zone, b.name AS branch,
       c.acknowledged_by, c.acknowledged_at, k.first_name AS holder, story.kinds, said.body, said.evidence, said.score,
       COALESCE(said.language, c.patient_language) AS language
FROM chosen c
JOIN agencies g ON g.id = c.agency_id
LEFT JOIN branches b ON b.agency_id = c.agency_id AND b.id = c.of_branch
LEFT JOIN clinicians k ON k.agency_id = c.agency_id AND k.id = c.acknowledged_by
LEFT JOIN LATERAL (
    SELECT array_agg(DISTINCT e.detail ->> 'kind') FILTER (WHERE e.detail ? 'kind') AS kinds,
           (array_agg(e.reply_id ORDER BY e.at DESC, e.id DESC) FILTER (WHERE e.reply_id IS NOT NULL))[1] AS reply_id
    FROM alert_events e WHERE e.agency_id = c.agency_id AND e.alert_id = c.id AND e.kind IN ('opened', 'evidence')) story ON true
LEFT JOIN LATERAL (
    SELECT r.body, d.evidence, d.score, o.language FROM replies r
    LEFT JOIN readings d ON d.agency_id = r.agency_id AND d.reply_id = r.id
    LEFT JOIN contacts o ON o.agency_id = r.agency_id AND o.id = r.contact_id
    WHERE r.agency_id = c.agency_id AND r.id = story.reply_id ORDER BY d.id DESC NULLS LAST LIMIT 1) said ON true
""")  # noqa: S608 - parts of our own


def read_worklist(
    session: Session, reach: Reach, whose: Whose, now: datetime, after: Place | None = None, most: int = PAGE
) -> Worklist:
    """A page of the unresolved alerts that somebody may see, of `whose`; what nobody has, and what is worst, first."""
    values = _values(reach) | _beginning(after) | {"whose": whose, "now": now}
    counted = session.execute(_COUNTS, values).one()
    rows = session.execute(_ENTRIES, values | {"most": most}).all()
    entries = sorted((_entry(row, now) for row in rows), key=lambda entry: order(entry.standing, now))
    counts = {each: int(counted._mapping[each.value]) for each in Whose}
    is_more = counted.before + len(entries) < counts[whose]
    following = place(entries[-1].standing, now) if entries and is_more else None
    return Worklist(tuple(entries), counts, whose, counted.before, counted.waiting, counted.newest, following)


def read_new(session: Session, reach: Reach, whose: Whose, since: int, now: datetime) -> Sequence[New]:
    """The open alerts of `whose` that came after the one with the id `since`, the worst first, on whatever page they are."""
    values = _values(reach) | {"whose": whose, "now": now, "since": since, "most": _MOST_NEW}
    return [
        New(
            row.id,
            AlertKind(row.kind),
            Severity(row.severity),
            f"{row.first_name} {row.last_name}" if row.first_name else None,
        )
        for row in session.execute(_NEW, values)
    ]


def first_choice(reach: Reach) -> Whose:
    """What somebody sees when they choose nothing: their own, where they have any; the agency's in an office."""
    return Whose.MINE if reach.is_nurse and reach.clinician_id is not None else Whose.AGENCY


def _beginning(after: Place | None) -> dict[str, Any]:
    return {
        "after_id": after.id if after else None,
        "after_taken": after.is_taken if after else None,
        "after_severity": after.severity if after else None,
        "after_on_time": after.is_on_time if after else None,
        "after_opened": after.opened_at if after else None,
    }


def _values(reach: Reach) -> dict[str, Any]:
    return {
        "agency": reach.agency_id,
        "me": reach.clinician_id,
        "branches": None if reach.branch_ids is None else sorted(reach.branch_ids),
        "is_nurse": reach.is_nurse,
        "service": [str(kind) for kind in SERVICE],
    }


def standing_of(row: Row[Any]) -> Standing:
    """How an alert stands, from a row with its columns."""
    return Standing(
        row.id,
        Severity(row.severity),
        AlertState(row.state),
        row.opened_at,
        row.next_due_at,
        row.exhausted_at,
        row.try_again_at,
        row.promised_until,
    )


def _entry(row: Row[Any], now: datetime) -> Entry:
    standing = standing_of(row)
    follows, at = next_of(standing, now)
    words, evidence = opened(row.body, "replies.body"), opened(row.evidence, "readings.evidence")
    return Entry(
        id=row.id,
        code=row.code,
        kind=AlertKind(row.kind),
        also=tuple(AlertKind(kind) for kind in row.kinds or () if kind != row.kind),
        standing=standing,
        next=follows,
        next_at=at,
        patient_id=row.patient_id,
        patient=f"{row.first_name} {row.last_name}" if row.first_name else None,
        branch=row.branch,
        zone=row.zone,
        holder_id=row.acknowledged_by,
        holder=row.holder,
        held_since=row.acknowledged_at,
        said=quote(words, spans_of(evidence or "")) if words else (),
        language=row.language,
        score=row.score,
    )
