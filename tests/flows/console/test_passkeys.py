"""Passkeys: added with the password, used instead of the code; nothing false, old or foreign is believed."""

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from freezegun.api import FrozenDateTimeFactory

from tests.cast import Cast
from tests.flows.console.authenticator import Phone
from tests.flows.console.conftest import PASSWORD, add_account
from tests.flows.console.test_confirming import show
from tests.flows.console.test_sign_in import EMAIL, SECOND, enter, give

KEYS = "/console/account/passkeys"


@pytest.fixture
def phone(nobody: FlaskClient, cast: Cast, time: FrozenDateTimeFactory) -> Phone:
    """Rosa's, its passkey added; she has signed out again and given her password."""
    add_account(cast, "nurse", email=EMAIL, is_complete=True)
    enter(nobody)
    made = Phone()
    time.tick(timedelta(minutes=5))
    form = {"credential": made.make(nobody.post(f"{KEYS}/options").json), "name": "My phone"}
    assert nobody.post(KEYS, data=form).status_code == 428
    for current in ("wrong", PASSWORD):  # an unlocked computer is not enough
        show(nobody, form | {"then": KEYS, "confirm_password": current})
        assert ("My phone <" in nobody.get("/console/account").text) == (current == PASSWORD)
    nobody.post("/console/sign-out")
    give(nobody)
    return made


def ask(client: FlaskClient) -> dict[str, object]:
    return dict(client.post(f"{SECOND}/passkey/options").json)


def use(client: FlaskClient, credential: str) -> int:
    return client.post(f"{SECOND}/passkey", data={"credential": credential}).status_code


def test_a_passkey_stands_in_for_the_code(nobody: FlaskClient, phone: Phone) -> None:
    assert "passkeys.js" in nobody.get(SECOND).text
    assert use(nobody, phone.sign(ask(nobody))) == 303
    page = nobody.get("/console/account").text
    (number,) = re.findall(r"/passkeys/(\d+)/remove", page)
    nobody.post(f"{KEYS}/{number}/remove")
    assert "/remove" not in nobody.get("/console/account").text


def test_what_is_not_believed(nobody: FlaskClient, phone: Phone) -> None:
    stolen = phone.sign(ask(nobody))
    ask(nobody)
    assert use(nobody, stolen) == 403  # an answer to an older question
    assert use(nobody, stolen) == 400  # no question at all
    other = Phone()
    assert (ask(nobody), use(nobody, other.sign(ask(nobody))))[1] == 403  # another key under the same id
    phone.origin = "https://engage.example.net"  # a site that looks like ours
    assert use(nobody, phone.sign(ask(nobody))) == 403
    ask(nobody)
    assert use(nobody, "no JSON") == 403


def test_a_copied_key_is_told_by_its_count(nobody: FlaskClient, phone: Phone) -> None:
    assert use(nobody, phone.sign(ask(nobody))) == 303
    nobody.post("/console/sign-out")
    give(nobody)
    phone.uses = 0
    assert use(nobody, phone.sign(ask(nobody))) == 403


def test_the_options_are_for_half_a_sign_in_only(nobody: FlaskClient, phone: Phone) -> None:
    use(nobody, phone.sign(ask(nobody)))
    assert nobody.post(f"{SECOND}/passkey/options").status_code == 403
    nobody.post("/console/sign-out")
    assert nobody.post(f"{SECOND}/passkey/options").status_code == 403
    assert nobody.post(f"{KEYS}/options").status_code == 303
