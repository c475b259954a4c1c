"""Grave changes ask whether it is still you: not for five minutes after signing in, then once for the next five; told as browsers do."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from freezegun.api import FrozenDateTimeFactory
from sqlalchemy import text

from engage import clock
from tests.cast import Cast
from tests.flows.console.conftest import PASSWORD, SignIn, add_account
from tests.flows.console.identities import provider_of
from tests.flows.console.test_sign_in import code_now, enter
from tests.flows.console.test_sign_on import trust

CONFIRM = "/console/confirm"
PEOPLE = "/console/people/"
LATER = timedelta(minutes=5)


@pytest.fixture
def boss(nobody: FlaskClient, cast: Cast, time: FrozenDateTimeFactory) -> FlaskClient:
    """An administrator who signed in five minutes ago."""
    add_account(cast, "administrator", email="rosa@example.org", is_complete=True)
    enter(nobody)
    time.tick(LATER)
    return nobody


def fields(page: str) -> dict[str, Any]:
    """What the page's form carries along."""
    form = page[page.index('action="/console/confirm"') :]
    found: dict[str, Any] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form):
        found.setdefault(name, []).append(unescape(value))
    return found


def show(client: FlaskClient, form: dict[str, Any]) -> Any:
    """Answer the question; a browser then posts the same form once more, to where it was meant for (307)."""
    answer = client.post(CONFIRM, data=form)
    return client.post(answer.headers["Location"], data=form) if answer.status_code == 307 else answer


def ask(cast: Cast, query: str) -> list[tuple[Any, ...]]:
    with cast.db.agency_session(cast.id) as session:
        return [tuple(row) for row in session.execute(text(query))]


def test_a_grave_change_waits_for_the_password_and_is_then_made_as_it_was_meant(boss: FlaskClient, cast: Cast) -> None:
    form = {"name": "Eva <New>", "email": "eva@example.org", "role": "nurse", "branch": [str(cast.branch)]}
    asked = boss.post(PEOPLE + "invite", data=form, headers={"Referer": "https://engage.example.org/console/people/"})
    assert asked.status_code == 428
    assert ask(cast, "SELECT count(*) FROM accounts") == [(1,)]
    carried = fields(asked.text)
    assert carried["name"] == ["Eva <New>"]
    wrong = show(boss, carried | {"confirm_password": "wrong"})
    assert (wrong.status_code, fields(wrong.text)["name"]) == (403, ["Eva <New>"])
    done = show(boss, carried | {"confirm_password": PASSWORD})
    assert (done.status_code, "/console/welcome/" in done.text) == (200, True)
    assert ask(cast, "SELECT name FROM accounts ORDER BY id DESC LIMIT 1") == [("Eva <New>",)]
    assert ask(cast, "SELECT count(*) FROM account_branches") == [(1,)]
    acts = "SELECT action, detail ->> 'by' FROM audit_events WHERE action LIKE 'confirm%' ORDER BY id"
    assert ask(cast, acts) == [("confirm.failed", None), ("confirm", "password")]
    assert PASSWORD not in str(ask(cast, "SELECT detail FROM audit_events"))


def test_five_minutes_then_again_and_a_code_will_do(boss: FlaskClient, cast: Cast, time: FrozenDateTimeFactory) -> None:
    nurse = add_account(cast, "nurse", email="ana@example.org")
    role = f"{PEOPLE}{nurse}/role"
    used = code_now()
    carried = fields(boss.post(role, data={"role": "manager"}).text)
    assert boss.post(CONFIRM, data=carried | {"confirm_code": used}).status_code == 307
    assert boss.post(role, data={"role": "manager"}).status_code == 303
    time.tick(LATER - timedelta(seconds=1))
    assert boss.post(role, data={"role": "nurse"}).status_code == 303
    time.tick(timedelta(seconds=1))
    assert boss.post(role, data={"role": "auditor"}).status_code == 428
    assert boss.post(CONFIRM, data=carried | {"confirm_code": used}).status_code == 403  # used already, and old
    assert ask(cast, "SELECT role FROM accounts ORDER BY id DESC LIMIT 1") == [("nurse",)]


