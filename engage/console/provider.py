"""Talks to a provider of identities (OpenID Connect, authorization code with PKCE): where to send a browser, and a code in, what
the provider signed of somebody out. Nothing else of it is believed, no redirect is followed, nothing is kept, no word is logged."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import get_well_known_url
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry
from requests import RequestException, Response

from engage.console.rules.signing_on import ALGORITHMS, LEEWAY, Vouched, fault_of_address
from engage.errors import EngageError

_PATIENCE_SECONDS = 5
_SCOPE = "openid email"


class ProviderFailed(EngageError):
    """The provider of identities cannot be reached, or what it says does not hold: look at it there. The text names nobody."""


@dataclass(frozen=True, slots=True)
class Client:
    """How an agency's Engage is known at its provider. `back`: where the provider sends the browser, an address of ours.

    `may_be_local`: a provider on this machine over http, as tests have one.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    back: str
    may_be_local: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What must come back unaltered: kept in the browser's signed cookie, of one use."""

    state: str
    nonce: str
    verifier: str = field(repr=False)


def ask(client: Client, *, anew: bool = False) -> tuple[str, Asked]:
    """The address to which the browser goes, and what to keep meanwhile. `anew`: whoever is known there must prove it again."""
    asked = Asked(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48))
    with _session(client) as session:
        said = _discover(session, client)
        address, _ = session.create_authorization_url(
            _address(said, "authorization_endpoint", client),
            state=asked.state,
            nonce=asked.nonce,
            code_verifier=asked.verifier,
            **({"prompt": "login", "max_age": "0"} if anew else {}),
        )
    return str(address), asked


def answer(client: Client, asked: Asked, code: str, sent_by: str | None, now: datetime) -> Vouched:
    """What the provider signed of whoever came back with `code`. `sent_by`: the issuer named in our address (RFC 9207), if one was.

    Raises ProviderFailed when anything does not hold: signature, issuer, audience, nonce, time.
    """
    try:
        with _session(client) as session:
            said = _discover(session, client)
            if (sent_by or client.issuer) != client.issuer:
                raise ProviderFailed("The answer came from another provider of sign-ons than the one that was asked.")
            if sent_by is None and said.get("authorization_response_iss_parameter_supported") is True:
                raise ProviderFailed(
                    "The answer does not say from which provider of sign-ons it came, though that one says it would."
                )
            session.token_endpoint_auth_method = _way_to_prove(said)
            token = session.fetch_token(
                _address(said, "token_endpoint", client),
                code=code,
                code_verifier=asked.verifier,
                grant_type="authorization_code",
            )
            keys = KeySet.import_key_set(_json(session, _address(said, "jwks_uri", client)))  # type: ignore[arg-type]
        return _read(token, keys, client, asked, now)
    except RequestException as problem:
        raise ProviderFailed(f"The provider of sign-ons cannot be reached: {type(problem).__name__}.") from None
    except (AuthlibBaseError, JoseError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as problem:
        raise ProviderFailed(f"What the provider of sign-ons says does not hold: {type(problem).__name__}.") from None


def check(client: Client) -> None:
    """Ask the provider for its description. Raises ProviderFailed when sign-on could not work with it."""
    with _session(client) as session:
        said = _discover(session, client)
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            _address(said, name, client)


class _Session(OAuth2Session):  # type: ignore[misc]
    """Authlib's session, which follows nobody elsewhere, asks no proxy or password file of the machine, and does not wait long."""

    def __init__(self, client: Client) -> None:
        super().__init__(
            client.client_id,
            client.client_secret,
            scope=_SCOPE,
            redirect_uri=client.back,
            code_challenge_method="S256",
            default_timeout=_PATIENCE_SECONDS,
        )
        self.trust_env = False

    def request(self, method: str, url: str, **kwargs: Any) -> Response:
        kwargs["allow_redirects"] = False
        response: Response = super().request(method, url, **kwargs)
        if response.is_redirect:
            raise ProviderFailed("The provider of sign-ons sends us elsewhere, and we do not follow.")
        return response


def _session(client: Client) -> _Session:
    if fault := fault_of_address(client.issuer, may_be_local=client.may_be_local):
        raise ProviderFailed(f"The issuer {fault}.")
    return _Session(client)


def _discover(session: _Session, client: Client) -> Mapping[str, Any]:
    try:
        said = _json(session, get_well_known_url(client.issuer, external=True))
    except (RequestException, ValueError) as problem:
        raise ProviderFailed(
            f"The description of the provider of sign-ons cannot be read: {type(problem).__name__}."
        ) from None
    if said.get("issuer") != client.issuer:  # OpenID Connect Discovery 1.0, section 4.3: exactly the same
        raise ProviderFailed("The provider of sign-ons calls itself by another name than the issuer that was set.")
    return said


def _json(session: _Session, url: str) -> Mapping[str, Any]:
    response = session.request("GET", url, withhold_token=True)
    response.raise_for_status()
    said = response.json()
    if not isinstance(said, dict):
        raise ValueError("not an object")  # noqa: TRY004 - what came over the wire is wrong, not our code
    return said


def _address(said: Mapping[str, Any], name: str, client: Client) -> str:
    address = said.get(name)
    if not isinstance(address, str) or fault_of_address(address, may_be_local=client.may_be_local):
        raise ProviderFailed(f"The provider of sign-ons names no {name} that is reached by https.")
    return address


def _way_to_prove(said: Mapping[str, Any]) -> str:
    ways = said.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    return "client_secret_basic" if "client_secret_basic" in ways else "client_secret_post"


def _read(token: Mapping[str, Any], keys: KeySet, client: Client, asked: Asked, now: datetime) -> Vouched:
    # A header that nobody registered is no reason to refuse (Authlib does the same); an algorithm that is not listed is.
    registry = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
    opened = jwt.decode(token["id_token"], keys, registry=registry)
    claims = CodeIDToken(
        opened.claims,
        opened.header,
        {"iss": {"essential": True, "value": client.issuer}, "aud": {"essential": True, "value": client.client_id}},
        {"nonce": asked.nonce, "client_id": client.client_id, "access_token": token.get("access_token")},
    )
    claims.validate(now=int(now.timestamp()), leeway=int(LEEWAY.total_seconds()))
    email, at, acr = claims.get("email"), claims.get("auth_time"), claims.get("acr")
    return Vouched(
        issuer=client.issuer,
        subject=claims["sub"] if isinstance(claims["sub"], str) else "",
        email=email.strip().lower() if isinstance(email, str) and email.strip() else None,
        is_email_verified=claims.get("email_verified") is True,
        amr=frozenset(word for word in claims.get("amr") or () if isinstance(word, str)),
        acr=acr if isinstance(acr, str) else None,
        at=datetime.fromtimestamp(at, UTC) if at else None,
    )
