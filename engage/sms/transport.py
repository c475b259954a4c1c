"""Carries the official SDK's requests over HTTP: a request in, a Twilio response out, or one of three errors.

It knows for certain whether a byte left this machine. Never retries, never waits without limit, never reads the
environment (proxies, edges, netrc), never logs or raises a URL, a number or a body.
"""

import json
import logging
import re
import threading
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit, urlunsplit

import certifi
from twilio.http.response import Response as TwilioResponse  # type: ignore[import-untyped]
from urllib3 import PoolManager, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.util import make_headers, parse_url

from engage.errors import ConfigurationError, EngageError


class NeverLeft(EngageError):
    """Twilio could not be reached and no byte of the request left this machine: it is safe to try again."""


class LostContact(EngageError):
    """The request left and no whole answer came back: Twilio may have acted on it."""


class Declined(EngageError):
    """Twilio, or something between us and it, answered with an error.

    `code` is Twilio's, None when the answer held none. `retry_after` is in seconds, None when nobody asked us to wait.
    """

    def __init__(self, http_status: int, code: int | None, retry_after: float | None) -> None:
        super().__init__(f"HTTP {http_status}, {f'Twilio code {code}' if code else 'without a Twilio code'}")
        self.http_status = http_status
        self.code = code
        self.retry_after = retry_after


class Transport:
    """The `http_client` of a twilio.rest.Client. One for the whole process: threads may share it.

    `api_url` is another base than Twilio's, of any scheme, host, port and path. `timeout_seconds` bounds the connecting,
    and then each wait for an answer. `connections` are kept open for reuse. Raises ConfigurationError.
    """

    is_async = False

    def __init__(
        self, api_url: str | None, timeout_seconds: float, connections: int, ca_bundle: str | None = None
    ) -> None:
        self._base = _base(api_url) if api_url else None
        self._timeout = Timeout(connect=timeout_seconds, read=timeout_seconds)
        self._pools = PoolManager(maxsize=connections, retries=False, ca_certs=ca_bundle or certifi.where())
        self._pools.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
        for name in ("urllib3.connectionpool", "urllib3.connection"):  # they write To=+1… of every search
            logging.getLogger(name).setLevel(logging.CRITICAL)

    def request(
        self,
        method: str,
        uri: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> TwilioResponse:
        """Send one request as the SDK asks for it, once. The SDK's own time-out and redirects are not used.

        Raises NeverLeft, LostContact, or Declined for any status but 2xx.
        """
        credentials = make_headers(basic_auth=":".join(auth) if auth else None, accept_encoding="gzip")
        _watch.has_left = False
        answer, trouble = None, ""
        try:
            answer = self._pools.request(
                method.upper(),
                self._moved(uri, params),
                body=urlencode(data, doseq=True) if data else None,
                headers={**(headers or {}), **credentials},
                timeout=self._timeout,
                redirect=False,
            )
        except (HTTPError, HTTPException, OSError) as problem:
            # only its kind: its text and its context hold the URL of a search, and so a number
            trouble = type(problem).__name__
        if answer is None:
            if _watch.has_left:
                raise LostContact(f"no whole answer came back ({trouble})")
            raise NeverLeft(f"Twilio could not be reached ({trouble})")
        text = answer.data.decode("utf-8", "replace")
        if not 200 <= answer.status < 300:
            raise Declined(answer.status, _code_in(text), _wait_in(answer.headers))
        return TwilioResponse(answer.status, text, answer.headers)

    def close(self) -> None:
        """Give the connections back."""
        self._pools.clear()

    def _moved(self, uri: str, params: Mapping[str, object] | None) -> str:
        """The SDK's address, on the base we were given, with its parameters."""
        asked = urlsplit(uri)
        base = self._base or asked._replace(path="")
        wanted = {name: value for name, value in (params or {}).items() if value is not None}
        query = "&".join(part for part in (asked.query, urlencode(wanted, doseq=True)) if part)
        return urlunsplit((base.scheme, base.netloc, base.path + asked.path, query, ""))


class _Watch(threading.local):
    """Whether the request this thread is making has handed a byte to a socket."""

    has_left = False


_watch = _Watch()


class _WatchedConnection(HTTPConnection):
    """Resolving, connecting and shaking hands happen in `connect`; only what comes after it may have been processed."""

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        _watch.has_left = True
        super().send(data)


class _WatchedTlsConnection(_WatchedConnection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _WatchedConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTlsConnection


def _base(api_url: str) -> SplitResult:
    try:
        base = urlsplit(parse_url(api_url.rstrip("/")).url)
        is_base = base.scheme in {"http", "https"} and bool(base.hostname) and not (base.query or base.fragment)
    except (ValueError, HTTPError):
        is_base = False
    if not is_base:
        raise ConfigurationError(
            "The Twilio address must be http:// or https:// and a host, such as http://127.0.0.1:4011."
        )
    return base


def _code_in(text: str) -> int | None:
    """Twilio's code in an error body: `code` in its old form and in RFC 9457's. None for anybody else's page."""
    try:
        body = json.loads(text)
    except ValueError:
        return None
    code = str(body.get("code", "")) if isinstance(body, dict) else ""
    return int(code) if re.fullmatch(r"[0-9]{1,9}", code) else None


def _wait_in(headers: Mapping[str, str]) -> float | None:
    """Retry-After in seconds: a number, or a date, read against the answer's own Date so that clocks need not agree."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        wait = parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("Date", ""))
    except (ValueError, TypeError):
        return None
    return max(0.0, wait.total_seconds())
