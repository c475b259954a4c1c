"""The dashboard: whether it works, by day and branch, and the same as CSV. Numbers only: no patient is named."""

import csv
import io
from collections.abc import Sequence
from datetime import date, timedelta

from flask import Blueprint, Response, flash, render_template, request
from flask.typing import ResponseReturnValue

from engage.console.dashboard_read import read_days
from engage.console.gate import needs, reading
from engage.console.refusals_told import refusal_told
from engage.console.rules.board import read_day
from engage.console.rules.rates import Row, by_branch, by_day, cell, total
from engage.console.rules.rights import Right
from engage.console.showing import instant, tools, viewer
from engage.db import Database
from engage.errors import BadInput
from engage.patients.rules.window import local_day

LONGEST_DAYS = 366
_USUAL_DAYS = 14
_COLUMNS = ("visits", "completed", "missed", "missed_share", "confirmed", "confirmed_share", "asked", "answered", "answered_share",
            "mean_score", "low", "alerts", "taken", "mean_wait_minutes")  # fmt: skip


def pages(db: Database) -> Blueprint:
    """/console/dashboard and its CSV."""
    door = Blueprint("dashboard", __name__, url_prefix="/console/dashboard", template_folder="templates")

    @door.get("")
    @needs(Right.DASHBOARD_READ)
    def show() -> ResponseReturnValue:
        first, last = _span()
        rows = _rows(db, first, last)
        days = by_day(rows)
        most = max((counts.visits for counts in days.values()), default=0)
        shown = {
            "first": first,
            "last": last,
            "days": days,
            "branches": by_branch(rows),
            "total": total(rows),
            "most": most,
        }
        return render_template("console/dashboard.html", **shown, **tools(instant()))

    @door.get("/days.csv")
    @needs(Right.DASHBOARD_READ)
    def days_csv() -> Response:
        first, last = _span()
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(["day", "branch", *_COLUMNS])
        for row in _rows(db, first, last):
            writer.writerow(
                [row.on.isoformat(), cell(row.branch), *(cell(getattr(row.counts, name)) for name in _COLUMNS)]
            )
        headers = {"Content-Disposition": f'attachment; filename="engage-{first}-{last}.csv"'}
        return Response(out.getvalue(), mimetype="text/csv", headers=headers)

    return door


def _rows(db: Database, first: date, last: date) -> Sequence[Row]:
    who = viewer()
    with db.agency_session(who.agency_id) as session:
        rows = read_days(session, who.agency_id, who.zone, who.branch_ids, first, last)
        reading(session, who, "dashboard", None, {"from": first.isoformat(), "to": last.isoformat()})
    return rows


def _span() -> tuple[date, date]:
    """The days of the address, at most a year of them; the last two weeks where there are none."""
    today = local_day(instant(), viewer().zone)
    usual = today - timedelta(days=_USUAL_DAYS - 1), today
    try:
        last = read_day(request.args["last"]) if request.args.get("last") else usual[1]
        first = read_day(request.args["first"]) if request.args.get("first") else last - timedelta(days=_USUAL_DAYS - 1)
    except BadInput as wrong:
        flash(refusal_told(wrong), "wrong")
        return usual
    first, last = min(first, last), max(first, last)
    return max(first, last - timedelta(days=LONGEST_DAYS - 1)), last
