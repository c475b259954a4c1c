"""The rota's pages: who is on call hour by hour, gaps in words, and every change by the way of the command line."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from tests.cast import Cast
from tests.flows.alerts.ward import Ward
from tests.flows.console.conftest import SignIn
from tests.flows.console.test_patient import shown

NIGHTS = {"days": ["0", "1"], "starts": "17:00", "ends": "08:00", "duty": "on_call"}


@pytest.fixture
def ward(cast: Cast) -> Ward:
    return Ward(cast)


@pytest.fixture
def boss(signed_in: SignIn) -> FlaskClient:
    return signed_in("manager")


def day(page: str, name: str) -> str:
    """What the week says of a day, without marks."""
    row = page.split(f'<th scope="row">{name}')[1].split("</tr>", maxsplit=1)[0]
    return " ".join(re.sub(r"<[^>]+>", " ", row).split())


def said(client: FlaskClient, path: str, **data: object) -> str:
    return client.post(f"/console/rota/{path}", data=data, follow_redirects=True).text


def test_a_week_is_told_hour_by_hour_and_gaps_in_words(
    cast: Cast, ward: Ward, boss: FlaskClient, signed_in: SignIn
) -> None:
    page = boss.get("/console/rota").text
    assert "12:00 AM – midnight Ben Tester" in day(page, "Sun Nov 22")
    assert "step 1: nobody can be paged (the schedulers)" in page
    shift = ward.sql("SELECT id FROM shifts WHERE agency_id = :a", a=cast.id)[0][0]
    assert "It is saved" in said(boss, f"shift/{shift}/remove")
    assert "It is saved" in said(boss, "shifts", who=cast.ben, **NIGHTS)
    week = boss.get("/console/rota?week=1").text
    assert day(week, "Mon Nov 23") == "12:00 AM – 5:00 PM NOBODY can be paged 5:00 PM – midnight Ben Tester"
    assert day(week, "Tue Nov 24").startswith("12:00 AM – 8:00 AM Ben Tester 8:00 AM – 5:00 PM NOBODY")
    said(boss, "shifts", who=cast.sue, days=list("0123456"), starts="00:00", ends="00:00", duty="fallback")
    week = boss.get("/console/rota?week=1").text
    assert "5:00 PM nobody on call; the fallback stands in: Sue Tester" in day(week, "Mon Nov 23")
    shown(
        boss.get("/console/rota?at=2026-11-24T02:00").text, "Tue Nov 24 2:00 AM", "Ben Tester", "fallback: Sue Tester"
    )
    assert "Nobody is on call" in boss.get("/console/rota?at=2026-11-25T12:00").text
    ward.sql(
        "UPDATE clinicians SET phone = NULL, phone_hash = NULL WHERE id = :i AND agency_id = :a", i=cast.ben, a=cast.id
    )
    assert "Ben Tester (has no phone !)" in day(boss.get("/console/rota?week=1").text, "Mon Nov 23").replace(
        "phone!", "phone !"
    )
    assert boss.get("/console/rota?week=x&branch=99&at=never").status_code == 200
    assert "Add a shift" not in signed_in("nurse").get("/console/rota").text
    assert signed_in("nurse").post("/console/rota/shifts", data=NIGHTS).status_code == 403


def test_changes_swaps_and_holidays(cast: Cast, ward: Ward, boss: FlaskClient) -> None:
    assert "It is saved" in said(
        boss,
        "changes",
        kind="replace",
        who=cast.ben,
        instead=cast.ana,
        **{"from": "2026-11-24T08:00", "to": "2026-11-24T20:00"},
    )
    week = boss.get("/console/rota?week=1").text
    assert (
        day(week, "Tue Nov 24")
        == "12:00 AM – 8:00 AM Ben Tester 8:00 AM – 8:00 PM Ana Tester 8:00 PM – midnight Ben Tester"
    )
    shown(week, "Ana Tester stands in for Ben Tester", "Pat Manager")
    swap = {
        "from": "2026-11-25T08:00",
        "to": "2026-11-25T20:00",
        "for_from": "2026-11-24T08:00",
        "for_to": "2026-11-24T20:00",
    }
    assert "It is saved" in said(boss, "swaps", who=cast.ben, instead=cast.ana, **swap)
    assert "Ana Tester" in day(boss.get("/console/rota?week=1").text, "Wed Nov 25")
    assert "Ana" not in day(boss.get("/console/rota?week=1").text, "Tue Nov 24")  # Ben takes hers in return
    said(boss, "holidays", on="2026-11-26", as_weekday="6")
    assert "holiday" in day(boss.get("/console/rota?week=1").text, "Thu Nov 26")
    shift = ward.sql("SELECT id FROM shifts WHERE agency_id = :a", a=cast.id)[0][0]
    said(boss, f"shifts/{shift}/end", last_on="2026-11-26")
    assert "NOBODY" in day(boss.get("/console/rota?week=1").text, "Fri Nov 27")
    actions = ward.sql(
        "SELECT action, actor LIKE 'account:%', detail ->> 'from' IS NOT NULL FROM audit_events WHERE subject = 'rota' ORDER BY id"
    )
    assert actions == [(f"oncall.{what}", True, True) for what in ("override", "swap", "holiday", "end")]


@pytest.mark.parametrize(
    ("path", "data", "says"),
    [
        ("shifts", {"who": ""}, "Choose who"),
        ("shifts", {"who": "99999"}, "no such person"),
        ("shifts", {"days": []}, "on which weekdays"),
        ("shifts", {"starts": ""}, "from when to when"),
        ("shifts", {"duty": "sleep"}, "what they do"),
        ("shifts", {"first_on": "2026-12-02", "last_on": "2026-12-01"}, "before"),
        ("changes", {"kind": "dance"}, "Choose what happens"),
        ("changes", {"kind": "replace", "instead": "ben"}, "stands in for themselves"),
        ("changes", {"kind": "add", "to": "2026-11-24T07:00"}, "not after"),
        ("changes", {"kind": "add", "to": "soon"}, "from when to when"),
        ("swaps", {"instead": "ana", "for_from": "2026-11-24T19:00", "for_to": "2026-11-25T08:00"}, "overlap"),
        ("holidays", {"on": "christmas"}, "a date such as"),
        ("holidays", {"on": "2026-12-25", "as_weekday": "9"}, "which weekday"),
    ],
)
def test_a_mistake_is_said_and_changes_nothing(
    cast: Cast, ward: Ward, boss: FlaskClient, path: str, data: dict[str, object], says: str
) -> None:
    usual = NIGHTS | {"who": str(cast.ben), "from": "2026-11-24T08:00", "to": "2026-11-24T20:00"}
    named = {name: {"ben": cast.ben, "ana": cast.ana}.get(str(value), value) for name, value in data.items()}
    assert says in said(boss, path, **usual | named)
    assert ward.sql(
        "SELECT (SELECT count(*) FROM shifts), (SELECT count(*) FROM shift_changes), (SELECT count(*) FROM holidays)"
    ) == [(1, 0, 0)]
    assert ward.sql("SELECT count(*) FROM audit_events WHERE subject = 'rota'") == [(0,)]


def test_a_manager_of_one_branch_changes_that_branch(
    cast: Cast, ward: Ward, boss: FlaskClient, signed_in: SignIn
) -> None:
    ward.sql(
        "INSERT INTO branches (agency_id, emr_id, name, time_zone) VALUES (:a, 'far', 'Far', 'America/Denver')",
        a=cast.id,
    )
    far = ward.sql("SELECT id FROM branches WHERE emr_id = 'far'")[0][0]
    manager = signed_in("manager", branches=(far,))
    shift = ward.sql("SELECT id FROM shifts WHERE agency_id = :a", a=cast.id)[0][0]
    assert "Rota: Far" in manager.get("/console/rota").text
    assert "Rota: Far" in manager.get(f"/console/rota?branch={cast.branch}").text
    assert "not of your branches" in said(manager, f"shift/{shift}/remove")
    assert "not yours to change" in said(manager, "shifts", who=cast.ben, **NIGHTS)
    assert (
        manager.post("/console/rota/shifts", data=NIGHTS | {"who": cast.ben, "branch": cast.branch}).status_code == 404
    )
    assert "It is saved" in said(manager, "shifts", who=cast.ben, branch=far, **NIGHTS)
    assert manager.post("/console/rota/moon/1/remove").status_code == 404
    stranger = signed_in("manager", agency=cast.other_id)
    assert stranger.post(f"/console/rota/shifts/{shift}/end", data={"last_on": "2026-11-26"}).status_code == 404
    assert len(ward.sql("SELECT id FROM shifts")) == 2
