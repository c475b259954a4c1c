"""The visits board: today and tomorrow, by branch and clinician; a visit is moved, done or missed, and the patient told of a move."""

from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import text
from sqlalchemy.orm import Session

from engage.console.gate import local, needs, reading
from engage.console.refusals_told import refusal_told
from engage.console.rules.board import NEEDS_SCHEDULER, read_day, read_wall, sums
from engage.console.rules.clockface import day, wall
from engage.console.rules.rights import Right
from engage.console.showing import instant, number, tools, viewer, words
from engage.console.viewer import Viewer
from engage.console.visits_read import MOST_SHOWN, Narrowed, read_board, read_choices
from engage.db import Database
from engage.errors import BadInput, NotFound
from engage.patients.rules.window import local_day
from engage.replies.by_hand import write_by_hand
from engage.sms.rules.phones import display
from engage.visits.by_hand import Moved, complete_visit, miss_visit, move_visit
from engage.visits.rules.words import Missed

_VISIT = text("""
SELECT v.id, v.patient_id, v.starts_on, v.starts_local, v.task, v.status, v.wanted IS NOT NULL AS has_wish, p.first_name, p.last_name, p.emr_id,
       COALESCE(c.language, p.language) AS language, a.short_name, COALESCE(b.phone, a.phone) AS office,
       (SELECT string_agg(k.first_name, ', ' ORDER BY k.id) FROM visit_clinicians vc
        JOIN clinicians k ON k.agency_id = vc.agency_id AND k.id = vc.clinician_id
        WHERE vc.agency_id = v.agency_id AND vc.visit_id = v.id) AS who,
       (SELECT k.emr_id FROM clinicians k WHERE k.agency_id = v.agency_id AND k.id = CAST(:me AS bigint)) AS writer
FROM visits v JOIN patients p ON p.agency_id = v.agency_id AND p.id = v.patient_id
JOIN agencies a ON a.id = v.agency_id JOIN branches b ON b.agency_id = p.agency_id AND b.id = p.branch_id
LEFT JOIN LATERAL (SELECT c.language FROM contacts c WHERE c.agency_id = p.agency_id AND c.patient_id = p.id AND c.ended_at IS NULL
                   ORDER BY c.relationship = 'patient' DESC, c.id LIMIT 1) c ON true
WHERE v.agency_id = :agency AND v.id = :visit
  AND (CAST(:branches AS bigint[]) IS NULL OR p.branch_id = ANY(CAST(:branches AS bigint[])))
""")
_DAYS = {"today": (0, 0), "tomorrow": (1, 1), "both": (0, 1), "week": (0, 6)}


def pages(db: Database) -> Blueprint:
    """/console/visits and what is done about one visit."""
    door = Blueprint("visits_board", __name__, url_prefix="/console/visits", template_folder="templates")
    _add_looks(door, db)
    _add_moves(door, db)
    _add_ends(door, db)
    return door


def _add_looks(door: Blueprint, db: Database) -> None:
    @door.get("")
    @needs(Right.VISITS_READ)
    def show() -> ResponseReturnValue:
        now, who = instant(), viewer()
        today = local_day(now, who.zone)
        first, last, span = _span(today)
        looked_at = Narrowed(who.agency_id, who.branch_ids, first, last, number("branch"), number("clinician"))
        with db.agency_session(who.agency_id) as session:
            visits = read_board(session, looked_at)
            branches, clinicians = read_choices(session, looked_at)
            reading(
                session, who, "visits", None, {"from": first.isoformat(), "to": last.isoformat(), "visits": len(visits)}
            )
        days = [
            (each, [visit for visit in visits if visit.on == each]) for each in sorted({visit.on for visit in visits})
        ]
        told = {"days": days, "sums": sums(visit.standing for visit in visits), "needs": NEEDS_SCHEDULER, "span": span}
        chosen = {
            "branches": branches,
            "clinicians": clinicians,
            "looked_at": looked_at,
            "is_cut": len(visits) == MOST_SHOWN,
        }
        return render_template("console/visits.html", today=today, **told, **chosen, **tools(now))

    @door.get("/<int:visit_id>")
    @needs(Right.VISITS_ACT)
    def change(visit_id: int) -> ResponseReturnValue:
        now = instant()
        with db.agency_session(viewer().agency_id) as session:
            visit = _visit(session, visit_id)
            reading(session, viewer(), "patient", visit.patient_id, {"visit": visit_id})
        return render_template(
            "console/visit.html", visit=visit, today=local_day(now, viewer().zone), back=_back(), **tools(now)
        )


