"""The rota's pages: who is on call hour by hour, this week and the next ones, where nobody is, and the changes of it.

Changes go the way of the command line (engage.alerts.rota_changes): checked, audited, and answered with what is wrong then.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from engage.agencies.rota import Crew, load_crew
from engage.agencies.rules.oncall import struck
from engage.agencies.rules.people import Duty, ShiftChangeKind
from engage.agencies.rules.rota import Span
from engage.alerts.changes import Author, Changed
from engage.alerts.rota import troubles
from engage.alerts.rota_changes import (
    KINDS,
    NewChange,
    NewShift,
    add_change,
    add_shift,
    end_shift,
    remove,
    set_holiday,
    swap,
)
from engage.alerts.rules.troubles import Trouble
from engage.console.gate import address, needs
from engage.console.ladders_read import read_changes
from engage.console.refusals_told import refusal_told
from engage.console.rules.board import read_day, read_wall
from engage.console.rules.rights import Right
from engage.console.showing import instant, number, tools, viewer
from engage.db import Database
from engage.errors import BadInput, NotFound

MOST_WEEKS = 26
"""So far ahead the rota is shown."""


def pages(db: Database) -> Blueprint:
    """/console/rota: the weeks of a branch, and what is changed in them."""
    door = Blueprint("rota_page", __name__, url_prefix="/console/rota", template_folder="templates")

    @door.get("")
    @needs(Right.ROTA_READ)
    def show() -> ResponseReturnValue:
        return _page(db)

    _add_shifts(door, db)
    _add_spans(door, db)
    return door


def _add_shifts(door: Blueprint, db: Database) -> None:
    @door.post("/shifts")
    @needs(Right.ROTA_ACT)
    def add() -> ResponseReturnValue:
        def change(session: Session, by: Author) -> Changed:
            days = tuple(int(day) for day in request.form.getlist("days") if day in set("0123456"))
            hours = _wall("starts"), _wall("ends")
            new = NewShift(_clinician("who"), _where(), days, *hours, _duty(), _day("first_on"), _day("last_on"))
            return add_shift(session, by, new)

        return _saved(db, change)

    @door.post("/shifts/<int:shift_id>/end")
    @needs(Right.ROTA_ACT)
    def end(shift_id: int) -> ResponseReturnValue:
        def change(session: Session, by: Author) -> Changed:
            _must_be_mine(session, "shift", shift_id)
            return end_shift(session, by, shift_id, _needed_day("last_on"))

        return _saved(db, change)

    @door.post("/<kind>/<int:row_id>/remove")
    @needs(Right.ROTA_ACT)
    def take_away(kind: str, row_id: int) -> ResponseReturnValue:
        if kind not in KINDS:
            abort(404)

        def change(session: Session, by: Author) -> Changed:
            _must_be_mine(session, kind, row_id)
            return remove(session, by, kind, row_id)

        return _saved(db, change)


def _add_spans(door: Blueprint, db: Database) -> None:
    @door.post("/changes")
    @needs(Right.ROTA_ACT)
    def override() -> ResponseReturnValue:
        def change(session: Session, by: Author) -> Changed:
            kind = request.form.get("kind", "")
            if kind not in set(ShiftChangeKind):
                raise BadInput(gettext("Choose what happens in that time."))
            other = _clinician("instead") if kind == ShiftChangeKind.REPLACE else None
            who = _clinician("who")
            return add_change(
                session, by, NewChange(ShiftChangeKind(kind), who, _where(), *_span(""), instead_id=other)
            )

        return _saved(db, change)

    @door.post("/swaps")
    @needs(Right.ROTA_ACT)
    def exchange() -> ResponseReturnValue:
        def change(session: Session, by: Author) -> Changed:
            one, other, where = _clinician("who"), _clinician("instead"), _where()
            kind = ShiftChangeKind.REPLACE
            mine = NewChange(kind, one, where, *_span(""), instead_id=other)
            return swap(session, by, mine, NewChange(kind, other, where, *_span("for_"), instead_id=one))

        return _saved(db, change)

    @door.post("/holidays")
    @needs(Right.ROTA_ACT)
    def holiday() -> ResponseReturnValue:
        def change(session: Session, by: Author) -> Changed:
            weekday = number("as_weekday")
            return set_holiday(session, by, _needed_day("on"), 6 if weekday is None else weekday, _where())

        return _saved(db, change)


# --- what is shown ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hours:
    """Wall times of one day and who is on call then. `able`: who of them can be paged, the fallback where nobody else can."""

    starts: time
    ends: time
    span: Span
    able: tuple[int, ...]
    is_stand_in: bool


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the branch; `is_holiday`: other shifts hold than those of its weekday."""

    on: date
    hours: tuple[Hours, ...]
    is_holiday: bool


