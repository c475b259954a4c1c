"""Records visits and who comes on them; cancels those that a complete file no longer has."""

from collections.abc import Iterable
from datetime import date, time
from typing import Any

from engage.visits.record.progress import Recording, VisitShift
from engage.visits.rules.changes import StoredVisit, VisitDecision, decide_visit
from engage.visits.rules.rows import Rejected, VisitRow
from engage.visits.rules.words import Change, VisitStatus

_VISIT = (
    *("patient_id", "episode_id", "task", "discipline", "starts_on", "starts_local", "ends_local"),
    *("status", "completed_at", "changed_at"),
)
_TOLD = frozenset({Change.MOVED, Change.COMPLETED, Change.MISSED, Change.CANCELLED})


def record_visits(recording: Recording) -> None:
    """Visits by key; those of patients nobody knows are rejected."""
    stored = _stored(recording, recording.batch.visits)
    added: list[tuple[str, VisitDecision]] = []
    changed: list[tuple[int, VisitDecision]] = []
    for key, row in recording.batch.visits.items():
        decision = _decided(recording, stored.get(key), row)
        if decision is None:
            continue
        recording.count("visits", decision.change)
        if decision.change is Change.ADDED:
            added.append((key, decision))
        elif decision.change is not Change.UNCHANGED:
            changed.append((stored[key].id, decision))
        if decision.change in _TOLD:
            facts = decision.facts
            before, after = (
                _when(stored[key].starts_on, stored[key].starts_local),
                _when(facts.starts_on, facts.starts_local),
            )
            recording.shifts.append(VisitShift(key, decision.change, before, after))
    bulk, now = recording.bulk, recording.now
    bulk.update("visits", _VISIT, [(row_id, *_columns(decision, now)) for row_id, decision in changed])
    forgotten = [(row_id, None, None, None) for row_id, decision in changed if decision.forgets_answer]
    bulk.update("visits", ("answer", "answered_at", "wanted"), forgotten)
    rows = [(key, *_columns(decision, now)) for key, decision in added]
    ids = dict(bulk.insert("visits", ("emr_id", *_VISIT), rows, "emr_id"))
    _record_clinicians(
        recording, [row_id for row_id, _ in changed], [*changed, *((ids[key], each) for key, each in added)]
    )
    recording.note(
        recording.batch.other_days,
        "1 upcoming visit has another scheduled day than visit day; the visit day counts.",
        "{n} upcoming visits have another scheduled day than visit day; the visit day counts.",
    )


def _columns(decision: VisitDecision, now: object) -> tuple[Any, ...]:
    """The values of `_VISIT`."""
    facts = decision.facts
    return (
        *(facts.patient_id, facts.episode_id, facts.task, facts.discipline, facts.starts_on, facts.starts_local),
        *(facts.ends_local, facts.status.value, facts.completed_at, now),
    )


_STORED = """
SELECT v.emr_id, v.id, v.patient_id, v.episode_id, v.task, v.discipline, v.starts_on, v.starts_local, v.ends_local, v.status,
       v.completed_at, COALESCE(c.ids, ARRAY[]::bigint[])
FROM visits v JOIN {keys} k ON k.emr_id = v.emr_id
LEFT JOIN LATERAL (
    SELECT array_agg(clinician_id) AS ids FROM visit_clinicians c WHERE c.agency_id = v.agency_id AND c.visit_id = v.id
) c ON true
WHERE v.agency_id = %(agency)s
"""


def _stored(recording: Recording, keys: Iterable[str]) -> dict[str, StoredVisit]:
    staged = recording.bulk.stage("visits", ("emr_id",), ((key,) for key in keys))
    return {row[0]: _as_stored(*row[1:]) for row in recording.bulk.ask(_STORED.format(keys=staged))}


def _as_stored(*row: Any) -> StoredVisit:
    row_id, patient, episode, task, discipline, on, starts, ends, status, completed_at, clinicians = row
    return StoredVisit(
        row_id,
        patient,
        episode,
        task,
        discipline,
        on,
        starts,
        ends,
        VisitStatus(status),
        completed_at,
        frozenset(clinicians),
    )


