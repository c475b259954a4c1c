"""The page behind a one-time link: a password in, half a session out that leads on to the second factor. The token leaves the
address at once, and is used up only when a password is chosen: a mail program that looks at links first takes nothing away."""

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import select

from engage import clock
from engage.agencies.model import Account, Agency
from engage.console.accounts import of_link, set_password, use_link
from engage.console.entering import enter, field
from engage.console.gate import address, record
from engage.console.passwords import Passwords, commonest, guesses
from engage.console.rules.passwords import SHORTEST, Weakness, is_guessed_soon, own_words, weakness
from engage.console.second import ENROLS
from engage.console.sessions import begin, find
from engage.console.sign_on import of_agency
from engage.console.signin import Limit
from engage.db import Database

LINK = "link"
"""In the cookie: the token of the one-time link by which somebody came."""


def add_welcome(door: Blueprint, db: Database, passwords: Passwords, limit: Limit) -> None:
    """/console/welcome/<token>, /console/welcome."""

    @door.get("/welcome/<token>")
    @limit
    def follow_link(token: str) -> ResponseReturnValue:
        if of_link(db, token, clock.now()) is None:
            return render_template("console/no_link.html"), 404
        session.clear()  # not before: a false link on somebody's site must sign nobody out
        session[LINK] = token
        return redirect(url_for("console.welcome"), 303)

    @door.get("/welcome")
    def welcome() -> ResponseReturnValue:
        account = of_link(db, str(session.get(LINK, "")), clock.now())
        if account is None:
            return render_template("console/no_link.html"), 404
        return _page(db, account)

    @door.post("/welcome")
    @limit
    def choose_password() -> ResponseReturnValue:
        token, now, chosen = str(session.get(LINK, "")), clock.now(), field("password")
        account = of_link(db, token, now)
        if account is None:
            return render_template("console/no_link.html"), 404
        weak = weakness_for(db, account, chosen)
        if weak is not None:
            return _page(db, account, why_weak(weak)), 400
        hashed = passwords.hash(chosen)
        with db.agency_session(account.agency_id) as rows:
            if use_link(rows, token, now) != account.id:
                return render_template("console/no_link.html"), 404
            account = rows.get_one(Account, (account.agency_id, account.id))
            set_password(rows, account, hashed, now)
            record(rows, account.agency_id, account.id, "account.password", "account", account.id)
            agent = request.headers.get("User-Agent", "")
            half = begin(rows, account.agency_id, account.id, now, address=address(), agent=agent)
        sitting = find(db, half, now)
        may_enrol = sitting.id if sitting is not None and account.totp_at is None else None
        enter(db, half, **{ENROLS: may_enrol})
        return redirect(url_for("console.second_factor"), 303)


def _page(db: Database, account: Account, wrong: str = "") -> str:
    with db.agency_session(account.agency_id) as rows:
        signs_on_at = rows.scalar(select(Agency.slug)) if of_agency(rows) is not None else None
    return render_template(
        "console/welcome.html", account=account, shortest=SHORTEST, wrong=wrong, signs_on_at=signs_on_at
    )


def weakness_for(db: Database, account: Account, password: str) -> Weakness | None:
    """Why a password will not do for somebody; None if it will. Their own words and their agency's count as known."""
    with db.agency_session(account.agency_id) as rows:
        agency = rows.scalars(select(Agency)).one()
    own = own_words(account.name, account.email, agency.name, agency.short_name, agency.slug)
    if weak := weakness(password, commonest() | own):
        return weak
    return Weakness.GUESSED_SOON if is_guessed_soon(guesses(password, own)) else None


def why_weak(weak: Weakness) -> str:
    """The sentence for a password that will not do."""
    said = {
        Weakness.TOO_SHORT: gettext(
            "Too short: use at least %(count)s characters. A few words in a row are easy to keep.", count=SHORTEST
        ),
        Weakness.TOO_LONG: gettext("Too long: at most 256 characters."),
        Weakness.REPEATED: gettext("That repeats itself, and is guessed quickly."),
        Weakness.IN_ORDER: gettext("That counts up or down, and is guessed quickly."),
        Weakness.GUESSED_FIRST: gettext(
            "That consists of words that are guessed first: common ones, your name or your agency's. Add something that nobody would expect."
        ),
        Weakness.GUESSED_SOON: gettext(
            "That is guessed soon: it has leaked before, or is put together as many people do. Add a word or two that nobody would expect."
        ),
    }
    return str(said[weak])
