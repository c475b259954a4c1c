"""A provider that costs next to nothing: takes texts as Twilio's Messages API does, waits as long as told, says 201.

A tool for measuring only. It checks no credentials, numbers, senders or lengths, refuses nothing, splits and delivers
nothing, posts no receipts, knows no 429, and its log of texts is always empty. Tests want engage.simulation.twilio.
Run: python -m bench.provider --port 4012 --delay-ms 80
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import time
from collections import Counter
from collections.abc import Callable
from email.utils import formatdate
from typing import cast
from urllib.parse import unquote_plus

_CREATED = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
_OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
_GONE = b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
_UNREAD = b"HTTP/1.1 411 Length Required\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
# Every field of the answer to a create, in the words of engage/simulation/twilio/messages.py.
_RESOURCE = (
    '{"account_sid": "%(account)s", "api_version": "2010-04-01", "body": %(body)s, "date_created": "%(date)s",'
    ' "date_sent": null, "date_updated": "%(date)s", "direction": "outbound-api", "error_code": null,'
    ' "error_message": null, "from": %(from)s, "messaging_service_sid": %(service)s, "num_media": "0",'
    ' "num_segments": "1", "price": null, "price_unit": "USD", "sid": "%(sid)s", "status": "queued",'
    ' "subresource_uris": {"media": "/2010-04-01/Accounts/%(account)s/Messages/%(sid)s/Media.json"}, "to": %(to)s,'
    ' "uri": "/2010-04-01/Accounts/%(account)s/Messages/%(sid)s.json"}'
)


class Ledger:
    """What arrived, and when: monotonic seconds, which all processes of a machine share. Understood only when asked."""

    def __init__(self, delay: float) -> None:
        self.delay = delay
        self.arrivals: list[tuple[float, bytes]] = []
        self.in_flight = self.most_in_flight = 0

    def report(self) -> dict[str, object]:
        """Counts, the middle eight tenths and the ends of the arrivals, and what this process has cost so far."""
        times = [at for at, _ in self.arrivals]
        keys = Counter(key_of(body) for _, body in self.arrivals)
        tenth = len(times) // 10
        return {
            "texts": len(times),
            "messages": len(keys),
            "twice": sum(count - 1 for count in keys.values()),
            "first": times[0] if times else None,
            "last": times[-1] if times else None,
            "tenth": times[tenth] if times else None,
            "nine_tenths": times[-1 - tenth] if times else None,
            "most_in_flight": self.most_in_flight,
            "cpu_seconds": time.process_time(),
        }

    def reset(self, delay: float) -> dict[str, object]:
        """Forget everything; from now on wait `delay` seconds with every answer."""
        self.delay = delay
        self.arrivals = []
        self.most_in_flight = self.in_flight
        return {}

    def phones(self) -> list[tuple[float, str, str]]:
        """Every arrival: when, to whom, which words."""
        return [(at, field(body, b"To"), field(body, b"Body")) for at, body in self.arrivals]


def field(form: bytes, name: bytes) -> str:
    """One value of a form, decoded; empty when it is not there."""
    for pair in form.split(b"&"):
        key, _, value = pair.partition(b"=")
        if key == name:
            return unquote_plus(value.decode("latin-1"))
    return ""


def key_of(form: bytes) -> str:
    """Which message a text is: the message in the receipt link's token, else the token, else its number and words."""
    callback = field(form, b"StatusCallback")
    token = callback.partition("m=")[2].partition("#")[0]
    if not token:
        return f"{field(form, b'To')} {field(form, b'Body')}"
    parts = token.split(".")  # agency, message, attempt and signature, as engage.outreach.links writes them
    return f"{parts[0]}/{parts[1]}" if len(parts) == 4 else token


