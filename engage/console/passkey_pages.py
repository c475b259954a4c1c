"""The doors for passkeys: one used instead of the code, one added or removed in one's account. The challenge waits in the signed cookie."""

from collections.abc import Callable

from flask import Blueprint, Response, abort, flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from engage import clock
from engage.agencies.model import Account
from engage.console import delays, passkeys
from engage.console.entering import field, onward
from engage.console.gate import changing, needs, record, signed_in
from engage.console.passkeys import Place
from engage.console.second import counts, let_in
from engage.console.signin import Limit, please_wait
from engage.console.viewer import Viewer
from engage.db import Database

_CHALLENGE = "challenge"
_LONGEST_ANSWER = 16_000


def add_passkeys(door: Blueprint, db: Database, limit: Limit, place: Place) -> None:
    """/console/second-factor/passkey and /console/account/passkeys, each with /options beneath it."""
    _add_using(door, db, limit, place)
    _add_keeping(door, db, limit, place)


def _add_using(door: Blueprint, db: Database, limit: Limit, place: Place) -> None:
    @door.post("/second-factor/passkey/options")
    @limit
    def ask_to_use() -> ResponseReturnValue:
        who = signed_in()
        if who is None or who.sitting.is_whole:
            abort(403)
        return _asked(db, who.sitting.viewer, lambda rows, mine: passkeys.ask_to_use(rows, mine, place))

    @door.post("/second-factor/passkey")
    @limit
    def use() -> ResponseReturnValue:
        who = signed_in()
        if who is None or who.sitting.is_whole:
            return redirect(url_for("console.sign_in"), 303)
        tries, now, seen = counts(db, who), clock.now(), who.sitting.viewer
        wait = delays.try_now(db, tries, now)
        if wait is not None:
            return render_template("console/second_factor.html", wrong=please_wait(wait), has_passkeys=True), 429
        challenge = _challenge()
        with db.agency_session(seen.agency_id) as rows:
            is_right = passkeys.use(rows, _mine(rows, seen), _answer(), challenge, place, now)
            if not is_right:
                record(rows, seen.agency_id, seen.account_id, "second_factor.failed", "account", seen.account_id)
        if not is_right:
            return render_template("console/second_factor.html", wrong=_not_accepted(), has_passkeys=True), 403
        delays.forget(db, tries, now)
        return let_in(db, who, "passkey", onward(request.args.get("next")))


def _add_keeping(door: Blueprint, db: Database, limit: Limit, place: Place) -> None:
    @door.post("/account/passkeys/options")
    @needs(None)
    def ask_to_add() -> ResponseReturnValue:
        return _asked(db, g.viewer, lambda rows, mine: passkeys.ask_to_add(rows, mine, place))

    @door.post("/account/passkeys")
    @limit
    @needs(None, anew=True)
    def add() -> ResponseReturnValue:
        challenge = _challenge()
        with db.agency_session(g.viewer.agency_id) as rows:
            mine = _mine(rows, g.viewer)
            is_kept = passkeys.add(rows, mine, _answer(), challenge, place, field("name"), clock.now())
            if is_kept:
                changing(rows, g.viewer, "account.passkey.add", "account", g.viewer.account_id)
        if not is_kept:
            flash(_not_accepted(), "wrong")
        return redirect(url_for("console.account"), 303)

    @door.post("/account/passkeys/<int:passkey_id>/remove")
    @needs(None, anew=True)
    def remove(passkey_id: int) -> ResponseReturnValue:
        with db.agency_session(g.viewer.agency_id) as rows:
            if passkey_id < 2**63 and passkeys.remove(rows, g.viewer.account_id, passkey_id):
                changing(rows, g.viewer, "account.passkey.remove", "account", g.viewer.account_id)
        return redirect(url_for("console.account"), 303)


def _asked(db: Database, seen: Viewer, ask: Callable[[Session, Account], tuple[str, bytes]]) -> Response:
    with db.agency_session(seen.agency_id) as rows:
        options, challenge = ask(rows, _mine(rows, seen))
    session[_CHALLENGE] = bytes_to_base64url(challenge)
    return Response(options, mimetype="application/json")


def _challenge() -> bytes:
    """The challenge that was asked for last; of one use."""
    return base64url_to_bytes(session.pop(_CHALLENGE, None) or abort(400))


def _answer() -> str:
    return request.form.get("credential", "")[:_LONGEST_ANSWER]


def _not_accepted() -> str:
    return str(gettext("The passkey was not accepted. Try again, or use a code."))


def _mine(rows: Session, seen: Viewer) -> Account:
    return rows.get_one(Account, (seen.agency_id, seen.account_id))
