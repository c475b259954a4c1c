"""The ladders' pages: read as steps in time, tried against tonight, changed by the way of the command line, and audited."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from engage.alerts.rules.words import AlertKind
from tests.cast import Cast
from tests.flows.alerts.ward import Ward
from tests.flows.console.conftest import SignIn
from tests.flows.console.test_patient import shown
from tests.flows.console.test_programme import fields
from tests.flows.console.test_reads import statements

ROWS = {
    "place-0": "1", "who-0": "on_call", "minutes-0": "5", "times-0": "2", "channel-0": "voice",
    "place-1": "2", "who-1": "", "minutes-1": "10",  # a row with nobody is left out
    "place-2": "1.5", "who-2": "person", "person-2": "ana", "minutes-2": "10", "after-2": "08:00", "until-2": "20:00",
    "place-3": "4", "who-3": "supervisor", "minutes-3": "15", "rounds": "2",
}  # fmt: skip
STEPS = "SELECT who, wait_minutes, channel, times, clinician_id FROM ladder_steps s JOIN ladders l ON l.agency_id = s.agency_id AND l.id = s.ladder_id WHERE l.agency_id = :a AND l.key = 'nurse' AND l.branch_id IS NOT DISTINCT FROM :b ORDER BY position"


@pytest.fixture
def ward(cast: Cast) -> Ward:
    return Ward(cast)


@pytest.fixture
def boss(signed_in: SignIn) -> FlaskClient:
    return signed_in("manager")


def test_ladders_read_as_steps_in_time(cast: Cast, boss: FlaskClient, signed_in: SignIn) -> None:
    page = boss.get("/console/ladders").text
    shown(page, "At once", "After 10 min", "After 20 min", "the patient's own nurse", "Urgent words")
    shown(page, "step 1: nobody can be paged (the schedulers)")  # the check of the rota, on the page
    # Tonight at 2:10 the nurse sleeps: whoever is on call is paged, then the supervisor.
    told = re.sub(r"<[^>]+>", " ", page.split('id="trial"')[1].split("The ladders")[0])
    assert re.findall(r"Ben Tester|Sue Tester|Nobody", told.split("Nobody is called.")[1])[:3] == [
        "Nobody",
        "Ben Tester",
        "Sue Tester",
    ]
    assert "Mon Nov 23 2:10 AM" in told
    noon = boss.get(f"/console/ladders?kind=urgent&at=2026-11-23T12:00&nurse={cast.ana}").text
    told = re.sub(r"<[^>]+>", " ", noon.split('id="trial"')[1].split("The ladders")[0])
    assert re.findall(r"Ana Tester|Ben Tester", told.split("Nobody is called.")[1])[:2] == ["Ana Tester", "Ben Tester"]
    assert boss.get("/console/ladders?kind=nonsense&at=never&nurse=99999&branch=77").status_code == 200
    nurse = signed_in("nurse")
    assert "See what it would do" not in nurse.get("/console/ladders/nurse").text
    assert nurse.post("/console/ladders/nurse/try", data=ROWS).status_code == 403
    assert boss.get("/console/ladders/nothing").status_code == 404


def test_a_ladder_is_tried_and_then_saved(cast: Cast, ward: Ward, boss: FlaskClient) -> None:
    alert = ward.opens(AlertKind.LOW_SCORE)
    ward.climbs()
    before = ward.sql(STEPS, a=cast.id, b=None)
    tried = boss.post("/console/ladders/nurse/try", data=ROWS).text
    shown(
        tried, "As it would be", "by call first", "time 2 of 2", "Ana Tester", "The last 14 days once more", "Save it"
    )
    assert ward.sql(STEPS, a=cast.id, b=None) == before  # nothing of it is kept
    assert ward.sql("SELECT count(*) FROM audit_events WHERE subject = 'ladder'") == [(0,)]
    assert "look at what it would do once more" in boss.post("/console/ladders/nurse", data=ROWS).text
    said = boss.post("/console/ladders/nurse", data=fields(tried), follow_redirects=True).text
    shown(
        said,
        "It is saved",
        "Pat Manager",
        "on_call 5 x2 voice; person:ana 10 08:00-20:00; supervisor 15",
        "From 8:00 AM to 8:00 PM",
    )
    assert ward.sql(STEPS, a=cast.id, b=None) == [
        ("on_call", 5, "voice", 2, None), ("person", 10, "any", 1, cast.ana), ("supervisor", 15, "any", 1, None)
    ]  # fmt: skip
    assert ward.sql("SELECT next_due_at IS NOT NULL FROM alerts WHERE id = :i", i=alert) == [(True,)]
    assert ward.sql(
        "SELECT actor LIKE 'account:%', detail ->> 'from' IS NOT NULL FROM audit_events WHERE action = 'ladder.set'"
    ) == [(True, True)]
    assert "look at what it would do once more" in boss.post("/console/ladders/nurse", data=fields(tried)).text
    for wrong, says in (
        ({"minutes-0": ""}, "Step 1"),
        ({"minutes-0": "2000"}, "1 to 1440"),
        ({"person-2": "zoe"}, "zoe"),
        ({"after-2": "09:00", "until-2": "09:00"}, "empty"),
        ({"rounds": "0"}, "1 to 20"),
        ({"who-0": "doctor"}, "doctor"),
        ({"who-0": "", "who-2": "", "who-3": ""}, "at least one step"),
    ):
        page = boss.post("/console/ladders/nurse/try", data=ROWS | wrong).text
        assert says in page, wrong
        assert "Save it" not in page


def test_a_branch_has_its_own_and_only_whoever_has_it_may_change_it(
    cast: Cast, ward: Ward, boss: FlaskClient, signed_in: SignIn
) -> None:
    ward.sql(
        "INSERT INTO branches (agency_id, emr_id, name, time_zone) VALUES (:a, 'far', 'Far', 'America/Denver')",
        a=cast.id,
    )
    far = ward.sql("SELECT id FROM branches WHERE emr_id = 'far'")[0][0]
    rows = ROWS | {"branch": str(far)}
    assert "its own from then on" in boss.get(f"/console/ladders/nurse?branch={far}").text
    manager = signed_in("manager", branches=(cast.branch,))
    assert manager.get(f"/console/ladders/nurse?branch={far}").status_code == 404
    assert manager.post("/console/ladders/nurse/try", data=rows).status_code == 404
    assert "every branch" in manager.post("/console/ladders/nurse/try", data=ROWS).text
    assert (
        "every branch"
        in manager.post("/console/ladders/kinds/urgent", data={"severity": "1"}, follow_redirects=True).text
    )
    boss.post("/console/ladders/nurse", data=fields(boss.post("/console/ladders/nurse/try", data=rows).text))
    assert len(ward.sql(STEPS, a=cast.id, b=far)) == 3
    assert ward.sql(STEPS, a=cast.id, b=None)[0][0] == "nurse"
    shown(boss.get("/console/ladders").text, "nurse: Far", "this branch's own")
    assert "nurse: Far" not in manager.get("/console/ladders").text
    assert (
        "It is removed"
        in boss.post("/console/ladders/nurse/remove", data={"branch": str(far)}, follow_redirects=True).text
    )
    assert ward.sql(STEPS, a=cast.id, b=far) == []


def test_a_kind_of_alert_is_treated_another_way(cast: Cast, ward: Ward, boss: FlaskClient, signed_in: SignIn) -> None:
    data = {"severity": "3", "ladder": "supervisor", "minutes": "30"}
    assert (
        "saved for new alerts" in boss.post("/console/ladders/kinds/complaint", data=data, follow_redirects=True).text
    )
    rule = "SELECT severity, acknowledged_minutes FROM alert_rules WHERE kind = 'complaint' AND agency_id = :a"
    assert ward.sql(rule, a=cast.id) == [(3, 30)]
    for wrong, says in (
        ({"minutes": "1"}, "5 minutes"),
        ({"severity": "9"}, "severity"),
        ({"ladder": "x"}, "no ladder"),
    ):
        assert says in boss.post("/console/ladders/kinds/complaint", data=data | wrong, follow_redirects=True).text
    assert ward.sql(rule, a=cast.id) == [(3, 30)]
    assert boss.post("/console/ladders/kinds/nothing", data=data).status_code == 404
    assert signed_in("scheduler").post("/console/ladders/kinds/complaint", data=data).status_code == 403


@pytest.mark.parametrize("page", ["/console/ladders", "/console/rota", "/console/programme"])
def test_more_rows_take_no_more_statements(cast: Cast, ward: Ward, boss: FlaskClient, page: str) -> None:
    def asked() -> int:
        with statements(cast) as ran:
            assert boss.get(page).status_code == 200
        return len(ran)

    asked()  # what is kept from the first look
    before = asked()
    for number in range(3):
        ward.sql(
            "INSERT INTO branches (agency_id, emr_id, name, time_zone) VALUES (:a, :e, :e, 'America/Denver')",
            a=cast.id,
            e=f"b{number}",
        )
    ward.sql(
        "INSERT INTO ladders (agency_id, key, branch_id) SELECT agency_id, 'nurse', id FROM branches WHERE agency_id = :a",
        a=cast.id,
    )
    ward.sql(
        "INSERT INTO ladder_steps (agency_id, ladder_id, position, who, wait_minutes) SELECT agency_id, id, 1, 'supervisor', 5 FROM ladders WHERE agency_id = :a AND branch_id IS NOT NULL",
        a=cast.id,
    )
    ward.sql(
        "INSERT INTO shifts (agency_id, branch_id, clinician_id, weekdays, starts, ends) SELECT agency_id, id, :k, '{1,2}', '08:00', '17:00' FROM branches WHERE agency_id = :a",
        a=cast.id,
        k=cast.ana,
    )
    ward.sql(
        "INSERT INTO touchpoints (agency_id, key, anchor, local_time, useful_minutes, category, priority, template, asks) SELECT :a, 'more-' || n, 'every_day', '10:00', 60, 'checkins', 4, 'morning-checkin', 'nothing' FROM generate_series(1, 5) AS n",
        a=cast.id,
    )
    assert asked() == before
