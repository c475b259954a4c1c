"""Puts the console into the web app: blueprints, sign-in, CSRF, languages, headers. It changes nothing for the other doors."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, request
from flask_babel import Babel
from flask_limiter import Limiter
from flask_login import LoginManager
from flask_wtf.csrf import CSRFProtect

from engage import clock
from engage.console import headers, layout
from engage.console.account_page import add_account
from engage.console.audit_page import audit_pages
from engage.console.confirm_pages import add_confirming
from engage.console.first import FirstRun
from engage.console.first_pages import first_pages
from engage.console.gate import SignedIn, address
from engage.console.openings_page import openings_pages
from engage.console.passkey_pages import add_passkeys
from engage.console.passkeys import Place
from engage.console.passwords import Passwords
from engage.console.people import people_pages
from engage.console.screens import screens
from engage.console.second import add_second_factor
from engage.console.sessions import find
from engage.console.sign_on_pages import add_sign_on
from engage.console.signin import Limit, add_sign_in
from engage.console.welcome import add_welcome
from engage.db import Database, encryption

PREFIX = "/console"
_TRIES = "30/minute"
"""Of one address at one process: against floods. What guessing costs is in engage.console.rules.delays."""

DOMAINS = ("signin", "screens", "access", "care", "measures")
WORDS = str(Path(__file__).parent / "translations")


def console(
    db: Database, passwords: Passwords, limit: Limit, place: Place, first: FirstRun | None, *, local_issuers: bool
) -> Sequence[Blueprint]:
    """Every page of the console, a blueprint each; all are mounted under /console. `limit` is for what can be guessed at,
    `place` for passkeys, `first` for the pages of the first run, `local_issuers` for tests of single sign-on."""
    pages = [
        _entrance(db, passwords, limit, place, local_issuers=local_issuers),
        *screens(db),
        people_pages(db),
        audit_pages(db),
        openings_pages(db),
    ]
    return pages if first is None else [*pages, first_pages(db, first, limit)]


def _entrance(db: Database, passwords: Passwords, limit: Limit, place: Place, *, local_issuers: bool) -> Blueprint:
    door = Blueprint("console", __name__, url_prefix=PREFIX, template_folder="templates", static_folder="static")
    add_sign_in(door, db, passwords, limit)
    add_sign_on(door, db, limit, place, may_be_local=local_issuers)
    add_second_factor(door, db, limit)
    add_welcome(door, db, passwords, limit)
    add_account(door, db, passwords, limit)
    add_passkeys(door, db, limit, place)
    add_confirming(door, db, passwords, limit, place, may_be_local=local_issuers)
    return door


def mount(
    app: Flask,
    db: Database,
    *,
    public_url: str,
    passwords: Passwords | None = None,
    first: FirstRun | None = None,
    local_issuers: bool = False,
) -> None:
    """Add the console to `app`. Needs the process's key ring. `public_url` tells whether browsers come by https; `local_issuers`:
    a provider of sign-ons may be on this machine over http, which only tests want."""
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
        BABEL_DOMAIN=";".join(DOMAINS),
        BABEL_TRANSLATION_DIRECTORIES=";".join([WORDS] * len(DOMAINS)),
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
    app.add_template_filter(layout.localtime)

    limiter = Limiter(address, app=app, storage_uri="memory://", headers_enabled=False)
    every = console(
        db,
        passwords or Passwords(),
        limiter.limit(_TRIES),
        _place(public_url),
        first,
        local_issuers=local_issuers,
    )
    for pages in every:
        pages.before_request(csrf.protect)
        app.register_blueprint(pages)

    @app.after_request
    def _dress(response: Response) -> Response:
        headers.put_everywhere(response, is_https=is_https)
        if is_ours():
            headers.put(response, is_asset=request.endpoint == "console.static" and response.status_code < 400)
        return response


def _place(public_url: str) -> Place:
    """The origin of our pages: the address without a path, as browsers name it."""
    parts = urlsplit(public_url)
    return Place(f"{parts.scheme}://{parts.netloc}")


def is_ours() -> bool:
    """Whether this request asks for the console."""
    return request.path == PREFIX or request.path.startswith(f"{PREFIX}/")
