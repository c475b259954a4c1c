"""What one patient will get in the next two weeks: each text with its hour and words, and why what does not come does not.

The planner and the dispatcher themselves run ahead, and everything is rolled back (engage.outreach.preview). Nothing is sent.
"""

from itertools import groupby

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import select

from engage.console.gate import needs, reading
from engage.console.lists import states
from engage.console.openings import may_see
from engage.console.patient_read import read_person
from engage.console.rules.rights import Right
from engage.console.showing import instant, tools, viewer, words
from engage.db import Database
from engage.outreach.gather import Terms
from engage.outreach.preview import preview
from engage.patients.model import Patient

DAYS = 14


def pages(db: Database) -> Blueprint:
    """/console/calendar: a patient found by the id in the EMR, and their days."""
    door = Blueprint("calendar_page", __name__, url_prefix="/console/calendar", template_folder="templates")

    @door.post("")
    @needs(Right.PATIENTS_READ)
    def find() -> ResponseReturnValue:
        who = viewer()
        with db.agency_session(who.agency_id) as session:
            named = select(Patient).where(
                Patient.agency_id == who.agency_id, Patient.emr_id == (words("patient", 80) or "")
            )
            found = session.scalars(named).first()
            is_shown = found is not None and may_see(session, who, found.id, found.branch_id, instant())
        if found is None or not is_shown:
            flash(gettext("No patient of your branches has this id."), "wrong")
            return redirect(url_for("programme_page.show" if who.may(Right.PROGRAMME_READ) else "console.home"), 303)
        return redirect(url_for("calendar_page.show", patient_id=found.id), 303)

    @door.get("/<int:patient_id>")
    @needs(Right.PATIENTS_READ)
    def show(patient_id: int) -> ResponseReturnValue:
        now, who = instant(), viewer()
        with db.agency_session(who.agency_id) as session:
            person = read_person(session, who.agency_id, patient_id)
            if person is None or not may_see(session, who, patient_id, person.branch_id, now):
                abort(404)
            reading(session, who, "patient", patient_id, {"calendar": DAYS})
        foreseen = preview(db, who.agency_id, person.emr_id, DAYS, Terms(states()), now)
        days = [
            (on, [one for one in some if one.at is not None], [one for one in some if one.at is None])
            for on, some in ((on, list(each)) for on, each in groupby(foreseen, key=lambda one: one.on))
        ]
        return render_template("console/calendar.html", person=person, patient_id=patient_id, days=days, **tools(now))

    return door
