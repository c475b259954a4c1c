"""What a line says of a patient, the phones and consents given for him, and of clinicians. Pure.

A phone in an emergency column is somebody else's: a text to it would tell a third party (facts/emr-columns.md).
"""

from collections.abc import Iterator
from datetime import date

from engage.agencies.rules.people import Role
from engage.patients.rules.words import Category, ConsentSource, PatientStatus, Relationship
from engage.visits.rules.cells import key
from engage.visits.rules.episodes import episode_rows
from engage.visits.rules.line import Line
from engage.visits.rules.rows import (
    BranchRow,
    ClinicianRow,
    ConsentRow,
    ContactRow,
    LineRead,
    PatientRow,
    Row,
)
from engage.visits.rules.zones import zone_of

_OWNERS = {
    "patient": Relationship.PATIENT,
    "self": Relationship.PATIENT,
    "family": Relationship.FAMILY,
    "emergency": Relationship.EMERGENCY,
}
_CONSENTS = (
    ("consent_visits", Category.VISITS),
    ("consent_checkins", Category.CHECKINS),
    ("consent_surveys", Category.SURVEYS),
)


def patient_line(line: Line) -> LineRead:
    """A line of a patients' file."""
    patient = line.key("patient_id")
    if patient is None:
        return LineRead(rejected=line.reject("patient_id", "the patient's key is missing"))
    people = (*branch_rows(line), *patient_rows(line, patient), *contact_rows(line, patient))
    rows = (*people, *episode_rows(line, patient))
    return LineRead(rows, ignored=tuple(line.ignored))


def branch_rows(line: Line) -> Iterator[Row]:
    """The branch that a line names."""
    if branch := line.key("branch_id"):
        yield BranchRow(branch, line.text("branch_name"))


def patient_rows(line: Line, patient: str) -> Iterator[Row]:
    """The patient of a line, and the case manager if the line gives her key."""
    lists = line.reading.lists
    state = line.text("state")
    letters = lists.zones.state(state) if state else None
    if state and letters is None:
        line.ignore("state", "there is no such state; write its two letters")
    zip_code = line.zip_code("zip")
    status, is_strange = _status(line)
    manager = line.key("case_manager_id")
    died_on = line.day("died_on") or (line.day("discharged_on") if status is PatientStatus.DECEASED else None)
    yield PatientRow(
        emr_id=patient,
        mrn=line.text("mrn"),
        first_name=line.name("first_name"),
        last_name=line.name("last_name"),
        born_on=line.birthday("born_on"),
        language=_language(line) if _owner_named(line) in {None, Relationship.PATIENT} else None,
        state=letters,
        zip_code=zip_code,
        zone=zone_of(lists.zones, letters, zip_code, line.text("county")),
        branch=line.key("branch_id"),
        status=status,
        has_strange_status=is_strange,
        died_on=None if died_on is None or status is not PatientStatus.DECEASED else min(died_on, line.reading.today),
        case_manager=manager,
        case_manager_first_name=line.name("case_manager_first_name"),
        case_manager_last_name=line.name("case_manager_last_name"),
        at=line.at,
    )
    if manager:
        # She is known by her key; her name may come with another line or another file.
        yield ClinicianRow(
            manager,
            line.name("case_manager_first_name"),
            line.name("case_manager_last_name"),
        )


def _status(line: Line) -> tuple[PatientStatus | None, bool]:
    """What the file says of the patient; a day of death is word enough. A word nobody knows holds him back."""
    if line.day("died_on"):
        return PatientStatus.DECEASED, False
    text = line.text("patient_status")
    if text is None:
        return None, False
    status = line.reading.lists.patient_statuses.get(key(text))
    return status, status is None


def _language(line: Line) -> str | None:
    text = line.text("language")
    code = line.reading.lists.languages.get(key(text)) if text else None
    if text and code is None:
        line.ignore("language", "there are no texts in this language, or the word for it is not on the list")
    return code


def contact_rows(line: Line, patient: str) -> Iterator[Row]:
    """The phones of a line, each with whose it is, and the consents recorded with the first."""
    phone, emergency = line.phone("phone"), line.phone("emergency_phone")
    if phone:
        owner = _owner(line)
        yield ContactRow(
            patient,
            phone,
            owner,
            line.name("contact_name"),
            None if owner is Relationship.PATIENT else _language(line),
            is_named=_owner_named(line) is not None,
            is_also_emergency=phone == emergency and _owner_named(line) is None,
            at=line.at,
            column=line.reading.columns.get("phone", "phone"),
        )
        yield from _consents(line, patient, phone)
    if emergency and emergency != phone:
        yield ContactRow(
            patient,
            emergency,
            Relationship.EMERGENCY,
            line.name("emergency_name"),
            at=line.at,
            column=line.reading.columns.get("emergency_phone", "emergency_phone"),
        )


def _owner(line: Line) -> Relationship:
    owner = _owner_named(line)
    if owner is None and line.text("phone_owner"):
        line.ignore("phone_owner", "write patient, family or emergency; until then it counts as an emergency contact's")
        return Relationship.EMERGENCY
    return owner or Relationship.PATIENT


def _owner_named(line: Line) -> Relationship | None:
    return _OWNERS.get(key(line.text("phone_owner") or ""))


def _consents(line: Line, patient: str, phone: str) -> Iterator[Row]:
    """A yes counts only with the day on which it was given, and not from the future: consent without proof is none."""
    said = [(name, category, line.flag(name)) for name, category in _CONSENTS]
    if all(answer is None for _, _, answer in said):
        return
    said_on = line.day("consent_on")
    source = _source(line)
    for name, category, answer in said:
        if answer and (said_on is None or source is None):
            line.ignore(name, "a yes needs consent_on and, if it is given, a known consent_source; it was not recorded")
        elif answer and said_on and said_on > line.reading.today:
            line.ignore("consent_on", "this day is still to come; the consent was not recorded")
        elif answer is not None:
            yield ConsentRow(
                patient, phone, category, answer, source or ConsentSource.EMR, _past(said_on, line), line.at
            )


def _past(said_on: date | None, line: Line) -> date | None:
    return said_on if said_on and said_on <= line.reading.today else None


def _source(line: Line) -> ConsentSource | None:
    text = line.text("consent_source")
    if text is None:
        return ConsentSource.EMR
    try:
        return ConsentSource(key(text))
    except ValueError:
        line.ignore("consent_source", f"write one of {', '.join(ConsentSource)}")
        return None


def clinician_line(line: Line) -> LineRead:
    """A line of our own clinicians' file."""
    emr_id = line.key("clinician_id")
    if emr_id is None:
        return LineRead(rejected=line.reject("clinician_id", "the clinician's key is missing"))
    first, last = line.name("first_name"), line.name("last_name")
    if first is None or last is None:
        missing = "first_name" if first is None else "last_name"
        return LineRead(rejected=line.reject(missing, "the name is missing"))
    lists = line.reading.lists
    discipline = lists.discipline(line.text("discipline") or "") or line.text("discipline")
    row = ClinicianRow(
        emr_id,
        first,
        last,
        discipline,
        _role(line) or lists.role(discipline),
        line.key("branch_id"),
        line.phone("phone"),
        line.day("left_on"),
        is_directory=True,
    )
    return LineRead((*branch_rows(line), row), ignored=tuple(line.ignored))


def _role(line: Line) -> Role | None:
    text = line.text("role")
    if text is None:
        return None
    try:
        return Role(key(text))
    except ValueError:
        line.ignore("role", f"write one of {', '.join(Role)}")
        return None
