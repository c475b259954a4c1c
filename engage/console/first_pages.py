"""The pages of the first run: found the agency behind the printed link; then, for administrators, ask Twilio and send a test text."""

from flask import Blueprint, abort, g, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from engage import clock
from engage.agencies.model import Account
from engage.console.entering import field
from engage.console.first import FirstRun, begin, check_twilio, has_agency, send_test
from engage.console.gate import needs
from engage.console.refusals_told import refusal_told
from engage.console.rules.rights import Right
from engage.console.signin import Limit
from engage.db import Database
from engage.errors import BadInput, ConfigurationError
from engage.onboarding import NewAgency

_MAY = "founds"
_FIELDS = ("slug", "name", "short_name", "phone", "time_zone", "sender_phone", "pages_phone", "line", "person", "email")


def first_pages(db: Database, first: FirstRun, limit: Limit) -> Blueprint:
    """/console/first/<token>, /console/first, /console/first/twilio."""
    door = Blueprint("first", __name__, url_prefix="/console/first")
    _add_founding(door, db, first, limit)
    _add_twilio(door, db, first, limit)
    return door


def _add_founding(door: Blueprint, db: Database, first: FirstRun, limit: Limit) -> None:
    def is_open() -> bool:
        return first.is_meant(str(session.get(_MAY, ""))) and not has_agency(db)

    @door.get("/<token>")
    @limit
    def follow(token: str) -> ResponseReturnValue:
        if not first.is_meant(token) or has_agency(db):
            abort(404)
        session.clear()
        session[_MAY] = token
        return redirect(url_for("first.ask"), 303)

    @door.get("/")
    def ask() -> ResponseReturnValue:
        if not is_open():
            abort(404)
        return render_template("console/first.html", given={}, problems=first.problems())

    @door.post("/")
    @limit
    def found() -> ResponseReturnValue:
        if not is_open():
            abort(404)
        given = {name: field(name).strip() for name in _FIELDS}
        new = NewAgency(
            slug=given["slug"],
            name=given["name"],
            short_name=given["short_name"] or None,
            phone=given["phone"],
            time_zone=given["time_zone"],
            sender_phone=given["sender_phone"],
            pages_phone=given["pages_phone"] or None,
            line=given["line"],
        )
        try:
            token = begin(db, new, given["person"], given["email"], first.config_dir, clock.now())
        except (BadInput, ConfigurationError) as problem:
            page = render_template(
                "console/first.html", given=given, problems=first.problems(), wrong=refusal_told(problem)
            )
            return page, 400
        return redirect(url_for("console.follow_link", token=token), 303)


def _add_twilio(door: Blueprint, db: Database, first: FirstRun, limit: Limit) -> None:
    @door.get("/twilio")
    @needs(Right.PEOPLE_ACT)
    def twilio() -> ResponseReturnValue:
        return render_template("console/first_twilio.html", problems=first.problems())

    @door.post("/twilio")
    @limit
    @needs(Right.PEOPLE_ACT)
    def try_twilio() -> ResponseReturnValue:
        agency_id, now = g.viewer.agency_id, clock.now()
        trouble = check_twilio(db, agency_id, first.gateway, now)
        if trouble is None and field("phone").strip():
            with db.agency_session(agency_id) as rows:
                mine = rows.get_one(Account, (agency_id, g.viewer.account_id))
            words = gettext(
                "%(agency)s: this is a test text from Engage. Nobody reads answers to it.", agency=g.viewer.agency_name
            )
            try:
                trouble = send_test(db, agency_id, mine, field("phone"), words, first.gateway, now)
            except BadInput as problem:
                trouble = refusal_told(problem)
        return render_template("console/first_twilio.html", problems=first.problems(), trouble=trouble, is_tried=True)
