"""The second factor: half a session and a code in, a whole session out. Who has none yet gets one, straight after their link only."""

from flask import Blueprint, Response, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from engage import clock
from engage.agencies.model import Account
from engage.console import delays, devices, factors
from engage.console.entering import device_cookie, enter, field, onward, remember_device
from engage.console.gate import SignedIn, address, record, signed_in
from engage.console.openings import since_last_sign_in
from engage.console.passkeys import of_account
from engage.console.rules.delays import Counted
from engage.console.rules.rights import Right
from engage.console.sessions import end_all, make_whole
from engage.console.signin import Limit, please_wait
from engage.db import Database

ENROLS = "enrols"
"""In the cookie of a session that began with a one-time link: only it may add a first second factor."""


def add_second_factor(door: Blueprint, db: Database, limit: Limit) -> None:
    """/console/second-factor, and /new beneath it."""
    _add_asking(door, db, limit)
    _add_enrolment(door, db, limit)


def _add_asking(door: Blueprint, db: Database, limit: Limit) -> None:
    @door.get("/second-factor")
    def second_factor() -> ResponseReturnValue:
        who = signed_in()
        if who is None:
            return redirect(url_for("console.sign_in"), 303)
        if who.sitting.is_whole:
            return onward(request.args.get("next"))
        seen = who.sitting.viewer
        with db.agency_session(seen.agency_id) as rows:
            has_totp, has_passkeys = _row(rows, who).totp_at is not None, bool(of_account(rows, seen.account_id))
        if not has_totp:
            return redirect(url_for("console.new_second_factor"), 303)
        return render_template("console/second_factor.html", has_passkeys=has_passkeys)

    @door.post("/second-factor")
    @limit
    def check_code() -> ResponseReturnValue:
        who = signed_in()
        if who is None or who.sitting.is_whole:
            return redirect(url_for("console.sign_in"), 303)
        tries = counts(db, who)
        wait = delays.try_now(db, tries, clock.now())
        if wait is not None:
            return render_template("console/second_factor.html", wrong=please_wait(wait)), 429
        way = _try_code(db, who, field("code"))
        if way is None:
            return render_template(
                "console/second_factor.html", wrong=gettext("This code is wrong, too old, or was used already.")
            ), 403
        delays.forget(db, tries, clock.now())
        return let_in(db, who, way, onward(request.args.get("next")))


def _add_enrolment(door: Blueprint, db: Database, limit: Limit) -> None:
    @door.get("/second-factor/new")
    def new_second_factor() -> ResponseReturnValue:
        who = _enrolling()
        if who is None:
            return render_template("console/no_link.html"), 403
        with db.agency_session(who.sitting.viewer.agency_id) as rows:
            secret = factors.new_secret(rows, _row(rows, who))
        return render_template("console/new_second_factor.html", secret=secret)

    @door.get("/second-factor/new/picture.svg")
    def picture() -> ResponseReturnValue:
        who = _enrolling()
        if who is None:
            return Response(status=404)
        with db.agency_session(who.sitting.viewer.agency_id) as rows:
            account = _row(rows, who)
            drawn = factors.picture(factors.new_secret(rows, account), account.email)
        return Response(drawn, mimetype="image/svg+xml")

    @door.post("/second-factor/new")
    @limit
    def prove() -> ResponseReturnValue:
        who = _enrolling()
        if who is None:
            return render_template("console/no_link.html"), 403
        now, seen = clock.now(), who.sitting.viewer
        with db.agency_session(seen.agency_id) as rows:
            account = _row(rows, who)
            secret = factors.new_secret(rows, account)
            codes = factors.prove(rows, account, field("code"), now) if account.totp_at is None else None
            if codes is not None:
                end_all(rows, seen.account_id, now, but=who.sitting.id)
                record(rows, seen.agency_id, seen.account_id, "account.second_factor", "account", seen.account_id)
        if codes is None:
            wrong = gettext("This code is wrong. Is the clock of your phone right?")
            return render_template("console/new_second_factor.html", secret=secret, wrong=wrong), 403
        return let_in(db, who, "new", Response(), codes)


def let_in(db: Database, who: SignedIn, way: str, response: Response, codes: list[str] | None = None) -> Response:
    """Make a half session whole: under a new secret, on record, the browser remembered. `codes` are shown once."""
    now, seen = clock.now(), who.sitting.viewer
    with db.agency_session(seen.agency_id) as rows:
        token = make_whole(rows, who.sitting, now)
        device = devices.remember(rows, seen.agency_id, seen.account_id, now)
        record(rows, seen.agency_id, seen.account_id, "sign_in", "account", seen.account_id, {"by": way})
        opened = since_last_sign_in(rows, seen.account_id, who.sitting.id, now) if seen.may(Right.DASHBOARD_READ) else 0
    enter(db, token)
    if opened:
        flash(
            ngettext(
                "%(num)s patient was opened outside of somebody's branches since you last signed in: see Opened with a reason.",
                "%(num)s patients were opened outside of somebody's branches since you last signed in: see Opened with a reason.",
                opened,
            ),
            "warn",
        )
    if codes is not None:
        response.set_data(render_template("console/recovery_codes.html", codes=codes))
        response.mimetype = "text/html"
    return remember_device(response, device)


def _try_code(db: Database, who: SignedIn, code: str) -> str | None:
    """What the code was; None when it was nothing. A wrong one is on record."""
    now, seen = clock.now(), who.sitting.viewer
    with db.agency_session(seen.agency_id) as rows:
        account = _row(rows, who)
        if account.totp_at is None:
            return None
        if factors.is_right(rows, account, code, now):
            return "app"
        if factors.use_code(rows, account, code, now):
            return "recovery code"
        record(rows, seen.agency_id, seen.account_id, "second_factor.failed", "account", seen.account_id)
    return None


def counts(db: Database, who: SignedIn) -> dict[bytes, Counted]:
    """Whose count a try at the second factor is: the account's from here, or from a browser it knows."""
    cookie = request.cookies.get(device_cookie())
    device = cookie if devices.is_known(db, cookie, _account(db, who).email, clock.now()) else None
    seen = who.sitting.viewer
    return dict(delays.keys("code", f"{seen.agency_id} {seen.account_id}", address(), device))


def _enrolling() -> SignedIn | None:
    who = signed_in()
    return who if who is not None and not who.sitting.is_whole and session.get(ENROLS) == who.sitting.id else None


def _account(db: Database, who: SignedIn) -> Account:
    with db.agency_session(who.sitting.viewer.agency_id) as rows:
        return _row(rows, who)


def _row(rows: Session, who: SignedIn) -> Account:
    seen = who.sitting.viewer
    return rows.get_one(Account, (seen.agency_id, seen.account_id))
