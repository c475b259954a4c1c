"""What a cell says: each form an EMR uses, and each that must not be guessed."""

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engage.visits.rules import cells
from engage.visits.rules.cells import Unreadable


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("11/23/2026", date(2026, 11, 23)),
        ("1/5/2026", date(2026, 1, 5)),  # month first: the United States
        ("01-05-2026", date(2026, 1, 5)),
        ("2026-11-23", date(2026, 11, 23)),
        ("2026/11/23", date(2026, 11, 23)),
        ("20261123", date(2026, 11, 23)),
        ("  11/23/2026\u00a0", date(2026, 11, 23)),  # a space that does not break
        ("\ufeff11/23/2026", date(2026, 11, 23)),
        ("11/23/2026 00:00:00", date(2026, 11, 23)),
        ("11/23/2026 02:30:00 PM", date(2026, 11, 23)),
        ("2026-11-23T00:00:00.000Z", date(2026, 11, 23)),
        ("2026-11-23 00:00:00.0000000", date(2026, 11, 23)),
        ("23-Nov-2026", date(2026, 11, 23)),
        ("Nov 23, 2026", date(2026, 11, 23)),
        ("November 23 2026", date(2026, 11, 23)),
        ("", None),
        ("NULL", None),
        ("01/01/0001", None),  # a database's way of saying none
        ("1/1/1900", None),
        ("0000-00-00", None),
    ],
)
def test_a_date_is_read_in_every_form(text: str, meant: date | None) -> None:
    assert cells.day(text) == meant


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("02/30/2026", "no such day"),
        ("13/13/2026", "no such day"),
        ("11/23/26", "two digits"),  # 1926 or 2026: nobody knows
        ("tomorrow", "not a date"),
        ("11/23", "not a date"),
        ("12 345", "not a date"),
        ("45984", "not a date"),  # Excel's number of a day
        ("23-Foo-2026", "not a date"),
    ],
)
def test_what_is_no_date_says_why(text: str, reason: str) -> None:
    found = cells.day(text)
    assert isinstance(found, Unreadable)
    assert reason in found.reason


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("08:30", time(8, 30)),
        ("8:30 AM", time(8, 30)),
        ("8:30PM", time(20, 30)),
        ("8:30 p.m.", time(20, 30)),
        ("2:05pm", time(14, 5)),
        ("12:00 AM", time(0)),
        ("12:15 PM", time(12, 15)),
        ("14:30 PM", time(14, 30)),  # both ways at once, and they agree
        ("0830", time(8, 30)),
        ("830", time(8, 30)),
        ("8 AM", time(8)),
        ("08:30:59", time(8, 30)),
        ("1900-01-01 08:30:00.000", time(8, 30)),
        ("11/23/2026 8:30:00 AM", time(8, 30)),
        ("", None),
    ],
)
def test_a_time_is_read_in_every_form(text: str, meant: time | None) -> None:
    assert cells.clock(text) == meant


@pytest.mark.parametrize("text", ["25:00", "08:61", "14:30 AM", "morning", "8", "2026-11-23T14:00:00Z", "14:00+00:00"])
def test_what_is_no_wall_time_is_not_guessed(text: str) -> None:
    assert isinstance(cells.clock(text), Unreadable)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("ROSE", "Rose"),
        ("  mary   ann ", "Mary Ann"),
        ("O'BRIEN", "O'Brien"),
        ("SMITH-JONES", "Smith-Jones"),
        ("MCDONALD III", "Mcdonald III"),
        ("McDonald", "McDonald"),  # somebody has taken care
        ("de la Cruz", "de la Cruz"),
        ("Nuñez\u200b", "Nuñez"),  # an invisible character
    ],
)
def test_names_are_written_as_people_do(text: str, meant: str) -> None:
    assert cells.person(text) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Yes", True),
        (" Y ", True),
        ("1", True),
        ("TRUE", True),
        ("no", False),
        ("0", False),
        ("False", False),
        ("", None),
    ],
)
def test_yes_and_no(text: str, meant: bool | None) -> None:
    assert cells.flag(text) is meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("12207", "12207"),
        ("12207-1234", "12207"),
        ("122071234", "12207"),
        ("2139", "02139"),
        ("601", "00601"),
        ("", None),
    ],
)
def test_zip_codes(text: str, meant: str | None) -> None:
    assert cells.zip_code(text) == meant


def test_what_is_neither_is_unreadable() -> None:
    assert isinstance(cells.flag("maybe"), Unreadable)
    assert isinstance(cells.zip_code("K1A 0B1"), Unreadable)
    assert isinstance(cells.zip_code("122"), Unreadable)
    assert isinstance(cells.count("-1"), Unreadable)
    assert cells.count("4.00") == 4


def test_keys_of_guids_ignore_case_and_others_do_not() -> None:
    assert cells.identifier(" 6F9619FF-8B86-D011-B42D-00CF4FC964FF ") == "6f9619ff-8b86-d011-b42d-00cf4fc964ff"
    assert cells.identifier("AbC") == "AbC"


@given(st.text(max_size=40))
def test_no_cell_makes_a_reader_fail(text: str) -> None:
    for read in (
        cells.day,
        cells.clock,
        cells.flag,
        cells.count,
        cells.zip_code,
        cells.tidy,
        cells.person,
        cells.identifier,
    ):
        read(text)


@given(st.dates(date(1901, 1, 1), date(2100, 1, 1)), st.sampled_from(["%m/%d/%Y", "%Y-%m-%d", "%d-%b-%Y", "%B %d, %Y"]))
def test_every_day_survives_every_form(day: date, form: str) -> None:
    assert cells.day(day.strftime(form)) == day
