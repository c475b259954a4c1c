"""Carries the official SDK's requests over HTTP: a request in, a Twilio response out, or one of three errors.

It knows for certain whether a byte left this machine. Never retries, never waits without limit, never reads the
environment (proxies, edges, netrc), never logs or raises a URL, a number or a body.
"""

import logging
import threading
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode

import certifi
from twilio.http.response import Response as TwilioResponse  # type: ignore[import-untyped]
from urllib3 import PoolManager, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.util import make_headers

from engage.sms.wire import LostContact, NeverLeft, base_of, declined, moved


class Transport:
    """The `http_client` of a twilio.rest.Client. One for the whole process: threads may share it.

    `api_url` is another base than Twilio's, of any scheme, host, port and path. `timeout_seconds` bounds the connecting,
    and then each wait for an answer. `connections` are kept open for reuse. Raises ConfigurationError.
    """

    is_async = False

    def __init__(
        self, api_url: str | None, timeout_seconds: float, connections: int, ca_bundle: str | None = None
    ) -> None:
        self._base = base_of(api_url) if api_url else None
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
                moved(self._base, uri, params),
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
            raise declined(answer.status, text, answer.headers)
        return TwilioResponse(answer.status, text, answer.headers)

    def close(self) -> None:
        """Give the connections back."""
        self._pools.clear()


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
