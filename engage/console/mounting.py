"""Puts the console into the web app: blueprints, sign-in, CSRF, languages, headers. It changes nothing for the other doors."""

from collections.abc import Sequence
from pathlib import Path

from flask import Blueprint, Flask, Response, request
from flask_babel import Babel
from flask_login import LoginManager
from flask_wtf.csrf import CSRFProtect

from engage import clock
from engage.console import headers, layout, patient, signin, worklist
from engage.console.gate import SignedIn
from engage.console.sessions import find
from engage.db import Database, encryption

PREFIX = "/console"
_WORDS = str(Path(__file__).parent / "translations")


def console(db: Database) -> Sequence[Blueprint]:
    """Every page of the console, a blueprint each; all are mounted under /console."""
    return [signin.pages(db), worklist.pages(db), patient.pages(db)]


def mount(app: Flask, db: Database, *, public_url: str) -> None:
    """Add the console to `app`. Needs the process's key ring. `public_url` tells whether browsers come by https."""
    is_https = public_url.startswith("https://")
    app.config.update(
        SECRET_KEY=encryption.ring().console_key,
        # __Host- is kept by browsers for this host alone, over TLS alone, and cannot be planted by a sister's site.
        SESSION_COOKIE_NAME="__Host-engage" if is_https else "engage",
        SESSION_COOKIE_SECURE=is_https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        WTF_CSRF_CHECK_DEFAULT=False,  # Twilio's doors have a signature instead
        WTF_CSRF_TIME_LIMIT=None,  # a token is as old as its session
        BABEL_DEFAULT_LOCALE="en",
        BABEL_DOMAIN="signin;screens",
        BABEL_TRANSLATION_DIRECTORIES=f"{_WORDS};{_WORDS}",
    )
    logins = LoginManager()
    logins.session_protection = None  # phones change their address; a session is tied to its secret and its time
    logins.init_app(app)

    @logins.user_loader  # type: ignore[untyped-decorator]
    def _load(token: str) -> SignedIn | None:
        sitting = find(db, token, clock.now())
        return None if sitting is None else SignedIn(token, sitting, db)

    Babel(app, locale_selector=layout.language)
    csrf = CSRFProtect(app)
    app.context_processor(layout.surroundings)

    for pages in console(db):
        pages.before_request(csrf.protect)
        app.register_blueprint(pages)

    @app.after_request
    def _dress(response: Response) -> Response:
        if is_ours():
            is_asset = request.endpoint == "console.static" and response.status_code < 400
            headers.put(response, is_asset=is_asset, is_https=is_https)
        return response


def is_ours() -> bool:
    """Whether this request asks for the console."""
    return request.path == PREFIX or request.path.startswith(f"{PREFIX}/")
