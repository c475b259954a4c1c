"""Signing in, told as what browsers do: password, second factor, waits, cookies, links; and what a stranger must not learn."""

import re
from datetime import timedelta

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from freezegun.api import FrozenDateTimeFactory
from sqlalchemy import text

from engage import clock
from engage.agencies.model import Account
from engage.console.accounts import new_link
from tests.cast import Cast
from tests.flows.console.conftest import PASSWORD, QUICK, SECRET, SignIn, add_account, browser, codes, csrf_of
from webhooks import create_app

EMAIL = "rosa@example.org"
IN = "/console/sign-in"
SECOND = "/console/second-factor"


@pytest.fixture
def rosa(cast: Cast, time: FrozenDateTimeFactory) -> int:
    """A nurse with a password and a second factor."""
    return add_account(cast, "nurse", email=EMAIL, is_complete=True)


def code_now(secret: str = SECRET) -> str:
    return pyotp.TOTP(secret).at(clock.now())


def give(client: FlaskClient, password: str = PASSWORD, email: str = EMAIL, **more: str):  # type: ignore[no-untyped-def]
    return client.post(IN, data={"email": email, "password": password} | more)


def enter(client: FlaskClient) -> None:
    """Sign in wholly."""
    assert give(client).status_code == 303
    assert client.post(SECOND, data={"code": code_now()}).status_code == 303


def actions(cast: Cast) -> list[str]:
    with cast.db.agency_session(cast.id) as session:
        found = session.execute(text("SELECT action FROM audit_events WHERE actor LIKE 'account:%' ORDER BY id"))
        return list(found.scalars())


def link_for(cast: Cast, account: int) -> str:
    with cast.db.agency_session(cast.id) as session:
        token = new_link(session, session.get_one(Account, (cast.id, account)), "cli:test", clock.now())
    return f"/console/welcome/{token}"


def test_password_and_code_open_the_console(nobody: FlaskClient, rosa: int, cast: Cast) -> None:
    answer = nobody.post(
        f"{IN}?next=/console/account%3Fx=1", data={"email": " Rosa@Example.org ", "password": PASSWORD}
    )
    assert answer.location == f"{SECOND}?next=/console/account?x%3D1"
    assert nobody.get("/console/account").status_code == 303  # half a sign-in opens nothing
    answer = nobody.post(answer.location, data={"code": code_now()})
    assert (answer.status_code, answer.location) == (303, "/console/account?x=1")
    assert nobody.get("/console/account").status_code == 200
    assert actions(cast) == ["sign_in"]
    assert nobody.post("/console/sign-out").location == IN
    assert nobody.get("/console/account").status_code == 303
    assert actions(cast) == ["sign_in", "sign_out"]


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example/console/", "/twilio/messages", "/console/\\evil"]
)
def test_nobody_is_sent_elsewhere(nobody: FlaskClient, rosa: int, target: str) -> None:
    assert give(nobody).status_code == 303
    answer = nobody.post(f"{SECOND}?next={target}", data={"code": code_now()})
    assert answer.location == "/console/"


def test_a_stranger_learns_nothing(app: Flask, rosa: int, cast: Cast) -> None:
    """No such account, a closed one, one without a password, a wrong password: the same page."""
    add_account(cast, "nurse", email="invited@example.org")
    closed = add_account(cast, "nurse", email="closed@example.org", is_complete=True)
    with cast.db.agency_session(cast.id) as session:
        session.execute(text("UPDATE accounts SET closed_at = now() WHERE id = :id"), {"id": closed})
    pages = set()
    for email, password in [
        ("nobody@example.org", PASSWORD),
        ("invited@example.org", PASSWORD),
        ("closed@example.org", PASSWORD),
        (EMAIL, PASSWORD + "x"),
    ]:
        answer = give(browser(app), password, email)
        pages.add((answer.status_code, re.sub(r'content="[^"]+"|value="[^"]*"', "", answer.text)))
    assert len(pages) == 1
    assert next(iter(pages))[0] == 403


def test_guessing_is_slowed_the_same_for_nobody_and_ends_by_itself(
    app: Flask, rosa: int, time: FrozenDateTimeFactory
) -> None:
    for email in (EMAIL, "nobody@example.org"):
        guesser = browser(app)
        assert [give(guesser, "wrong password", email).status_code for _ in range(6)] == [403] * 5 + [429]
        assert give(guesser, PASSWORD, email).status_code == 429  # not even looked at
        time.tick(timedelta(seconds=2))
        assert give(guesser, "wrong password", email).status_code == 403
        time.tick(timedelta(seconds=2))
        assert give(guesser, "wrong password", email).status_code == 429  # now four
    time.tick(timedelta(seconds=60))
    assert give(browser(app)).status_code == 303


