"""The programme's pages: what is said to whom and when as a timeline, one touchpoint and what a change of it would do, and who changed what.

A change goes the way of an agency's file (engage.onboarding.proposals): nobody saves what they have not seen the dry run of.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.agencies.rules.people import Line
from engage.console.gate import address, needs, reading
from engage.console.lists import book, needed
from engage.console.programme_read import read_history, read_moments, read_own, texts_to_choose
from engage.console.refusals_told import refusal_told
from engage.console.rules.board import read_wall
from engage.console.rules.clockface import span
from engage.console.rules.rights import Right
from engage.console.rules.timeline import looked_for, read_line, timeline
from engage.console.rules.touchpoint_form import MOST_STEPS, read_touchpoint
from engage.console.showing import instant, number, tools, viewer
from engage.db import Database
from engage.errors import BadInput, NotFound
from engage.onboarding.export import export_agency
from engage.onboarding.proposals import Proposal, adopt, propose, try_out
from engage.onboarding.trial import DAYS, Trial
from engage.onboarding.wordings import read_wordings
from engage.outreach.model import Touchpoint
from engage.outreach.overrides import Change, override
from engage.outreach.rules.groups import DAYS as WEEKDAYS
from engage.outreach.rules.groups import Facts
from engage.patients.model import Patient
from engage.patients.rules.window import local_day


def pages(db: Database) -> Blueprint:
    """/console/programme: the timeline, one touchpoint, a change tried out and saved, patients with their own way."""
    door = Blueprint("programme_page", __name__, url_prefix="/console/programme", template_folder="templates")
    _add_looks(door, db)
    _add_changes(door, db)
    _add_own(door, db)
    return door


def _add_looks(door: Blueprint, db: Database) -> None:
    @door.get("")
    @needs(Right.PROGRAMME_READ)
    def show() -> ResponseReturnValue:
        now, who = instant(), viewer()
        with db.agency_session(who.agency_id) as session:
            moments = read_moments(session, who.agency_id, read_wordings(session, who.agency_id))
            history = read_history(session, who.agency_id)
        facts, asked = _facts()
        sections = timeline(looked_for(moments, facts, local_day(now, who.zone)))
        shown = {
            "sections": sections,
            "history": history,
            "asked": asked,
            "lines": list(Line),
            "is_asked": facts is not None,
        }
        return render_template("console/programme.html", **shown, **_tools())

    @door.get("/<key>")
    @needs(Right.PROGRAMME_READ)
    def one(key: str) -> ResponseReturnValue:
        return _page(db, key)


def _add_changes(door: Blueprint, db: Database) -> None:
    @door.post("/<key>/try")
    @needs(Right.PROGRAMME_ACT)
    def try_change(key: str) -> ResponseReturnValue:
        try:
            proposal = _proposed(db, key)
            present, then = try_out(db, proposal, book().prices, instant())
        except (BadInput, NotFound) as wrong:
            flash(refusal_told(wrong), "wrong")
            return _page(db, key, request.form.to_dict(flat=False))
        fields = [(name, value) for name, value in request.form.items(multi=True) if name not in {"csrf_token", "seal"}]
        shown = {"key": key, "proposal": proposal, "present": present, "then": then, "days": DAYS, "fields": fields}
        changed = [line for change in proposal.planned.changes if (line := read_line(change.says)) is not None]
        return render_template(
            "console/programme_trial.html", **shown, lines=changed, week=_weeks(present, then), **_tools()
        )

    @door.post("/<key>")
    @needs(Right.PROGRAMME_ACT)
    def save(key: str) -> ResponseReturnValue:
        who = viewer()
        try:
            proposal = _proposed(db, key)
            adopt(db, proposal, request.form.get("seal", ""), who.actor, instant(), {"from": address()})
        except (BadInput, NotFound) as wrong:
            flash(refusal_told(wrong), "wrong")
            return _page(db, key, request.form.to_dict(flat=False))
        flash(gettext("It is saved and holds from now on. What was planned is planned anew within a minute."), "good")
        return redirect(url_for("programme_page.one", key=key), 303)


def _add_own(door: Blueprint, db: Database) -> None:
    @door.post("/<key>/own")
    @needs(Right.PROGRAMME_ACT)
    def own(key: str) -> ResponseReturnValue:
        who, how, emr_id = viewer(), request.form.get("how", ""), request.form.get("patient", "").strip()
        try:
            with db.agency_session(who.agency_id) as session:
                _touchpoint(session, key)
                _must_be_mine(session, emr_id)
            change = _own_way(key, how)
            override(db, who.agency_id, emr_id, change, who.actor, instant())
            flash(gettext("Saved for this patient."), "good")
        except (BadInput, NotFound) as wrong:
            flash(refusal_told(wrong), "wrong")
        return redirect(url_for("programme_page.one", key=key), 303)


def _own_way(key: str, how: str) -> Change:
    """What the form wants for one patient; BadInput for another hour that is not there."""
    at = read_wall(request.form.get("at", "")) if how == "at" else None
    if how == "at" and at is None:
        raise BadInput(gettext("Write the hour at which this patient gets it."))
    return Change(key, is_off=how == "off", at=at)


def _proposed(db: Database, key: str) -> Proposal:
    who = viewer()
    with db.agency_session(who.agency_id) as session:
        _touchpoint(session, key)
        present = _entry(session, key)
    given = read_touchpoint(request.form.to_dict(flat=False), present)
    return propose(db, who.agency_id, given, book(), needed())


def _page(db: Database, key: str, form: Mapping[str, list[str]] | None = None) -> str:
    """One touchpoint; `form` is what somebody wrote and could not be saved, to be mended."""
    who = viewer()
    with db.agency_session(who.agency_id) as session:
        touchpoint = _touchpoint(session, key)
        wordings = read_wordings(session, who.agency_id)
        moments = read_moments(session, who.agency_id, wordings)
        own = read_own(session, who.agency_id, touchpoint.id, who.branch_ids) if who.may(Right.PATIENTS_READ) else []
        if own:
            reading(session, who, "programme", touchpoint.id, {"patients": [each.patient_id for each in own]})
        history = read_history(session, who.agency_id, key)
    moment = next(each for each in moments if each.key == key)
    written = dict(form) if form is not None else _as_form(moment)
    section = next(each for each in timeline([moment]))
    shown = {"moment": moment, "section": section, "written": written, "own": own, "history": history}
    shown |= {
        "templates": texts_to_choose(wordings),
        "lines": list(Line),
        "weekdays": WEEKDAYS,
        "steps": range(min(len(moment.taper) + 2, MOST_STEPS)),
    }
    return render_template("console/programme_one.html", **shown, **_tools())


def _tools() -> dict[str, Any]:
    """Names for the templates: those of every page, and those in which a programme is told."""

    def joined(words: Iterable[str], called: Mapping[str, str] | None = None) -> str:
        return ", ".join((called or {}).get(word, word) for word in words)

    return {
        **tools(instant()),
        "span_of": lambda minutes: span(timedelta(minutes=minutes)),
        "joined": joined,
        "named_days": lambda days, called: ", ".join(called[WEEKDAYS[day]] for day in days),
    }


def _as_form(moment: Any) -> dict[str, list[str]]:
    """The touchpoint as its form has it."""
    found: dict[str, list[str]] = {
        "is_active": ["1"] if moment.is_active else [],
        "only_monitored": ["1"] if moment.only_monitored else [],
        "template": [moment.template],
        "lines": list(moment.group.lines),
        **{
            name: [", ".join(getattr(moment.group, name))] for name in ("payers", "disciplines", "tags", "without_tags")
        },
        "local_time": [f"{moment.at:%H:%M}"] if moment.at is not None else [],
    }
    numbers = {
        "useful_minutes": moment.useful_minutes,
        "offset_minutes": moment.offset_minutes,
        "offset_days": moment.offset_days,
    }
    numbers |= {
        "alert_at_most": moment.alert_at_most,
        "from_day": moment.group.from_day,
        "until_day": moment.group.until_day,
    }
    found |= {name: [str(value)] for name, value in numbers.items() if value is not None}
    for place, step in enumerate(moment.taper):
        found[f"taper-{place}-until"] = [str(step.until_day)] if step.until_day is not None else []
        found[f"taper-{place}-days"] = [WEEKDAYS[day] for day in step.weekdays]
    return found


def _facts() -> tuple[Facts | None, Mapping[str, str]]:
    """Whose programme is looked for, by the address: line, payer, discipline, tags, day of care."""
    asked = {name: request.args.get(name, "").strip()[:60] for name in ("line", "payer", "discipline", "tags")}
    day = number("day")
    if not any(asked.values()) and day is None:
        return None, asked
    tags = frozenset(word.strip().lower() for word in asked["tags"].split(",") if word.strip())
    payers = frozenset({asked["payer"].lower()} - {""})
    disciplines = frozenset({asked["discipline"].upper()} - {""})
    facts = Facts(asked["line"] or str(Line.HOME_HEALTH.value), payers, tags, disciplines, max(1, min(day or 1, 400)))
    return facts, {**asked, "day": str(day or 1)}


def _weeks(present: Trial, then: Trial) -> list[tuple[str, int, int]]:
    """Texts of the week by touchpoint, now and then."""
    weeks = []
    for trial in (present, then):
        week: dict[str, int] = {}
        for texts in trial.days.values():
            for key, count in texts.items():
                week[key] = week.get(key, 0) + count
        weeks.append(week)
    return [(key, weeks[0].get(key, 0), weeks[1].get(key, 0)) for key in sorted({*weeks[0], *weeks[1]})]


def _entry(session: Session, key: str) -> Mapping[str, Any]:
    document = export_agency(session, viewer().agency_id)
    return next(entry for entry in document.sections["touchpoint"] if entry["key"] == key)


def _touchpoint(session: Session, key: str) -> Touchpoint:
    who = viewer()
    found = session.scalars(
        select(Touchpoint).where(Touchpoint.agency_id == who.agency_id, Touchpoint.key == key)
    ).first()
    if found is None:
        abort(404)
    return found


def _must_be_mine(session: Session, emr_id: str) -> None:
    """NotFound for a patient of a branch that is not the viewer's."""
    who = viewer()
    branch = session.scalar(
        select(Patient.branch_id).where(Patient.agency_id == who.agency_id, Patient.emr_id == emr_id)
    )
    if branch is not None and who.branch_ids is not None and branch not in who.branch_ids:
        raise NotFound(gettext("No patient of your branches has this id."))
