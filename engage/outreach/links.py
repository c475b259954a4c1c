"""The addresses Twilio reports to: our own opaque id goes along, so that a receipt finds its row without Twilio's id."""

import uuid
from dataclasses import dataclass

from itsdangerous import BadData, URLSafeSerializer

from engage.db import encryption

# Twilio by default retries only a failed connection; a restart of ours answers 502 for a moment. All fits in its 15 s.
_RETRY = "#rc=4&rp=ct,rt,5xx&ct=3000&rt=3000"


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


def read_link(token: str) -> Link | None:
    """What `status_callback` put into the address; None when it is not ours."""
    return _read(token, "receipt")


def read_call_link(token: str) -> Link | None:
    """What `call_callback` and `key_action` put into the address; None when it is not ours."""
    return _read(token, "call")


def _token(link: Link, salt: str) -> str:
    return _signer(salt).dumps([link.agency_id, link.message_id, link.attempt_id.hex])


def _read(token: str, salt: str) -> Link | None:
    try:
        agency_id, message_id, attempt = _signer(salt).loads(token)
        return Link(int(agency_id), int(message_id), uuid.UUID(attempt))
    except (BadData, ValueError, TypeError):
        return None


def _signer(salt: str) -> URLSafeSerializer:
    return URLSafeSerializer(encryption.ring().signing_key, salt=salt)