def test_a_crowd_cannot_keep_the_owner_out(app: Flask, nobody: FlaskClient, rosa: int) -> None:
    """Strangers everywhere use up every try of the account; the browser that was once signed in still opens it."""
    enter(nobody)
    nobody.post("/console/sign-out")
    for number in range(25):
        stranger = browser(app)
        stranger.post(IN, data={"email": EMAIL, "password": "x"}, environ_base={"REMOTE_ADDR": f"192.0.2.{number}"})
    assert give(browser(app)).status_code == 429
    assert give(nobody).status_code == 303


def test_the_known_browser_of_another_person_is_a_stranger_here(
    app: Flask, nobody: FlaskClient, rosa: int, cast: Cast
) -> None:
    add_account(cast, "nurse", email="eva@example.org", is_complete=True)
    enter(nobody)
    nobody.post("/console/sign-out")
    for _ in range(5):
        give(nobody, "x", "eva@example.org")
    assert give(browser(app), PASSWORD, "eva@example.org").status_code == 429  # counted by address


def test_a_code_counts_once_and_soon(
    nobody: FlaskClient, app: Flask, rosa: int, time: FrozenDateTimeFactory, cast: Cast
) -> None:
    used = code_now()
    enter(nobody)
    thief = browser(app)
    give(thief)
    assert thief.post(SECOND, data={"code": used}).status_code == 403  # seen over a shoulder
    time.tick(timedelta(seconds=30))
    late = code_now()
    time.tick(timedelta(seconds=61))
    assert thief.post(SECOND, data={"code": late}).status_code == 403
    assert thief.post(SECOND, data={"code": f" {code_now()[:3]} {code_now()[3:]}"}).status_code == 303
    assert actions(cast).count("second_factor.failed") == 2


def test_codes_cannot_be_tried_out(nobody: FlaskClient, rosa: int) -> None:
    give(nobody)
    tried = [nobody.post(SECOND, data={"code": f"{number:06}"}).status_code for number in range(6)]
    assert tried == [403] * 5 + [429]
    give(nobody)  # beginning again does not begin the count again
    assert nobody.post(SECOND, data={"code": code_now()}).status_code == 429


def test_half_a_sign_in_is_over_after_ten_minutes(nobody: FlaskClient, rosa: int, time: FrozenDateTimeFactory) -> None:
    give(nobody)
    time.tick(timedelta(minutes=10))
    assert nobody.post(SECOND, data={"code": code_now()}).location == IN


def test_who_works_for_two_agencies_names_one(app: Flask, rosa: int, cast: Cast) -> None:
    add_account(cast, "auditor", email=EMAIL, agency=cast.other_id, is_complete=True)
    assert give(browser(app)).status_code == 403
    client = browser(app)
    assert give(client, agency="other").status_code == 303
    client.post(SECOND, data={"code": code_now()})
    assert "Other Hospice" in client.get("/console/account").text


# --- links ------------------------------------------------------------------------------------------------------------


def test_an_invitation_leads_to_a_password_a_second_factor_and_codes(
    nobody: FlaskClient, app: Flask, cast: Cast, time: FrozenDateTimeFactory
) -> None:
    invited = add_account(cast, "manager", email=EMAIL)
    link = link_for(cast, invited)
    assert nobody.get(link).location == "/console/welcome"  # the token leaves the address bar
    assert nobody.get(link).status_code == 303  # looking uses nothing up
    assert "rosa@example.org" in nobody.get("/console/welcome").text
    assert nobody.post("/console/welcome", data={"password": "Sunrise Home Health"}).status_code == 400
    assert nobody.post("/console/welcome", data={"password": PASSWORD}).location == SECOND
    assert nobody.get(SECOND).location == f"{SECOND}/new"
    page = nobody.get(f"{SECOND}/new").text
    secret = re.search(r"<code>([A-Z2-7]+)</code>", page).group(1)  # type: ignore[union-attr]
    picture = nobody.get(f"{SECOND}/new/picture.svg")
    assert picture.mimetype == "image/svg+xml"
    assert b"<svg" in picture.data
    assert nobody.post(f"{SECOND}/new", data={"code": "000000"}).status_code == 403
    shown = nobody.post(f"{SECOND}/new", data={"code": code_now(secret)})
    codes = re.findall(r"<code>([A-Z0-9-]{29})</code>", shown.text)
    assert len(codes) == 10
    assert nobody.get("/console/account").status_code == 200
    assert nobody.get(f"{SECOND}/new").status_code == 403  # never a second one beside it

    other = browser(app)
    assert other.get(link).status_code == 404  # once
    for is_right in (True, False):  # a recovery code lets in once
        give(other)
        assert other.post(SECOND, data={"code": codes[0].lower()}).status_code == (303 if is_right else 403)
        other.post("/console/sign-out")
    with cast.db.agency_session(cast.id) as session:
        kept = session.execute(
            text("SELECT password_hash, totp_secret FROM accounts WHERE id = :id"), {"id": invited}
        ).one()
        hashes = session.execute(text("SELECT code_hash FROM recovery_codes")).scalars().all()
    assert secret.encode() not in bytes(kept.totp_secret)
    assert PASSWORD not in kept.password_hash
    assert all(code.replace("-", "").encode() not in bytes(kept) for code in codes for kept in hashes)


