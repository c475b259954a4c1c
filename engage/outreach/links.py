"""The addresses Twilio reports to, and the one that takes an alert: our own opaque id goes along, signed; nothing personal.

So a receipt finds its row without Twilio's id, and a nurse takes an alert without signing in.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from itsdangerous import BadData, Signer, URLSafeSerializer

from engage.db import encryption

# Twilio by default retries only a failed connection; a restart of ours answers 502 for a moment. All fits in its 15 s.
_RETRY = "#rc=4&rp=ct,rt,5xx&ct=3000&rt=3000"

_DOTS = 3


@dataclass(frozen=True, slots=True)
class Link:
    """Which attempt of which message a receipt is about."""

    agency_id: int
    message_id: int
    attempt_id: uuid.UUID


def status_callback(public_url: str, link: Link) -> str:
    """The StatusCallback of one attempt; it holds no personal data and cannot be guessed or altered."""
    return f"{public_url}/twilio/status?m={_token(link, 'receipt')}{_RETRY}"


def call_callback(public_url: str, link: Link) -> str:
    """The same for a call."""
    return f"{public_url}/twilio/voice/status?m={_token(link, 'call')}{_RETRY}"


def key_action(public_url: str, link: Link) -> str:
    """Where Twilio posts the key that was pressed in a call."""
    return f"{public_url}/twilio/voice/answer?m={_token(link, 'call')}{_RETRY}"


def page_callback(public_url: str, link: Link) -> str:
    """The address for reports of a call that is a page."""
    return f"{public_url}/twilio/voice/page/status?m={_token(link, 'page')}{_RETRY}"


def page_key_action(public_url: str, link: Link) -> str:
    """Where Twilio posts the key that was pressed in a page."""
    return f"{public_url}/twilio/voice/page/answer?m={_token(link, 'page')}{_RETRY}"


def read_page_link(token: str) -> Link | None:
    """What `page_callback` and `page_key_action` put into the address; None when it is not ours."""
    return _read(token, "page")


def read_link(token: str) -> Link | None:
    """What `status_callback` put into the address; None when it is not ours."""
    return _read(token, "receipt")


def read_call_link(token: str) -> Link | None:
    """What `call_callback` and `key_action` put into the address; None when it is not ours."""
    return _read(token, "call")


TAKE_FOR = timedelta(hours=12)
"""How long the link of a page works: whoever has the e-mail could use it."""


@dataclass(frozen=True, slots=True)
class TakeLink:
    """Which page a link takes the alerts of, and until when."""

    agency_id: int
    message_id: int
    until: datetime


def take_link(public_url: str, agency_id: int, message_id: int, now: datetime) -> str:
    """The address that shows a button for the alerts of a page, for TAKE_FOR; it cannot be guessed or altered."""
    token = _signer("take").dumps([agency_id, message_id, int((now + TAKE_FOR).timestamp())])
    return f"{public_url}/page/{token}"


def read_take_link(token: str) -> TakeLink | None:
    """What `take_link` put into the address; None when it is not ours. It may be over: `until` says."""
    try:
        agency_id, message_id, until = _signer("take").loads(token)
        return TakeLink(int(agency_id), int(message_id), datetime.fromtimestamp(int(until), UTC))
    except (BadData, ValueError, TypeError, OverflowError):
        return None


def _token(link: Link, salt: str) -> str:
    """Numbers and a signature, no JSON: each text that leaves has one."""
    told = f"{link.agency_id}.{link.message_id}.{link.attempt_id.hex}"
    return _signing(encryption.ring().signing_key, salt).sign(told).decode("ascii")


def _read(token: str, salt: str) -> Link | None:
    try:
        agency_id, message_id, attempt = _told(token, salt)
        return Link(int(agency_id), int(message_id), uuid.UUID(attempt))
    except (BadData, ValueError, TypeError):
        return None


def _told(token: str, salt: str) -> Sequence[Any]:
    if token.count(".") == _DOTS:
        return _signing(encryption.ring().signing_key, salt).unsign(token).decode("ascii").split(".")
    told: Sequence[Any] = _signer(salt).loads(token)  # as links were written until November 2026
    return told


@lru_cache(maxsize=8)
def _signing(key: str | bytes, salt: str) -> Signer:
    return Signer(key, salt=salt)


def _signer(salt: str) -> URLSafeSerializer:
    return URLSafeSerializer(encryption.ring().signing_key, salt=salt)
