"""The page behind the link of a mailed page: GET shows a button, POST takes the alert or passes it on. No sign-in, no patient.

The link itself is the permission: signed, for one page of one person, and over after some hours.
"""

from flask import Blueprint, Response, abort, render_template, request

from engage import clock, log
from engage.alerts.tapped import Press, look, press
from engage.db import Database
from engage.outreach.links import TakeLink, read_take_link

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",  # the address is the permission
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


def tapped_door(db: Database) -> Blueprint:
    """GET and POST /page/<token>."""
    door = Blueprint("tapped", __name__, url_prefix="/page", template_folder="templates")

    @door.get("/style.css")
    def style() -> Response:
        return Response(render_template("page.css"), mimetype="text/css", headers={"Cache-Control": "max-age=86400"})

    @door.get("/<token>")
    def show(token: str) -> Response:
        return _page(look(db, _link(token), clock.now()), None)

    @door.post("/<token>")
    def pressed(token: str) -> Response:
        link, word = _link(token), request.form.get("press", "")
        if word not in set(Press):
            abort(400)
        log.get().info("a page was answered by its link", agency=link.agency_id, message=link.message_id, press=word)
        return _page(press(db, link, Press(word), clock.now()), word)

    return door


def _link(token: str) -> TakeLink:
    link = read_take_link(token)
    if link is None:
        abort(404)
    return link


def _page(alerts: object, word: str | None) -> Response:
    status = 410 if alerts is None else 200
    return Response(render_template("page.html", alerts=alerts, pressed=word), status, _HEADERS, mimetype="text/html")
