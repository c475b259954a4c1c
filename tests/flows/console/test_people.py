"""The people page: invited, given roles and branches, signed out, closed; whoever loses a right is signed out at once."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from engage import clock
from engage.agencies.model import Branch
from engage.alerts.escalate import escalate
from tests.cast import Cast
from tests.flows.console.conftest import SignIn, add_account, browser

PEOPLE = "/console/people/"


@pytest.fixture
def boss(signed_in: SignIn) -> FlaskClient:
    return signed_in("administrator")


def ask(cast: Cast, query: str, **values: object) -> list[tuple[object, ...]]:
    with cast.db.agency_session(cast.id) as session:
        return [tuple(row) for row in session.execute(text(query), values)]


def test_an_invitation_is_a_link_that_is_shown_once(boss: FlaskClient, cast: Cast) -> None:
    form = {"name": "Eva New", "email": "Eva@Example.org", "role": "nurse", "branch": str(cast.branch)}
    shown = boss.post(PEOPLE + "invite", data=form)
    (link,) = re.findall(r"https://engage.example.org(/console/welcome/[\w.-]+)", shown.text)
    assert browser(boss.application).get(link).status_code == 303
    assert ask(cast, "SELECT email, role FROM accounts WHERE name = 'Eva New'") == [("eva@example.org", "nurse")]
    assert ask(cast, "SELECT branch_id FROM account_branches") == [(cast.branch,)]
    assert "Eva New" in boss.get(PEOPLE).text
    assert link.split("/")[-1] not in boss.get(PEOPLE).text
    assert boss.post(PEOPLE + "invite", data=form).status_code == 409
    assert boss.post(PEOPLE + "invite", data=form | {"email": "nobody"}).status_code == 400
    assert boss.post(PEOPLE + "invite", data=form | {"email": "a@example.org", "role": "god"}).status_code == 400
    assert boss.post(PEOPLE + "invite", data=form | {"email": "b@example.org", "branch": "999"}).status_code == 400
    assert ask(cast, "SELECT action FROM audit_events WHERE subject = 'account' ORDER BY id") == [
        ("account.invite",),
        ("account.branches",),
        ("account.link",),
    ]


@pytest.mark.parametrize(
    ("change", "form"),
    [
        ("role", {"role": "auditor"}),
        ("branches", {}),
        ("close", {}),
        ("second-factor", {}),
        ("sign-out", {}),
    ],
)
def test_whoever_loses_a_right_is_signed_out_at_once(
    boss: FlaskClient, signed_in: SignIn, cast: Cast, change: str, form: dict[str, str]
) -> None:
    nurse = signed_in("nurse")
    assert nurse.get("/console/account").status_code == 200
    ((account,),) = ask(cast, "SELECT id FROM accounts WHERE role = 'nurse'")
    assert boss.post(f"{PEOPLE}{account}/{change}", data=form).status_code == 303
    assert nurse.get("/console/account").status_code == 303
    assert boss.get("/console/account").status_code == 200


def test_a_lost_second_factor_takes_the_password_with_it(boss: FlaskClient, cast: Cast) -> None:
    account = add_account(cast, "nurse", email="rosa@example.org", is_complete=True)
    boss.post(f"{PEOPLE}{account}/second-factor")
    assert ask(cast, "SELECT password_hash, totp_secret, totp_at FROM accounts WHERE id = :id", id=account) == [
        (None,) * 3
    ]


def test_an_agency_keeps_an_administrator(boss: FlaskClient, cast: Cast) -> None:
    keeper = add_account(cast, "administrator", email="keeper@example.org", is_complete=True)
    assert boss.post(f"{PEOPLE}{keeper}/close").status_code == 409
    assert boss.post(f"{PEOPLE}{keeper}/role", data={"role": "nurse"}).status_code == 409
    other = add_account(cast, "administrator", email="other@example.org", is_complete=True)
    assert boss.post(f"{PEOPLE}{keeper}/close").status_code == 303
    assert boss.post(f"{PEOPLE}{other}/close").status_code == 409
    assert boss.post(f"{PEOPLE}{keeper}/reopen").status_code == 303
    assert ask(cast, "SELECT closed_at, password_hash FROM accounts WHERE id = :id", id=keeper) == [(None, None)]


def test_another_agency_s_account_is_not_there(boss: FlaskClient, cast: Cast) -> None:
    account = add_account(cast, "nurse", agency=cast.other_id, email="x@example.org")
    for change in ("role", "branches", "close", "second-factor", "sign-out", "link", "reopen"):
        assert boss.post(f"{PEOPLE}{account}/{change}", data={"role": "nurse"}).status_code == 404
    assert boss.post(f"{PEOPLE}{2**70}/close").status_code == 404
    assert "x@example.org" not in boss.get(PEOPLE).text


def test_a_patient_of_another_branch_opens_with_a_reason_and_managers_are_told(signed_in: SignIn, cast: Cast) -> None:
    with cast.db.agency_session(cast.id) as session:
        session.execute(
            text(
                "INSERT INTO branches (agency_id, emr_id, name, time_zone) VALUES (:id, 'w', 'West', 'America/New_York')"
            ),
            {"id": cast.id},
        )
    ((west,),) = ask(cast, "SELECT id FROM branches WHERE name = 'West'")
    nurse = signed_in("nurse", branches=(int(str(west)),))
    where = "/console/openings/"
    assert nurse.post(where, data={"emr_id": "rose", "reason": "why"}).status_code == 400
    assert nurse.post(where, data={"emr_id": "stranger", "reason": "she called our branch"}).status_code == 404
    assert nurse.post(where, data={"emr_id": "rose", "reason": "she called our branch"}).status_code == 303
    assert ask(cast, "SELECT action, subject_id FROM audit_events WHERE subject = 'patient'") == [
        ("patient.open", cast.rose)
    ]
    assert b"called" not in bytes(ask(cast, "SELECT reason FROM patient_openings")[0][0])  # type: ignore[arg-type]
    assert nurse.get(where + "list").status_code == 403
    shown = signed_in("manager").get(where + "list").text
    assert "she called our branch" in shown
    assert "Rose Miller" in shown


def test_each_opening_pages_the_supervisors_without_a_word_about_whom(signed_in: SignIn, cast: Cast) -> None:
    with cast.db.agency_session(cast.id) as session:
        west = Branch(agency_id=cast.id, emr_id="w", name="West", time_zone="America/New_York")
        session.add(west)
        session.flush()
    form = {"emr_id": "rose", "reason": "she called our branch"}
    ana = signed_in("nurse", clinician=cast.ana, branches=(west.id,))
    for _ in range(2):  # twice is two alerts: each is looked at
        assert ana.post("/console/openings/", data=form).status_code == 303
    sue = signed_in("manager", clinician=cast.sue, branches=(west.id,))
    assert sue.post("/console/openings/", data=form).status_code == 303
    told = "SELECT kind, severity, patient_id, branch_id, reply_id, note FROM alerts ORDER BY id"
    assert ask(cast, told) == [("patient_opened", 1, None, cast.branch, None, None)] * 3
    escalate(cast.db, clock.now())
    # Sue is the only supervisor: her own opening goes past her, to the next step of the ladder.
    pages = ask(cast, "SELECT alert_id, clinician_id, params::text FROM messages WHERE kind = 'page' ORDER BY alert_id")
    alerts = [row[0] for row in ask(cast, "SELECT id FROM alerts ORDER BY id")]
    assert {row[:2] for row in pages if row[0] != alerts[2]} == {(alerts[0], cast.sue), (alerts[1], cast.sue)}
    assert {row[1] for row in pages if row[0] == alerts[2]} <= {cast.ben}
    details = ask(cast, "SELECT detail::text FROM alert_events")
    assert not [row for row in (*pages, *details) if "Rose" in str(row) or "called" in str(row)]
    # It is not on the nurses' worklist.
    assert "Patient opened with a reason" in signed_in("manager").get("/console/worklist?whose=agency").text
    assert "Patient opened with a reason" not in signed_in("nurse").get("/console/worklist?whose=agency").text
