"""The audit page, for auditors and administrators: a search in the record of who did what, and whether the record is whole."""

from datetime import date

from flask import Blueprint, g, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from engage.console.audit_read import PAGE, Wanted, actions, search
from engage.console.entering import field
from engage.console.gate import needs, reading
from engage.console.rules.rights import Right
from engage.db import Database
from engage.reports.chain import verify


def audit_pages(db: Database) -> Blueprint:
    """/console/audit, /console/audit/verify. What is searched for is posted: ids of patients do not belong into addresses."""
    door = Blueprint("audit_page", __name__, url_prefix="/console/audit")

    @door.get("/")
    @needs(Right.AUDIT_READ)
    def show() -> ResponseReturnValue:
        return _found(db, Wanted())

    @door.post("/")
    @needs(Right.AUDIT_READ)
    def find() -> ResponseReturnValue:
        wanted = Wanted(
            actor=field("actor").strip() or None,
            action=field("action").strip() or None,
            subject=field("subject").strip() or None,
            subject_id=_number("subject_id"),
            since=_day("since"),
            until=_day("until"),
            before=_number("before"),
        )
        return _found(db, wanted)

    @door.post("/verify")
    @needs(Right.AUDIT_READ)
    def check() -> ResponseReturnValue:
        with db.agency_session(g.viewer.agency_id) as rows:
            found = verify(rows)
            reading(rows, g.viewer, "audit", None, {"verified": found.is_whole})
        return render_template("console/audit_verified.html", found=found)

    return door


def _found(db: Database, wanted: Wanted) -> str:
    with db.agency_session(g.viewer.agency_id) as rows:
        events = search(rows, wanted, g.viewer.zone)
        known = [("", gettext("anything")), *((action, action) for action in actions(rows))]
        asked = {
            name: str(value) for name in Wanted.__dataclass_fields__ if (value := getattr(wanted, name)) is not None
        }
        reading(rows, g.viewer, "audit", None, {"asked": asked})
    older = events[-1].id if len(events) == PAGE else None
    return render_template("console/audit.html", events=events, actions=known, wanted=wanted, older=older)


def _number(name: str) -> int | None:
    word = field(name).strip()
    return int(word) if word.isascii() and word.isdigit() and len(word) < 19 else None


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(field(name).strip())
    except ValueError:
        return None
