"""Whether a webhook is Twilio's: nobody else's passes, nothing a stranger sends makes it raise."""

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from engage.sms.signatures import is_signed, public_url

VECTORS = Path(__file__).parents[4] / "shared" / "data" / "sms" / "twilio_signature.json"
TOKEN = "a-secret-of-ours"
URL = "https://engage.example.org/twilio/status?m=4f2c"
FORM = {"MessageSid": "SM1", "MessageStatus": "delivered", "FromCity": "", "Body": " hi ñ 👍 "}


def sign(url: str, pairs: list[tuple[str, str]], token: str = TOKEN) -> str:
    """As Twilio's docs say: the URL, then each name and value in the order of names; the values of one name once each."""
    text = url + "".join(name + value for name, value in sorted(set(pairs)))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


SIGNATURE = sign(URL, list(FORM.items()))


@pytest.mark.parametrize(
    "params",
    [FORM, list(FORM.items()), iter(FORM.items()), MultiDict(FORM)],
    ids=["dict", "pairs", "iterator", "multidict"],
)
def test_twilios_own_is_believed(params: Any) -> None:
    assert is_signed([TOKEN], URL, params, SIGNATURE)


def test_a_repeated_key_counts_with_every_value() -> None:
    pairs = [("StatusCallbackEvent", "ringing"), ("StatusCallbackEvent", "answered"), ("A", "1"), ("A", "1")]
    signature = sign(URL, pairs)
    assert is_signed([TOKEN], URL, pairs, signature)
    assert is_signed([TOKEN], URL, MultiDict(pairs), signature)
    assert not is_signed([TOKEN], URL, dict(pairs), signature)


def test_either_token_while_one_is_rotated() -> None:
    assert is_signed(["the-new-one", TOKEN], URL, FORM, SIGNATURE)
    assert is_signed([TOKEN, "the-new-one"], URL, FORM, SIGNATURE)
    assert not is_signed(["the-new-one"], URL, FORM, SIGNATURE)


@pytest.mark.parametrize("url", ["https://engage.example.org:443/x", "https://engage.example.org/x"])
def test_the_port_may_or_may_not_have_been_signed(url: str) -> None:
    assert is_signed([TOKEN], "https://engage.example.org/x", FORM, sign(url, list(FORM.items())))


def test_a_get_is_signed_by_its_url_alone() -> None:
    assert is_signed([TOKEN], URL, {}, sign(URL, []))


@pytest.mark.parametrize(
    ("tokens", "url", "params", "signature"),
    [
        ([TOKEN], URL, FORM, None),
        ([TOKEN], URL, FORM, ""),
        ([TOKEN], URL, FORM, "nonsense"),
        ([TOKEN], URL, FORM, SIGNATURE.lower()),
        ([TOKEN], URL, FORM, SIGNATURE.encode()),
        ([TOKEN], URL, {**FORM, "MessageStatus": "failed"}, SIGNATURE),
        ([TOKEN], URL, {**FORM, "Extra": ""}, SIGNATURE),
        ([TOKEN], URL, {k: v for k, v in FORM.items() if v}, SIGNATURE),  # blanks dropped: not what was signed
        ([TOKEN], URL.replace("4f2c", "4f2d"), FORM, SIGNATURE),
        ([TOKEN], URL.replace("https", "http"), FORM, SIGNATURE),
        ([], URL, FORM, SIGNATURE),
        ([""], URL, FORM, sign(URL, list(FORM.items()), "")),  # an unset token would sign for anybody
        (["  "], URL, FORM, sign(URL, list(FORM.items()), "  ")),
        ([TOKEN], "https://engage.example.org:port/x", FORM, SIGNATURE),
        ([TOKEN], "https://[::1", FORM, SIGNATURE),
        ([TOKEN], URL, '{"a": 1}', sign(URL, [])),  # JSON whose body nobody vouches for
        ([TOKEN], URL + "&bodySHA256=00", {}, sign(URL + "&bodySHA256=00", [])),  # a vouched-for body that nobody read
        ([TOKEN], URL, {"Body": "\ud83d"}, SIGNATURE),  # half an emoji cannot have been signed
        ([TOKEN], URL, {"Body": ["a", "b"]}, SIGNATURE),
        ([TOKEN], URL, {"Body": None}, SIGNATURE),
        ([TOKEN], URL, 7, SIGNATURE),
        ([TOKEN], URL, None, SIGNATURE),
        ([TOKEN], URL, ["MessageSid"], SIGNATURE),
        ([TOKEN], None, FORM, SIGNATURE),
        ([None], URL, FORM, SIGNATURE),
    ],
)
def test_a_strangers_is_not(tokens: Any, url: Any, params: Any, signature: Any) -> None:
    assert is_signed(tokens, url, params, signature) is False


