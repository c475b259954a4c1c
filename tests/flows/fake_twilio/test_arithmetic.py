"""The fake's own counts: signatures and segments, against vectors of ours and, when they lie beside the checkout, Twilio's."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from engage.simulation.twilio.segments import segments_of
from engage.simulation.twilio.webhooks import Overrides, signature

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "sms"


def shared(name):
    path = SHARED / name
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def twilio_signatures():
    vectors = shared("twilio_signature.json")
    cases = vectors.get("cases", [])
    basic = next((case["params"] for case in cases if isinstance(case.get("params"), list)), [])
    for case in cases:
        if case["name"].startswith(("basic", "duplicate", "http with port")):
            params = basic if case["params"] == "basic" else case["params"]
            yield pytest.param(vectors["auth_token"], case["uri"], params, case["signature"], id=case["name"])


@pytest.mark.parametrize(("token", "uri", "params", "expected"), list(twilio_signatures()))
def test_signatures_of_twilio(token, uri, params, expected):
    assert signature(token, uri, [tuple(pair) for pair in params]) == expected


@given(
    token=st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1),
    params=st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=20), max_size=6),
)
def test_the_sdk_finds_our_signatures_right(token, params):
    url = "https://engage.example/twilio/messages?m=1"
    assert RequestValidator(token).validate(url, params, signature(token, url, params.items()))
    assert not RequestValidator(token).validate(url, {**params, "From": "forged"}, signature(token, url, ()))


@pytest.mark.parametrize(
    ("body", "segments"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("[" * 80, 1),  # two septets each
        ("[" * 81, 2),
        ("a" * 152 + "[" + "b" * 152, 3),  # an escaped character is not split over two parts
        ("ç", 1),  # not in GSM-7, only its capital is
        ("ç" + "a" * 70, 2),
        ("é" * 160, 1),  # in GSM-7
        ("’" + "a" * 69, 1),
        ("’" + "a" * 70, 2),
        ("😀" * 35, 1),
        ("😀" * 67, 3),  # a surrogate pair is not split (facts/twilio.md §11)
    ],
)
def test_segments(body, segments):
    assert segments_of(body) == segments


def test_segments_of_twilios_calculator():
    for name in ("segments.json", "segments_random.json", "twilio_segments_basic.json"):
        for case in shared(name):
            assert segments_of(case["body"]) == case["segments"], case["body"]


@pytest.mark.parametrize(
    ("fragment", "expected"),
    [
        ("", Overrides()),
        ("rc=2&rp=all&ct=3000&rt=1500", Overrides(3000, 1500, 15000, 2, frozenset({"all"}))),
        ("rp=ct,5xx", Overrides(retry_on=frozenset({"ct", "5xx"}))),
        ("rc=6&ct=50&tt=20000", Overrides()),  # out of range
        ("rc=x&sni=n&e=dublin", Overrides()),
    ],
)
def test_overrides(fragment, expected):
    assert Overrides.of(fragment) == expected
