"""The ladders' pages: who is called when, for each kind of alert, what is wrong with it, and what would happen tonight. Changes go the
way of the command line (engage.alerts.ladder_changes) and are shown, with a replay of the last days, before they are saved."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from engage.agencies.model import Branch
from engage.agencies.rota import Crew, load_crew
from engage.agencies.rules.oncall import struck
from engage.agencies.rules.people import Role
from engage.alerts.changes import Author
from engage.alerts.ladder_changes import change_ladder, change_rule, drop_ladder
from engage.alerts.ladders import WholeLadder, every_ladder
from engage.alerts.rota import troubles
from engage.alerts.rules.troubles import Trouble
from engage.alerts.rules.windows import windows
from engage.alerts.rules.words import AlertKind, Channel, Who
from engage.console.gate import address, needs
from engage.console.ladders_read import kinds_of, read_changes, read_rules
from engage.console.rules.ladder_form import Row, read_rows, read_steps, rows_of
from engage.console.rules.rights import Right
from engage.console.showing import instant, number, tools, viewer
from engage.db import Database
from engage.errors import BadInput, NotFound
from engage.outreach.preview import undone
from engage.reports.budget import last_days, roster_of
from engage.reports.rules.budget import LadderRule, Load, replay
from engage.reports.rules.rehearsal import SOMEBODY, Rehearsal, rehearse

REPLAYED_DAYS = 14


def pages(db: Database) -> Blueprint:
    """/console/ladders: all of them, what would happen, one ladder, how a kind of alert is treated."""
    door = Blueprint("ladders_page", __name__, url_prefix="/console/ladders", template_folder="templates")
    _add_looks(door, db)
    _add_changes(door, db)
    _add_saves(door, db)
    _add_rules(door, db)
    return door


def _add_looks(door: Blueprint, db: Database) -> None:
    @door.get("")
    @needs(Right.ROTA_READ)
    def show() -> ResponseReturnValue:
        now, who = instant(), viewer()
        with db.agency_session(who.agency_id) as session:
            ladders = _mine(every_ladder(session, who.agency_id))
            rules = read_rules(session, who.agency_id)
            crew = load_crew(session, who.agency_id, now)
            wrong = _of_mine(troubles(session, who.agency_id, crew, now))
            history = read_changes(session, who.agency_id, "ladder")
        shown = {"ladders": ladders, "rules": rules, "kinds": kinds_of(rules), "wrong": wrong, "history": history}
        return render_template(
            "console/ladders.html", **shown, **_trial(crew, ladders, rules, now), **_tools(crew, now)
        )

    @door.get("/<key>")
    @needs(Right.ROTA_READ)
    def one(key: str) -> ResponseReturnValue:
        return _page(db, key, number("branch"))


def _add_changes(door: Blueprint, db: Database) -> None:
    @door.post("/<key>/try")
    @needs(Right.ROTA_ACT)
    def try_change(key: str) -> ResponseReturnValue:
        now, branch_id, rows = instant(), number("branch"), read_rows(request.form.to_dict())
        try:
            with db.agency_session(viewer().agency_id) as session:
                before, crew = _found(session, key, branch_id), load_crew(session, viewer().agency_id, now)
                known = troubles(session, viewer().agency_id, crew, now)
            after, wrong = _tried(db, before, branch_id, rows, now)
        except (BadInput, NotFound) as refused:
            flash(str(refused), "wrong")
            return _page(db, key, branch_id, rows)
        tonight = _tonight(crew, branch_id, now)
        shown = {
            "before": before,
            "after": after,
            "worse": [each for each in wrong if each not in known],
            "mended": [each for each in known if each not in wrong],
            "tonight": tonight,
            "branch_id": branch_id,
            "days": REPLAYED_DAYS,
        }
        shown |= {
            "then": _rehearsed(crew, before, branch_id, tonight),
            "would": _rehearsed(crew, after, branch_id, tonight),
        }
        shown |= {"loads": _loads(db, before, after, branch_id, now), "seal": _seal(before)}
        shown["fields"] = [(name, value) for name, value in request.form.items() if name not in {"csrf_token", "seal"}]
        return render_template("console/ladder_trial.html", **shown, **_tools(crew, now))


def _add_saves(door: Blueprint, db: Database) -> None:
    @door.post("/<key>")
    @needs(Right.ROTA_ACT)
    def save(key: str) -> ResponseReturnValue:
        branch_id, rows = number("branch"), read_rows(request.form.to_dict())
        try:
            with db.agency_session(viewer().agency_id) as session:
                before = _found(session, key, branch_id)
                _must_be_seen(before)
                changed = change_ladder(
                    session, _author(), key, _branch(session, branch_id), read_steps(rows), _rounds()
                )
        except (BadInput, NotFound) as refused:
            flash(str(refused), "wrong")
            return _page(db, key, branch_id, rows)
        flash(gettext("It is saved. Open alerts go on with the steps they have not had."), "good")
        if changed.problems:
            flash(gettext("Look at what is wrong in the next 14 days, below."), "warn")
        return redirect(url_for("ladders_page.show"), 303)

    @door.post("/<key>/remove")
    @needs(Right.ROTA_ACT)
    def remove(key: str) -> ResponseReturnValue:
        branch_id = number("branch")
        try:
            with db.agency_session(viewer().agency_id) as session:
                _found(session, key, branch_id)
                drop_ladder(session, _author(), key, _branch(session, branch_id))
            flash(gettext("It is removed; its open alerts begin again on the agency's ladder."), "good")
        except (BadInput, NotFound) as refused:
            flash(str(refused), "wrong")
        return redirect(url_for("ladders_page.show"), 303)


def _add_rules(door: Blueprint, db: Database) -> None:
    @door.post("/kinds/<kind>")
    @needs(Right.ROTA_ACT)
    def rule(kind: str) -> ResponseReturnValue:
        if kind not in set(AlertKind):
            abort(404)
        severity, minutes, key = number("severity"), number("minutes"), request.form.get("ladder") or None
        try:
            with db.agency_session(viewer().agency_id) as session:
                _must_be_whole()
                change_rule(session, _author(), AlertKind(kind), severity, key, minutes)
            flash(gettext("It is saved for new alerts; those that are open stay as they are."), "good")
        except (BadInput, NotFound) as refused:
            flash(str(refused), "wrong")
        return redirect(url_for("ladders_page.show"), 303)


# --- one ladder ---------------------------------------------------------------------------------------------------------


def _page(db: Database, key: str, branch_id: int | None, rows: list[Row] | None = None) -> str:
    """The form of a ladder; `rows` are what somebody wrote and could not be saved."""
    now, who = instant(), viewer()
    with db.agency_session(who.agency_id) as session:
        ladder = _found(session, key, branch_id)
        rules = read_rules(session, who.agency_id)
        crew = load_crew(session, who.agency_id, now)
    ids = {person.id: person.emr_id for person in crew.people.values()}
    shown = {"ladder": ladder, "kinds": kinds_of(rules).get(key, []), "branch_id": branch_id}
    shown |= {
        "rows": rows if rows is not None else rows_of(ladder.steps, ids),
        "whos": list(Who),
        "channels": list(Channel),
    }
    shown["people"] = [person for person in crew.people.values() if person.left_on is None]
    shown["disciplines"] = sorted({person.discipline for person in crew.people.values() if person.discipline})
    return render_template("console/ladder.html", **shown, **_tools(crew, now))


def _found(session: Session, key: str, branch_id: int | None) -> WholeLadder:
    """The ladder with a key: the branch's own, else the agency's, from which a branch's own begins. 404 for none."""
    every = [each for each in every_ladder(session, viewer().agency_id) if each.key == key]
    if branch_id is not None:
        _branch(session, branch_id)
    found = next((each for each in every if each.branch_id == branch_id), None)
    found = found or next((each for each in every if each.branch_id is None), None)
    if found is None:
        abort(404)
    return found