def test_a_link_ends_after_three_days_and_with_the_next_one(
    nobody: FlaskClient, cast: Cast, time: FrozenDateTimeFactory
) -> None:
    account = add_account(cast, "nurse", email=EMAIL)
    first = link_for(cast, account)
    second = link_for(cast, account)
    assert nobody.get(first).status_code == 404
    assert nobody.get(second).status_code == 303
    time.tick(timedelta(days=3))
    assert nobody.get(second).status_code == 404
    assert nobody.get("/console/welcome").status_code == 404
    assert nobody.get("/console/welcome/1.nothing").status_code == 404


def test_only_a_link_lets_anybody_add_a_first_second_factor(nobody: FlaskClient, rosa: int, cast: Cast) -> None:
    """Somebody who only found out the password cannot bring their own phone."""
    with cast.db.agency_session(cast.id) as session:
        session.execute(text("UPDATE accounts SET totp_at = NULL, totp_secret = NULL"))
    give(nobody)
    assert nobody.get(f"{SECOND}/new").status_code == 403
    assert nobody.post(f"{SECOND}/new", data={"code": "123456"}).status_code == 403
    assert nobody.get(f"{SECOND}/new/picture.svg").status_code == 404
    assert nobody.post(SECOND, data={"code": "123456"}).status_code == 403


def test_a_lost_password_keeps_the_second_factor(nobody: FlaskClient, app: Flask, rosa: int, cast: Cast) -> None:
    enter(nobody)
    other = browser(app)
    other.get(link_for(cast, rosa))
    assert other.post("/console/welcome", data={"password": "another purple goose"}).location == SECOND
    assert nobody.get("/console/account").status_code == 303  # signed out everywhere
    assert other.get(f"{SECOND}/new").status_code == 403
    assert other.get("/console/account").status_code == 303


# --- cookies, CSRF, fixation, headers ---------------------------------------------------------------------------------


def test_cookies_are_for_this_host_over_tls_and_not_for_scripts(nobody: FlaskClient, rosa: int) -> None:
    give(nobody)
    answer = nobody.post(SECOND, data={"code": code_now()})
    cookies = answer.headers.getlist("Set-Cookie")
    assert {cookie.split("=")[0] for cookie in cookies} == {"__Host-engage", "__Host-engage-device"}
    for cookie in cookies:
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}
        assert "Domain" not in cookie


def test_on_this_machine_cookies_work_without_tls(cast: Cast, rosa: int, app: Flask) -> None:
    plain = create_app(cast.db, codes(), auth_tokens=["x"], public_url="http://localhost:8080", passwords=QUICK)
    answer = plain.test_client().get(IN)
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("engage=")
    assert "Secure" not in cookie
    assert "Strict-Transport-Security" not in answer.headers


def test_a_planted_session_is_worth_nothing(nobody: FlaskClient, app: Flask, rosa: int) -> None:
    """An attacker's cookie in the victim's browser is another one after each step; the secret changes with the second factor too."""

    def kept(client: FlaskClient) -> tuple[str, str | None]:
        cookie = client.get_cookie("__Host-engage", domain="engage.example.org")
        with client.session_transaction() as session:
            return (cookie.value if cookie else ""), session.get("_user_id")

    nobody.get(IN)
    planted, _ = kept(nobody)
    give(nobody)
    half, half_token = kept(nobody)
    nobody.post(SECOND, data={"code": code_now()})
    whole, whole_token = kept(nobody)
    assert len({planted, half, whole}) == 3
    assert half_token != whole_token
    for old in (planted, half):
        attacker = browser(app)
        attacker.set_cookie("__Host-engage", old, domain="engage.example.org")
        assert attacker.get("/console/account").status_code == 303
    signed_out = browser(app)  # a kept cookie is dead after signing out
    nobody.post("/console/sign-out")
    signed_out.set_cookie("__Host-engage", whole, domain="engage.example.org")
    assert signed_out.get("/console/account").status_code == 303


