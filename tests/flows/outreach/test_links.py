"""What a receipt's address says of its message, and that nobody else can write one."""

import uuid

import pytest
from itsdangerous import URLSafeSerializer

from engage.db import encryption
from engage.outreach.links import Link, call_callback, read_call_link, read_link, status_callback
from tests.conftest import RING

LINK = Link(7, 4_000_000_001, uuid.UUID("12345678-1234-5678-1234-567812345678"))


@pytest.fixture(autouse=True)
def _ring() -> None:
    encryption.use(RING)


def token_of(address: str) -> str:
    return address.partition("?m=")[2].partition("#")[0]


def test_a_link_says_what_it_was_made_of_and_needs_no_quoting() -> None:
    token = token_of(status_callback("https://engage.example.org", LINK))
    assert read_link(token) == LINK
    assert token.replace(".", "").replace("-", "").replace("_", "").isalnum()


def test_a_link_that_was_given_out_before_the_release_is_read_too() -> None:
    old = URLSafeSerializer(RING.signing_key, salt="receipt").dumps([7, 4_000_000_001, LINK.attempt_id.hex])
    assert read_link(old) == LINK


@pytest.mark.parametrize(
    "altered",
    [
        lambda token: token.replace("7.", "8.", 1),
        lambda token: token[:-2] + ("AA" if token[-2:] != "AA" else "BB"),
        lambda token: token.rpartition(".")[0],
        lambda token: token + ".x",
        lambda token: "..." + token,
        lambda _: "a.b.c.d",
        lambda _: "ä.b.c.d",
        lambda _: "",
    ],
)
def test_nobody_else_can_write_one(altered) -> None:  # type: ignore[no-untyped-def]
    assert read_link(altered(token_of(status_callback("", LINK)))) is None


def test_a_link_for_a_call_is_none_for_a_text() -> None:
    token = token_of(call_callback("", LINK))
    assert read_call_link(token) == LINK
    assert read_link(token) is None
