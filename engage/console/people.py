"""The people page, for administrators: who may sign in, as what, where; invited, helped, signed out and closed. A link is shown once. Every change asks whether it is
still the administrator, if they signed in a while ago."""

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from engage import clock
from engage.agencies.model import Account
from engage.agencies.rules.people import AccountRole
from engage.console import accounts
from engage.console.entering import field
from engage.console.gate import needs
from engage.console.people_read import branches, people
from engage.console.rules.rights import Right
from engage.db import Database
from engage.errors import BadInput, Conflict

Act = Callable[[Session, Account, str, datetime], object]


def people_pages(db: Database) -> Blueprint:
    """/console/people and what is beneath it."""
    door = Blueprint("people", __name__, url_prefix="/console/people")
    _add_links(door, db)
    _add_changes(door, db)
    return door


def _add_links(door: Blueprint, db: Database) -> None:
    @door.get("/")
    @needs(Right.PEOPLE_ACT)
    def show() -> ResponseReturnValue:
        return _page(db)

    @door.post("/invite")
    @needs(Right.PEOPLE_ACT, anew=True)
    def invite() -> ResponseReturnValue:
        role, now = _role(), clock.now()
        try:
            with db.agency_session(g.viewer.agency_id) as rows:
                made = accounts.invite(
                    rows, g.viewer.agency_id, field("email"), field("name"), role, g.viewer.actor, now
                )
                if chosen := _branches(rows):
                    accounts.change_branches(rows, made, chosen, g.viewer.actor, now)
                token = accounts.new_link(rows, made, g.viewer.actor, now)
        except BadInput:
            return _page(db, wrong=gettext("That is not an e-mail address, or the name is missing.")), 400
        except Conflict:
            return _page(db, wrong=gettext("This e-mail has an account here already.")), 409
        return _link(made, token)

    @door.post("/<int:account_id>/link")
    @needs(Right.PEOPLE_ACT, anew=True)
    def link(account_id: int) -> ResponseReturnValue:
        with db.agency_session(g.viewer.agency_id) as rows:
            account = _account(rows, account_id)
            if account.closed_at is not None:
                abort(404)
            token = accounts.new_link(rows, account, g.viewer.actor, clock.now())
        return _link(account, token)


def _add_changes(door: Blueprint, db: Database) -> None:
    @door.post("/<int:account_id>/role")
    @needs(Right.PEOPLE_ACT, anew=True)
    def role(account_id: int) -> ResponseReturnValue:
        wanted = _role()
        return _do(
            db, account_id, lambda rows, account, actor, now: accounts.change_role(rows, account, wanted, actor, now)
        )

    @door.post("/<int:account_id>/branches")
    @needs(Right.PEOPLE_ACT, anew=True)
    def scope(account_id: int) -> ResponseReturnValue:
        return _do(
            db,
            account_id,
            lambda rows, account, actor, now: accounts.change_branches(rows, account, _branches(rows), actor, now),
        )

    for word, act in (
        ("close", accounts.close),
        ("reopen", accounts.reopen),
        ("second-factor", accounts.reset_second_factor),
        ("sign-out", accounts.end_sessions),
    ):
        door.add_url_rule(
            f"/<int:account_id>/{word}",
            word.replace("-", "_"),
            needs(Right.PEOPLE_ACT, anew=True)(_doing(db, act)),
            methods=["POST"],
        )


def _doing(db: Database, act: Act) -> Callable[[int], ResponseReturnValue]:
    def view(account_id: int) -> ResponseReturnValue:
        return _do(db, account_id, act)

    return view


def _do(db: Database, account_id: int, act: Act) -> ResponseReturnValue:
    try:
        with db.agency_session(g.viewer.agency_id) as rows:
            act(rows, _account(rows, account_id), g.viewer.actor, clock.now())
    except Conflict:
        return _page(db, wrong=gettext("Every agency needs an administrator. Make somebody else one first.")), 409
    flash(gettext("Done."), "good")
    return redirect(url_for("people.show"), 303)


def _page(db: Database, wrong: str = "") -> str:
    with db.agency_session(g.viewer.agency_id) as rows:
        everybody, offices = people(rows, clock.now()), branches(rows)
    return render_template("console/people.html", people=everybody, branches=offices, roles=_roles(), wrong=wrong)


def _link(account: Account, token: str) -> str:
    address = url_for("console.follow_link", token=token, _external=True)
    return render_template("console/new_link.html", account=account, address=address)


def _roles() -> list[tuple[str, str]]:
    return [
        (AccountRole.NURSE, gettext("Nurse")),
        (AccountRole.SCHEDULER, gettext("Scheduler")),
        (AccountRole.MANAGER, gettext("Manager")),
        (AccountRole.AUDITOR, gettext("Auditor")),
        (AccountRole.ADMINISTRATOR, gettext("Administrator")),
    ]


def _role() -> AccountRole:
    try:
        return AccountRole(field("role"))
    except ValueError:
        abort(400)


def _branches(rows: Session) -> set[int]:
    """The branches ticked in the form; a 400 for one that is not the agency's."""
    chosen = {
        int(word) for word in request.form.getlist("branch") if word.isascii() and word.isdigit() and len(word) < 19
    }
    if not chosen <= {branch for branch, _ in branches(rows)}:
        abort(400)
    return chosen


def _account(rows: Session, account_id: int) -> Account:
    account = rows.get(Account, (g.viewer.agency_id, account_id)) if account_id < 2**63 else None
    if account is None:
        abort(404)
    return account
