"""Signing in and out: an e-mail and a password in, a session out. Who signs in is told nothing that a stranger could use."""

from flask import Blueprint, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import logout_user

from engage import clock
from engage.console.gate import needs, signed_in
from engage.console.layout import menu, viewer
from engage.console.sessions import end
from engage.db import Database


def pages(db: Database) -> Blueprint:
    """/console, /console/sign-in, /console/second-factor, /console/account, /console/sign-out."""
    door = Blueprint("console", __name__, url_prefix="/console", template_folder="templates", static_folder="static")

    @door.get("/")
    @needs(None)
    def home() -> ResponseReturnValue:
        lines = menu(viewer())
        return redirect(url_for(lines[0].endpoint if lines else "console.account"), 303)

    @door.get("/sign-in")
    def sign_in() -> ResponseReturnValue:
        return render_template("console/sign_in.html")

    @door.get("/second-factor")
    def second_factor() -> ResponseReturnValue:
        return render_template("console/sign_in.html")

    @door.get("/account")
    @needs(None)
    def account() -> ResponseReturnValue:
        return render_template("console/account.html")

    @door.post("/sign-out")
    def sign_out() -> ResponseReturnValue:
        who = signed_in()
        if who is not None:
            with db.agency_session(who.sitting.viewer.agency_id) as rows:
                end(rows, who.sitting.id, clock.now())
        logout_user()
        session.clear()
        return redirect(url_for("console.sign_in"), 303)

    return door
