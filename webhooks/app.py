"""Puts the doors and the console together: a Flask app for a database. Unexpected errors answer 500 without a word about whom or what."""

from collections.abc import Callable, Sequence

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from engage import log
from engage.console import is_ours, mount, refused
from engage.console.first import FirstRun
from engage.console.passwords import Passwords
from engage.db import Database, encryption
from engage.sms.rules.codes import CodeTable
from webhooks.health import health_door
from webhooks.tapped import tapped_door
from webhooks.twilio import twilio_door
from webhooks.voice import voice_door

LARGEST_REQUEST = 64 * 1024  # Twilio's longest form is a few kilobytes


def create_app(
    db: Database,
    codes: CodeTable,
    *,
    auth_tokens: Sequence[str],
    public_url: str,
    hint: Callable[[str], None] = lambda _verb: None,
    passwords: Passwords | None = None,
    first: FirstRun | None = None,
    local_issuers: bool = False,
) -> Flask:
    """The web app; `auth_tokens` are those that may have signed a webhook, `public_url` is how Twilio reaches us.

    `hint` is told the verb that has something to do; without it the next tick finds out. `passwords`: tests hash faster.
    `first`: what the pages of the first run need; without it there are none. `local_issuers`: tests sign on at a provider on this
    machine over http.
    """
    app = Flask("webhooks", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_REQUEST
    app.register_blueprint(twilio_door(db, codes, auth_tokens, public_url, hint))
    app.register_blueprint(voice_door(db, codes, auth_tokens, public_url, hint))
    app.register_blueprint(tapped_door(db))
    app.register_blueprint(health_door(db))
    if encryption.has_ring():
        mount(app, db, public_url=public_url, passwords=passwords, first=first, local_issuers=local_issuers)
    app.register_error_handler(Exception, _failed)
    return app


def _failed(error: Exception) -> Response:
    if isinstance(error, HTTPException):
        if is_ours():
            return refused(error.code or 500)
        return Response(f"{error.name}\n", status=error.code, mimetype="text/plain")
    log.get().exception("a request failed")
    if is_ours():
        return refused(500)
    return Response("Internal Server Error\n", status=500, mimetype="text/plain")