def _branch(session: Session, branch_id: int | None) -> tuple[int, str] | None:
    """A branch of the viewer's as id and EMR id; None for the agency. 404 for another one."""
    who = viewer()
    if branch_id is None:
        return None
    row = session.get(Branch, (who.agency_id, branch_id))
    if row is None or (who.branch_ids is not None and branch_id not in who.branch_ids):
        abort(404)
    return branch_id, row.emr_id


def _author() -> Author:
    """Whoever is signed in; BadInput for the agency's own ladders where they have branches only."""
    who = viewer()
    if number("branch") is None:
        _must_be_whole()
    return Author(who.agency_id, who.actor, instant(), {"from": address()})


def _must_be_whole() -> None:
    if viewer().branch_ids is not None:
        raise BadInput(gettext("This holds for every branch: somebody who has them all must change it."))


def _rounds() -> int:
    return number("rounds") or 0


def _tried(
    db: Database, before: WholeLadder, branch_id: int | None, rows: list[Row], now: datetime
) -> tuple[WholeLadder, list[Trouble]]:
    """The ladder as it would be, and what would be wrong then; nothing of it is kept."""
    who, steps = viewer(), read_steps(rows)
    with undone(db, "try a ladder") as session:
        change_ladder(session, _author(), before.key, _branch(session, branch_id), steps, _rounds())
        every = every_ladder(session, who.agency_id)
        after = next(each for each in every if (each.key, each.branch_id) == (before.key, branch_id))
        return after, troubles(session, who.agency_id, load_crew(session, who.agency_id, now), now)
    raise AssertionError("what is undone has returned")


def _seal(ladder: WholeLadder) -> str:
    """Stands for a ladder as it is: who saves must have seen this one."""
    return hashlib.sha256(repr((ladder.id, ladder.rounds, ladder.steps)).encode()).hexdigest()


def _must_be_seen(ladder: WholeLadder) -> None:
    if request.form.get("seal") != _seal(ladder):
        raise BadInput(gettext("The ladder has changed meanwhile: look at what it would do once more."))


# --- what would happen --------------------------------------------------------------------------------------------------


