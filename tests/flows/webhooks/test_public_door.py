"""What strangers, and an odd Twilio, may post at the public door: always a 2xx or a 4xx, and never a row that is not due."""

import json
import socket
import uuid
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from flask.testing import FlaskClient
from freezegun import freeze_time
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from engage.db import Database, encryption
from engage.db.embedded import EmbeddedPostgres
from engage.outreach.links import Link, status_callback
from engage.simulation.twilio.webhooks import signature
from tests.cast import NOON, ROSE_PHONE, SUNRISE_NUMBER, gather_cast
from tests.conftest import RING, ROOT
from tests.flows.outreach.desk import TOKEN, Desk, desk_of
from webhooks import create_app

TEXT = {"MessageSid": "SM" + "1" * 32, "From": ROSE_PHONE, "To": SUNRISE_NUMBER, "Body": "hello", "NumMedia": "0"}
RECEIPT = {"MessageSid": "SM" + "1" * 32, "MessageStatus": "delivered"}
MANY = {"max_examples": 80, "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]}


@pytest.fixture(scope="module")
def desk(server: EmbeddedPostgres) -> Iterator[Desk]:
    """One desk for the whole table: nothing here depends on what was posted before."""
    server.create_database("door", template="pattern")
    encryption.use(RING)
    database = Database(server.url("door"))
    cast = gather_cast(database, ROOT / "config")
    with freeze_time(NOON, real_asyncio=True) as time, desk_of(cast, time) as made:
        yield made
    database.close()
    server.drop_database("door")


@pytest.fixture(scope="module")
def client(desk: Desk) -> FlaskClient:
    """Our web without a socket, for many requests."""
    app = create_app(desk.cast.db, desk.codes, auth_tokens=[TOKEN], public_url=desk.web)
    return app.test_client()


def kept(desk: Desk) -> int:
    """How many texts are in the inbox, routed or not."""
    return desk.count("SELECT (SELECT count(*) FROM replies) + (SELECT count(*) FROM unrouted_replies)")


def fresh(**more: str) -> dict[str, str]:
    """A text that has not come yet."""
    return TEXT | {"MessageSid": f"SM{uuid.uuid4().hex}"} | more


def post(client: FlaskClient, desk: Desk, path: str, form: Mapping[str, str], token: str = TOKEN) -> Any:
    """A form as Twilio would sign it."""
    url = f"{desk.web}{path}"
    headers = {"X-Twilio-Signature": signature(token, url, form.items())}
    return client.post(
        path,
        data=urlencode(form, errors="surrogatepass"),
        headers=headers,
        content_type="application/x-www-form-urlencoded",
    )


def path_of(desk: Desk, message: int | None = None, **more: Any) -> str:
    """The path of a receipt about a message."""
    url = urlsplit(
        status_callback(
            desk.web,
            Link(**({"agency_id": desk.cast.id, "message_id": message or 1, "attempt_id": uuid.uuid4()} | more)),
        )
    )
    return f"{url.path}?{url.query}"


def test_a_text_is_stored_and_answered_with_nothing(desk: Desk, client: FlaskClient) -> None:
    before = kept(desk)
    answer = post(client, desk, "/twilio/messages", fresh())
    assert answer.status_code == 200
    assert answer.mimetype == "text/xml"
    assert "<Response/>" in answer.text  # Engage answers by itself, later
    assert kept(desk) == before + 1


def test_a_receipt_is_taken(desk: Desk, client: FlaskClient) -> None:
    desk.fake.behaviour.rate_callback_lost = 1
    message = desk.answer()
    desk.dispatch()
    form = RECEIPT | {"MessageSid": str(desk.row(message).sid)}
    assert post(client, desk, path_of(desk, message), form).status_code == 204
    assert desk.state(message) == "delivered"


@pytest.mark.parametrize("path", ["/twilio/messages", "/twilio/status?m=x"])
@pytest.mark.parametrize("token", ["a token of somebody else", " ", ""])
def test_a_forged_signature_is_refused(desk: Desk, client: FlaskClient, path: str, token: str) -> None:
    before = kept(desk)
    assert post(client, desk, path, fresh() | RECEIPT, token or "x").status_code == 403
    assert kept(desk) == before


def test_a_signature_does_not_fit_another_body_or_address(desk: Desk, client: FlaskClient) -> None:
    header = {"X-Twilio-Signature": signature(TOKEN, f"{desk.web}/twilio/messages", TEXT.items())}
    for path, form in (
        ("/twilio/messages", TEXT | {"Body": "STOP"}),
        ("/twilio/messages", TEXT | {"Extra": ""}),
        ("/twilio/messages?x=1", TEXT),
        ("/twilio/messages/", TEXT),
    ):
        assert client.post(path, data=form, headers=header).status_code in {403, 404}
    assert client.post("/twilio/messages", data=TEXT, headers=header).status_code == 200


def test_both_tokens_count_while_one_is_rotated(desk: Desk) -> None:
    app = create_app(desk.cast.db, desk.codes, auth_tokens=["old one", "new one"], public_url=desk.web)
    for token in ("old one", "new one"):
        assert post(app.test_client(), desk, "/twilio/messages", fresh(), token).status_code == 200


@pytest.mark.parametrize("token", ["", "x", "WzEsMiwiMyJd", "é", "\x00", "a" * 9000])
def test_an_unknown_token_is_not_found(desk: Desk, client: FlaskClient, token: str) -> None:
    path = f"/twilio/status?{urlencode({'m': token})}"
    assert post(client, desk, path, RECEIPT).status_code == 404


@pytest.mark.parametrize("wrong", [{"message_id": 999_999}, {"agency_id": 999_999}])
def test_a_receipt_for_a_message_that_is_not_here_is_not_found(
    desk: Desk, client: FlaskClient, wrong: dict[str, int]
) -> None:
    assert post(client, desk, path_of(desk, **wrong), RECEIPT).status_code == 404


@pytest.mark.parametrize("name", ["MessageSid", "MessageStatus"])
@pytest.mark.parametrize("value", [None, "", "  ", "\x00", "x" * 65])
def test_a_receipt_without_its_fields_is_a_bad_request(
    desk: Desk, client: FlaskClient, name: str, value: str | None
) -> None:
    form = {key: item for key, item in (RECEIPT | {name: value}).items() if item is not None}
    assert post(client, desk, path_of(desk, desk.answer()), form).status_code == 400


@pytest.mark.parametrize("name", ["MessageSid", "From", "To"])
@pytest.mark.parametrize("value", [None, "", "\x00"])
def test_a_text_without_its_fields_is_a_bad_request(
    desk: Desk, client: FlaskClient, name: str, value: str | None
) -> None:
    form = {key: item for key, item in (TEXT | {name: value}).items() if item is not None}
    assert post(client, desk, "/twilio/messages", form).status_code == 400


@pytest.mark.parametrize(
    "more",
    [
        {"Body": "\x00pain\x00"},  # PostgreSQL holds no zero character
        {"Body": ""},
        {"To": f"{SUNRISE_NUMBER}\x00"},
        {"MessagingServiceSid": "MG\x00"},
        {"OptOutType": "\x00"},
        {"NumMedia": "²"},
        {"NumMedia": "-1"},
        {"NumMedia": "9" * 400},
        {"From": "+1 (202) 555-0111"},
        {"From": "whatsapp:+12025550111"},
        {"Body": "x" * 20_000},
    ],
)
def test_an_odd_text_loses_no_words(desk: Desk, client: FlaskClient, more: dict[str, str]) -> None:
    before = kept(desk)
    assert post(client, desk, "/twilio/messages", fresh(**more)).status_code == 200
    assert kept(desk) == before + 1


@pytest.mark.parametrize("raw", [b"%ED%A0%BD", b"%FF%FE", b"%F0%9F%98"])
def test_half_a_character_is_no_error(desk: Desk, client: FlaskClient, raw: bytes) -> None:
    """UTF-8 that is none is read as it was escaped, and signed so."""
    before, form = kept(desk), fresh(Body=f"pain {raw.decode()}")
    headers = {"X-Twilio-Signature": signature(TOKEN, f"{desk.web}/twilio/messages", form.items())}
    data = urlencode({name: value for name, value in form.items() if name != "Body"}).encode() + b"&Body=pain+" + raw
    kind = "application/x-www-form-urlencoded"
    assert client.post("/twilio/messages", data=data, headers=headers, content_type=kind).status_code == 200
    assert kept(desk) == before + 1


ODD = st.text(max_size=40) | st.sampled_from(["\x00", "²", "1e9", "delivered", "99999999999", "\ud800", "'; --", "%00"])
NAMES = st.sampled_from(
    ["MessageSid", "From", "To", "Body", "NumMedia", "MessageStatus", "ErrorCode", "OptOutType", "MessagingServiceSid"]
)


@given(
    form=st.dictionaries(NAMES | st.text(max_size=10), ODD, max_size=9), path=st.sampled_from(["messages", "status"])
)
@example(form=TEXT | {"To": "\x00"}, path="messages")
@example(form=RECEIPT | {"ErrorCode": "²"}, path="status")
@example(form=RECEIPT | {"ErrorCode": "99999999999999"}, path="status")
@settings(**MANY)
def test_no_signed_form_is_an_error_of_ours(desk: Desk, client: FlaskClient, form: dict[str, str], path: str) -> None:
    where = "/twilio/messages" if path == "messages" else path_of(desk, message_for(desk))
    clean = {
        name.encode("utf-8", "replace").decode(): value.encode("utf-8", "replace").decode()
        for name, value in form.items()
    }
    assert post(client, desk, where, clean).status_code in {200, 204, 400, 403, 404, 413}


@given(
    body=st.binary(max_size=300) | st.just(b"MessageSid=%FF%FE&From=%00&To=+1") | st.just(b"&" * 2000),
    kind=st.sampled_from(
        [
            "application/x-www-form-urlencoded",
            "application/x-www-form-urlencoded; charset=utf-16",
            "application/json",
            "multipart/form-data",
            "multipart/form-data; boundary=x",
            "text/plain",
            "",
        ]
    ),
    header=st.none() | st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=40),
    query=st.sampled_from(["", "?m=1", "?bodySHA256=00", "?m=%00&bodySHA256=x", "?bodySHA256="]),
    path=st.sampled_from(
        ["/twilio/messages", "/twilio/status", "/twilio/voice/x", "/readyz/x", "/%00", "/twilio//messages"]
    ),
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"]),
)
@settings(**MANY)
def test_no_stranger_makes_an_error_of_ours(
    desk: Desk, client: FlaskClient, body: bytes, kind: str, header: str | None, query: str, path: str, method: str
) -> None:
    headers = {} if header is None else {"X-Twilio-Signature": header}
    before = kept(desk)
    answer = client.open(path + query, method=method, data=body, content_type=kind, headers=headers)
    assert answer.status_code < 500
    if method == "POST":
        assert answer.status_code >= 400 or answer.status_code == 308  # 308: a path with two slashes
    assert kept(desk) == before


