"""The programme's pages: read as a timeline, changed by the way of an agency's file, never unseen, and for one patient."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from tests.cast import Cast
from tests.flows.alerts.ward import Ward
from tests.flows.console.conftest import SignIn
from tests.flows.console.test_patient import shown

FORM = {"is_active": "1", "only_monitored": "1", "local_time": "18:00", "useful_minutes": "150", "template": "evening-checkin", "alert_at_most": "2"}  # fmt: skip


@pytest.fixture
def ward(cast: Cast) -> Ward:
    return Ward(cast)


@pytest.fixture
def boss(signed_in: SignIn) -> FlaskClient:
    return signed_in("manager")


def fields(page: str) -> dict[str, str]:
    """What the form under the dry run sends."""
    form = page.split('class="acts"')[1]
    return dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form))


def test_the_programme_reads_as_a_timeline(cast: Cast, ward: Ward, boss: FlaskClient) -> None:
    ward.sql('UPDATE touchpoints SET for_whom = \'{"tags": ["chf"], "until_day": 15}\' WHERE key = \'evening-checkin\'')
    ward.sql('UPDATE touchpoints SET taper = \'[{"until_day": 9}, {"days": ["mon"]}]\' WHERE key = \'morning-checkin\'')
    page = boss.get("/console/programme").text
    heads = ["The day before the visit", "The day of the visit", "Every day of care", "When a visit is done"]
    assert [page.index(head) for head in heads] == sorted(page.index(head) for head in heads)
    shown(page, "3:00 PM", "2 h later", "2 or less calls somebody", "Only patients tagged chf", "Until day 15 of care")
    shown(page, "Until day 9 of care: every day", "From then on: Mon", "Only monitored patients", "Reply Y if OK")
    assert "not for such a patient" not in page
    assert "not for such a patient" in boss.get("/console/programme?tags=copd&day=3").text
    assert "not for such a patient" not in boss.get("/console/programme?tags=chf&day=3").text


def test_a_change_is_seen_before_it_is_saved_and_kept_with_its_author(
    cast: Cast, ward: Ward, boss: FlaskClient, signed_in: SignIn
) -> None:
    ward.sql("UPDATE patients SET is_monitored = true")
    here = "/console/programme/evening-checkin"
    shown(boss.get(here).text, 'value="18:00"', "See what it would do")
    unseen = boss.post(here, data=FORM | {"local_time": "19:00"}, follow_redirects=True).text
    assert "look at what it would do once more" in unseen  # without the dry run nothing is saved
    tried = boss.post(f"{here}/try", data={name: value for name, value in FORM.items() if name != "is_active"}).text
    shown(tried, "<strong>-14</strong> texts in the coming week", "on:", "Save it")
    assert ward.sql(
        "SELECT is_active FROM touchpoints WHERE key = 'evening-checkin' AND agency_id = :a", a=cast.id
    ) == [(True,)]
    assert ward.sql("SELECT count(*) FROM messages") == [(0,)]  # what was planned to look at it is gone
    later = boss.post(f"{here}/try", data=FORM | {"local_time": "19:30"}).text
    shown(later, "<del>18:00</del> → <ins>19:30</ins>", "the same")
    data = fields(later)
    assert "It is saved" in boss.post(here, data=data, follow_redirects=True).text
    assert (
        str(
            ward.sql("SELECT local_time FROM touchpoints WHERE key = 'evening-checkin' AND agency_id = :a", a=cast.id)[
                0
            ][0]
        )
        == "19:30:00"
    )
    shown(boss.get(here).text, "Pat Manager", "hour:", "19:30")
    event = ward.sql(
        "SELECT actor LIKE 'account:%', detail ->> 'from' IS NOT NULL FROM audit_events WHERE action = 'programme.change'"
    )
    assert event == [(True, True)]
    stale = boss.post(here, data=data, follow_redirects=True).text
    assert "nothing would change" in stale
    for wrong, says in (
        ({"local_time": "7:5:3:1"}, "such as 09:30"),
        ({"template": "nothing"}, "No [[wording]] has a text"),
        ({"useful_minutes": "3"}, "from 5 to 10080"),
        ({"taper-0-days": "mon", "taper-1-until": "3"}, "never reached"),
        (FORM | {"local_time": "19:30"}, "nothing would change"),
    ):
        page = boss.post(f"{here}/try", data=FORM | wrong).text
        assert says in page.replace("&#39;", "'"), wrong
        assert "Save it" not in page
    assert signed_in("auditor").get(here).status_code == 200
    assert signed_in("auditor").post(f"{here}/try", data=FORM).status_code == 403
    assert signed_in("nurse").get("/console/programme").status_code == 403
    assert boss.get("/console/programme/nothing").status_code == 404


def test_what_a_file_does_not_know_survives_a_change_of_the_programme(
    cast: Cast, ward: Ward, boss: FlaskClient
) -> None:
    ward.sql("INSERT INTO ladders (agency_id, key, branch_id) VALUES (:a, 'nurse', :b)", a=cast.id, b=cast.branch)
    own = "SELECT l.id FROM ladders l WHERE l.agency_id = :a AND l.branch_id IS NOT NULL"
    ward.sql(
        f"INSERT INTO ladder_steps (agency_id, ladder_id, position, who, wait_minutes, channel) SELECT :a, ({own}), 1, 'supervisor', 7, 'voice'",
        a=cast.id,
    )  # noqa: S608
    # a fallback's shift with its days out of order: the file knows neither the duty nor the order
    ward.sql(
        "INSERT INTO shifts (agency_id, clinician_id, weekdays, starts, ends, duty) VALUES (:a, :k, '{5,4,4}', '08:00', '17:00', 'fallback')",
        a=cast.id,
        k=cast.sue,
    )
    shifts = ward.sql("SELECT id, weekdays, duty FROM shifts ORDER BY id")
    before = ward.sql("SELECT ladder_id, position, id, who, wait_minutes, channel FROM ladder_steps ORDER BY 1, 2")
    rules = ward.sql("SELECT kind, ladder_id FROM alert_rules ORDER BY 1")
    tried = boss.post("/console/programme/evening-checkin/try", data=FORM | {"local_time": "17:00"}).text
    boss.post("/console/programme/evening-checkin", data=fields(tried))
    assert (
        str(
            ward.sql("SELECT local_time FROM touchpoints WHERE key = 'evening-checkin' AND agency_id = :a", a=cast.id)[
                0
            ][0]
        )
        == "17:00:00"
    )
    assert (
        ward.sql("SELECT ladder_id, position, id, who, wait_minutes, channel FROM ladder_steps ORDER BY 1, 2") == before
    )
    assert ward.sql("SELECT id, weekdays, duty FROM shifts ORDER BY id") == shifts
    assert ward.sql("SELECT kind, ladder_id FROM alert_rules ORDER BY 1") == rules


def test_one_patient_has_it_another_way(cast: Cast, ward: Ward, boss: FlaskClient, signed_in: SignIn) -> None:
    here = "/console/programme/evening-checkin"
    boss.post(f"{here}/own", data={"patient": "rose", "how": "at", "at": "20:15"})
    shown(boss.get(here).text, "Rose Miller", "at 8:15 PM")
    assert "1 patient has it another way" in boss.get("/console/programme").text
    assert ward.sql("SELECT count(*) FROM audit_events WHERE action = 'read' AND subject = 'programme'") == [(1,)]
    for data, says in (
        ({"patient": "nobody", "how": "off"}, "nobody"),
        ({"patient": "rose", "how": "at", "at": ""}, "Write the hour"),
    ):
        assert says in boss.post(f"{here}/own", data=data, follow_redirects=True).text
    ward.sql(
        "INSERT INTO branches (agency_id, emr_id, name, time_zone) VALUES (:a, 'far', 'Far', 'America/Denver')",
        a=cast.id,
    )
    far = ward.sql("SELECT id FROM branches WHERE emr_id = 'far'")[0][0]
    elsewhere = signed_in("manager", branches=(far,))
    assert "Rose" not in elsewhere.get(here).text
    assert (
        "your branches"
        in elsewhere.post(f"{here}/own", data={"patient": "rose", "how": "off"}, follow_redirects=True).text
    )
    boss.post(f"{here}/own", data={"patient": "rose", "how": "forget"})
    assert ward.sql("SELECT count(*) FROM programme_overrides") == [(0,)]


def test_what_one_patient_will_get(cast: Cast, ward: Ward, boss: FlaskClient, signed_in: SignIn) -> None:
    ward.sql("UPDATE patients SET is_monitored = true WHERE id = :i", i=cast.rose)
    cast.visit(cast.rose)  # on Monday at ten
    page = boss.post("/console/calendar", data={"patient": "rose"}, follow_redirects=True).text
    shown(
        page,
        "What Rose will get",
        "3:00 PM",
        "Ana will visit Rose tomorrow",
        "6:00 PM",
        "Sun Nov 22",
        "Mon Nov 23",
        "8:00 AM",
    )
    shown(page, "There is no visit it is about")  # and why the others do not come
    assert ward.sql("SELECT count(*) FROM messages") == [(0,)]
    assert ward.sql("SELECT subject_id FROM audit_events WHERE action = 'read' AND subject = 'patient'") == [
        (cast.rose,)
    ]
    assert "has this id" in boss.post("/console/calendar", data={"patient": "nobody"}, follow_redirects=True).text
    ward.sql(
        "INSERT INTO branches (agency_id, emr_id, name, time_zone) VALUES (:a, 'far', 'Far', 'America/Denver')",
        a=cast.id,
    )
    elsewhere = signed_in("manager", branches=(ward.sql("SELECT id FROM branches WHERE emr_id = 'far'")[0][0],))
    assert elsewhere.get(f"/console/calendar/{cast.rose}").status_code == 404
    assert "has this id" in elsewhere.post("/console/calendar", data={"patient": "rose"}, follow_redirects=True).text
