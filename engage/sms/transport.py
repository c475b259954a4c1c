"""Carries the official SDK's requests over HTTP: a request in, a Twilio response out, or one of three errors.

It knows for certain whether a byte left this machine. Never retries, never waits without limit, never reads the
environment (proxies, edges, netrc), never logs or raises a URL, a number or a body.
"""

import json
import logging
import re
import threading
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from twilio.http.response import Response as TwilioResponse  # type: ignore[import-untyped]
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

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
        self._timeout = (timeout_seconds, timeout_seconds)
        self._session = _session(connections)
        self._session.verify = ca_bundle or True
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
        asked: dict[str, Any] = {"params": params, "data": data, "headers": headers, "auth": auth}
        prepared = self._session.prepare_request(requests.Request(method.upper(), self._moved(uri), **asked))
        _watch.has_left = False
        response, trouble = None, ""
        try:
            response = self._session.send(prepared, timeout=self._timeout, allow_redirects=False)
        except (requests.RequestException, HTTPError, HTTPException, OSError) as problem:
            # only its kind: its text and its context hold the URL of a search, and so a number
            trouble = type(problem).__name__
        if response is None:
            if _watch.has_left:
                raise LostContact(f"no whole answer came back ({trouble})")
            raise NeverLeft(f"Twilio could not be reached ({trouble})")
        text = response.content.decode("utf-8", "replace")
        if not 200 <= response.status_code < 300:
            raise Declined(response.status_code, _code_in(text), _wait_in(response))
        return TwilioResponse(response.status_code, text, response.headers)

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()

    def _moved(self, uri: str) -> str:
        """The SDK's address, on the base we were given."""
        if self._base is None:
            return uri
        asked = urlsplit(uri)
        return urlunsplit((self._base.scheme, self._base.netloc, self._base.path + asked.path, asked.query, ""))


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
        requests.Request("GET", api_url).prepare()
        base = urlsplit(api_url.rstrip("/"))
    except ValueError:
        base = urlsplit("")
    if base.scheme not in {"http", "https"} or not base.hostname or base.query or base.fragment:
        raise ConfigurationError(
            "The Twilio address must be http:// or https:// and a host, such as http://127.0.0.1:4011."
        )
    return base


def _session(connections: int) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # no HTTP_PROXY, no ~/.netrc that would replace our credentials
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = HTTPAdapter(pool_maxsize=connections, max_retries=0)
    adapter.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _code_in(text: str) -> int | None:
    """Twilio's code in an error body: `code` in its old form and in RFC 9457's. None for anybody else's page."""
    try:
        body = json.loads(text)
    except ValueError:
        return None
    code = str(body.get("code", "")) if isinstance(body, dict) else ""
    return int(code) if re.fullmatch(r"[0-9]{1,9}", code) else None


def _wait_in(response: requests.Response) -> float | None:
    """Retry-After in seconds: a number, or a date, read against the answer's own Date so that clocks need not agree."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        wait = parsedate_to_datetime(value) - parsedate_to_datetime(response.headers.get("Date", ""))
    except (ValueError, TypeError):
        return None
    return max(0.0, wait.total_seconds())