def test_every_grave_change_asks_and_nothing_else_does(boss: FlaskClient, cast: Cast, app: Flask) -> None:
    other = add_account(cast, "nurse", email="ana@example.org")
    grave = {
        rule.rule for rule in app.url_map.iter_rules() if getattr(app.view_functions[rule.endpoint], "asks_anew", False)
    }
    assert grave == {
        "/console/account/sessions/<int:session_id>/end",
        "/console/account/recovery-codes",
        "/console/account/passkeys",
        "/console/account/passkeys/<int:passkey_id>/remove",
        "/console/people/invite",
        *(f"/console/people/<int:account_id>/{word}" for word in ("link", "role", "branches", "close", "reopen")),
        *(f"/console/people/<int:account_id>/{word}" for word in ("second-factor", "sign-out")),
    }
    before = ask(cast, "SELECT count(*) FROM audit_events")
    for rule in grave:
        assert boss.post(re.sub("<.*?>", str(other), rule)).status_code == 428, rule
    assert ask(cast, "SELECT count(*) FROM audit_events") == before
    assert boss.get("/console/account").status_code == 200
    assert boss.post("/console/account/language", data={"language": "en"}).status_code == 303


def test_whoever_may_not_is_refused_and_not_asked(
    signed_in: SignIn, boss: FlaskClient, time: FrozenDateTimeFactory
) -> None:
    nurse = signed_in("nurse")
    time.tick(LATER)
    assert nurse.post(PEOPLE + "invite").status_code == 403
    half = signed_in("administrator", is_whole=False)
    assert half.post(PEOPLE + "invite").status_code == 303
    assert half.post(CONFIRM, data={"then": PEOPLE + "invite", "confirm_password": PASSWORD}).status_code == 303


@pytest.mark.parametrize(
    "then",
    ["https://evil.example/console/people/invite", "//evil.example", "/twilio/messages", "/console/nothing", "/console/alerts/1/close", ""],
)  # fmt: skip
def test_nothing_else_is_posted_by_it(boss: FlaskClient, then: str) -> None:
    answer = boss.post(CONFIRM, data={"then": then, "confirm_password": PASSWORD})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/account")


def test_it_cannot_be_forged_or_guessed(boss: FlaskClient, time: FrozenDateTimeFactory) -> None:
    form = {"then": PEOPLE + "invite"}
    assert boss.post(CONFIRM, data=form | {"confirm_password": PASSWORD}, token=None).status_code == 400
    assert boss.post(PEOPLE + "invite").status_code == 428
    answers = [boss.post(CONFIRM, data=form | {"confirm_password": "x"}).status_code for _ in range(6)]
    assert answers == [403] * 5 + [429]
    assert boss.post(CONFIRM, data=form | {"confirm_password": PASSWORD}).status_code == 429


def test_who_has_neither_password_nor_code_shows_it_at_the_provider(
    signed_in: SignIn, cast: Cast, time: FrozenDateTimeFactory
) -> None:
    with provider_of() as provider:
        trust(cast, provider)
        boss = signed_in("administrator")
        other = add_account(cast, "nurse", email="ana@example.org")
        ((me,),) = ask(cast, "SELECT id FROM accounts WHERE role = 'administrator'")
        with cast.db.agency_session(cast.id) as session:
            session.execute(
                text(
                    "INSERT INTO account_identities (agency_id, account_id, issuer, subject, linked_at)"
                    " VALUES (:agency, :me, :issuer, 'u-1', now()), (:agency, :other, :issuer, 'u-2', now())"
                ),
                {"agency": cast.id, "me": me, "other": other, "issuer": provider.url},
            )
        time.tick(LATER)
        asked = boss.post(PEOPLE + "invite", headers={"Referer": "https://engage.example.org/console/people/"}).text
        assert "confirm_password" not in asked
        (away,) = re.findall(r'href="(/console/confirm/sign-on[^"]*)"', asked)
        now = int(clock.now().timestamp())
        for claims, is_them in [
            ({"sub": "u-1"}, False),  # it does not say when it asked
            ({"sub": "u-1", "auth_time": now - 3600}, False),  # it asked nobody: known from this morning
            ({"sub": "u-2", "auth_time": now}, False),  # a colleague at the same computer
            ({"sub": "u-1", "auth_time": now}, True),
        ]:
            address = boss.get(unescape(away)).headers["Location"]
            assert "prompt=login" in address
            assert "max_age=0" in address
            back = boss.get(provider.lets_in(address, **claims))
            assert back.headers["Location"] == "/console/people/"
            assert boss.post(f"{PEOPLE}{other}/sign-out").status_code == (303 if is_them else 428), claims
