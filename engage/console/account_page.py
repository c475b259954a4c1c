"""One's own account: language, password, recovery codes, and where one is signed in. Grave changes ask whether it is still oneself."""

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from engage import clock
from engage.agencies.model import Account
from engage.console import delays, factors, passkeys, sessions, sign_on
from engage.console.accounts import set_password
from engage.console.entering import enter, field
from engage.console.gate import SignedIn, changing, needs, signed_in
from engage.console.layout import LANGUAGES
from engage.console.passwords import Passwords
from engage.console.rules.passwords import SHORTEST
from engage.console.signin import Limit, please_wait
from engage.console.viewer import Viewer
from engage.console.welcome import weakness_for, why_weak
from engage.db import Database


def add_account(door: Blueprint, db: Database, passwords: Passwords, limit: Limit) -> None:
    """/console/account and what is beneath it."""
    _add_page(door, db)
    _add_secrets(door, db, passwords, limit)


def _add_page(door: Blueprint, db: Database) -> None:
    @door.get("/account")
    @needs(None)
    def account() -> ResponseReturnValue:
        return _page(db)

    @door.post("/account/language")
    @needs(None)
    def set_language() -> ResponseReturnValue:
        language = field("language")
        if language not in LANGUAGES:
            return _page(db), 400
        with db.agency_session(g.viewer.agency_id) as rows:
            _mine(rows, g.viewer).language = language
        return redirect(url_for("console.account"), 303)

    @door.post("/account/sessions/<int:session_id>/end")
    @needs(None, anew=True)
    def end_session(session_id: int) -> ResponseReturnValue:
        with db.agency_session(g.viewer.agency_id) as rows:
            now = clock.now()
            if session_id not in {kept.id for kept in sessions.open_of(rows, g.viewer.account_id, now)}:
                return redirect(url_for("console.account"), 303)
            sessions.end(rows, session_id, now)
            changing(rows, g.viewer, "account.sessions.end", "account", g.viewer.account_id, {"session": session_id})
        return redirect(url_for("console.account"), 303)


def _add_secrets(door: Blueprint, db: Database, passwords: Passwords, limit: Limit) -> None:
    @door.post("/account/password")
    @limit
    @needs(None)
    def change_password() -> ResponseReturnValue:
        who, now = _who(), clock.now()
        with db.agency_session(g.viewer.agency_id) as rows:
            mine = _mine(rows, g.viewer)
        wrong = _refused(db, passwords, mine, field("current"))
        weak = None if wrong else weakness_for(db, mine, field("password"))
        if wrong or weak:
            return _page(db, wrong=wrong or (why_weak(weak) if weak else "")), 400
        hashed = passwords.hash(field("password"))
        with db.agency_session(g.viewer.agency_id) as rows:
            set_password(rows, _mine(rows, g.viewer), hashed, now, but=who.sitting.id)
            changing(rows, g.viewer, "account.password", "account", g.viewer.account_id)
            token = sessions.make_whole(rows, who.sitting, now)
        enter(db, token)
        flash(gettext("The password is changed. You are signed out everywhere else."), "good")
        return redirect(url_for("console.account"), 303)

    @door.post("/account/recovery-codes")
    @limit
    @needs(None, anew=True)
    def new_codes() -> ResponseReturnValue:
        with db.agency_session(g.viewer.agency_id) as rows:
            codes = factors.new_codes(rows, _mine(rows, g.viewer), clock.now())
            changing(rows, g.viewer, "account.recovery_codes", "account", g.viewer.account_id)
        return render_template("console/recovery_codes.html", codes=codes)


def _page(db: Database, wrong: str = "") -> str:
    with db.agency_session(g.viewer.agency_id) as rows:
        open_sessions = sessions.open_of(rows, g.viewer.account_id, clock.now())
        left = factors.codes_left(rows, g.viewer.account_id)
        keys = passkeys.of_account(rows, g.viewer.account_id)
        has_password = _mine(rows, g.viewer).password_hash is not None
        provider, is_linked = sign_on.of_agency(rows), sign_on.is_linked(rows, g.viewer.account_id)
    here = _who().sitting.id
    return render_template(
        "console/account.html",
        sessions=open_sessions,
        here=here,
        codes_left=left,
        has_password=has_password,
        passkeys=keys,
        provider=provider,
        is_linked=is_linked,
        wrong=wrong,
        shortest=SHORTEST,
    )


def _refused(db: Database, passwords: Passwords, mine: Account, password: str) -> str | None:
    """Why the present password, asked for again, is not believed; None if it is right. Tries are counted as at the sign-in."""
    counts = delays.keys("again", f"{mine.agency_id} {mine.id}", request.remote_addr or "", None)
    wait = delays.try_now(db, counts, clock.now())
    if wait is not None:
        return please_wait(wait)
    if not passwords.is_right(mine.password_hash, password):
        return str(gettext("Your present password is not right."))
    delays.forget(db, counts, clock.now())
    return None


def _who() -> SignedIn:
    who = signed_in()
    if who is None:
        raise AssertionError("the gate lets nobody through")
    return who


def _mine(rows: Session, viewer: Viewer) -> Account:
    return rows.get_one(Account, (viewer.agency_id, viewer.account_id))
