"""The gate before every page: who is signed in, wholly, and has the right; and what the audit notes of reads and changes.

A page without `needs` does not exist: tests/flows/console/test_rights.py walks every address.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, cast
from urllib.parse import urlsplit

from flask import abort, current_app, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import UserMixin, current_user
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engage import clock
from engage.agencies.model import AuditEvent
from engage.console.proving import ways_of
from engage.console.rules.rights import Right
from engage.console.rules.sittings import is_confirmed
from engage.console.sessions import Sitting, note
from engage.console.viewer import Viewer
from engage.db import Database

_OF_THE_QUESTION = frozenset({"csrf_token", "then", "back", "confirm_password", "confirm_code"})

P = ParamSpec("P")
Page = Callable[P, ResponseReturnValue]


class SignedIn(UserMixin):  # type: ignore[misc]
    """What Flask-Login keeps: the token as the id, so that the cookie names a session and never an account."""

    def __init__(self, token: str, sitting: Sitting, db: Database) -> None:
        self.token, self.sitting, self.db = token, sitting, db

    def get_id(self) -> str:
        """The token of the session."""
        return self.token


def signed_in() -> SignedIn | None:
    """The session of this request, whole or half; None when nobody is signed in."""
    return cast(SignedIn, current_user) if current_user.is_authenticated else None


def needs(right: Right | None, *, by_itself: bool = False, anew: bool = False) -> Callable[[Page[P]], Page[P]]:
    """A decorator for views: nobody goes to the sign-in, who lacks the second factor to that, who lacks `right` gets a 403.

    `right` None: whoever is signed in. `by_itself`: a page that fetches itself every few seconds is no sign that anybody is
    there, and does not put off the idle logoff. `anew`: a change of who may do what; whoever signed in longer than five minutes ago
    is asked whether it is still them, and the change is made when they have shown it.
    """

    def gated(view: Page[P]) -> Page[P]:
        @wraps(view)
        def checked(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            who = signed_in()
            if who is None:
                return _elsewhere(url_for("console.sign_in", next=_here()))
            if not who.sitting.is_whole:
                return _elsewhere(url_for("console.second_factor", next=_here()))
            g.viewer = who.sitting.viewer
            if not g.viewer.may(right):
                _note_refusal(who, right)
                abort(403)
            if not by_itself:
                note(who.db, who.sitting, clock.now())
            if anew and not is_confirmed(who.sitting.confirmed_at, clock.now()):
                return question(who, request.path), 428
            return view(*args, **kwargs)

        checked.__dict__["right"] = right
        checked.__dict__["asks_anew"] = anew
        checked.__dict__["is_gated"] = True
        return checked

    return gated


def asks_anew(endpoint: str) -> bool:
    """Whether the view behind an endpoint wants it to be shown anew that it is still oneself."""
    return bool(getattr(current_app.view_functions[endpoint], "asks_anew", False))


def question(who: SignedIn, then: str, wrong: str = "") -> str:
    """The page that asks whether it is still you. It carries the form that was sent, so that nothing is typed twice."""
    seen = who.sitting.viewer
    g.viewer = seen
    with who.db.agency_session(seen.agency_id) as session:
        ways = ways_of(session, seen.account_id)
    fields = [(name, value) for name, value in request.form.items(multi=True) if name not in _OF_THE_QUESTION]
    came_from = local(request.form.get("back")) or local(urlsplit(request.referrer or "").path)
    back = came_from or url_for("console.account")
    return render_template(
        "console/confirm.html", ways=ways, then=then, fields=[*fields, ("back", back)], back=back, wrong=wrong
    )


def reading(
    session: Session, viewer: Viewer, subject: str, subject_id: int | None, detail: Mapping[str, Any] | None = None
) -> None:
    """Put on record that `viewer` looked at somebody, in the transaction that reads. `detail`: ids and words of ours, no more."""
    record(session, viewer.agency_id, viewer.account_id, "read", subject, subject_id, detail)


def changing(
    session: Session,
    viewer: Viewer,
    action: str,
    subject: str,
    subject_id: int | None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Put on record what `viewer` changed, in the transaction that changes it."""
    record(session, viewer.agency_id, viewer.account_id, action, subject, subject_id, detail)


def local(target: str | None) -> str | None:
    """`target` when it is an address within the console, else None: nobody is sent elsewhere by a link to our sign-in."""
    if not target or not target.startswith("/console") or "\\" in target or any(ord(sign) <= 32 for sign in target):
        return None
    parts = urlsplit(target)
    is_inside = parts.path == "/console" or parts.path.startswith("/console/")
    return target if is_inside and not parts.scheme and not parts.netloc and ".." not in parts.path else None


def address() -> str:
    """From where this request comes."""
    return request.remote_addr or "unknown"


def record(
    session: Session,
    agency_id: int,
    account_id: int,
    action: str,
    subject: str,
    subject_id: int | None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """The audit row of an account's act in this request, with the address it came from."""
    session.add(
        AuditEvent(
            agency_id=agency_id,
            at=clock.now(),
            actor=f"account:{account_id}",
            action=action,
            subject=subject,
            subject_id=subject_id,
            detail={"from": address(), **(detail or {})},
        )
    )


def _note_refusal(who: SignedIn, right: Right | None) -> None:
    seen = who.sitting.viewer
    with who.db.agency_session(seen.agency_id) as session:
        record(session, seen.agency_id, seen.account_id, "refused", "right", None, {"right": right})


def _here() -> str | None:
    return (
        local(request.full_path.rstrip("?"))
        if request.method == "GET" and "HX-Request" not in request.headers
        else None
    )


def _elsewhere(url: str) -> Response:
    """A redirect of the whole page, also when htmx asks for a part of one."""
    if "HX-Request" in request.headers:
        return Response(status=401, headers={"HX-Redirect": url})
    return redirect(url, 303)