def _page(db: Database) -> str:
    now, who = instant(), viewer()
    with db.agency_session(who.agency_id) as session:
        crew = load_crew(session, who.agency_id, now - timedelta(days=7))
        wrong = _of_mine(troubles(session, who.agency_id, crew, now))
        history = read_changes(session, who.agency_id, "rota")
    branches = {branch: name for branch, name in crew.branches.items() if _is_mine(branch)}
    branch_id = number("branch") if number("branch") in branches else next(iter(branches), None)
    week = min(number("week") or 0, MOST_WEEKS)
    zone = crew.rota.zone_of(branch_id)
    today = now.astimezone(ZoneInfo(zone)).date()
    monday = today - timedelta(days=today.weekday()) + timedelta(weeks=week)
    shown: dict[str, Any] = {
        "branches": branches,
        "branch_id": branch_id,
        "week": week,
        "today": today,
        "wrong": wrong,
        "history": history,
    }
    shown |= {"days": [_day_of(crew, branch_id, monday + timedelta(days), now) for days in range(7)], "zone": zone}
    shown |= {"shifts": _shifts(crew, branch_id, today), "changes": _changes(crew, branch_id, today)}
    shown |= {"holidays": [h for h in crew.rota.holidays if h.day >= today and h.branch_id in {None, branch_id}]}
    return render_template("console/rota.html", **shown, **_at(crew, branch_id, now), **_tools(crew, now))


def _day_of(crew: Crew, branch_id: int | None, on: date, now: datetime) -> Day:
    zone = crew.rota.zone_of(branch_id)
    begins, ends = struck(datetime.combine(on, time()), zone), struck(datetime.combine(on + timedelta(1), time()), zone)
    able = crew.reachable(max(now, begins))
    hours = []
    for span in crew.rota.spans(branch_id, begins, ends):
        of_duty = tuple(person for person in span.on_call if person in able)
        behind = tuple(person for person in span.fallback if person in able)
        local = [at.astimezone(ZoneInfo(zone)).time() for at in (span.starts, span.ends)]
        hours.append(Hours(local[0], local[1], span, of_duty or behind, not of_duty and bool(behind)))
    return Day(on, tuple(hours), any(h.day == on and h.branch_id in {None, branch_id} for h in crew.rota.holidays))


def _at(crew: Crew, branch_id: int | None, now: datetime) -> Mapping[str, Any]:
    """Who is on call at an instant of the address, else now."""
    zone = crew.rota.zone_of(branch_id)
    try:
        asked = struck(datetime.fromisoformat(request.args.get("at", "")).replace(tzinfo=None), zone)
    except (ValueError, OverflowError):
        asked = now
    on_call, fallback = (crew.rota.on(duty, branch_id, asked) for duty in (Duty.ON_CALL, Duty.FALLBACK))
    wall = asked.astimezone(ZoneInfo(zone))
    return {"asked": asked, "asked_wall": f"{wall:%Y-%m-%dT%H:%M}", "on_call": on_call, "fallback": fallback}


def _shifts(crew: Crew, branch_id: int | None, today: date) -> list[Any]:
    """The weekly shifts of a branch that are not over, by their hours."""
    found = [
        shift
        for shift in crew.rota.shifts
        if shift.branch_id in {None, branch_id}
        and (shift.last_on is None or shift.last_on >= today - timedelta(days=1))
    ]
    return sorted(found, key=lambda shift: (list(Duty).index(shift.duty), shift.starts, min(shift.weekdays), shift.id))


