"""What a line of a visits' file says: a visit, or that it is none; with the patient, episode, payer and clinicians on it. Pure."""

import re
from collections.abc import Iterator
from datetime import date, timedelta

from engage.visits.rules import cells
from engage.visits.rules.cells import Unreadable
from engage.visits.rules.episodes import episode_rows
from engage.visits.rules.line import Line
from engage.visits.rules.people import branch_rows, contact_rows, patient_rows
from engage.visits.rules.rows import ClinicianRow, LineRead, Rejected, Row, VisitRow
from engage.visits.rules.words import VisitStatus

# A date further away is a slip of the pen, and would stretch the days that a complete file covers.
_LONG_AGO = timedelta(days=10 * 366)
_FAR_AHEAD = timedelta(days=2 * 366)
_SEVERAL = re.compile(r"\s*[;&/]\s*")


def visit_line(line: Line) -> LineRead:
    """A line of a visits' file, of any profile."""
    visit, patient = line.key("visit_id"), line.key("patient_id")
    if visit is None:
        return LineRead(rejected=line.reject("visit_id", "the visit's key is missing"))
    task, status = line.text("task") or "", line.text("status") or ""
    if not line.reading.lists.is_visit(task, line.text("visit_type") or "", status):
        return LineRead(is_left_out=True, visit_id=visit)
    if patient is None:
        return LineRead(rejected=line.reject("patient_id", "the patient's key is missing"), visit_id=visit)
    found = _visit(line, visit, patient, task, status)
    if isinstance(found, Rejected):
        return LineRead(rejected=found, ignored=tuple(line.ignored), visit_id=visit)
    rows = (
        *branch_rows(line),
        *patient_rows(line, patient),
        *contact_rows(line, patient),
        *_clinicians(line, found),
        *episode_rows(line, patient),
        found,
    )
    return LineRead(rows, ignored=tuple(line.ignored), visit_id=visit, has_other_day=_has_other_day(line, found))


def _visit(line: Line, visit: str, patient: str, task: str, status_text: str) -> VisitRow | Rejected:
    is_missed, is_completed = line.flag("is_missed") or False, line.flag("is_completed") or False
    status = line.reading.lists.status(status_text, is_missed=is_missed, is_completed=is_completed)
    if status is None:
        return line.reject("status", "this status is not on the list; add it to [statuses] in config/emr")
    starts_on = _day(line)
    if isinstance(starts_on, Rejected):
        return starts_on
    starts, ends = line.clock("start"), line.clock("end")
    return VisitRow(
        emr_id=visit,
        patient=patient,
        task=task or "Visit",
        starts_on=starts_on,
        starts_local=starts,
        ends_local=ends,
        status=status,
        discipline=line.reading.lists.discipline(line.text("discipline") or "", line.text("visit_type") or "", task),
        episode=line.key("episode_id"),
        clinicians=tuple(dict.fromkeys(_ids(line))),
        knows_times=line.has("start"),
        knows_clinicians=line.has("clinician_id"),
        at=line.at,
    )


def _day(line: Line) -> date | Rejected:
    """The visit's day: Axxess gives the day of the visit, and where that is empty the day it was scheduled for."""
    name = "date" if line.text("date") or not line.text("scheduled_date") else "scheduled_date"
    found = cells.day(line.values.get(name, ""))
    if found is None:
        return line.reject("date", "the day of the visit is missing")
    if isinstance(found, Unreadable):
        return line.reject(name, found.reason)
    if not line.reading.today - _LONG_AGO <= found <= line.reading.today + _FAR_AHEAD:
        return line.reject(name, "this day is more than two years ahead or ten years back; check the year")
    return found


def _has_other_day(line: Line, visit: VisitRow) -> bool:
    if visit.status is not VisitStatus.SCHEDULED or not line.has("scheduled_date"):
        return False
    other = cells.day(line.values["scheduled_date"])
    return isinstance(other, date) and other != visit.starts_on


def _ids(line: Line) -> list[str]:
    """One key, or several in one cell: N1;N2."""
    text = line.text("clinician_id")
    return [cells.identifier(part) for part in _SEVERAL.split(text) if part] if text else []


def _clinicians(line: Line, visit: VisitRow) -> Iterator[Row]:
    """The clinicians of a visit. Their names count only when there are as many names as keys."""
    lists = line.reading.lists
    names = [part for part in _SEVERAL.split(line.text("clinician_name") or "") if part]
    for place, emr_id in enumerate(visit.clinicians):
        name = names[place] if len(names) == len(visit.clinicians) else ""
        first, last, credential = lists.clinician(name)
        discipline = credential or visit.discipline
        yield ClinicianRow(emr_id, first, last, discipline, lists.role(discipline))
