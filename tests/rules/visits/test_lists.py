"""What an EMR's words mean: rows that are no visits, statuses, disciplines, names of clinicians; and time zones."""

import pytest

from engage.agencies.rules.people import Role
from engage.visits.rules.words import VisitStatus
from engage.visits.rules.zones import zone_of
from tests.rules.visits.lists_for_tests import AXXESS


@pytest.mark.parametrize(
    ("task", "visit_type", "status", "is_visit"),
    [
        ("Skilled Nurse Visit", "Nursing", "NoteNotStarted", True),
        ("HHA Visit", "HHA", "NoteNotStarted", True),
        ("Physican Order", "Nursing", "NoteNotStarted", False),  # the EMR's spelling
        (" discharge  summary( auto generated ) ", "", "", False),
        ("End of Episode Sumarry ( Auto - Generated )", "", "", False),
        ("Skilled Nurse Visit", "ReportsAndNotes", "", False),
        ("Skilled Nurse Visit", "reports and notes", "", False),
        ("HHA Sup Visit", "HHA", "", False),  # a visit elsewhere: that agency says so in its own list
        ("Something", "", "OrderReturnedWPhysicianSignature", False),
        ("", "", "NoteNotStarted", True),
    ],
)
def test_rows_that_are_no_visits_are_told(task: str, visit_type: str, status: str, is_visit: bool) -> None:
    assert AXXESS.is_visit(task, visit_type, status) is is_visit


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Submitted ( Pending QA Review )", VisitStatus.COMPLETED),
        ("submitted with signature", VisitStatus.COMPLETED),
        ("Returned for Review", VisitStatus.COMPLETED),  # the paperwork came back; the visit took place
        ("Returned for Clinician Signature", VisitStatus.COMPLETED),
        ("Completed", VisitStatus.COMPLETED),
        ("Completed ( Pending QA Review)", VisitStatus.COMPLETED),
        ("Completed(Export Ready)", VisitStatus.COMPLETED),
        ("Completed ( not exported)", VisitStatus.COMPLETED),
        ("Exported", VisitStatus.COMPLETED),
        ("OasisExported", VisitStatus.COMPLETED),
        ("Missed", VisitStatus.MISSED),
        ("Missed Visits  ( pending QA Review)", VisitStatus.MISSED),
        ("NoteNotStarted", VisitStatus.SCHEDULED),
        ("", VisitStatus.SCHEDULED),
        ("Quantum", None),
    ],
)
def test_statuses_are_about_paper_and_mean_this(text: str, meant: VisitStatus | None) -> None:
    assert AXXESS.status(text, is_missed=False, is_completed=False) is meant


def test_the_missed_mark_beats_a_finished_form() -> None:
    assert AXXESS.status("Completed", is_missed=True, is_completed=True) is VisitStatus.MISSED
    assert AXXESS.status("Missed", is_missed=False, is_completed=True) is VisitStatus.MISSED
    assert AXXESS.status("Quantum", is_missed=False, is_completed=True) is VisitStatus.COMPLETED


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        (("", "Skilled Nurse Visit"), "SN"),
        (("Nursing", "Whatever"), "SN"),
        (("", "LVN/LPN Visit"), "SN"),
        (("", "PTA Visit"), "PT"),
        (("", "COTA Visit"), "OT"),
        (("HHA", "Visit"), "HHA"),
        (("", "OASIS-E Start of Care (PT)"), "PT"),
        (("", "Apartment check"), None),  # "PT" stands only inside a word
    ],
)
def test_disciplines_are_found_in_words(texts: tuple[str, ...], code: str | None) -> None:
    assert AXXESS.discipline(*texts) == code


def test_roles_follow_disciplines() -> None:
    assert [AXXESS.role(code) for code in ("SN", "PT", "HHA", None)] == [Role.NURSE, Role.THERAPIST, Role.AIDE, None]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Doe, Jane RN", ("Jane", "Doe", "SN")),
        ("Jane Doe, RN", ("Jane", "Doe", "SN")),
        ("Doe, Jane, RN", ("Jane", "Doe", "SN")),
        ("JANE DOE", ("Jane", "Doe", None)),
        ("DOE, JANE LPN", ("Jane", "Doe", "SN")),
        ("Mary Ann O'Neil PTA", ("Mary Ann", "O'Neil", "PT")),
        ("Nguyen, An NP", ("An", "Nguyen", "SN")),
        ("Cher", (None, "Cher", None)),
        ("", (None, None, None)),
    ],
)
def test_names_of_clinicians(text: str, meant: tuple[str | None, str | None, str | None]) -> None:
    assert AXXESS.clinician(text) == meant


@pytest.mark.parametrize(
    ("state", "zip_code", "county", "zone"),
    [
        ("NY", None, None, "America/New_York"),
        ("AZ", "85001", None, "America/Phoenix"),
        ("FL", "33101", None, "America/New_York"),
        ("FL", "32501", None, "America/Chicago"),  # Pensacola
        ("FL", None, "Escambia County", "America/Chicago"),
        ("FL", "32501", "Leon", "America/New_York"),  # a county says more than a ZIP code
        ("FL", None, None, None),  # the branch knows better than a guess
        ("IN", "46402", None, "America/Chicago"),  # Gary
        ("IN", None, "La Porte", "America/Chicago"),
        ("TN", "37402", None, "America/New_York"),  # Chattanooga
        ("TN", "37203", None, "America/Chicago"),  # Nashville
        ("TX", "79901", None, "America/Denver"),  # El Paso
        ("KY", None, "mccracken", "America/Chicago"),
        ("ID", "83814", None, "America/Los_Angeles"),
        ("PR", None, None, "America/Puerto_Rico"),
        (None, "12207", None, None),
    ],
)
def test_the_zone_comes_from_the_service_address(
    state: str | None, zip_code: str | None, county: str | None, zone: str | None
) -> None:
    assert zone_of(AXXESS.zones, state, zip_code, county) == zone


def test_every_state_is_there_by_letters_and_by_name() -> None:
    assert len(AXXESS.zones.states) == 56  # fifty, the capital's district, five territories
    assert AXXESS.zones.state("florida") == AXXESS.zones.state(" FL ") == "FL"
    assert AXXESS.zones.state("Ontario") is None
