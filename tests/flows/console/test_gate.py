"""The gate: nobody is sent to sign in, a half-signed-in person to the second factor, and sessions end by themselves."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from freezegun.api import FrozenDateTimeFactory

from engage.console.gate import local
from tests.flows.console.conftest import SignIn


def test_nobody_is_sent_to_sign_in_and_comes_back(nobody: FlaskClient) -> None:
    answer = nobody.get("/console/account")
    assert (answer.status_code, answer.location) == (303, "/console/sign-in?next=/console/account")


def test_half_a_sign_in_opens_nothing(signed_in: SignIn) -> None:
    answer = signed_in("administrator", is_whole=False).get("/console/account")
    assert (answer.status_code, answer.location) == (303, "/console/second-factor?next=/console/account")


def test_a_part_of_a_page_sends_the_whole_page_away(nobody: FlaskClient) -> None:
    answer = nobody.get("/console/account", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/console/sign-in")


def test_idle_for_a_quarter_of_an_hour_ends_it(signed_in: SignIn, time: FrozenDateTimeFactory) -> None:
    nurse = signed_in("nurse")
    for _ in range(3):
        time.tick(timedelta(minutes=14))
        assert nurse.get("/console/account").status_code == 200
    time.tick(timedelta(minutes=15))
    assert nurse.get("/console/account").status_code == 303


def test_twelve_hours_end_it_however_busy(signed_in: SignIn, time: FrozenDateTimeFactory) -> None:
    nurse = signed_in("nurse")
    for _ in range(71):
        time.tick(timedelta(minutes=10))
        assert nurse.get("/console/account").status_code == 200
    time.tick(timedelta(minutes=10))
    assert nurse.get("/console/account").status_code == 303


@pytest.mark.parametrize(
    ("target", "is_kept"),
    [
        ("/console/account?x=1", True),
        ("/console", True),
        ("/consoles", False),
        ("//evil.example/console", False),
        ("https://evil.example/console/", False),
        ("/console/../twilio/messages", False),
        ("/console\\evil.example", False),
        ("/console/\n//evil.example", False),  # browsers drop line breaks
        ("javascript:alert(1)", False),
        ("", False),
        (None, False),
    ],
)
def test_only_addresses_of_ours_are_gone_back_to(target: str | None, is_kept: bool) -> None:
    assert local(target) == (target if is_kept else None)
