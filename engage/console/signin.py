"""Signing in and out: an e-mail and a password in, half a session out. A stranger learns nothing: the same words for every mistake,
about the same time, the same waits for accounts that do not exist."""

from collections.abc import Callable
from datetime import timedelta
from math import ceil

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from flask_login import logout_user

from engage import clock, log
from engage.agencies.model import Account
from engage.console import delays, devices
from engage.console.accounts import by_email
from engage.console.entering import device_cookie, enter, field, onward
from engage.console.gate import address, local, needs, record, signed_in
from engage.console.layout import menu, viewer
from engage.console.passwords import Passwords
from engage.console.sessions import begin, end
from engage.db import Database

Limit = Callable[[Callable[..., ResponseReturnValue]], Callable[..., ResponseReturnValue]]


def add_sign_in(door: Blueprint, db: Database, passwords: Passwords, limit: Limit) -> None:
    """/console/, /console/sign-in, /console/sign-out."""

    @door.get("/")
    @needs(None)
    def home() -> ResponseReturnValue:
        lines = menu(viewer())
        return redirect(url_for(lines[0].endpoint if lines else "console.account"), 303)

    @door.get("/sign-in")
    def sign_in() -> ResponseReturnValue:
        who = signed_in()
        if who is not None and who.sitting.is_whole:
            return onward(request.args.get("next"))
        return render_template("console/sign_in.html")

    @door.post("/sign-in")
    @limit
    def check_password() -> ResponseReturnValue:
        email, now = field("email").strip().lower(), clock.now()
        cookie = request.cookies.get(device_cookie())
        device = cookie if devices.is_known(db, cookie, email, now) else None
        counts = delays.keys("password", email, address(), device)
        wait = delays.try_now(db, counts, now)
        if wait is not None:
            return _again(please_wait(wait), email), 429
        account = by_email(db, email, field("agency").strip().lower() or None)
        kept = account.password_hash if account else None
        is_right = passwords.is_right(kept, field("password"))
        if account is None or kept is None or not is_right:
            _note_failure(db, account)
            return _again(
                gettext(
                    "E-mail and password do not belong together. Mind capital letters; who works for several agencies names one."
                ),
                email,
            ), 403
        delays.forget(db, counts, now)
        with db.agency_session(account.agency_id) as rows:
            if passwords.is_outdated(kept):
                rows.merge(account).password_hash = passwords.hash(field("password"))
            agent = request.headers.get("User-Agent", "")
            token = begin(rows, account.agency_id, account.id, now, address=address(), agent=agent)
        enter(db, token)
        return redirect(url_for("console.second_factor", next=local(request.args.get("next"))), 303)

    @door.post("/sign-out")
    def sign_out() -> ResponseReturnValue:
        who = signed_in()
        if who is not None:
            seen = who.sitting.viewer
            with db.agency_session(seen.agency_id) as rows:
                end(rows, who.sitting.id, clock.now())
                record(rows, seen.agency_id, seen.account_id, "sign_out", "account", seen.account_id)
        logout_user()
        session.clear()
        return redirect(url_for("console.sign_in"), 303)


def please_wait(wait: timedelta) -> str:
    """How long to wait, in words."""
    seconds = ceil(wait.total_seconds())
    if seconds < 60:
        return str(ngettext("Too many tries. Wait %(num)s second.", "Too many tries. Wait %(num)s seconds.", seconds))
    minutes = ceil(seconds / 60)
    return str(ngettext("Too many tries. Wait %(num)s minute.", "Too many tries. Wait %(num)s minutes.", minutes))


def _again(wrong: str, email: str) -> str:
    return render_template("console/sign_in.html", wrong=wrong, email=email)


def _note_failure(db: Database, account: Account | None) -> None:
    log.get().warning("a sign-in failed", account=account.id if account else None)
    if account is not None:
        with db.agency_session(account.agency_id) as rows:
            record(rows, account.agency_id, account.id, "sign_in.failed", "account", account.id)
