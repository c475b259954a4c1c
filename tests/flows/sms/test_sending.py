"""Sending one text to a Twilio that misbehaves: each trouble has its answer, and never a second POST."""

import logging
import os
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

import pytest

from engage import clock
from engage.errors import ConfigurationError
from engage.sms.gateway import (
    Accepted,
    OutboundText,
    Outcome,
    Refused,
    Sender,
    SendingStopped,
    TryLater,
    TwilioGateway,
    Uncertain,
)

ACCOUNT = "AC" + "0" * 32
SID = "SM" + "a" * 32
TO = "+12025550143"
BODY = "Your nurse Joan comes tomorrow"
TEXT = OutboundText(TO, BODY, "https://engage.example.org/twilio/status?m=4f2c", Sender("+12025550100"), 7200)
LISTED = {"sid": SID, "to": TO, "body": BODY, "direction": "outbound-api"}
TAKEN = {"sid": SID, "status": "queued", "num_segments": "1", "to": TO, "body": BODY}


def test_a_text_arrives_as_twilio_wants_it(provider: Any, gateway: TwilioGateway) -> None:
    provider.behave = lambda call: call.answer(201, TAKEN)
    assert gateway.send(TEXT) == Accepted(SID, "queued", 1)
    (call,) = provider.calls
    assert (call.method, call.path) == ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json")
    assert call.form == {
        "To": TO,
        "From": "+12025550100",
        "Body": BODY,
        "StatusCallback": TEXT.status_callback,
        "ValidityPeriod": "7200",
        "SmartEncoded": "false",
    }
    assert call.headers["authorization"].startswith("Basic ")


def test_a_messaging_service_picks_the_number_and_counts_later(provider: Any, gateway: TwilioGateway) -> None:
    provider.behave = lambda call: call.answer(201, {**TAKEN, "status": "accepted", "num_segments": "0", "from": None})
    text = OutboundText(TO, BODY, "https://e.example.org/s", Sender(messaging_service_sid="MG" + "1" * 32), 10**6)
    assert gateway.send(text) == Accepted(SID, "accepted", 0)
    assert provider.calls[0].form["MessagingServiceSid"] == "MG" + "1" * 32
    assert provider.calls[0].form["ValidityPeriod"] == "36000"  # Twilio's ten hours
    assert "From" not in provider.calls[0].form


RFC_9457 = {
    "type": "https://t.example.org/21211",
    "title": "Invalid To",
    "status": 400,
    "code": 21211,
    "detail": f"{TO} is bad",
}
OLD = {"code": 21610, "message": f"The person at {TO} said STOP", "more_info": "…", "status": 400}
PAGE = "<html>Access denied for +12025550143</html>"


@pytest.mark.parametrize(
    ("status", "body", "headers", "outcome"),
    [
        (400, OLD, {}, Refused(400, 21610, "https://www.twilio.com/docs/api/errors/21610")),
        (403, OLD, {}, Refused(403, 21610, "https://www.twilio.com/docs/api/errors/21610")),  # about the text, whatever the status
        (400, RFC_9457, {}, Refused(400, 21211, "https://www.twilio.com/docs/api/errors/21211")),
        (400, {**OLD, "code": "21610"}, {}, Refused(400, 21610, "https://www.twilio.com/docs/api/errors/21610")),
        (400, PAGE, {}, Refused(400, None, "HTTP 400, without a Twilio code")),
        (400, {"code": 20001}, {}, Refused(400, 20001, "HTTP 400, Twilio code 20001")),
        (429, {"code": 20429}, {"Retry-After": "7"}, TryLater(20429, 7.0)),
        (429, {"code": 20429}, {}, TryLater(20429, None)),
        (429, PAGE, {"Retry-After": "soon"}, TryLater(20429, None)),
        (
            429,
            {"code": 20429},
            {"Date": "Sat, 21 Nov 2026 10:00:00 GMT", "Retry-After": "Sat, 21 Nov 2026 10:01:30 GMT"},
            TryLater(20429, 90.0),
        ),
        (429, {"code": 20429}, {"Date": "Sat, 21 Nov 2026 10:00:00 GMT", "Retry-After": "Sat, 21 Nov 2026 09:00:00 GMT"}, TryLater(20429, 0.0)),
        (401, {"code": 20003}, {}, SendingStopped(401, 20003)),
        (403, {"code": 20005}, {}, SendingStopped(403, 20005)),
        (403, PAGE, {}, SendingStopped(403, None)),  # a firewall between us and Twilio
        (403, {"code": 70052}, {}, SendingStopped(403, 70052)),
        (404, {"code": 20404}, {}, SendingStopped(404, 20404)),  # no such account: every text would meet it
        (301, "", {"Location": "https://elsewhere.example.org/"}, SendingStopped(301, None)),
        (304, "", {}, SendingStopped(304, None)),
        (307, "", {"Location": "/again"}, SendingStopped(307, None)),  # would POST again if followed
        (408, PAGE, {}, Uncertain("HTTP 408, without a Twilio code")),
        (500, {"code": 20500}, {}, Uncertain("HTTP 500, Twilio code 20500")),
        (503, PAGE, {"Retry-After": "1"}, Uncertain("HTTP 503, without a Twilio code")),
        (500, OLD, {}, Uncertain("HTTP 500, Twilio code 21610")),
        (201, "", {}, Uncertain("answer without a SID")),
        (201, PAGE, {}, Uncertain("unreadable answer")),
        (201, "[]", {}, Uncertain("unreadable answer")),
        (201, "null", {}, Uncertain("unreadable answer")),
        (201, {"sid": None}, {}, Uncertain("answer without a SID")),
        (200, {"sid": 7}, {}, Uncertain("answer without a SID")),
    ],
)  # fmt: skip
def test_an_answer_means(
    provider: Any, gateway: TwilioGateway, status: int, body: object, headers: dict[str, str], outcome: Outcome
) -> None:
    provider.behave = lambda call: call.answer(status, body, headers)
    assert gateway.send(TEXT) == outcome
    assert len(provider.calls) == 1