def test_a_request_that_is_too_large_is_refused(desk: Desk, client: FlaskClient) -> None:
    assert post(client, desk, "/twilio/messages", TEXT | {"Body": "x" * 70_000}).status_code == 413


def test_json_is_no_way_in(desk: Desk, client: FlaskClient) -> None:
    body = json.dumps(TEXT).encode()
    assert client.post("/twilio/messages", data=body, content_type="application/json").status_code == 403


@pytest.mark.parametrize(
    "raw",
    [
        b"POST /twilio/messages HTTP/1.1\r\nHost: x:notaport\r\nContent-Length: 0\r\n\r\n",
        b"POST /twilio/messages HTTP/1.1\r\nHost: [::1\r\nContent-Length: 0\r\n\r\n",
        b"POST /twilio/messages HTTP/1.1\r\nHost: \r\nX-Twilio-Signature: x\r\nContent-Length: 0\r\n\r\n",
        b"POST /twilio/messages HTTP/1.0\r\nX-Twilio-Signature: x\r\n\r\n",
        b"POST http://elsewhere/twilio/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        b"GET /twilio/messages HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ],
)
def test_a_request_that_no_library_would_make_is_refused(desk: Desk, raw: bytes) -> None:
    address = urlsplit(desk.web)
    with socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=20) as connection:
        connection.sendall(raw)
        first = connection.recv(4096).split(b"\r\n")[0]
    assert first.split()[1] in {b"403", b"405", b"400"}, first


def message_for(desk: Desk) -> int:
    """A message that receipts may be about."""
    found = desk.sql("SELECT id FROM messages ORDER BY id LIMIT 1")
    return int(found[0][0]) if found else desk.answer()
