"""STOP, START and HELP as whole replies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engage.sms.rules.keywords import is_help, is_provider_stop, is_start, is_stop


@pytest.mark.parametrize(
    "text",
    [
        "STOP", "stop.", "Stop!!!", " “Stop” ", "stop 🛑", "STOPALL", "Stop all", "unsubscribe", "QUIT", "End", "revoke",
        "opt out", "OPTOUT", "Opt-out", "opt – out", "CANCEL", "cancel.", "ＳＴＯＰ",
        "ALTO", "Alto.", "parar", "pare", "basta", "no más", "¡No  mas!", "NO MA\u0301S", "Cancelar",
    ],
)  # fmt: skip
def test_is_stop(text: str) -> None:
    assert is_stop(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "...",
        "stop by anytime",
        "Stop coming so early",  # about the visit
        "STOP please",  # free wording: for the reading of replies
        "cancel my visit",
        "nonstop",
        "the end",
        "no",
        "2 azúcar alto",
        "no more",
        "st",
    ],
)
def test_is_not_stop(text: str) -> None:
    assert not is_stop(text)


@pytest.mark.parametrize(
    ("text", "blocked"),
    [
        ("STOP", True),
        (" stop ", True),
        ("Cancel", True),
        ("OPTOUT", True),
        ("opt out", False),  # two words: ours alone
        ("stop.", False),
        ("ALTO", False),
    ],
)
def test_what_twilio_blocks_by_itself(text: str, blocked: bool) -> None:
    assert is_provider_stop(text) is blocked


@given(st.text())
def test_whatever_twilio_blocks_we_stop_too(text: str) -> None:
    assert is_stop(text) or not is_provider_stop(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("START", True), ("start!", True), ("Unstop", True), ("yes", False), ("start again", False), ("", False)],
)
def test_is_start(text: str, expected: bool) -> None:
    assert is_start(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("HELP", True), ("help?", True), ("Info", True), ("¡Ayuda!", True), ("help me I fell", False), ("", False)],
)
def test_is_help(text: str, expected: bool) -> None:
    assert is_help(text) is expected
