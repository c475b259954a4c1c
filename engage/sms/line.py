"""The line on which texts leave: many at once, through the official SDK's asynchronous client, on a loop in a thread of its own.

A text in, an outcome out, exactly one POST between them. Never retries, never follows a redirect, never waits without limit,
never reads the environment, never logs or raises a URL, a number or a body.
"""

import asyncio
import logging
import ssl
import threading
from collections.abc import Awaitable, Callable

import aiohttp
import certifi
from twilio.http import AsyncHttpClient  # type: ignore[import-untyped]
from twilio.http.response import Response as TwilioResponse  # type: ignore[import-untyped]
from yarl import URL

from engage.sms.wire import LostContact, NeverLeft, base_of, declined, moved

_IDLE_SECONDS = (
    15  # shorter than any proxy in between keeps a silent connection, so that no text goes into a closed one
)


class Line:
    """A loop that runs jobs: begun from any thread, each at once. `close` ends it and whatever is still on its way."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="line", daemon=True)
        self._jobs: set[asyncio.Task[None]] = set()  # the loop itself holds its tasks only weakly
        self._thread.start()

    def begin(self, job: Callable[[], Awaitable[None]]) -> None:
        """Start a job and return."""
        self._loop.call_soon_threadsafe(self._start, job)

    def run(self, job: Callable[[], Awaitable[None]]) -> None:
        """Do one job to its end."""
        asyncio.run_coroutine_threadsafe(_awaited(job), self._loop).result()

    def close(self) -> None:
        """Stop; jobs that are not done are given up."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def _start(self, job: Callable[[], Awaitable[None]]) -> None:
        task = self._loop.create_task(_awaited(job))
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)


async def _awaited(job: Callable[[], Awaitable[None]]) -> None:
    await job()


class Poster(AsyncHttpClient):  # type: ignore[misc]
    """The `http_client` of a twilio.rest.Client whose requests are awaited on a Line.

    `api_url` is another base than Twilio's. `timeout_seconds` bounds the connecting, and then each wait for an answer.
    `ca_bundle` is a file of certificate authorities to trust instead of the usual ones. Raises ConfigurationError.
    """

    def __init__(self, api_url: str | None, timeout_seconds: float, ca_bundle: str | None = None) -> None:
        super().__init__(logging.getLogger("engage.silent"), True, timeout_seconds)
        self._base = base_of(api_url) if api_url else None
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=timeout_seconds, sock_read=timeout_seconds)
        self._ca_bundle = ca_bundle
        self._session: aiohttp.ClientSession | None = None
        self._urls: dict[str, URL] = {}
        self._logins: dict[tuple[str, str], str] = {}

    async def request(
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
        if params:
            raise AssertionError("only texts leave here, and they have no query")
        if self._session is None:
            self._session = self._opened()
        trouble: Exception
        try:
            async with self._session.request(
                method,
                self._urls.get(uri) or self._remember(uri),
                data=_form(data),
                headers={**(headers or {}), **self._login(auth)},
                timeout=self._timeout,
                allow_redirects=False,
            ) as answer:
                status, text, answered = answer.status, (await answer.read()).decode("utf-8", "replace"), answer.headers
        # only its kind is told on: its text and its context may hold the address of a person
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as problem:
            trouble = NeverLeft(f"Twilio could not be reached ({type(problem).__name__})")
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            trouble = LostContact(f"no whole answer came back ({type(problem).__name__})")
        else:
            if not 200 <= status < 300:
                raise declined(status, text, answered)
            return TwilioResponse(status, text, answered)
        raise trouble

    async def close(self) -> None:
        """Give the connections back."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _opened(self) -> aiohttp.ClientSession:
        trusted = ssl.create_default_context(cafile=self._ca_bundle or certifi.where())
        connector = aiohttp.TCPConnector(limit=0, ssl=trusted, keepalive_timeout=_IDLE_SECONDS)
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)

    def _remember(self, uri: str) -> URL:
        return self._urls.setdefault(uri, URL(moved(self._base, uri), encoded=True))

    def _login(self, auth: tuple[str, str] | None) -> dict[str, str]:
        if auth is None:
            return {}
        if auth not in self._logins:
            self._logins[auth] = aiohttp.encode_basic_auth(*auth)
        return {"Authorization": self._logins[auth]}


def _form(data: dict[str, object] | None) -> bytes | None:
    """A form as its fields stand in the body; yarl writes it four times as fast as urllib."""
    if not data:
        return None
    fields = [(name, str(value)) for name, value in data.items()]
    return URL.build(query=fields).raw_query_string.encode("ascii")
