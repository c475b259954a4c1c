"""The dashboard: whether it works, by day, branch, clinician, payer and referral source; the people behind each figure; both as CSV."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, Response, abort, flash, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from engage.console.dashboard_read import Named, Span, read_behind, read_figures, read_name, read_people
from engage.console.gate import needs, reading
from engage.console.refusals_told import refusal_told
from engage.console.rules.board import read_day
from engage.console.rules.clockface import day as day_words
from engage.console.rules.rates import FEW, By, Counts, Figures, Key, Measure, behind, cell, rate_of
from engage.console.rules.rights import Right
from engage.console.showing import instant, number, tools, viewer
from engage.db import Database
from engage.errors import BadInput
from engage.patients.rules.window import local_day

LONGEST_DAYS = 366
PAGE = 50
_USUAL_DAYS = 14
_COUNTED = ("visits", "completed", "missed", "missed_rate", "confirmed", "confirmed_rate", "asked", "answered", "answered_rate",
            "scores", "mean_score", "low", "alerts", "taken_rate", "wait_minutes")  # fmt: skip
_NOBODY = "none"
"""Stands in an address for what is about no clinician, payer or referral source on record."""


def pages(db: Database) -> Blueprint:
    """/console/dashboard, the people behind its figures, and both as CSV."""
    door = Blueprint("dashboard", __name__, url_prefix="/console/dashboard", template_folder="templates")
    _add_figures(door, db)
    _add_people(door, db)
    return door


def _add_figures(door: Blueprint, db: Database) -> None:
    @door.get("")
    @needs(Right.DASHBOARD_READ)
    def show() -> ResponseReturnValue:
        span, by = _span(), _by() or By.DAY
        shown = {"span": span, "by": by, "figures": _figures(db, span, by), "few": FEW}
        return render_template("console/dashboard.html", measures=Measure, **shown, **tools(instant()))

    @door.get("/figures.csv")
    @needs(Right.DASHBOARD_READ)
    def figures_csv() -> Response:
        span, by = _span(), _by() or By.DAY
        rows = [(_key_words(row.key), row.name, row.counts) for row in _figures(db, span, by).rows]
        lines = [[key, cell(name), *_cells(counts)] for key, name, counts in rows]
        return _csv([by, "name", *_heads()], lines, f"engage-{by}-{span.first}-{span.last}")


def _add_people(door: Blueprint, db: Database) -> None:
    @door.get("/people")
    @needs(Right.DASHBOARD_READ)
    def people() -> ResponseReturnValue:
        chosen, page = _chosen(), min(number("page") or 0, 200)
        named, many, about = _behind(db, chosen, page)
        shown = {"named": named, "many": many, "about": about, "page": page, "has_more": (page + 1) * PAGE < many}
        return render_template(
            "console/dashboard_people.html", few=FEW, rate_of=rate_of, **chosen, **shown, **tools(instant())
        )

    @door.get("/people.csv")
    @needs(Right.DASHBOARD_READ)
    def people_csv() -> Response:
        chosen = _chosen()
        named, _, _ = _behind(db, chosen, None)
        lines = [
            [cell(each.emr_id), cell(each.name), cell(each.branch), *_cells(each.behind.counts), cell(each.behind.last)]
            for each in named
        ]
        return _csv(["emr_id", "name", "branch", *_heads(), "last_on"], lines, f"engage-people-{chosen['measure']}")


def _figures(db: Database, span: Span, by: By) -> Figures:
    who = viewer()
    with db.agency_session(who.agency_id) as session:
        found = read_figures(session, span, by)
        reading(session, who, "dashboard", None, _noted(span) | {"by": by})
    return found


def _behind(db: Database, chosen: dict[str, Any], page: int | None) -> tuple[Sequence[Named], int, str | None]:
    """The people of a page (None: all), how many there are, and the name of what the figure is about. Names: on record as read."""
    who = viewer()
    span, measure, by, key = chosen["span"], chosen["measure"], chosen["by"], chosen["key"]
    if not who.may(Right.PATIENTS_READ):
        abort(403)
    with db.agency_session(who.agency_id) as session:
        found = behind(measure, read_behind(session, span, measure, by, key))
        named = read_people(session, span, found if page is None else found[page * PAGE : (page + 1) * PAGE])
        about = _about(read_name(session, span, by, key), key) if by is not None else None
        detail = _noted(span) | {"measure": measure, "by": by, "key": _key_words(key) if by else None}
        reading(session, who, "dashboard", None, detail | {"patients": [each.behind.patient_id for each in named]})
    return named, len(found), about


def _about(name: str | None, key: Key) -> str:
    if isinstance(key, date):
        return day_words(key, viewer().language)
    return name or gettext("Not on record")


def _chosen() -> dict[str, Any]:
    """The figure of the address; 404 for one that there is not."""
    asked, by = request.args.get("measure", ""), _by()
    if asked not in set(Measure):
        abort(404)
    key: Key = None
    told = request.args.get("key", "")
    if by is By.DAY:
        try:
            key = read_day(told)
        except BadInput:
            abort(404)
    elif by is not None and told != _NOBODY:
        key = number("key")
        if key is None:
            abort(404)
    return {"span": _span(), "measure": Measure(asked), "by": by, "key": key, "key_words": told}


def _by() -> By | None:
    asked = request.args.get("by", "")
    return By(asked) if asked in set(By) else None


def _key_words(key: Key) -> str:
    return _NOBODY if key is None else key.isoformat() if isinstance(key, date) else str(key)


def _noted(span: Span) -> dict[str, str]:
    return {"from": span.first.isoformat(), "to": span.last.isoformat()}


def _heads() -> list[str]:
    return [name.replace("_rate", "_share") for name in _COUNTED]


def _cells(counts: Counts) -> list[str]:
    values = [getattr(counts, name) for name in _COUNTED]
    return [
        cell(value.share if name.endswith("_rate") else value) for name, value in zip(_COUNTED, values, strict=True)
    ]


def _csv(heads: Iterable[str], lines: Iterable[Sequence[str]], name: str) -> Response:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(heads)
    writer.writerows(lines)
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(out.getvalue(), mimetype="text/csv", headers=headers)


def _span() -> Span:
    """The days of the address, at most a year of them; the last two weeks where there are none."""
    who = viewer()
    today = local_day(instant(), who.zone)
    first, last = today - timedelta(days=_USUAL_DAYS - 1), today
    try:
        asked = read_day(request.args["last"]) if request.args.get("last") else today
        begins = request.args.get("first")
        first, last = read_day(begins) if begins else asked - timedelta(days=_USUAL_DAYS - 1), asked
    except BadInput as wrong:
        flash(refusal_told(wrong), "wrong")
    first, last = min(first, last), max(first, last)
    return Span(who.agency_id, who.branch_ids, who.zone, max(first, last - timedelta(days=LONGEST_DAYS - 1)), last)