def _decided(recording: Recording, stored: StoredVisit | None, row: VisitRow) -> VisitDecision | None:
    if row.patient not in recording.patients:
        reason = "this patient is not known yet, and the line does not name him; import the patients first"
        recording.rejected.append(Rejected(row.at.file, row.at.line, "the patient's key", reason))
        return None
    patient_id, zone = recording.patients[row.patient]
    episode_id, owner = recording.episodes.get(row.episode or "", (None, None))
    if owner is not None and owner != patient_id:
        reason = "this episode is another patient's; the visit was taken without it"
        recording.ignored.append(Rejected(row.at.file, row.at.line, "the episode's key", reason, whole_row=False))
        episode_id = None
    return decide_visit(
        stored,
        row,
        patient_id=patient_id,
        episode_id=episode_id,
        clinicians=frozenset(recording.clinicians[key] for key in row.clinicians),
        zone=zone,
        now=recording.now,
    )


def _record_clinicians(recording: Recording, known: list[int], decisions: list[tuple[int, VisitDecision]]) -> None:
    """The clinicians of new visits, and those of known ones anew."""
    if known:
        staged = recording.bulk.stage("visits", ("id",), ((row_id,) for row_id in known))
        recording.bulk.run(
            f"DELETE FROM visit_clinicians c USING {staged} k WHERE c.agency_id = %(agency)s AND c.visit_id = k.id"  # noqa: S608
        )
    pairs = [(row_id, clinician) for row_id, decision in decisions for clinician in decision.facts.clinicians]
    recording.bulk.insert("visit_clinicians", ("visit_id", "clinician_id"), pairs, "clinician_id")


# Only visits that are still to come where the patient lives; only the branches that the file speaks of, if it names any.
_UPCOMING = """
SELECT v.id, v.emr_id, v.starts_on, v.starts_local
FROM visits v JOIN patients p ON p.agency_id = v.agency_id AND p.id = v.patient_id
WHERE v.agency_id = %(agency)s AND v.status = 'scheduled'
  AND v.starts_on BETWEEN %(first)s AND %(last)s
  AND v.starts_on >= (%(now)s AT TIME ZONE p.time_zone)::date
  AND (%(branches)s::bigint[] = '{}' OR p.branch_id = ANY(%(branches)s))
"""
_NO_LONGER_VISITS = """
SELECT v.id, v.emr_id, v.starts_on, v.starts_local
FROM visits v JOIN {left_out} k ON k.emr_id = v.emr_id JOIN patients p ON p.agency_id = v.agency_id AND p.id = v.patient_id
WHERE v.agency_id = %(agency)s AND v.status = 'scheduled' AND v.starts_on >= (%(now)s AT TIME ZONE p.time_zone)::date
"""


def cancel_left_out(recording: Recording) -> None:
    """Upcoming visits that the list says are none any more: nobody may be told to wait for them."""
    keys = recording.batch.left_out - recording.batch.visits.keys()
    if keys:
        staged = recording.bulk.stage("visits", ("emr_id",), ((key,) for key in keys))
        _cancel(recording, recording.bulk.ask(_NO_LONGER_VISITS.format(left_out=staged), now=recording.now))


def cancel_vanished(recording: Recording) -> None:
    """Upcoming visits that a complete file does not name, between the first and the last day that it covers.

    A line that could not be read may be any visit: then nothing is cancelled.
    """
    batch = recording.batch
    days = [row.starts_on for row in batch.visits.values()]
    if not days:
        return
    if batch.lost_lines:
        recording.notes.append(
            "Some lines could not be read at all, so no visit was cancelled for being absent from the file."
        )
        return
    branches = [recording.branches[key] for key in batch.branches]
    upcoming = recording.bulk.ask(_UPCOMING, first=min(days), last=max(days), now=recording.now, branches=branches)
    _cancel(recording, [row for row in upcoming if row[1] not in batch.seen_visits])


def _cancel(recording: Recording, rows: list[tuple[Any, ...]]) -> None:
    status = VisitStatus.CANCELLED.value
    recording.bulk.update("visits", ("status", "changed_at"), [(row[0], status, recording.now) for row in rows])
    recording.count("visits", Change.CANCELLED, len(rows))
    recording.shifts += [VisitShift(row[1], Change.CANCELLED, _when(row[2], row[3]), None) for row in rows]


def _when(on: date, at: time | None) -> str:
    return f"{on:%Y-%m-%d} {at:%H:%M}" if at else f"{on:%Y-%m-%d}"