def test_no_answer_is_uncertain(provider: Any, hasty: TwilioGateway) -> None:
    provider.behave = provider.hang
    assert hasty.send(TEXT) == Uncertain("no whole answer came back (SocketTimeoutError)")
    assert len(provider.calls) == 1


@pytest.mark.parametrize("trouble", ["reset", "stop_halfway"])
def test_a_torn_connection_is_uncertain(provider: Any, gateway: TwilioGateway, trouble: str) -> None:
    provider.behave = lambda call: getattr(call, trouble)()
    assert isinstance(gateway.send(TEXT), Uncertain)
    assert len(provider.calls) == 1


def test_a_kept_connection_that_dies_after_the_request_is_uncertain(provider: Any, gateway: TwilioGateway) -> None:
    provider.behave = lambda call: call.answer(201, TAKEN)
    assert isinstance(gateway.send(TEXT), Accepted)
    provider.behave = lambda call: call.reset()
    assert isinstance(gateway.send(TEXT), Uncertain)  # not sent again over a new connection, as browsers would
    assert len(provider.calls) == 2


def sent_once(**settings: Any) -> Outcome:
    """The text through a gateway of its own."""
    gateway = TwilioGateway(ACCOUNT, "secret", **settings)
    try:
        return gateway.send(TEXT)
    finally:
        gateway.close()


def refused_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"127.0.0.1:{free.getsockname()[1]}"


@pytest.mark.parametrize(
    "address",
    [
        lambda: f"http://{refused_port()}",
        lambda: f"https://{refused_port()}",
        lambda: "http://no-such-host.invalid",
        lambda: "https://no-such-host.invalid:8443/base",
    ],
    ids=["refused", "refused over TLS", "no such name", "no such name over TLS"],
)
def test_nothing_left_is_safe_to_try_again(address: Callable[[], str]) -> None:
    assert sent_once(api_url=address()) == TryLater()


def test_a_host_that_does_not_answer_the_connecting_is_safe_to_try_again() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for client in waiting:  # fill the queue of a server that never accepts: further ones are not even refused
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        port = full.getsockname()[1]
        outcome = sent_once(api_url=f"http://127.0.0.1:{port}", timeout_seconds=0.2)
        for client in waiting:
            client.close()
    assert outcome == TryLater()


@pytest.mark.parametrize("manners", ["speaks no TLS", "hangs up", "hangs"])
def test_a_failed_handshake_is_safe_to_try_again(manners: str) -> None:
    """TLS trouble is before the request: nothing that says To or Body has left."""
    done = threading.Event()

    def serve() -> None:
        client, _ = server.accept()
        with client:
            if manners == "speaks no TLS":
                client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            elif manners == "hangs":
                done.wait(60)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        url = f"https://127.0.0.1:{server.getsockname()[1]}"
        outcome = sent_once(api_url=url, timeout_seconds=0.3)
        done.set()
        thread.join()
    assert outcome == TryLater()


def test_a_tls_connection_that_dies_after_the_request_is_uncertain(tmp_path: Any) -> None:
    certificate = _certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def serve() -> None:
        client, _ = server.accept()
        with context.wrap_socket(client, server_side=True) as secure:
            secure.recv(65536)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        url = f"https://localhost:{server.getsockname()[1]}"
        gateway = TwilioGateway(ACCOUNT, "secret", api_url=url, ca_bundle=str(certificate))
        outcome = gateway.send(TEXT)
        thread.join()
        gateway.close()
    assert isinstance(outcome, Uncertain)


def _certificate(folder: Any) -> Any:
    """A key and a certificate for localhost that signs itself, in one file."""
    from datetime import timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = clock.now()
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    form = serialization.Encoding.PEM
    file = folder / "localhost.pem"
    file.write_bytes(
        key.private_bytes(form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + built.public_bytes(form)
    )
    return file


def test_an_untrusted_certificate_stops_before_the_request(tmp_path: Any) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_certificate(tmp_path))
    heard: list[bytes] = []

    def serve() -> None:
        client, _ = server.accept()
        try:
            with context.wrap_socket(client, server_side=True) as secure:
                heard.append(secure.recv(65536))
        except OSError:
            client.close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        url = f"https://localhost:{server.getsockname()[1]}"
        assert sent_once(api_url=url) == TryLater()
        thread.join()
    assert not any(heard)


