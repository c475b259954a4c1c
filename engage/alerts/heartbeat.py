"""The ping to an outside monitor: it rings when we fall silent. A bare GET; nothing about anybody leaves, no body, no query of ours."""

import logging

import certifi
from urllib3 import PoolManager, Timeout
from urllib3.exceptions import HTTPError

from engage import log

PATIENCE_SECONDS = 5.0


class Heartbeat:
    """Calls `url` when it is called; whether the other side said 2xx. Never raises, never logs the address: it is a secret."""

    def __init__(self, url: str, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._url = url
        timeout = Timeout(total=patience_seconds)
        self._pools = PoolManager(maxsize=1, retries=False, timeout=timeout, ca_certs=certifi.where())
        for name in ("urllib3.connectionpool", "urllib3.connection"):  # they write whole addresses
            logging.getLogger(name).setLevel(logging.CRITICAL)

    def __call__(self) -> bool:
        try:
            answer = self._pools.request("GET", self._url, redirect=False, preload_content=False)
            answer.close()
        except (HTTPError, ValueError) as problem:  # ValueError: an address that is none
            log.get().error("the outside monitor cannot be reached", kind=type(problem).__name__)
            return False
        if not 200 <= answer.status < 300:
            log.get().error("the outside monitor refused the ping", status=answer.status)
            return False
        return True
