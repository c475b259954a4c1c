"""What both ways to Twilio share: the three ways a request can end without success, and how an address or an error is read.

Values in, values out; it opens no connection.
"""

import json
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult, urlencode, urlsplit, urlunsplit

from urllib3.exceptions import HTTPError
from urllib3.util import parse_url

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


def moved(base: SplitResult | None, uri: str, params: Mapping[str, object] | None = None) -> str:
    """The SDK's address `uri` on the base we were given, with its parameters."""
    asked = urlsplit(uri)
    base = base or asked._replace(path="")
    wanted = {name: value for name, value in (params or {}).items() if value is not None}
    query = "&".join(part for part in (asked.query, urlencode(wanted, doseq=True)) if part)
    return urlunsplit((base.scheme, base.netloc, base.path + asked.path, query, ""))


def declined(http_status: int, text: str, headers: Mapping[str, str]) -> Declined:
    """The error of an answer that is no success."""
    return Declined(http_status, _code_in(text), _wait_in(headers))


def base_of(api_url: str) -> SplitResult:
    """The parts of another base than Twilio's. Raises ConfigurationError."""
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