def _trial(crew: Crew, ladders: list[WholeLadder], rules: list[Any], now: datetime) -> dict[str, Any]:
    """What the page says would happen if an alert came at an hour of the address, tonight at 2:10 without one."""
    kind = request.args.get("kind", AlertKind.URGENT.value)
    asked = number("branch")
    branches = {branch: name for branch, name in crew.branches.items() if _is_mine(branch)}
    branch_id = asked if asked in branches else next(iter(branches), None)
    rule = next((each for each in rules if each.kind == kind), rules[0])
    own = [each for each in ladders if each.key == rule.ladder and each.branch_id in {None, branch_id}]
    ladder = next((each for each in reversed(own)), None)
    at = _asked_at(crew, branch_id) or _tonight(crew, branch_id, now)
    nurse = _whose_nurse(crew, branch_id)
    story = _rehearsed(crew, ladder, branch_id, at, nurse) if ladder is not None else None
    wall = at.astimezone(ZoneInfo(crew.rota.zone_of(branch_id)))
    told = {"branches": branches, "branch_id": branch_id, "trial": story, "nurse": nurse, "trial_rule": rule}
    return told | {"at_instant": at, "at_value": f"{wall:%Y-%m-%dT%H:%M}"}


def _whose_nurse(crew: Crew, branch_id: int | None) -> int | None:
    """The nurse of the patient whom the page makes up: of the address, else the first of the branch."""
    if "nurse" in request.args:
        return number("nurse") if number("nurse") in crew.people else None
    theirs = (
        each.id
        for each in crew.people.values()
        if each.role == Role.NURSE and each.left_on is None and each.branch_id in {None, branch_id}
    )
    return next(theirs, None)


def _asked_at(crew: Crew, branch_id: int | None) -> datetime | None:
    try:
        wall = datetime.fromisoformat(request.args.get("at", ""))
    except ValueError:
        return None
    return struck(wall.replace(tzinfo=None), crew.rota.zone_of(branch_id))


def _tonight(crew: Crew, branch_id: int | None, now: datetime) -> datetime:
    """The next 2:10 at night on the branch's clock: when nobody is at a desk."""
    zone = crew.rota.zone_of(branch_id)
    local = now.astimezone(ZoneInfo(zone))
    day = local.date() if local.time() < time(2, 10) else local.date() + timedelta(days=1)
    return struck(datetime.combine(day, time(2, 10)), zone)


def _rehearsed(
    crew: Crew, ladder: WholeLadder, branch_id: int | None, at: datetime, nurse: int | None = None
) -> Rehearsal:
    nurses = (nurse,) if nurse is not None else ()
    roster = roster_of(crew, at, {SOMEBODY: (branch_id, nurses)})
    return rehearse(LadderRule(ladder.steps, ladder.rounds), roster, at)


def _loads(
    db: Database, before: WholeLadder, after: WholeLadder, branch_id: int | None, now: datetime
) -> tuple[Load, Load]:
    """The last days replayed: with the ladders as they are, and with this one as it would be."""
    found = last_days(db, viewer().agency_id, REPLAYED_DAYS, now)
    rule = LadderRule(after.steps, after.rounds)
    if branch_id is None:
        proposed = replace(found.rules, ladders={**found.rules.ladders, before.key: rule})
    else:
        proposed = replace(found.rules, of_branches={**found.rules.of_branches, (before.key, branch_id): rule})
    triggers = found.triggers_then()
    loads = [replay(rules, found.past, triggers, found.roster, REPLAYED_DAYS).load for rules in (found.rules, proposed)]
    return loads[0], loads[1]


# --- what the templates need --------------------------------------------------------------------------------------------


def _mine(ladders: list[WholeLadder]) -> list[WholeLadder]:
    return [ladder for ladder in ladders if ladder.branch_id is None or _is_mine(ladder.branch_id)]


def _of_mine(found: list[Trouble]) -> list[Trouble]:
    """What is wrong in the viewer's branches."""
    return [trouble for trouble in found if _is_mine(trouble.branch_id)]


def _is_mine(branch_id: int) -> bool:
    own = viewer().branch_ids
    return own is None or branch_id in own


def _tools(crew: Crew, now: datetime) -> Mapping[str, Any]:
    """Names for the templates: people and branches by id, the parts of the day of a ladder, whether all is the viewer's."""

    named = tools(now)

    def person(clinician_id: int) -> str:
        found = crew.people[clinician_id]
        return f"{found.first_name} {found.last_name}"

    def hour(at: datetime, zone: str, first: datetime) -> str:
        """The wall clock, with its day where it is not that of `first`."""
        here, begun = at.astimezone(ZoneInfo(zone)), first.astimezone(ZoneInfo(zone))
        return str(named["wall"](here.time()) if here.date() == begun.date() else named["dated"](at, zone))

    return {
        **named,
        "hour": hour,
        "person": person,
        "branch_name": lambda branch_id: crew.branches[branch_id],
        "zone_of": crew.rota.zone_of,
        "windows": windows,
        "every_person": [each for each in crew.people.values() if each.left_on is None],
        "has_all": viewer().branch_ids is None,
        "minutes": lambda count: timedelta(minutes=count),
    }
