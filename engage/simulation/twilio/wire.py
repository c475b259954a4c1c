"""How Twilio writes things down: a request as it came in, an answer as it goes out, dates and forms.

Never decides what to answer.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from urllib.parse import parse_qsl

API_VERSION = "2010-04-01"


@dataclass(frozen=True, slots=True)
class Form:
    """A decoded form or query: every pair, in order, blanks kept."""

    pairs: tuple[tuple[str, str], ...]

    @classmethod
    def decode(cls, text: str) -> "Form":
        """Read `a=1&b=2`; bytes that are not UTF-8 become replacement characters, as they do at Twilio."""
        return cls(tuple(parse_qsl(text, keep_blank_values=True, errors="replace")))

    def get(self, key: str) -> str | None:
        """The first value of `key`, or None when it was not sent."""
        return next((value for name, value in self.pairs if name == key), None)

    def all(self, key: str) -> list[str]:
        """Every value of `key`."""
        return [value for name, value in self.pairs if name == key]


@dataclass(slots=True)
class Answer:
    """What goes back on one request: status, JSON body (None: no body), extra headers."""

    status: int
    body: Mapping[str, object] | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        """The body as it travels."""
        return b"" if self.body is None else json.dumps(self.body).encode()


def rfc2822(instant: datetime | None) -> str | None:
    """`Fri, 24 May 2019 17:44:46 +0000`, the only form of date in API 2010-04-01; whole seconds, GMT."""
    return None if instant is None else _rfc2822(instant.replace(microsecond=0))


@lru_cache(maxsize=256)
def _rfc2822(instant: datetime) -> str:
    return format_datetime(instant.astimezone(UTC))


def carrier_minute(instant: datetime) -> str:
    """`RawDlrDoneDate`, YYMMDDhhmm: when the carrier says it was done (facts/twilio.md §2)."""
    return instant.astimezone(UTC).strftime("%y%m%d%H%M")
