"""Many lines of one thing become one row: clinicians add up, empty cells win over nothing, contradictions are refused."""

from datetime import date, time

from engage.agencies.rules.people import Role
from engage.patients.rules.words import Relationship
from engage.visits.rules.batch import Batch
from engage.visits.rules.rows import (
    ClinicianRow,
    ContactRow,
    LineRead,
    PatientRow,
    PayerRow,
    Place,
    Rejected,
    Row,
    VisitRow,
)
from engage.visits.rules.words import VisitStatus

MONDAY = date(2026, 11, 23)


def batch(*rows: Row) -> Batch:
    found = Batch()
    for row in rows:
        found.take(LineRead((row,)))
    return found


def visit(line: int, number: int = 0, **facts: object) -> VisitRow:
    return VisitRow("V1", "P1", "SN Visit", **{"starts_on": MONDAY, "at": Place("f", line, number), **facts})  # type: ignore[arg-type]


def test_two_clinicians_of_one_visit_add_up() -> None:
    found = batch(
        visit(1, clinicians=("N1",), starts_local=time(9, 5), ends_local=time(10)),
        visit(2, clinicians=("A1",), starts_local=time(9), ends_local=time(9, 50), status=VisitStatus.COMPLETED),
    ).visits["V1"]
    assert (found.clinicians, found.starts_local, found.ends_local) == (("N1", "A1"), time(9), time(10))
    assert found.status is VisitStatus.COMPLETED


def test_one_visit_on_two_days_is_refused_the_second_time() -> None:
    found = batch(visit(1), visit(2, starts_on=date(2026, 11, 24)))
    assert [(each.line, "line 1" in each.reason) for each in found.rejected] == [(2, True)]
    assert found.visits["V1"].starts_on == MONDAY


def test_a_later_file_replaces_what_an_earlier_one_said() -> None:
    found = batch(visit(1, clinicians=("N1",)), visit(1, 1, clinicians=("N2",), starts_on=date(2026, 11, 24)))
    assert (found.visits["V1"].clinicians, found.visits["V1"].starts_on) == (("N2",), date(2026, 11, 24))
    assert not found.rejected


def test_an_empty_cell_wins_over_nothing() -> None:
    found = batch(PatientRow("P1", first_name="Rose", mrn="1"), PatientRow("P1", first_name="Rosa", last_name="M"))
    assert found.patients["P1"] == PatientRow("P1", first_name="Rosa", last_name="M", mrn="1")


def test_a_new_address_does_not_keep_the_old_zone() -> None:
    found = batch(PatientRow("P1", state="NY", zone="America/New_York"), PatientRow("P1", state="FL", zone=None))
    assert (found.patients["P1"].state, found.patients["P1"].zone) == ("FL", None)


def test_a_nurse_who_helps_an_aide_stays_a_nurse() -> None:
    nurse, aide = (
        ClinicianRow("N1", role=Role.NURSE, discipline="SN"),
        ClinicianRow("N1", role=Role.AIDE, discipline="HHA"),
    )
    for rows in ((nurse, aide), (aide, nurse)):
        assert (batch(*rows).clinicians["N1"].role, batch(*rows).clinicians["N1"].discipline) == (Role.NURSE, "SN")


def test_the_list_of_payers_names_them() -> None:
    named, guessed = PayerRow("P", "Plan", None, is_directory=True), PayerRow("P", "Sun Plan HMO", "MA")
    assert batch(named, guessed).payers["P"].name == batch(guessed, named).payers["P"].name == "Plan"


def test_a_number_on_two_lines_for_two_people_is_doubtful() -> None:
    rows = [
        ContactRow("P1", "+12025550143", owner, at=Place("f", 1))
        for owner in (Relationship.PATIENT, Relationship.EMERGENCY)
    ]
    for pair in (rows, rows[::-1]):
        assert batch(*pair).contacts["P1", "+12025550143"].is_also_emergency
    named = ContactRow("P1", "+12025550143", Relationship.FAMILY, is_named=True, at=Place("f", 1))
    assert batch(named, rows[1]).contacts["P1", "+12025550143"].relationship is Relationship.FAMILY


def test_a_lost_line_is_counted_apart() -> None:
    found = Batch()
    found.lose(Rejected("f", 3, "the whole line", "broken"))
    found.take(LineRead(is_left_out=True, visit_id="V2"))
    found.take(LineRead(rejected=Rejected("f", 4, "date", "no"), visit_id="V3"))
    assert (found.lines, found.lost_lines, found.left_out, found.seen_visits) == (3, 1, {"V2"}, {"V2", "V3"})
