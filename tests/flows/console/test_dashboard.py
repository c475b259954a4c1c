"""The dashboard: figures by day, branch, clinician, payer and referral source, and the people behind each. Every rate by hand."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient

from engage.alerts.rules.words import AlertKind
from engage.console.dashboard_read import Span, read_behind, read_figures, read_people
from engage.console.rules.rates import By, Measure
from tests.cast import MONDAY, NOON, Cast
from tests.flows.alerts.ward import Ward
from tests.flows.console.conftest import SignIn
from tests.flows.console.shelf import Shelf
from tests.flows.console.test_patient import shown
from tests.flows.console.test_reads import statements

SUNDAY, SATURDAY = NOON.date(), NOON.date() - timedelta(days=1)
PEOPLE = "/console/dashboard/people"


@pytest.fixture
def ward(cast: Cast) -> Ward:
    return Ward(cast)


@pytest.fixture
def boss(signed_in: SignIn) -> FlaskClient:
    return signed_in("manager")


@pytest.fixture
def busy(cast: Cast, ward: Ward) -> Shelf:
    """Rose missed Saturday's visit, and answers; Marta's was done, by Ana and Ben; an alert of seven minutes, and one of nobody."""
    shelf = Shelf(cast)
    for value in (4, 2):
        shelf.scored(NOON - timedelta(hours=1), value)
    shelf.asked(NOON, "not answered", cast.marta_contact)
    missed, done = cast.visit(cast.rose, SATURDAY), cast.visit(cast.marta, SATURDAY, clinicians=(cast.ana, cast.ben))
    cast.visit(cast.rose, SUNDAY)
    ward.sql("UPDATE visits SET status = 'missed' WHERE id = :id", id=missed)
    ward.sql(
        "UPDATE visits SET status = 'completed', completed_at = :now, answer = 'confirmed', answered_at = :now WHERE id = :id",
        now=NOON,
        id=done,
    )
    ward.sql(
        "UPDATE visits SET status = 'cancelled' WHERE id = :id", id=cast.visit(cast.rose, SUNDAY)
    )  # counts nowhere
    alert = ward.opens(AlertKind.LOW_SCORE)
    ward.taken_by(cast.ana, alert, NOON + timedelta(minutes=7))
    ward.opens(AlertKind.CALLBACK, patient=cast.marta)
    ward.opens(AlertKind.ROTA_GAP, branch=cast.branch)  # about no patient
    return shelf


def paid(cast: Cast, ward: Ward) -> None:
    """Medicare paid for Rose until Saturday, and a plan does since; the hospital sent her. Marta has no episode."""
    agency = cast.id
    ward.sql("INSERT INTO payers (agency_id, emr_id, name) VALUES (:a, 'm', 'Medicare'), (:a, 'p', 'Plan B')", a=agency)
    ward.sql("INSERT INTO referral_sources (agency_id, emr_id, name) VALUES (:a, 'h', 'Mercy Hospital')", a=agency)
    for key, payer, begins in (("e1", "m", SATURDAY - timedelta(days=30)), ("e2", "p", SUNDAY)):
        ward.sql(
            "INSERT INTO episodes (agency_id, patient_id, payer_id, referral_source_id, emr_id, starts_on) SELECT :a, :p,"
            " (SELECT id FROM payers WHERE emr_id = :payer), (SELECT id FROM referral_sources), :key, :begins",
            a=agency, p=cast.rose, payer=payer, key=key, begins=begins,
        )  # fmt: skip


def test_the_figures_and_what_they_mean(
    cast: Cast, ward: Ward, busy: Shelf, boss: FlaskClient, signed_in: SignIn
) -> None:
    page = boss.get("/console/dashboard").text
    shown(page, "1 (50 %", "33 %", "67 %", "3.0", ">7 ", "of 2</span>", "1 of 2 taken", "chance alone")
    shown(page, "out of those that are over (done or missed)", "How this is counted", "Sat Nov 21", "Sun Nov 22")
    assert "Rose" not in page  # numbers only
    ward.sql("UPDATE branches SET name = '=HYPERLINK(1)' WHERE id = :id", id=cast.branch)
    days = boss.get(f"/console/dashboard/figures.csv?first={SATURDAY}&last={SUNDAY}").text.splitlines()
    assert days[0].startswith("day,name,visits,completed,missed,missed_share,confirmed,")
    assert days[1].startswith("2026-11-21,,2,1,1,0.500,1,0.500,0,0,,0,,0,0,,")
    assert days[2].startswith("2026-11-22,,1,0,0,,0,0.000,3,2,0.667,2,3.000,1,2,0.500,7.000")
    branches = boss.get("/console/dashboard/figures.csv?by=branch").text.splitlines()
    assert branches[1].startswith(f"{cast.branch},'=HYPERLINK(1),3,1,1,0.500,")
    assert "Nothing happened" in signed_in("manager", agency=cast.other_id).get("/console/dashboard").text
    assert boss.get("/console/dashboard?first=never&by=nonsense").status_code == 200
    assert signed_in("nurse").get("/console/dashboard").status_code == 403
    later = f"/console/dashboard?first={MONDAY}&last={MONDAY}"
    assert "Nothing happened" in signed_in("manager", branches=(cast.branch,)).get(later).text


def test_by_clinician_payer_and_referral_source(cast: Cast, ward: Ward, busy: Shelf) -> None:
    paid(cast, ward)
    span = Span(cast.id, None, "America/New_York", SATURDAY, SUNDAY)
    with cast.db.agency_session(cast.id) as session:
        came = read_figures(session, span, By.CLINICIAN)
        payers = read_figures(session, span, By.PAYER)
        sources = read_figures(session, span, By.REFERRAL)
    assert [(row.name, row.counts.visits, row.counts.missed) for row in came.rows] == [
        ("Ana Tester", 3, 1),
        ("Ben Tester", 1, 0),
    ]
    assert (came.total.visits, came.total.alerts) == (3, 2)  # a visit of two is one visit
    told = {
        row.name: (row.counts.visits, row.counts.missed, row.counts.scores, row.counts.alerts) for row in payers.rows
    }
    assert told == {"Medicare": (1, 1, 0, 0), "Plan B": (1, 0, 2, 1), "": (1, 0, 0, 1)}  # whoever paid on the day
    assert [(row.name, row.counts.visits) for row in sources.rows] == [("Mercy Hospital", 2), ("", 1)]


def test_each_figure_leads_to_its_people(cast: Cast, ward: Ward, busy: Shelf, boss: FlaskClient) -> None:
    paid(cast, ward)
    ((plan,),) = ward.sql("SELECT id FROM payers WHERE emr_id = 'p'")
    by = {"rose": "Rose Miller", "marta": "Marta Ruiz"}
    for asked, told in {
        "measure=missed": ["rose"],
        "measure=confirmed": ["rose", "marta"],  # the least confirmed first
        "measure=answered": ["marta", "rose"],
        "measure=scores": ["rose"],
        "measure=low": ["rose"],
        "measure=alerts": ["rose", "marta"],
        "measure=wait": ["rose"],
        f"measure=visits&by=clinician&key={cast.ben}": ["marta"],
        f"measure=visits&by=day&key={SUNDAY}": ["rose"],
        "measure=missed&by=day&key=2020-01-01": [],  # not among the days that are looked at
        f"measure=visits&by=payer&key={plan}": ["rose"],
        "measure=visits&by=payer&key=none": ["marta"],
        f"measure=alerts&by=branch&key={cast.branch}": ["rose", "marta"],
        "measure=visits&by=branch&key=999999": [],
    }.items():
        page = boss.get(f"{PEOPLE}?{asked}").text
        found = sorted((each for each in by if by[each] in page), key=lambda each: page.index(by[each]))
        assert found == told, asked
    page = boss.get(f"{PEOPLE}?measure=missed").text
    shown(page, "1 of 1", f'href="/console/patients/{cast.rose}"', "out of those that are over", "Sat Nov 21")
    lines = boss.get(f"{PEOPLE}.csv?measure=missed").text.splitlines()
    assert lines[1].startswith("rose,Rose Miller,")
    assert lines[1].endswith(",2026-11-21")
    seen = ward.sql(
        "SELECT detail FROM audit_events WHERE subject = 'dashboard' AND detail ->> 'measure' = 'missed' ORDER BY id"
    )
    assert seen[-1][0]["patients"] == [cast.rose]  # names were shown: whose is on record
    for wrong in ("", "?measure=nonsense", "?measure=visits&by=day&key=x", "?measure=visits&by=payer&key=x"):
        assert boss.get(PEOPLE + wrong).status_code == 404


def test_nobody_finds_people_of_another_branch_or_agency(
    cast: Cast, ward: Ward, busy: Shelf, signed_in: SignIn
) -> None:
    far = "INSERT INTO branches (agency_id, emr_id, name, time_zone) VALUES (:a, 'far', 'Far', 'America/New_York') RETURNING id"
    ((branch,),) = ward.sql(far, a=cast.id)
    for client in (signed_in("manager", branches=(branch,)), signed_in("auditor", agency=cast.other_id)):
        page = client.get(f"{PEOPLE}?measure=visits&by=branch&key={cast.branch}").text
        shown(page, "Nobody.")
        assert "Rose" not in page + client.get(f"{PEOPLE}.csv?measure=visits").text
        assert "Nothing happened" in client.get("/console/dashboard?by=clinician").text
    for path in ("", "/people?measure=visits", "/people.csv?measure=visits", "/figures.csv"):
        assert signed_in("nurse").get(f"/console/dashboard{path}").status_code == 403


def test_pages_of_people_and_no_statement_a_person(cast: Cast, ward: Ward, boss: FlaskClient) -> None:
    def count() -> int:
        with statements(cast) as ran, cast.db.agency_session(cast.id) as session:
            span = Span(cast.id, None, "America/New_York", SATURDAY, MONDAY)
            for by in By:
                read_figures(session, span, by)
            read_people(session, span, read_behind(session, span, Measure.VISITS))
        return len(ran)

    cast.visit(cast.rose, SUNDAY)
    few = count()
    ward.sql(
        "INSERT INTO patients (agency_id, branch_id, emr_id, first_name, last_name, time_zone, status_since)"
        " SELECT :a, :b, 'p' || n, 'Pat', 'Number ' || n, 'America/New_York', :now FROM generate_series(1, 60) n",
        a=cast.id, b=cast.branch, now=NOON,
    )  # fmt: skip
    ward.sql(
        "INSERT INTO visits (agency_id, patient_id, emr_id, task, starts_on, changed_at)"
        " SELECT agency_id, id, 'v' || id, 'SN', :on, :now FROM patients WHERE emr_id LIKE 'p%'",
        on=date(2026, 11, 22), now=NOON,
    )  # fmt: skip
    assert count() == few <= 40
    first, second = (boss.get(f"{PEOPLE}?measure=visits&page={page}").text for page in (0, 1))
    shown(first, "61 patients", "More")
    assert (first.count("Pat Number"), second.count("Pat Number")) == (49, 11)  # and Rose