class Door(asyncio.Protocol):
    """One kept-alive connection: requests with a Content-Length in, answers out in the order of the requests."""

    _made = 0
    _run = secrets.token_hex(8)
    _date = (0, "")

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._loop = asyncio.get_running_loop()
        self._unread = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is not a subclass

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        data = self._unread + data if self._unread else data
        while data:
            head_ends = data.find(b"\r\n\r\n")
            if head_ends < 0:
                break
            head = data[:head_ends]
            begins = head_ends + 4
            ends = begins + _length(head)
            if ends < begins:
                self._write(_UNREAD)
                return
            if len(data) < ends:
                break
            self._answer(head, data[begins:ends])
            data = data[ends:]
        self._unread = data

    def _answer(self, head: bytes, body: bytes) -> None:
        method, path, _ = head.split(b"\r\n", 1)[0].split(b" ", 2)
        if method == b"POST" and path.endswith(b"/Messages.json"):
            self._create(path, body)
        elif method == b"GET" and b"/Messages.json" in path:
            self._json({"messages": [], "page": 0, "page_size": 50, "uri": path.decode(), "next_page_uri": None})
        elif path == b"/count":
            self._json(len(self._ledger.arrivals))
        elif path == b"/report":
            self._json(self._ledger.report())
        elif path == b"/phones":
            self._json(self._ledger.phones())
        elif method == b"POST" and path.startswith(b"/reset/"):
            self._json(self._ledger.reset(float(path[7:]) / 1000))
        else:
            self._write(_GONE)

    def _create(self, path: bytes, body: bytes) -> None:
        ledger, now = self._ledger, time.monotonic()
        ledger.arrivals.append((now, body))
        ledger.in_flight += 1
        ledger.most_in_flight = max(ledger.most_in_flight, ledger.in_flight)
        form = dict(pair.partition(b"=")[::2] for pair in body.split(b"&"))
        Door._made += 1
        resource = _RESOURCE % {
            "account": path.split(b"/")[3].decode(),
            "sid": f"SM{Door._run}{Door._made:016x}",
            "to": _text(form.get(b"To")),
            "from": _text(form.get(b"From")),
            "service": _text(form.get(b"MessagingServiceSid")),
            "body": _text(form.get(b"Body")),
            "date": self._today(now),
        }
        answer = resource.encode()
        answer = _CREATED % len(answer) + answer
        if ledger.delay:
            self._loop.call_later(ledger.delay, self._finish, answer)
        else:
            self._finish(answer)

    def _finish(self, answer: bytes) -> None:
        self._ledger.in_flight -= 1
        self._write(answer)

    def _json(self, value: object) -> None:
        body = json.dumps(value).encode()
        self._write(_OK % len(body) + body)

    def _write(self, answer: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(answer)

    @classmethod
    def _today(cls, now: float) -> str:
        if cls._date[0] != int(now):
            cls._date = (int(now), formatdate(usegmt=False))
        return cls._date[1]


def _length(head: bytes) -> int:
    """Of the request's body; -1 when only chunks would tell."""
    lower = head.lower()
    at = lower.find(b"\r\ncontent-length:")
    if at >= 0:
        return int(lower[at + 17 :].split(b"\r\n", 1)[0])
    return -1 if b"\r\ntransfer-encoding:" in lower else 0


def _text(value: bytes | None) -> str:
    return "null" if value is None else json.dumps(unquote_plus(value.decode("latin-1")))


async def serve(port: int, delay: float, told: Callable[[int], None], host: str = "127.0.0.1") -> None:
    """Answer until the process is ended; `told` hears the port."""
    ledger = Ledger(delay)
    server = await asyncio.get_running_loop().create_server(lambda: Door(ledger), host, port, backlog=1024)
    told(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def main() -> None:
    """Say the port on standard output, then serve. Uses uvloop where it happens to be installed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--delay-ms", type=float, default=0)
    chosen = parser.parse_args()
    try:
        from uvloop import run  # type: ignore[import-not-found]
    except ImportError:
        run = asyncio.run
    run(serve(chosen.port, chosen.delay_ms / 1000, lambda port: print(port, flush=True), chosen.host))


if __name__ == "__main__":
    main()
