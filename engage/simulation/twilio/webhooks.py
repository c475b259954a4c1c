"""Twilio's side of a webhook: sign it, post it, retry it as the URL's fragment says, report what came back.

In: a Webhook. Out: a Reply. Never decides what to post or what an answer means.
"""

import base64
import hmac
from asyncio import get_running_loop
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha1
from typing import Literal
from urllib.parse import parse_qsl, urldefrag, urlencode

from aiohttp import (
    ClientConnectionError,
    ClientError,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    ServerTimeoutError,
)
from yarl import URL

OnAnswer = Callable[["Reply", datetime], None]


@dataclass(slots=True)
class Webhook:
    """One webhook to post: `on_answer` is told what came back, `fallback_url` is tried when that was no 2xx."""

    kind: Literal["inbound", "status", "voice"]
    sid: str
    url: str
    params: Mapping[str, str]
    token: str  # I-Twilio-Idempotency-Token: the same for every attempt
    method: Literal["POST", "GET"] = "POST"
    fallback_url: str | None = None
    on_answer: OnAnswer | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What Engage answered; status None when it did not."""

    status: int | None
    text: str
    error: str
    attempts: int

    @property
    def is_ok(self) -> bool:
        """Whether it was a 2xx."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True)
class Overrides:
    """Connection overrides in the URL's fragment; times in milliseconds (facts/twilio.md §4)."""

    connect: int = 5000
    read: int = 15000
    total: int = 15000
    retries: int = 1
    retry_on: frozenset[str] = frozenset({"ct"})

    @classmethod
    def of(cls, fragment: str) -> "Overrides":
        """Read `rc=2&rp=5xx,ct&rt=1500`; what is missing, unreadable or out of range keeps its default."""
        said = dict(parse_qsl(fragment))

        def number(key: str, low: int, high: int, default: int) -> int:
            text = said.get(key, "")
            return int(text) if text.isdecimal() and low <= int(text) <= high else default

        return cls(
            connect=number("ct", 100, 10000, cls.connect),
            read=number("rt", 100, 15000, cls.read),
            total=number("tt", 100, 15000, cls.total),
            retries=number("rc", 0, 5, cls.retries),
            retry_on=frozenset(said.get("rp", "ct").split(",")),
        )

    def may_retry(self, trouble: str) -> bool:
        """Whether this kind of trouble (ct, rt, 4xx, 5xx) is tried again."""
        return trouble in self.retry_on or "all" in self.retry_on


def signature(auth_token: str, url: str, params: Iterable[tuple[str, str]]) -> str:
    """`X-Twilio-Signature` of a request: HMAC-SHA1 over the URL and the sorted parameters (facts/twilio.md §5)."""
    signed = url + "".join(key + value for key, value in sorted(set(params)))
    return base64.b64encode(hmac.digest(auth_token.encode(), signed.encode(), sha1)).decode()


async def post(session: ClientSession, webhook: Webhook, auth_token: str) -> Reply:
    """Post a webhook, with the retries its URL asks for; never raises for anything the other side did."""
    url, fragment = urldefrag(webhook.url)  # the fragment is neither signed nor sent
    request = _request_of(webhook, url, auth_token)
    overrides = Overrides.of(fragment)
    loop = get_running_loop()
    deadline = loop.time() + overrides.total / 1000
    attempts = 0
    while True:
        attempts += 1
        timeout = ClientTimeout(
            total=max(deadline - loop.time(), 0.001),
            sock_connect=overrides.connect / 1000,
            sock_read=overrides.read / 1000,
        )
        trouble, reply = await _attempt(session, request, timeout, attempts)
        if not trouble or attempts > overrides.retries or not overrides.may_retry(trouble) or loop.time() >= deadline:
            return reply


@dataclass(frozen=True, slots=True)
class _Request:
    """A webhook as it travels."""

    method: str
    url: str
    headers: Mapping[str, str]
    form: bytes | None


def _request_of(webhook: Webhook, url: str, auth_token: str) -> _Request:
    pairs = list(webhook.params.items())
    headers = {"I-Twilio-Idempotency-Token": webhook.token}
    if webhook.method == "GET":
        url = f"{url}{'&' if '?' in url else '?'}{urlencode(pairs)}"
        headers["X-Twilio-Signature"] = signature(auth_token, url, ())
        return _Request("GET", url, headers, None)
    headers["X-Twilio-Signature"] = signature(auth_token, url, pairs)
    headers["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
    return _Request("POST", url, headers, urlencode(pairs).encode())


async def _attempt(
    session: ClientSession, request: _Request, timeout: ClientTimeout, attempts: int
) -> tuple[str, Reply]:
    """One try: the kind of trouble it met ("" for none) and the reply."""
    try:
        url = URL(request.url, encoded=True)  # sent exactly as it was signed
        async with session.request(
            request.method, url, data=request.form, headers=request.headers, timeout=timeout
        ) as response:
            text = await response.text(errors="replace")
            status = response.status
    except (ClientError, TimeoutError, ValueError) as error:
        return _trouble_of(error), Reply(None, "", f"{type(error).__name__}: {error}", attempts)
    trouble = f"{status // 100}xx" if status >= 400 else ""
    return trouble, Reply(status, text, f"HTTP {status}" if trouble else "", attempts)


def _trouble_of(error: Exception) -> str:
    if isinstance(error, ConnectionTimeoutError):
        return "ct"
    if isinstance(error, ServerTimeoutError | TimeoutError):
        return "rt"
    return "ct" if isinstance(error, ClientConnectionError) else "none"
