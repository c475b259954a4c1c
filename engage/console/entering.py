"""Steps that every way in shares: a session is put into the browser's cookie, always into an empty one, and the device is remembered."""

from flask import Response, current_app, redirect, request, session, url_for
from flask_login import login_user

from engage import clock
from engage.console import devices
from engage.console.gate import SignedIn, local
from engage.console.sessions import find
from engage.db import Database

LONGEST_FIELD = 1000


def enter(db: Database, token: str, **kept: object) -> None:
    """Put a session into the browser. Whatever was in its cookie before is gone: nobody can have planted it."""
    session.clear()
    sitting = find(db, token, clock.now())
    if sitting is not None:
        login_user(SignedIn(token, sitting, db))
        session.update({name: value for name, value in kept.items() if value is not None})


def onward(target: str | None, otherwise: str = "console.home") -> Response:
    """To the page that was asked for before signing in, when it is ours."""
    return redirect(local(target) or url_for(otherwise), 303)  # type: ignore[return-value]


def field(name: str) -> str:
    """A field of the form, without zero characters, of bounded length."""
    return request.form.get(name, "").replace("\x00", "")[:LONGEST_FIELD]


def device_cookie() -> str:
    """The name of the cookie of a known browser, as that of the session."""
    return "__Host-engage-device" if _is_https() else "engage-device"


def remember_device(response: Response, token: str) -> Response:
    """Let the browser keep that somebody signed in wholly from it."""
    response.set_cookie(
        device_cookie(),
        token,
        max_age=devices.KEPT,
        secure=_is_https(),
        httponly=True,
        samesite="Lax",
        path="/",
    )
    return response


def _is_https() -> bool:
    return bool(current_app.config["SESSION_COOKIE_SECURE"])
