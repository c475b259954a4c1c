"""The worklist as a nurse uses it: she sees who needs her, takes, passes on, says what was done; and it keeps itself up to date."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from freezegun.api import FrozenDateTimeFactory

from engage.alerts.rules.words import AlertKind
from tests.cast import NOON, Cast
from tests.flows.alerts.ward import Ward
from tests.flows.console.conftest import SignIn
from tests.flows.console.shelf import Shelf

MINUTE = timedelta(minutes=1)


@pytest.fixture
def ward(cast: Cast) -> Ward:
    return Ward(cast)


@pytest.fixture
def ana(signed_in: SignIn, cast: Cast) -> FlaskClient:
    return signed_in("nurse", clinician=cast.ana)


def reads(ward: Ward) -> int:
    (found,) = ward.sql("SELECT count(*) FROM audit_events WHERE action = 'read' AND subject = 'worklist'")
    return int(found[0])


def test_a_nurse_sees_takes_and_closes(cast: Cast, ward: Ward, ana: FlaskClient) -> None:
    said = Shelf(cast).said(NOON, "2 <b>dizzy</b> today", (("symptom", "dizzy"),), score=2)
    alert = ward.opens(AlertKind.LOW_SCORE, reply=said)
    ward.climbs()
    page = ana.get("/console/worklist").text
    assert "Rose Miller" in page
    assert "Low score" in page
    assert "&lt;b&gt;" in page  # what a patient writes is never markup
    assert ">dizzy</mark>" in page
    assert "Within the hour" in page or "Now" in page  # the severity in words

    answer = ana.post(f"/console/alerts/{alert}/take")
    assert (answer.status_code, answer.headers["Location"]) == (
        303,
        f"/console/patients/{cast.rose}",
    )  # to read and call
    assert ward.alert(alert).acknowledged_by == cast.ana
    assert "is yours" in ana.get("/console/worklist").text

    refused = ana.post(f"/console/alerts/{alert}/close", data={"outcome": ""})
    assert refused.status_code == 303
    assert "Choose what was done" in ana.get("/console/worklist").text
    ana.post(
        f"/console/alerts/{alert}/close", data={"outcome": "called", "note": "She drank too little.", "minutes": "12"}
    )
    row = ward.alert(alert)
    assert (row.state, row.outcome, row.minutes_spent, row.resolved_by) == ("resolved", "called", 12, cast.ana)
    assert "Nobody is waiting here" in ana.get("/console/worklist").text
    actions = {action for (action,) in ward.sql("SELECT action FROM audit_events WHERE subject = 'alert'")}
    assert actions == {"take", "resolve"}
    assert "closed it" in ana.post(f"/console/alerts/{alert}/take", follow_redirects=True).text  # too late, and told so


def test_no_answer_comes_back_and_pass_goes_on(cast: Cast, ward: Ward, ana: FlaskClient) -> None:
    alert = ward.opens(AlertKind.CALLBACK)
    ana.post(f"/console/alerts/{alert}/close", data={"outcome": "no_answer", "again": "12:40"})
    row = ward.alert(alert)
    assert (row.state, row.next_due_at) == ("acknowledged", NOON + 40 * MINUTE)
    ana.post(f"/console/alerts/{alert}/pass")
    assert (ward.alert(alert).state, ward.alert(alert).next_due_at) == ("open", NOON)


def test_the_list_keeps_itself_up_to_date(
    cast: Cast, ward: Ward, ana: FlaskClient, time: FrozenDateTimeFactory
) -> None:
    first = ward.opens(AlertKind.CALLBACK)
    page = ana.get("/console/worklist").text
    tag = page.split("If-None-Match")[1].split('\\"')[1]
    assert f"seen={first}" in page
    live = "/console/worklist/live?whose=mine&seen="
    before = reads(ward)

    same = ana.get(f"{live}{first}", headers={"If-None-Match": f'"{tag}"'})
    assert (same.status_code, same.data) == (304, b"")
    time.tick(
        MINUTE
    )  # the waiting time has changed, the alerts have not: sent again, and not on record as another look
    later = ana.get(f"{live}{first}", headers={"If-None-Match": f'"{tag}"'})
    assert later.status_code == 200
    assert "data-announce" not in later.text
    assert reads(ward) == before

    ward.opens(AlertKind.URGENT, patient=cast.marta, now=NOON + MINUTE)
    fresh = ana.get(f"{live}{first}", headers={"If-None-Match": later.headers["ETag"]})
    announced = fresh.text.split("data-announce")[1].split("</p>")[0]
    assert "Marta Ruiz" in announced
    assert "Now" in announced
    assert "<!doctype" not in fresh.text  # a part, no page
    assert reads(ward) == before + 1


def test_more_than_a_page(cast: Cast, ward: Ward, ana: FlaskClient) -> None:
    first = ward.opens(AlertKind.CALLBACK)
    ward.sql(
        "INSERT INTO alerts (agency_id, patient_id, kind, severity, code, ladder_id, branch_id, next_due_at, opened_at)"
        " SELECT agency_id, patient_id, kind, severity, 20000 + n, ladder_id, branch_id, next_due_at, opened_at + n * interval '1 second'"
        " FROM alerts, generate_series(1, 104) n WHERE id = :id",
        id=first,
    )
    page = ana.get("/console/worklist").text
    assert [words for words in ("105 need somebody", "1 to 100 of 105", "Next page") if words not in page] == []
    assert page.count('class="card alert') == 100
    second_page = page.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = ana.get(second_page).text
    assert [words for words in ("105 need somebody", "101 to 105 of 105", "First page") if words not in second] == []
    assert (second.count('class="card alert'), "Next page" in second) == (5, False)
    live = (
        second.split('hx-get="')[1].split('"')[0].replace("&amp;", "&")
    )  # the second page renews itself as the second page
    tag = second.split("If-None-Match")[1].split('\\"')[1]
    assert ana.get(live, headers={"If-None-Match": f'"{tag}"'}).status_code == 304
    before = reads(ward)
    ward.opens(AlertKind.URGENT, patient=cast.marta)
    fresh = ana.get(live, headers={"If-None-Match": f'"{tag}"'}).text
    assert (
        "Marta Ruiz" in fresh.split("data-announce")[1].split("</p>")[0]
    )  # it is on the first page, and announced on the second
    assert [words for words in ("1 new alert has come", "102 to 106 of 106") if words not in fresh] == []
    assert reads(ward) == before + 1
    assert ana.get("/console/worklist?after=nonsense").text.count('class="card alert') == 100


@pytest.mark.parametrize("verb", ["take", "pass", "close"])
def test_nobody_touches_what_they_may_not_see(cast: Cast, ward: Ward, signed_in: SignIn, verb: str) -> None:
    alert, complaint = ward.opens(AlertKind.CALLBACK), ward.opens(AlertKind.COMPLAINT)
    words = {"outcome": "called"}
    elsewhere = signed_in("nurse", clinician=cast.ana, branches=(cast.branch,))
    ward.sql("UPDATE alerts SET branch_id = NULL WHERE id = :id", id=alert)
    assert elsewhere.post(f"/console/alerts/{alert}/{verb}", data=words).status_code == 303
    assert (
        elsewhere.post(f"/console/alerts/{complaint}/{verb}", data=words).status_code == 404
    )  # kept from whoever came
    assert signed_in("nurse", agency=cast.other_id).post(f"/console/alerts/{alert}/{verb}", data=words).status_code in {
        403,
        404,
    }
    assert signed_in("auditor").post(f"/console/alerts/{alert}/{verb}", data=words).status_code == 403
    refused = signed_in("manager").post(f"/console/alerts/{complaint}/{verb}", data=words, follow_redirects=True)
    assert "not linked to a person" in refused.text  # nobody who can be paged
    assert ward.alert(complaint).state == "open"


def test_in_spanish(ward: Ward, signed_in: SignIn, cast: Cast) -> None:
    ward.opens(AlertKind.URGENT)
    page = signed_in("nurse", clinician=cast.ana, language="es").get("/console/worklist").text
    assert '<html lang="es">' in page
    assert "Rose Miller" in page
