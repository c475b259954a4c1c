"""The messages page: everything sent and held, by state, kind and day; and the texts nobody could read, to be labelled by a person."""

from datetime import datetime, time, timedelta

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import text

from engage.console.again_page import add_again
from engage.console.gate import changing, needs, reading
from engage.console.messages_read import PAGE, Sought, read_messages, read_unreadable
from engage.console.refusals_told import refusal_told
from engage.console.rules.board import read_day
from engage.console.rules.rights import Right
from engage.console.showing import instant, number, tools, viewer
from engage.db import Database
from engage.errors import BadInput
from engage.outreach.rules.words import Kind
from engage.patients.rules.window import instant as at_wall
from engage.patients.rules.window import local_day
from engage.replies.rules import Intent
from engage.sms.rules.statuses import MessageState

_LOOKS_BACK = timedelta(days=30)
_REPLY = text("""
SELECT r.id FROM replies r LEFT JOIN contacts c ON c.agency_id = r.agency_id AND c.id = r.contact_id
LEFT JOIN patients p ON p.agency_id = c.agency_id AND p.id = c.patient_id
WHERE r.agency_id = :agency AND r.id = :reply AND r.clinician_id IS NULL
  AND (CAST(:branches AS bigint[]) IS NULL OR p.branch_id = ANY(CAST(:branches AS bigint[])))
""")


def pages(db: Database) -> Blueprint:
    """/console/messages, and its inbox of unreadable texts."""
    door = Blueprint("messages_page", __name__, url_prefix="/console/messages", template_folder="templates")
    add_again(door, db)

    @door.get("")
    @needs(Right.MESSAGES_READ)
    def show() -> ResponseReturnValue:
        now, who = instant(), viewer()
        sought = _sought(now)
        with db.agency_session(who.agency_id) as session:
            lines, counts = read_messages(session, sought, now)
            seen = {"from": sought.since.isoformat(), "messages": len(lines)}
            reading(session, who, "messages", None, seen)
        has_more = (sought.page + 1) * PAGE < sum(counts.values())
        shown = {
            "lines": lines,
            "counts": counts,
            "sought": sought,
            "has_more": has_more,
            "states": MessageState,
            "kinds": Kind,
        }
        days = {
            "first": local_day(sought.since, who.zone),
            "last": local_day(sought.until - timedelta(seconds=1), who.zone),
        }
        return render_template("console/messages.html", **shown, **days, **tools(now))

    @door.get("/unreadable")
    @needs(Right.MESSAGES_READ)
    def unreadable() -> ResponseReturnValue:
        now, who = instant(), viewer()
        with db.agency_session(who.agency_id) as session:
            found = read_unreadable(session, who.agency_id, who.branch_ids, now - _LOOKS_BACK)
            reading(session, who, "replies", None, {"replies": [each.id for each in found]})
        return render_template("console/unreadable.html", found=found, intents=list(Intent), **tools(now))

    @door.post("/unreadable/<int:reply_id>")
    @needs(Right.MESSAGES_ACT)
    def label(reply_id: int) -> Response:
        who, labels = viewer(), [word for word in request.form.getlist("intent") if word in set(Intent)]
        branches = None if who.branch_ids is None else sorted(who.branch_ids)
        with db.agency_session(who.agency_id) as session:
            if session.scalar(_REPLY, {"agency": who.agency_id, "reply": reply_id, "branches": branches}) is None:
                abort(404)
            if not labels:
                flash(gettext("Choose what it means."), "wrong")
            else:
                detail = {"intents": labels, "score": number("score")}
                changing(session, who, "reply.label", "reply", reply_id, detail)
                flash(gettext("Thank you: the text is kept with its meaning."), "good")
        return redirect(url_for("messages_page.unreadable"), 303)  # type: ignore[return-value]

    return door


def _sought(now: datetime) -> Sought:
    """The search of the address: two local days (today's where there is none), a state, a kind, a page."""
    who = viewer()
    today = local_day(now, who.zone)
    try:
        first = read_day(request.args["first"]) if request.args.get("first") else today
        last = read_day(request.args["last"]) if request.args.get("last") else first
    except BadInput as wrong:
        flash(refusal_told(wrong), "wrong")
        first = last = today
    state, kind = request.args.get("state", ""), request.args.get("kind", "")
    return Sought(
        who.agency_id,
        who.branch_ids,
        at_wall(first, time(), who.zone),
        at_wall(max(first, last) + timedelta(days=1), time(), who.zone),
        state if state in set(MessageState) else None,
        kind if kind in set(Kind) else None,
        min(number("page") or 0, 200),
    )
