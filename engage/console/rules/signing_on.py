"""What a provider of identities may say, and whom we believe it is. Pure. OpenID Connect Core 1.0, RFC 8176 (amr), RFC 9700.

A provider speaks for its own agency only. It never makes an account, and never gets one by an e-mail that it has not verified.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import urlsplit

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Signatures with a public key only: with "none" or HS256 whoever knows the public key could write tokens."""
LEEWAY = timedelta(minutes=1)
"""How far the provider's clock may be off."""
HOLDS = timedelta(minutes=10)
"""How long somebody may stay at the provider before coming back."""
FRESH = timedelta(minutes=5)
"""Somebody who was asked to prove anew that it is them has done so within this."""

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_LONGEST = 255  # of a subject: OpenID Connect Core 1.0, section 2
# Words of an acr that say of themselves that there were two factors, or a key that cannot be copied: OpenID EAP ACR Values 1.0, the
# REFEDS MFA profile, PAPE, and Okta's. A bare "1" or "2" is whatever its provider likes.
_TWO_FACTORS = frozenset({
    "phr", "phrh", "https://refeds.org/profile/mfa", "http://schemas.openid.net/pape/policies/2007/06/multi-factor",
    "urn:okta:loa:2fa:any",
})  # fmt: skip


class Stranger(StrEnum):
    """Why whoever the provider vouches for is not let in. Kept in the audit; the page says one sentence for all of them."""

    NO_SUBJECT = "no_subject"
    OTHER_DOMAIN = "other_domain"
    EMAIL_NOT_VERIFIED = "email_not_verified"
    NO_ACCOUNT = "no_account"  # or a closed one
    SOMEBODY_ELSE = "somebody_else"  # the account, or the identity, belongs to another


@dataclass(frozen=True, slots=True)
class Vouched:
    """What a provider has signed of somebody, checked. `at`: when they proved to it who they are, if it says so."""

    issuer: str
    subject: str
    email: str | None = None
    is_email_verified: bool = False
    amr: frozenset[str] = frozenset()
    acr: str | None = None
    at: datetime | None = None


def fault_of_address(url: str, *, may_be_local: bool = False) -> str | None:
    """Why an address of a provider will not do; None if it will. `may_be_local`: http to this machine itself is allowed (tests)."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is not an address"
    if not host or any(ord(sign) <= 32 for sign in url):
        return "is not an address"
    if parts.username is not None or parts.password is not None or parts.fragment:
        return "must not hold a name, a password or a fragment"
    if parts.scheme == "http" and host in _LOOPBACK and may_be_local:
        return None
    if parts.scheme != "https":
        return "must begin with https://"
    return None if host not in _LOOPBACK and _is_outside(host) else "must not be this machine or a private address"


def _is_outside(host: str) -> bool:
    """Whether a host is a name, or an address of the public internet."""
    try:
        return ip_address(host).is_global
    except ValueError:
        return True


def fault_of_domain(domain: str) -> str | None:
    """Why a domain of e-mail addresses will not do; None if it will."""
    return None if re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", domain) else "is not a domain such as example.org"


def fault_of(vouched: Vouched, domain: str | None) -> Stranger | None:
    """Why nobody of an agency that asks for e-mails of `domain` (None: any) can be meant; None if somebody may be."""
    if not vouched.subject or len(vouched.subject) > _LONGEST:
        return Stranger.NO_SUBJECT
    if domain is None:
        return None
    if vouched.email is None or not vouched.is_email_verified:
        return Stranger.EMAIL_NOT_VERIFIED
    return None if vouched.email.rpartition("@")[2] == domain else Stranger.OTHER_DOMAIN


def email_that_links(vouched: Vouched) -> str | Stranger:
    """The e-mail by which an account may be linked to this identity for good: a verified one only."""
    if vouched.email is None or not vouched.is_email_verified:
        return Stranger.EMAIL_NOT_VERIFIED
    return vouched.email


def has_two_factors(amr: Iterable[str], acr: str | None) -> bool:
    """Whether the provider says that it asked for two factors itself. One alone ("otp", "hwk") may be all that it asked for."""
    return "mfa" in amr or acr in _TWO_FACTORS


def is_fresh(vouched: Vouched, now: datetime) -> bool:
    """Whether somebody was really asked again just now, instead of being known from this morning."""
    return vouched.at is not None and now - FRESH - LEEWAY <= vouched.at <= now + LEEWAY
