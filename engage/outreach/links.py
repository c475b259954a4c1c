"""The address Twilio reports to: our own opaque id goes along, so that a receipt finds its row without Twilio's id."""

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
    token = _signer().dumps([link.agency_id, link.message_id, link.attempt_id.hex])
    return f"{public_url}/twilio/status?m={token}{_RETRY}"


def read_link(token: str) -> Link | None:
    """What `status_callback` put into the address; None when it is not ours."""
    try:
        agency_id, message_id, attempt = _signer().loads(token)
        return Link(int(agency_id), int(message_id), uuid.UUID(attempt))
    except (BadData, ValueError, TypeError):
        return None


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(encryption.ring().signing_key, salt="receipt")
