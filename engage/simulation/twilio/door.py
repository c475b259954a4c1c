"""HTTP, both ways, on an asyncio loop in one background thread: the API's server, and the client that posts webhooks.

Never decides anything: requests go to the Api, replies go back to whoever posted.
"""

import asyncio
import socket
import time
from collections.abc import Sequence
from threading import Thread

from aiohttp import ClientSession, DummyCookieJar, TCPConnector, web

from engage.simulation.twilio.api import Api, Asked
from engage.simulation.twilio.webhooks import Reply, Webhook, post


class _Loop(asyncio.SelectorEventLoop):
    """A loop whose timers go by the machine's own clock even while a test has frozen Python's."""

    def time(self) -> float:
        return time.clock_gettime(time.CLOCK_MONOTONIC)


class Door:
    """The server and the client; can be closed and opened again on the same port."""

    def __init__(self, api: Api, *, auth_token: str, host: str, port: int, latency_ms: float) -> None:
        self.host = host
        self.port = port
        self.latency_ms = latency_ms
        self._api = api
        self._auth_token = auth_token
        self._under_way = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: Thread | None = None
        self._session: ClientSession | None = None
        self._runner: web.ServerRunner | None = None

    @property
    def is_open(self) -> bool:
        """Whether it listens."""
        return self._loop is not None

    def open(self) -> None:
        """Listen and be able to post. OSError: the port is taken."""
        loop = _Loop()
        self._thread = Thread(target=loop.run_forever, name="fake-twilio", daemon=True)
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._open(), loop).result()
        except OSError:
            self._end(loop)
            raise
        self._loop = loop

    def close(self) -> None:
        """Stop listening, break what is under way, end the thread."""
        loop, self._loop = self._loop, None
        if loop is None:
            return
        asyncio.run_coroutine_threadsafe(self._close(), loop).result()
        self._end(loop)

    def post_all(self, groups: Sequence[Sequence[Webhook]]) -> list[list[Reply]]:
        """Post webhooks and wait for the answers: groups side by side, those of a group one after another."""
        if self._loop is None:
            return [[Reply(None, "", "the fake is stopped", 0) for _ in group] for group in groups]
        return asyncio.run_coroutine_threadsafe(self._post_all(groups), self._loop).result()

    async def _open(self) -> None:
        listener = socket.create_server((self.host, self.port), backlog=1024)
        self.port = listener.getsockname()[1]
        self._runner = web.ServerRunner(web.Server(self._answer, access_log=None), shutdown_timeout=0.1)
        await self._runner.setup()
        await web.SockSite(self._runner, listener, backlog=1024).start()
        self._session = ClientSession(
            connector=TCPConnector(limit=0, ttl_dns_cache=300),
            cookie_jar=DummyCookieJar(),
            headers={"User-Agent": "TwilioProxy/1.1", "Accept": "*/*"},
        )

    async def _close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _end(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.call_soon_threadsafe(loop.stop)
        if self._thread is not None:
            self._thread.join()
        loop.close()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            body = await request.read()
        except ConnectionResetError:  # whoever asked died in the middle of a word: nothing has arrived
            return _broken(request)
        self._under_way += 1
        try:
            login = request.headers.get("Authorization", "")
            asked = Asked(request.method, request.raw_path, login, body, self._under_way)
            if self.latency_ms:
                await asyncio.sleep(self.latency_ms / 1000)
            outcome = self._api.handle(asked)
            if outcome.wait_seconds:
                await asyncio.sleep(outcome.wait_seconds)
            if outcome.answer is None:
                return _broken(request)
            headers = {"Twilio-Concurrent-Requests": str(asked.under_way), **outcome.answer.headers}
            if outcome.answer.status != 204:
                headers["Content-Type"] = "application/json"
            return web.Response(status=outcome.answer.status, body=outcome.answer.encoded(), headers=headers)
        finally:
            self._under_way -= 1

    async def _post_all(self, groups: Sequence[Sequence[Webhook]]) -> list[list[Reply]]:
        return list(await asyncio.gather(*(self._post_group(group) for group in groups)))

    async def _post_group(self, group: Sequence[Webhook]) -> list[Reply]:
        if self._session is None:
            raise RuntimeError("the door is not open")
        return [await post(self._session, webhook, self._auth_token) for webhook in group]


def _broken(request: web.BaseRequest) -> web.Response:
    """Break the connection; the response that is returned finds nobody to go to."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