@pytest.mark.parametrize("path", [IN, SECOND, "/console/sign-out", "/console/account/language", "/console/welcome"])
def test_every_post_needs_the_token(signed_in: SignIn, path: str) -> None:
    nurse = signed_in("nurse")
    assert nurse.post(path, token=None, data={}).status_code == 400
    assert nurse.post(path, token="forged", data={}).status_code == 400
    assert nurse.get("/console/account").status_code == 200  # still signed in
    other = signed_in("nurse")
    assert nurse.post(path, token=csrf_of(other), data={}).status_code == 400  # somebody else's


def test_headers(nobody: FlaskClient, signed_in: SignIn) -> None:
    for answer in (nobody.get(IN), nobody.get("/console/nothing"), signed_in("nurse").get("/console/account")):
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "max-age" in answer.headers["Strict-Transport-Security"]
        assert not re.search(
            r"<script(?![^>]*src=)|<style| style=| on\w+=", answer.text
        )  # nothing the policy would stop
    with nobody.get("/console/static/console.css") as sheet:
        assert "no-store" not in sheet.headers["Cache-Control"]
    assert "Content-Security-Policy" not in nobody.get("/healthz").headers


def test_an_address_that_floods_is_refused_for_a_while(nobody: FlaskClient) -> None:
    codes = {give(nobody, "x", f"{number}@example.org").status_code for number in range(31)}
    assert codes == {403, 429}


# --- one's own account ------------------------------------------------------------------------------------------------


def test_sessions_are_listed_and_ended(app: Flask, nobody: FlaskClient, rosa: int, time: FrozenDateTimeFactory) -> None:
    enter(nobody)
    time.tick(timedelta(seconds=30))
    phone = browser(app)
    enter(phone)
    page = phone.get("/console/account").text
    (other,) = re.findall(r"/console/account/sessions/(\d+)/end", page)
    phone.post(f"/console/account/sessions/{other}/end")
    assert nobody.get("/console/account").status_code == 303
    assert phone.get("/console/account").status_code == 200


def test_nobody_ends_somebody_else_s_session(signed_in: SignIn, cast: Cast) -> None:
    nurse, other = signed_in("nurse"), signed_in("nurse")
    with cast.db.agency_session(cast.id) as session:
        ids = session.execute(text("SELECT id FROM console_sessions ORDER BY id")).scalars().all()
    for session_id in ids:
        nurse.post(f"/console/account/sessions/{session_id}/end")
    assert other.get("/console/account").status_code == 200


def test_a_new_password_asks_for_the_old_one_and_ends_other_sessions(
    app: Flask, nobody: FlaskClient, rosa: int, time: FrozenDateTimeFactory
) -> None:
    enter(nobody)
    time.tick(timedelta(seconds=30))
    phone = browser(app)
    enter(phone)
    change = "/console/account/password"
    assert phone.post(change, data={"current": "wrong", "password": "another purple goose"}).status_code == 400
    assert phone.post(change, data={"current": PASSWORD, "password": "password1234"}).status_code == 400
    assert phone.post(change, data={"current": PASSWORD, "password": "another purple goose"}).status_code == 303
    assert phone.get("/console/account").status_code == 200
    assert nobody.get("/console/account").status_code == 303
    assert give(browser(app)).status_code == 403
    assert give(browser(app), "another purple goose").status_code == 303


def test_new_recovery_codes_end_the_old(nobody: FlaskClient, rosa: int, cast: Cast) -> None:
    enter(nobody)
    again = "/console/account/recovery-codes"
    first, second = (re.findall(r"<code>([A-Z0-9-]{29})</code>", nobody.post(again).text) for _ in range(2))
    nobody.post("/console/sign-out")
    give(nobody)
    assert nobody.post(SECOND, data={"code": first[0]}).status_code == 403
    assert nobody.post(SECOND, data={"code": second[0]}).status_code == 303
