"""The doors behind the question whether it is still you: a password, a code or the agency's provider in, five minutes for grave
changes out. What was asked for is then done at once; the gate puts the question (needs(..., anew=True))."""

from flask import Blueprint, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import select
from werkzeug.exceptions import HTTPException

from engage import clock
from engage.agencies.model import Account, Agency
from engage.console import delays, proving, sessions, sign_on
from engage.console.entering import field, onward
from engage.console.gate import SignedIn, address, asks_anew, local, needs, question, record, signed_in
from engage.console.passkeys import Place
from engage.console.passwords import Passwords
from engage.console.sign_on_pages import client_of, to_provider
from engage.console.signin import Limit, please_wait
from engage.db import Database


def add_confirming(
    door: Blueprint, db: Database, passwords: Passwords, limit: Limit, place: Place, *, may_be_local: bool = False
) -> None:
    """/console/confirm, and /sign-on beneath it."""

    @door.post("/confirm")
    @limit
    @needs(None)
    def confirm() -> ResponseReturnValue:
        who, now, then = _who(), clock.now(), _grave(request.form.get("then"))
        if then is None:
            return redirect(url_for("console.account"), 303)
        counts = delays.keys(
            "again", f"{who.sitting.viewer.agency_id} {who.sitting.viewer.account_id}", address(), None
        )
        wait = delays.try_now(db, counts, now)
        if wait is not None:
            return question(who, then, please_wait(wait)), 429
        if not _prove(db, who, passwords):
            return question(who, then, gettext("That is not right. Nothing was changed.")), 403
        delays.forget(db, counts, now)
        # Posted again with everything that the form held, as it was meant at first.
        return redirect(then, 307)

    @door.get("/confirm/sign-on")
    @limit
    @needs(None)
    def confirm_elsewhere() -> ResponseReturnValue:
        who = _who()
        with db.agency_session(who.sitting.viewer.agency_id) as rows:
            trusted, slug = sign_on.of_agency(rows), rows.scalars(select(Agency.slug)).one()
        if trusted is None:
            return onward(request.args.get("next"), "console.account")
        client = client_of(trusted, slug, place, may_be_local=may_be_local)
        return to_provider(client, slug, anew=True, sitting=who.sitting.id, next=local(request.args.get("next")))


def _prove(db: Database, who: SignedIn, passwords: Passwords) -> bool:
    """Whether what was given is right; then the session has its five minutes. On record either way."""
    now, seen = clock.now(), who.sitting.viewer
    with db.agency_session(seen.agency_id) as rows:
        mine = rows.get_one(Account, (seen.agency_id, seen.account_id))
        by = proving.proved_by(rows, mine, passwords, field("confirm_password"), field("confirm_code"), now)
        if by is not None:
            sessions.confirm(rows, who.sitting.id, now)
        record(
            rows,
            seen.agency_id,
            seen.account_id,
            "confirm" if by else "confirm.failed",
            "account",
            seen.account_id,
            {"by": by},
        )
    return by is not None


def _grave(target: str | None) -> str | None:
    """The address of a change for which it is asked, as a page of ours posts it; None for any other: we lead nobody elsewhere."""
    inside = local(target)
    if inside is None:
        return None
    try:
        endpoint, _ = current_app.url_map.bind(request.host).match(inside, method="POST")
    except HTTPException:
        return None
    return inside if asks_anew(endpoint) else None


def _who() -> SignedIn:
    who = signed_in()
    if who is None:
        raise AssertionError("the gate lets nobody through")
    return who
