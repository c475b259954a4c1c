"""The page where somebody opens a patient outside of their branches with a reason, and the list of that for managers and auditors."""

from flask import Blueprint, current_app, flash, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from engage import clock
from engage.console.entering import field
from engage.console.gate import needs, reading
from engage.console.openings import LONGEST_REASON, SHORTEST_REASON, open_patient, openings
from engage.console.rules.rights import Right
from engage.db import Database


def openings_pages(db: Database) -> Blueprint:
    """/console/openings: GET the form, POST opens; /console/openings/list: who opened whom."""
    door = Blueprint("openings", __name__, url_prefix="/console/openings")

    @door.get("/")
    @needs(Right.PATIENTS_READ)
    def ask() -> ResponseReturnValue:
        return render_template("console/opening.html")

    @door.post("/")
    @needs(Right.PATIENTS_READ)
    def open_one() -> ResponseReturnValue:
        reason, emr_id = field("reason").strip(), field("emr_id").strip()
        if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
            wrong = gettext("Say in some words why you need to see this patient.")
            return render_template("console/opening.html", wrong=wrong, reason=reason, emr_id=emr_id), 400
        with db.agency_session(g.viewer.agency_id) as rows:
            patient_id = open_patient(rows, g.viewer, emr_id, reason, clock.now())
        if patient_id is None:
            wrong = gettext("No patient of your agency has this id.")
            return render_template("console/opening.html", wrong=wrong, reason=reason, emr_id=emr_id), 404
        flash(gettext("The patient is open to you for four hours. Your managers are told."), "warn")
        page = "patient.show" if "patient.show" in current_app.view_functions else "console.home"
        return redirect(url_for(page, patient_id=patient_id) if page == "patient.show" else url_for(page), 303)

    @door.get("/list")
    @needs(Right.DASHBOARD_READ)
    def show() -> ResponseReturnValue:
        with db.agency_session(g.viewer.agency_id) as rows:
            found = openings(rows, clock.now())
            reading(rows, g.viewer, "openings", None, {"patients": sorted({one.patient_id for one in found})})
        return render_template("console/openings.html", openings=found)

    return door
