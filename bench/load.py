"""A light load generator: signed requests, written before the clock starts, over kept-alive connections; latencies out.

`saturate`: every connection sends its next request when the last is answered. `sustain`: requests leave at their
appointed times whatever the answers do, and a latency counts from the appointed time, not from when a connection was free.
It runs in a process of its own: `run`, or `load` first and `fire_from` at the right moment.
"""

from __future__ import annotations

import asyncio
import pickle
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from bench import patients
from engage.simulation import invented
from engage.simulation.twilio.webhooks import signature

_ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Shot:
    """What to send where. `per_second` None: as fast as answers come; else at that pace, or at `offsets` in seconds."""

    port: int
    requests: list[bytes]
    connections: int
    per_second: float | None = None
    offsets: list[float] | None = None
    host: str = "127.0.0.1"


@dataclass
class Result:
    """Appointed instants (monotonic), latencies in seconds and statuses, in the order of the requests."""

    appointed: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    seconds: float = 0
    cpu_seconds: float = 0

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    @property
    def refused(self) -> int:
        """How many were not answered with a 2xx."""
        return sum(not 200 <= status < 300 for status in self.statuses)


class Line(asyncio.Protocol):
    """One connection: one request at a time."""

    def __init__(self) -> None:
        self._unread = b""
        self._answer: asyncio.Future[int] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ready."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever waits is told."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError("the server hung up"))

    def ask(self, request: bytes) -> asyncio.Future[int]:
        """Send; the status, when the whole answer is here."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def data_received(self, data: bytes) -> None:
        """Answers have a Content-Length or no body."""
        self._unread += data
        head_ends = self._unread.find(b"\r\n\r\n")
        if head_ends < 0:
            return
        head = self._unread[:head_ends].lower()
        status = int(head[9:12])
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self._unread) >= head_ends + 4 + length and self._answer is not None:
            self._unread = b""
            self._answer.set_result(status)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


async def fire(shot: Shot) -> Result:
    """Send everything."""
    loop = asyncio.get_running_loop()
    lines = [(await loop.create_connection(Line, shot.host, shot.port))[1] for _ in range(shot.connections)]
    result, began = Result(), time.monotonic()
    if shot.per_second is None and shot.offsets is None:
        await _saturate(lines, shot.requests, result)
    else:
        offsets = shot.offsets or [number / (shot.per_second or 1) for number in range(len(shot.requests))]
        await _sustain(lines, shot.requests, offsets, result)
    result.seconds = time.monotonic() - began
    result.cpu_seconds = time.process_time()
    for line in lines:
        line.close()
    return result


async def _saturate(lines: Sequence[Line], requests: Sequence[bytes], result: Result) -> None:
    todo = iter(requests)

    async def work(line: Line) -> None:
        for request in todo:
            began = time.monotonic()
            status = await line.ask(request)
            result.latencies.append(time.monotonic() - began)
            result.statuses.append(status)
            result.appointed.append(began)

    await asyncio.gather(*(work(line) for line in lines))


async def _sustain(lines: Sequence[Line], requests: Sequence[bytes], offsets: Sequence[float], result: Result) -> None:
    free, late = deque(lines), deque[tuple[float, int, bytes]]()
    start = time.monotonic() + 0.05
    count = len(requests)
    result.appointed = [start + offset for offset in offsets]
    result.latencies, result.statuses = [float("nan")] * count, [0] * count
    finished, left = asyncio.Event(), count

    def begin(line: Line, appointed: float, number: int, request: bytes) -> None:
        line.ask(request).add_done_callback(lambda answer: over(line, appointed, number, answer))

    def over(line: Line, appointed: float, number: int, answer: asyncio.Future[int]) -> None:
        nonlocal left
        result.latencies[number] = time.monotonic() - appointed
        result.statuses[number] = 0 if answer.exception() else answer.result()
        left -= 1
        if left == 0:
            finished.set()
        if late:
            begin(line, *late.popleft())
        else:
            free.append(line)

    for number, (request, appointed) in enumerate(zip(requests, result.appointed, strict=True)):
        pause = appointed - time.monotonic()
        if pause > 0:
            await asyncio.sleep(pause)
        if free:
            begin(free.popleft(), appointed, number, request)
        else:
            late.append((appointed, number, request))
    await finished.wait()


def run(shot: Shot) -> Result:
    """Fire from another process, and wait for it."""
    return fire_from(load(shot))


def load(shot: Shot) -> subprocess.Popen[bytes]:
    """Another process, with everything in its hands and ready to fire."""
    child = subprocess.Popen(
        [sys.executable, "-c", "from bench.load import main; main()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=_ROOT,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    pickle.dump(shot, child.stdin)
    child.stdin.flush()
    child.stdout.read(1)
    return child


def fire_from(child: subprocess.Popen[bytes], stretch: float = 1.0) -> Result:
    """Fire now, with all times `stretch` times as long; what came of it."""
    said, _ = child.communicate(pickle.dumps(stretch))
    if child.returncode:
        raise SystemExit("the load generator failed")
    result: Result = pickle.loads(said)
    return result


def main() -> None:
    """The process of `load`: a Shot on standard input, a byte out, a number in, a Result on standard output."""
    wanted: Shot = pickle.load(sys.stdin.buffer)
    sys.stdout.buffer.write(b".")
    sys.stdout.buffer.flush()
    stretch: float = pickle.load(sys.stdin.buffer)
    if wanted.offsets is not None:
        wanted.offsets = [offset * stretch for offset in wanted.offsets]
    sys.stdout.buffer.write(pickle.dumps(asyncio.run(fire(wanted))))


# --- what is sent -----------------------------------------------------------------------------------------------------


def signed(url: str, token: str, form: Mapping[str, str]) -> bytes:
    """A whole HTTP request as Twilio would send it."""
    host, _, path = url.removeprefix("http://").partition("/")
    body = urlencode(form).encode()
    head = (
        f"POST /{path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: TwilioProxy/1.1\r\nAccept: */*\r\n"
        f"Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\nContent-Length: {len(body)}\r\n"
        f"X-Twilio-Signature: {signature(token, url, form.items())}\r\nI-Twilio-Idempotency-Token: {hash(url) & 0xFFFFFFFF:x}\r\n\r\n"
    )
    return head.encode() + body


def text_form(account: str, sid: str, phone: str, body: str) -> dict[str, str]:
    """Every field of an inbound text from the United States (Twilio's docs, webhook request)."""
    place = {f"{whose}{what}": value for whose in ("From", "To") for what, value in _PLACE.items()}
    return {
        "ToCountry": "US",
        **place,
        "SmsMessageSid": sid,
        "NumMedia": "0",
        "SmsSid": sid,
        "SmsStatus": "received",
        "Body": body,
        "To": patients.SENDER,
        "NumSegments": "1",
        "MessageSid": sid,
        "AccountSid": account,
        "From": phone,
        "ApiVersion": "2010-04-01",
    }


def receipt_form(account: str, sid: str, phone: str, status: str) -> dict[str, str]:
    """Every field of a delivery receipt."""
    return {
        "SmsSid": sid,
        "SmsStatus": status,
        "MessageStatus": status,
        "To": phone,
        "MessageSid": sid,
        "AccountSid": account,
        "From": patients.SENDER,
        "ApiVersion": "2010-04-01",
    }


_PLACE = {"City": "WASHINGTON", "State": "DC", "Zip": "20001", "Country": "US"}


def texts(url: str, account: str, token: str, mark: str, count: int, people: int, body: str = "4") -> list[bytes]:
    """`count` texts of `people` patients in turn; `mark` makes their ids different from those of other runs."""
    forms: Iterable[dict[str, str]] = (
        text_form(
            account,
            f"SM{mark}{number:0{32 - len(mark)}x}",
            invented.phone(patients.FIRST_PATIENT + number % people),
            body,
        )
        for number in range(count)
    )
    return [signed(url, token, form) for form in forms]
