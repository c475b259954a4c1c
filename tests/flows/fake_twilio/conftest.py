"""What the tests of the fake Twilio share: the official SDK pointed at it, a door that checks signatures, a clock of their own."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl

import pytest
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from engage.simulation.twilio import FakeTwilio

ACCOUNT = "AC" + "0123456789abcdef" * 2
TOKEN = "a token of the tests"
OURS = "+12025550100"
PATIENT = "+12025550143"


class VirtualClock:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def pass_(self, seconds: float) -> datetime:
        self.at += timedelta(seconds=seconds)
        return self.at


@dataclass
class Posted:
    """One webhook as it reached our door."""

    method: str
    path: str
    params: dict[str, str]
    token: str
    is_signed: bool


@dataclass
class Door:
    """Our public door: records every webhook, checks its signature with the SDK, answers as told."""

    url: str = ""
    posted: list[Posted] = field(default_factory=list)
    answer: Callable[[Posted], tuple[int, str]] = lambda _: (204, "")

    def statuses(self, sid: str | None = None) -> list[str]:
        return [
            p.params["MessageStatus"]
            for p in self.posted
            if "MessageStatus" in p.params and sid in {None, p.params["MessageSid"]}
        ]


class BaseSwap(TwilioHttpClient):
    """The SDK's own HTTP client, but for the host."""

    def __init__(self, base: str) -> None:
        super().__init__(timeout=10)
        self.base = base

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        return super().request(method, url.replace("https://api.twilio.com", self.base), *args, **kwargs)


def wait_until(happened: Callable[[], object]) -> None:
    """Wait for another thread; ten seconds are for ever."""
    until = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.002)


@pytest.fixture
def soon() -> Callable[[Callable[[], object]], None]:
    return wait_until


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def door() -> Iterator[Door]:
    door = Door()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body leave together

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
            params = dict(parse_qsl(text, keep_blank_values=True))
            signature = self.headers["X-Twilio-Signature"]
            is_signed = RequestValidator(TOKEN).validate(door.url + self.path, params, signature)
            posted = Posted(self.command, self.path, params, self.headers["I-Twilio-Idempotency-Token"], is_signed)
            door.posted.append(posted)
            status, body = door.answer(posted)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, *_: object) -> None:
            pass  # a caller that did not wait for a slow answer

    server = Server(("127.0.0.1", 0), Handler)
    door.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield door
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def build(clock: VirtualClock, door: Door) -> Iterator[Callable[..., FakeTwilio]]:
    """Makes started fakes with one number of ours and one patient's phone."""
    made: list[FakeTwilio] = []

    def make(**options: Any) -> FakeTwilio:
        defaults = {"inbound_url": f"{door.url}/twilio/messages", "now": clock}
        fake = FakeTwilio(account_sid=ACCOUNT, auth_token=TOKEN, **(defaults | options))
        fake.add_number(OURS)
        fake.add_phone(PATIENT)
        fake.start()
        made.append(fake)
        return fake

    yield make
    for fake in made:
        fake.stop()


@pytest.fixture
def fake(build: Callable[..., FakeTwilio]) -> FakeTwilio:
    return build()


@pytest.fixture
def sdk() -> Iterator[Callable[..., Client]]:
    """Official SDK clients, pointed at a fake."""
    made: list[BaseSwap] = []

    def make(fake: FakeTwilio, username: str = ACCOUNT, password: str = TOKEN) -> Client:
        http = BaseSwap(fake.url)
        made.append(http)
        return Client(username, password, ACCOUNT, http_client=http)

    yield make
    for http in made:
        assert http.session is not None
        http.session.close()


@pytest.fixture
def client(fake: FakeTwilio, sdk: Callable[..., Client]) -> Client:
    return sdk(fake)


@pytest.fixture
def send(client: Client, door: Door) -> Callable[..., Any]:
    """Sends one text through the SDK, with a callback that carries our reference."""

    def send(body: str = "Your nurse comes tomorrow.", **options: Any) -> Any:
        return client.messages.create(
            **{"to": PATIENT, "from_": OURS, "body": body, "status_callback": f"{door.url}/twilio/status?m=17"}
            | options
        )

    return send