def _changes(crew: Crew, branch_id: int | None, today: date) -> list[Any]:
    found = [each for each in crew.rota.changes if each.branch_id in {None, branch_id} and each.ends.date() >= today]
    return sorted(found, key=lambda change: (change.starts, change.id))


# --- what is changed ----------------------------------------------------------------------------------------------------


def _saved(db: Database, change: Callable[[Session, Author], Changed]) -> ResponseReturnValue:
    """Make a change, and say what is wrong with the rota then; back to the week where somebody was."""
    who = viewer()
    try:
        with db.agency_session(who.agency_id) as session:
            changed = change(session, Author(who.agency_id, who.actor, instant(), {"from": address()}))
        flash(gettext("It is saved."), "good")
        if changed.problems:
            flash(gettext("Look at what is wrong in the next 14 days, below."), "warn")
    except (BadInput, NotFound) as wrong:
        flash(refusal_told(wrong), "wrong")
    return redirect(url_for("rota_page.show", branch=number("shown"), week=number("week") or None), 303)


def _where() -> int | None:
    """The branch of the form, None for every branch; BadInput for one that is not the viewer's to change."""
    branch_id = number("branch")
    if branch_id is None and viewer().branch_ids is not None:
        raise BadInput(gettext("Choose one of your branches: the others are not yours to change."))
    if branch_id is not None and not _is_mine(branch_id):
        abort(404)
    return branch_id


def _must_be_mine(session: Session, kind: str, row_id: int) -> None:
    """404 for a row that is not there, BadInput for one of branches that are not the viewer's."""
    row: Any = session.get(KINDS[kind], (viewer().agency_id, row_id))
    if row is None:
        abort(404)
    if viewer().branch_ids is not None and (row.branch_id is None or not _is_mine(row.branch_id)):
        raise BadInput(gettext("This is not of your branches: somebody who has them must change it."))


def _of_mine(found: list[Trouble]) -> list[Trouble]:
    """What is wrong in the viewer's branches."""
    return [trouble for trouble in found if _is_mine(trouble.branch_id)]


def _is_mine(branch_id: int) -> bool:
    own = viewer().branch_ids
    return own is None or branch_id in own


def _clinician(name: str) -> int:
    found = number(name)
    if found is None:
        raise BadInput(gettext("Choose who."))
    return found


def _duty() -> Duty:
    said = request.form.get("duty", "")
    if said not in set(Duty):
        raise BadInput(gettext("Choose what they do in that shift."))
    return Duty(said)


def _wall(name: str) -> time:
    found = read_wall(request.form.get(name, ""))
    if found is None:
        raise BadInput(gettext("Write from when to when."))
    return found


def _day(name: str) -> date | None:
    said = request.form.get(name, "").strip()
    return read_day(said) if said else None


def _needed_day(name: str) -> date:
    return read_day(request.form.get(name, ""))


def _span(prefix: str) -> tuple[datetime, datetime]:
    try:
        ends = [
            datetime.fromisoformat(request.form.get(f"{prefix}{name}", "")).replace(tzinfo=None)
            for name in ("from", "to")
        ]
    except ValueError:
        raise BadInput(gettext("Write from when to when.")) from None
    return ends[0], ends[1]


def _tools(crew: Crew, now: datetime) -> Mapping[str, Any]:
    def person(clinician_id: int) -> str:
        found = crew.people[clinician_id]
        return f"{found.first_name} {found.last_name}"

    return {
        **tools(now),
        "person": person,
        "why_not": lambda clinician_id: crew.why_unreachable(clinician_id, now),
        "people": [each for each in crew.people.values() if each.left_on is None],
        "branch_name": lambda branch_id: crew.branches.get(branch_id, ""),
        "has_all": viewer().branch_ids is None,
        "is_mine": lambda branch_id: viewer().branch_ids is None or (branch_id is not None and _is_mine(branch_id)),
        "duties": list(Duty),
    }
