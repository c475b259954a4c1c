"""A little server that speaks just enough of Twilio's wire, and misbehaves as each test asks."""

import json
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from engage.sms.gateway import TwilioGateway

ACCOUNT = "AC" + "0" * 32
Behaviour = Callable[["Call"], None]


@dataclass
class Call:
    """One request as it arrived, and the ways to answer it."""

    method: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    headers: dict[str, str]
    wire: BaseHTTPRequestHandler = field(repr=False)

    def answer(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        """A whole answer; `body` as JSON unless it is text already."""
        content = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.wire.send_response_only(status)  # without a Date of today
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.wire.send_header(name, value)
        self.wire.send_header("Content-Length", str(len(content)))
        self.wire.end_headers()
        self.wire.wfile.write(content)

    def stop_halfway(self) -> None:
        """The beginning of a good answer, then nothing."""
        self.wire.send_response(201)
        self.wire.send_header("Content-Length", "1000")
        self.wire.end_headers()
        self.wire.wfile.write(b'{"sid": "SM')
        self.wire.close_connection = True

    def reset(self) -> None:
        """A TCP reset in place of an answer."""
        self.wire.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.wire.close_connection = True
        os.close(self.wire.connection.detach())  # closing the socket object would wait for its files


class Provider:
    """The server: `behave` says what the next requests meet, `calls` what was asked."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.behave: Behaviour = lambda call: call.answer(500, {})
        self.hung_up = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # broken pipes are what we came for
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def hang(self, _: Call) -> None:
        """Never answer, until the test is over."""
        self.hung_up.wait(60)

    def close(self) -> None:
        self.hung_up.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(provider) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - two selves in here
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def _handle(self) -> None:
                content = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                address = urlsplit(self.path)
                call = Call(
                    self.command,
                    address.path,
                    _flat(address.query),
                    _flat(content),
                    {name.lower(): value for name, value in self.headers.items()},
                    self,
                )
                provider.calls.append(call)
                provider.behave(call)

            do_GET = do_POST = _handle  # noqa: N815 - http.server's names

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


def _flat(encoded: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(encoded, keep_blank_values=True).items()}


@pytest.fixture
def provider() -> Iterator[Provider]:
    server = Provider()
    yield server
    server.close()


@pytest.fixture
def gateway(provider: Provider) -> Iterator[TwilioGateway]:
    """A gateway to the server. A minute's patience: a test that waits for it is broken, a busy machine is not."""
    gateway = TwilioGateway(ACCOUNT, "secret", api_url=provider.url, timeout_seconds=60)
    yield gateway
    gateway.close()


@pytest.fixture
def hasty(provider: Provider) -> Iterator[TwilioGateway]:
    """A gateway that soon gives up."""
    gateway = TwilioGateway(ACCOUNT, "secret", api_url=provider.url, timeout_seconds=0.2)
    yield gateway
    gateway.close()
