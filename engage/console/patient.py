"""The page of a patient: the whole story, and what may be done. Every look at it and every change is put on record."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from engage.console import patient_acts
from engage.console.gate import needs, reading
from engage.console.lists import codes, states
from engage.console.openings import may_see
from engage.console.patient_read import Person, Phone, read_person, read_phones, read_scores, read_visits
from engage.console.reasons_told import reason_told
from engage.console.refusals_told import refusal_told
from engage.console.rules.board import read_day
from engage.console.rules.chart import draw
from engage.console.rules.rights import Right
from engage.console.rules.writing import Reading, verdict
from engage.console.showing import instant, number, reach, tools, viewer, words
from engage.console.thread_read import read_concerns, read_thread
from engage.db import Database
from engage.errors import BadInput, NotFound
from engage.patients.rules.permission import Hold
from engage.patients.rules.window import instant as at_wall
from engage.patients.rules.window import local_day
from engage.patients.rules.words import PatientStatus, PhoneKind
from engage.replies.asked import BY_HAND_FOR
from engage.replies.rules.trends import LONGEST_SNOOZE
from engage.reports.rules.story import headline, phone, rested_on, rule, story, what, who
from engage.reports.why import Asking, find_message, why
from engage.sms.rules.segments import MOST_CHARACTERS, count

_AHEAD = timedelta(days=60)  # so far texts may be planned


def pages(db: Database) -> Blueprint:
    """/console/patients/<id> and what is done there."""
    door = Blueprint("patient", __name__, url_prefix="/console/patients", template_folder="templates")
    _add_looks(door, db)
    _add_acts(door, db)
    return door


def _add_looks(door: Blueprint, db: Database) -> None:
    @door.get("/<int:patient_id>")
    @needs(Right.PATIENTS_READ)
    def show(patient_id: int) -> ResponseReturnValue:
        now, looks = instant(), reach()
        with db.agency_session(looks.agency_id) as session:
            person = _person(session, patient_id)
            until = _until(person.zone) or now + _AHEAD
            found = {
                "phones": (phones := read_phones(session, looks.agency_id, patient_id, BY_HAND_FOR, now)),
                "concerns": read_concerns(
                    session, looks.agency_id, patient_id, looks.clinician_id, looks.is_nurse, now
                ),
                "visits": read_visits(session, looks.agency_id, patient_id, local_day(now, person.zone)),
                "talk": read_thread(session, looks.agency_id, patient_id, person.zone, until, person.first_name),
            }
            scores = read_scores(session, person, looks.agency_id, now)
            reading(session, viewer(), "patient", patient_id)
        charts = {scale: (of, draw(of.given, of.level, scale)) for scale, of in sorted(scores.items())}
        shown = {
            **tools(now),
            **found,
            "charts": charts,
            "longest_snooze": LONGEST_SNOOZE.days,
            "most": MOST_CHARACTERS,
        }
        forecast = _forecast(person, phones, now)
        return render_template(
            "console/patient.html", patient=person, forecast=forecast, today=local_day(now, person.zone), **shown
        )

    @door.get("/<int:patient_id>/texts/<int:message_id>")
    @needs(Right.PATIENTS_READ)
    def why_text(patient_id: int, message_id: int) -> ResponseReturnValue:
        now, who_asks = instant(), viewer()
        with db.agency_session(who_asks.agency_id) as session:
            person = _person(session, patient_id)
        try:
            find_message(db, str(message_id), who_asks.agency_id)
        except BadInput:
            abort(404)
        facts = why(db, codes(), who_asks.agency_id, message_id, Asking(who_asks.actor, now, with_text=True))
        told = {
            "what": what(facts),
            "who": who(facts.whom),
            "phone_ends": phone(facts.whom),
            "headline": headline(facts),
        }
        moments, rests = story(facts), rested_on(facts)
        shown = {**tools(now), "facts": facts, "told": told, "rule": rule(facts), "story": moments, "rests": rests}
        return render_template("console/why.html", patient=person, **shown)


def _add_acts(door: Blueprint, db: Database) -> None:
    @door.post("/<int:patient_id>/cost")
    @needs(Right.PATIENTS_ACT)
    def cost(patient_id: int) -> ResponseReturnValue:
        with db.agency_session(viewer().agency_id) as session:
            _person(session, patient_id)
        said = words("words", MOST_CHARACTERS) or ""
        return render_template("console/cost.html", cost=count(said), words=said)

    @door.post("/<int:patient_id>/write")
    @needs(Right.PATIENTS_ACT)
    def write(patient_id: int) -> ResponseReturnValue:
        return _done(
            db,
            patient_id,
            lambda person, now: patient_acts.write(db, viewer(), person, request.form.get("words", ""), now),
        )

    @door.post("/<int:patient_id>/snooze")
    @needs(Right.PATIENTS_ACT)
    def snooze(patient_id: int) -> ResponseReturnValue:
        days = number("days") or 0
        return _done(db, patient_id, lambda person, now: patient_acts.snooze(db, viewer(), person, days, now))

    @door.post("/<int:patient_id>/level")
    @needs(Right.PATIENTS_ACT)
    def level(patient_id: int) -> ResponseReturnValue:
        wanted = {
            name: number(name) for name in ("baseline", "alert_at_most", "drop_by", "threes_in_a_row", "silent_after")
        }
        return _done(db, patient_id, lambda person, now: patient_acts.level(db, viewer(), person, wanted, now))

    @door.post("/<int:patient_id>/contact")
    @needs(Right.PATIENTS_ACT)
    def contact(patient_id: int) -> ResponseReturnValue:
        said, agreed = request.form.to_dict(), request.form.getlist("agreed")
        return _done(db, patient_id, lambda person, now: patient_acts.contact(db, viewer(), person, said, agreed, now))

    @door.post("/<int:patient_id>/phones/<int:contact_id>/end")
    @needs(Right.PATIENTS_ACT)
    def end_phone(patient_id: int, contact_id: int) -> ResponseReturnValue:
        why = request.form.get("because", "")
        return _done(
            db, patient_id, lambda person, now: patient_acts.end_phone(db, viewer(), person, contact_id, why, now)
        )

    @door.post("/<int:patient_id>/pause")
    @needs(Right.PATIENTS_ACT)
    def pause(patient_id: int) -> ResponseReturnValue:
        status = request.form.get("status", "")
        return _done(db, patient_id, lambda person, now: patient_acts.pause(db, viewer(), person, status, now))


def _person(session: Session, patient_id: int) -> Person:
    """The patient; 404 for one that there is not, or that this account may not see (nor has opened with a reason)."""
    person = read_person(session, viewer().agency_id, patient_id)
    if person is None or not may_see(session, viewer(), patient_id, person.branch_id, instant()):
        abort(404)
    return person


def _done(db: Database, patient_id: int, act: Callable[[Person, datetime], str]) -> ResponseReturnValue:
    """Do it for a patient whom the account may see, say what came of it, and go back to the page."""
    with db.agency_session(viewer().agency_id) as session:
        person = _person(session, patient_id)
    try:
        flash(act(person, instant()), "good")
    except (BadInput, NotFound) as wrong:
        flash(refusal_told(wrong), "wrong")
    return redirect(url_for("patient.show", patient_id=patient_id), 303)


def _until(zone: str) -> datetime | None:
    """Where an older page of the conversation ends, from the address."""
    value = request.args.get("until", "")
    try:
        asked = datetime.fromisoformat(value) if value else None
    except ValueError:
        try:
            return at_wall(read_day(value), datetime.min.time(), zone)
        except BadInput:
            return None
    return asked if asked is not None and asked.tzinfo is not None else None


def _forecast(person: Person, phones: tuple[Phone, ...], now: datetime) -> dict[str, Any] | None:
    """What would become of a text that is written now, to the phone that it would go to; None without a phone."""
    to = next((each for each in phones if not each.has_ended), None)
    if to is None:
        return None
    reader = Reading(
        status=PatientStatus(person.status),
        phone_kind=PhoneKind(to.kind),
        has_ended=to.has_ended,
        granted=to.granted,
        phone_word=to.word,
        zone=person.zone,
        hours=person.hours,
        own_hours=person.own_hours,
        state_week=states().week(person.state),
        has_exemption_only=person.has_exemption_only,
        has_written=to.has_written,
    )
    found = verdict(reader, now)
    if found is None:
        return {"to": to, "may": True, "until": None, "why": None}
    if isinstance(found, Hold):
        return {"to": to, "may": True, "until": found.until, "why": reason_told(found.reason)}
    return {"to": to, "may": False, "until": None, "why": reason_told(found)}