def test_a_json_body_is_vouched_for_by_its_hash() -> None:
    body = '{"level": "ERROR"}'
    url = f"{URL}&bodySHA256={hashlib.sha256(body.encode()).hexdigest()}"
    assert is_signed([TOKEN], url, body, sign(url, []))
    assert not is_signed([TOKEN], url, body + " ", sign(url, []))


def _vectors() -> tuple[str, list[dict[str, Any]]]:
    if not VECTORS.is_file():
        return "", []
    data = json.loads(VECTORS.read_text("utf-8"))
    basic = next(case["params"] for case in data["cases"] if isinstance(case.get("params"), list))
    return data["auth_token"], [
        {**case, "params": basic if case.get("params") == "basic" else case.get("params")} for case in data["cases"]
    ]


@pytest.mark.parametrize("case", _vectors()[1], ids=lambda case: case["name"])
def test_agrees_with_twilios_own_vectors(case: dict[str, Any]) -> None:
    params = case["body"] if "body" in case else [tuple(pair) for pair in case["params"]]
    assert is_signed([_vectors()[0]], case["uri"], params, case["signature"]) is case["valid"]


ANYTHING = st.one_of(st.none(), st.text(), st.binary(), st.integers(), st.lists(st.text()))


@given(
    url=st.one_of(st.text(), st.text().map("https://h/".__add__), st.from_regex(r"https?://[a-z:\[\]@]*(:\w*)?/\?.*")),
    params=st.one_of(
        ANYTHING, st.dictionaries(st.text(st.characters()), ANYTHING), st.lists(st.tuples(st.text(), st.text()))
    ),
    signature=ANYTHING,
    tokens=st.lists(st.text(), max_size=2),
)
def test_never_raises(url: str, params: Any, signature: Any, tokens: list[str]) -> None:
    assert is_signed(tokens, url, params, signature) is False


@given(st.lists(st.tuples(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8")))))
def test_whatever_the_form_holds_its_own_signature_is_believed(pairs: list[tuple[str, str]]) -> None:
    assert is_signed([TOKEN], URL, pairs, sign(URL, pairs))


@pytest.mark.parametrize(
    ("base", "path", "query", "url"),
    [
        ("https://e.org", "/twilio/status", "m=1&x=", "https://e.org/twilio/status?m=1&x="),
        ("https://e.org/", "/twilio/status", b"m=%2B1", "https://e.org/twilio/status?m=%2B1"),
        ("https://e.org", "/twilio/messages", "", "https://e.org/twilio/messages"),
        (
            "https://e.org/engage/",
            "/twilio/messages",
            b"",
            "https://e.org/engage/twilio/messages",
        ),  # proxy strips /engage
        ("https://e.org:8443#rc=3", "/twilio/messages", "", "https://e.org:8443/twilio/messages"),
        ("https://e.org", "/a b/ñ", "", "https://e.org/a%20b/%C3%B1"),
    ],
)
def test_public_url(base: str, path: str, query: str | bytes, url: str) -> None:
    assert public_url(base, path, query) == url