def _add_moves(door: Blueprint, db: Database) -> None:
    @door.post("/<int:visit_id>/move")
    @needs(Right.VISITS_ACT)
    def move(visit_id: int) -> ResponseReturnValue:
        now, who = instant(), viewer()
        try:
            on, starts = read_day(request.form.get("on", "")), read_wall(request.form.get("starts", ""))
            with db.agency_session(who.agency_id) as session:
                visit = _visit(session, visit_id)
                moved = move_visit(session, who.agency_id, visit_id, on, starts, who.actor, now)
        except (BadInput, NotFound) as wrong:
            flash(refusal_told(wrong), "wrong")
            return redirect(url_for("visits_board.change", visit_id=visit_id), 303)
        suggested = _suggested(visit, moved) if request.form.get("tell") else None
        if suggested is None:
            flash(render_template("console/moved.txt", what="moved"), "good")
            return redirect(_back(), 303)
        shown = {"visit": visit, "moved": moved, "suggested": suggested, "back": _back()}
        return render_template("console/visit_told.html", **shown, **tools(now))

    @door.post("/<int:visit_id>/tell")
    @needs(Right.VISITS_ACT)
    def tell(visit_id: int) -> ResponseReturnValue:
        now, who = instant(), viewer()
        with db.agency_session(who.agency_id) as session:
            visit = _visit(session, visit_id)
        try:
            said = words("words") or ""
            write_by_hand(db, who.agency_id, visit.emr_id, said, writer=visit.writer, actor=who.actor, now=now)
            flash(render_template("console/moved.txt", what="told"), "good")
        except (BadInput, NotFound) as wrong:
            flash(refusal_told(wrong), "wrong")
        return redirect(_back(), 303)


def _add_ends(door: Blueprint, db: Database) -> None:
    @door.post("/<int:visit_id>/end")
    @needs(Right.VISITS_ACT)
    def end(visit_id: int) -> ResponseReturnValue:
        now, who, how = instant(), viewer(), request.form.get("how", "")
        try:
            with db.agency_session(who.agency_id) as session:
                _visit(session, visit_id)
                _ended(session, who, visit_id, how, now)
            flash(render_template("console/moved.txt", what="saved"), "good")
        except (BadInput, NotFound) as wrong:
            flash(refusal_told(wrong), "wrong")
        return redirect(_back(), 303)


def _ended(session: Session, who: Viewer, visit_id: int, how: str, now: datetime) -> None:
    if how == "completed":
        complete_visit(session, who.agency_id, visit_id, who.actor, now)
    elif how in set(Missed):
        miss_visit(session, who.agency_id, visit_id, Missed(how), who.actor, now)
    else:
        raise BadInput(render_template("console/moved.txt", what="choose"))


def _span(today: date) -> tuple[date, date, str]:
    """The days of the board: a word of `_DAYS`, or one day from the address."""
    asked = request.args.get("days", "both")
    if asked in _DAYS:
        first, last = _DAYS[asked]
        return today + timedelta(first), today + timedelta(last), asked
    try:
        chosen = read_day(asked)
    except BadInput:
        return today, today + timedelta(1), "both"
    return chosen, chosen, chosen.isoformat()


def _visit(session: Session, visit_id: int) -> Any:
    who = viewer()
    branches = None if who.branch_ids is None else sorted(who.branch_ids)
    values = {"agency": who.agency_id, "visit": visit_id, "branches": branches, "me": who.clinician_id}
    found = session.execute(_VISIT, values).first()
    if found is None:
        abort(404)
    return found


def _suggested(visit: Any, moved: Moved) -> str:
    """What the patient is told of the move, in the patient's language; the scheduler reads it before it leaves."""
    on, starts = moved.after
    language = visit.language if visit.language in {"en", "es"} else "en"
    when = {"day": day(on, language), "starts": wall(starts) if starts else None, "to": language}
    when["office"] = display(visit.office)
    return render_template("console/moved.txt", what="patient", visit=visit, **when).strip()


def _back() -> str:
    return local(request.values.get("back")) or url_for("visits_board.show")
