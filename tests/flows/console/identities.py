"""A small provider of identities for tests: OpenID Connect over HTTP on this machine, with keys of its own and a secret for us.

It speaks the wire: description, keys, token endpoint with client secret, code of one use, PKCE. What it signs can be spoilt.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from engage import clock

CLIENT, SECRET = "engage-sunrise", "a secret of the tests"
Spoil = Callable[[dict[str, Any], dict[str, Any]], None]


@cache
def key(name: str) -> RSAKey:
    """An RSA key; made once, for that takes long."""
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig"})


@dataclass
class Provider:
    """What it knows of who comes, and how it misbehaves. `spoil` changes the token's header and claims before it is signed."""

    url: str = ""
    codes: dict[str, dict[str, Any]] = field(default_factory=dict)
    spoil: Spoil = lambda _header, _claims: None
    written: Callable[[dict[str, Any], dict[str, Any]], str] | None = None
    description: dict[str, Any] = field(default_factory=dict)
    keys: list[RSAKey] = field(default_factory=lambda: [key("one"), key("two")])
    asked: list[str] = field(default_factory=list)

    def lets_in(self, address: str, **claims: Any) -> str:
        """Somebody signs in there, having come to `address`; the path and query with which the browser returns to us."""
        wanted = dict(parse_qsl(urlsplit(address).query))
        assert (wanted["client_id"], wanted["response_type"]) == (CLIENT, "code")
        assert "openid" in wanted["scope"].split()
        assert wanted["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = {"wanted": wanted, "claims": claims}
        back = urlsplit(wanted["redirect_uri"])
        assert back.netloc == "engage.example.org"
        return f"{back.path}?{urlencode({'code': code, 'state': wanted['state']})}"

    def token(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """The answer of the token endpoint; None for whoever may not have it."""
        basic = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".replace(" ", "+").encode()).decode()
        plain = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        kept = self.codes.pop(form.get("code", ""), None)
        if kept is None or authorization not in {basic, plain}:
            return None
        wanted = kept["wanted"]
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        if challenge.decode() != wanted["code_challenge"] or form["redirect_uri"] != wanted["redirect_uri"]:
            return None
        now = int(clock.now().timestamp())
        header: dict[str, Any] = {"alg": "RS256", "kid": "one"}
        claims: dict[str, Any] = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": "u-1",
            "iat": now,
            "exp": now + 300,
            "nonce": wanted["nonce"],
        } | kept["claims"]
        self.spoil(header, claims)
        written = self.written or (lambda header, claims: jwt.encode(header, claims, key("one")))
        return {"access_token": "at", "token_type": "Bearer", "id_token": written(header, claims)}

    def described(self) -> dict[str, Any]:
        """The description that anybody may read."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "id_token_signing_alg_values_supported": ["RS256", "none", "HS256"],  # it may say what it likes
        } | self.description


def unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """A token with the algorithm "none"."""
    parts = ({"alg": "none"}, claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + "."


def by_public_key(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """A token with HS256, its secret being the public key that everybody knows."""
    secret = OctKey.import_key(key("one").as_pem(private=False))
    signed = ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in (header | {"alg": "HS256"}, claims)
    )
    import hmac

    mac = hmac.digest(secret.raw_value, signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def by_another_key(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """A token signed by a key that the provider does not publish, under the name of one that it does."""
    return jwt.encode(header, claims, RSAKey.import_key({**key("stranger").as_dict(private=True), "kid": "one"}))


class _Talk(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        provider = self.server.provider
        path = urlsplit(self.path).path
        provider.asked.append(path)
        if path == "/.well-known/openid-configuration":
            self._say(200, provider.described())
        elif path == "/keys":
            self._say(200, {"keys": [one.as_dict(private=False) for one in provider.keys]})
        elif path == "/elsewhere":
            self.send_response(302)
            self.send_header("Location", f"{provider.url}/.well-known/openid-configuration")
            self.end_headers()
        else:
            self._say(404, {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        given = self.server.provider.token(form, self.headers.get("Authorization", ""))
        self._say(400, {"error": "invalid_grant"}) if given is None else self._say(200, given)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _say(self, status: int, said: dict[str, Any]) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    provider: Provider


@contextmanager
def provider_of() -> Iterator[Provider]:
    """A running provider; its address is on it."""
    provider = Provider()
    with _Server(("127.0.0.1", 0), _Talk) as server:
        server.provider = provider
        provider.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()