def test_the_environment_changes_nothing(provider: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    strange = {
        "HTTP_PROXY": "http://no-such-host.invalid:1",
        "http_proxy": "http://no-such-host.invalid:1",
        "ALL_PROXY": "http://no-such-host.invalid:1",
        "NO_PROXY": "",
        "no_proxy": "",
        "NETRC": str(netrc),
        "TWILIO_EDGE": "dublin",
        "TWILIO_REGION": "ie1",
        "TWILIO_ACCOUNT_SID": "AC" + "9" * 32,
        "TWILIO_AUTH_TOKEN": "another",
    }
    for name, value in strange.items():
        monkeypatch.setenv(name, value)
    provider.behave = lambda call: call.answer(201, TAKEN)
    gateway = TwilioGateway(ACCOUNT, "secret", api_url=provider.url)
    assert isinstance(gateway.send(TEXT), Accepted)
    assert (
        provider.calls[0].headers["authorization"] == "Basic QUMwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDpzZWNyZXQ="
    )
    gateway.close()
    assert os.environ["TWILIO_EDGE"] == "dublin"


def test_an_edge_in_the_environment_does_not_move_us_abroad(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def resolve(host: str, *_: Any) -> None:
        asked.append(host)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", resolve)  # the machine's, so that nothing is asked of Twilio
    monkeypatch.setenv("TWILIO_EDGE", "dublin")
    monkeypatch.setenv("TWILIO_REGION", "ie1")
    assert sent_once() == TryLater()
    assert asked == ["api.twilio.com"]


def test_an_api_key_stands_in_for_the_token_and_a_path_before_twilios(provider: Any) -> None:
    provider.behave = lambda call: call.answer(201, TAKEN)
    key = ("SK" + "1" * 32, "key-secret")
    gateway = TwilioGateway(ACCOUNT, "secret", api_key=key, api_url=f"{provider.url}/twilio/")
    assert isinstance(gateway.send(TEXT), Accepted)
    assert provider.calls[0].path == f"/twilio/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    assert (
        provider.calls[0].headers["authorization"]
        == "Basic U0sxMTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTprZXktc2VjcmV0"
    )
    gateway.close()


@pytest.mark.parametrize(
    "address", ["api.twilio.com", "ftp://h", "http://", "http://a b", "http://h?x=1", "http://[::1"]
)
def test_a_wrong_address_is_said_before_anything_runs(address: str) -> None:
    with pytest.raises(ConfigurationError):
        TwilioGateway(ACCOUNT, "secret", api_url=address)


def test_no_number_and_no_body_in_logs_or_values(
    provider: Any, gateway: TwilioGateway, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    answers = [(201, TAKEN), (400, OLD), (400, RFC_9457), (500, OLD), (201, PAGE)]
    said = [repr(TEXT), str(TEXT)]
    for status, body in answers:
        provider.behave = lambda call, status=status, body=body: call.answer(status, body)
        said.append(repr(gateway.send(TEXT)))
    provider.behave = lambda call: call.answer(
        200, {"messages": [LISTED], "next_page_uri": None}
    )  # To= is in the URL here
    now = clock.now()
    said.append(repr(gateway.find_sent(TO, now, now)))
    out, err = capfd.readouterr()
    everything = "\n".join([*said, caplog.text, out, err])
    assert TO not in everything
    assert "2025550143" not in everything
    assert "Joan" not in everything


def test_threads_share_the_gateway_and_its_connections(provider: Any, gateway: TwilioGateway) -> None:
    provider.behave = lambda call: call.answer(201, TAKEN)
    outcomes: list[Outcome] = []

    def send_some() -> None:
        outcomes.extend([gateway.send(TEXT) for _ in range(10)])

    threads = [threading.Thread(target=send_some) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [Accepted(SID, "queued", 1)] * 80
    assert (
        len({call.wire.client_address for call in provider.calls}) <= 16
    )  # 80 texts, and the connections are used again


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"to": ""}, "needs a number"),
        ({"body": ""}, "a body"),
        ({"body": "half an emoji \ud83d"}, "surrogate"),
        ({"valid_for_seconds": 0}, "no longer valid"),
    ],
)
def test_an_impossible_text_is_a_bug_not_a_request(wrong: dict[str, Any], why: str) -> None:
    good: dict[str, Any] = {
        "to": TO,
        "body": BODY,
        "status_callback": "",
        "sender": Sender("+12025550100"),
        "valid_for_seconds": 1,
    }
    with pytest.raises(ValueError, match=why):
        OutboundText(**{**good, **wrong})


def test_a_sender_is_one_thing() -> None:
    for both in ({}, {"from_number": "+12025550100", "messaging_service_sid": "MG1"}):
        with pytest.raises(ValueError, match="either"):
            Sender(**both)
