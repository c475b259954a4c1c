"""The worklist: who needs somebody, worst and oldest first. It fetches itself every few seconds; what has not changed is not sent again.

A fetch says which list it has (If-None-Match). Only a list of other alerts than that one is put on record as read.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256

from flask import Blueprint, Response, abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engage.alerts.closing import Done
from engage.alerts.model import Alert
from engage.console.alert_acts import Said, close, give_on, outcome_of, take
from engage.console.gate import local, needs, reading
from engage.console.refusals_told import refusal_told
from engage.console.rules.need import SERVICE, Place, read_place
from engage.console.rules.rights import Right
from engage.console.showing import instant, my_clinician, number, reach, tools, viewer, words
from engage.console.worklist_read import New, Reach, Whose, Worklist, first_choice, read_new, read_worklist
from engage.db import Database
from engage.errors import BadInput, NotFound

_BROUGHT = text("""
SELECT EXISTS (SELECT FROM alert_events e WHERE e.agency_id = :agency AND e.alert_id = :alert AND e.kind = 'paged' AND e.clinician_id = :me)
""")


def pages(db: Database) -> Blueprint:
    """/console/worklist, its live part, and what is done about an alert."""
    door = Blueprint("worklist", __name__, url_prefix="/console", template_folder="templates")
    _add_list(door, db)
    _add_acts(door, db)
    return door


def _add_list(door: Blueprint, db: Database) -> None:
    @door.get("/worklist")
    @needs(Right.ALERTS_READ)
    def show() -> ResponseReturnValue:
        whose, now = _whose(reach()), instant()
        with db.agency_session(viewer().agency_id) as session:
            found = read_worklist(session, reach(), whose, now, _after())
            _put_on_record(session, found, ())
        said = {"list": found, "whose": whose, "seen": found.newest, "fresh": (), "tag": _tag(found, now)}
        return render_template("console/worklist.html", **tools(now), **said)

    @door.get("/worklist/live")
    @needs(Right.ALERTS_READ, by_itself=True)
    def live() -> ResponseReturnValue:
        whose, now, has = _whose(reach()), instant(), request.headers.get("If-None-Match", "").strip('"')
        seen = number("seen") or 0
        with db.agency_session(viewer().agency_id) as session:
            found = read_worklist(session, reach(), whose, now, _after())
            fresh = read_new(session, reach(), whose, seen, now) if found.newest > seen else ()
            tag = _tag(found, now)
            if has.partition(".")[0] != tag.partition(".")[0]:
                _put_on_record(session, found, fresh)
        if has == tag:
            return Response(status=304, headers={"ETag": f'"{tag}"'})
        said = {"list": found, "whose": whose, "seen": max(seen, found.newest), "fresh": fresh, "tag": tag}
        answer = make_response(render_template("console/worklist_list.html", **tools(now), **said))
        answer.headers["ETag"] = f'"{tag}"'
        return answer


def _add_acts(door: Blueprint, db: Database) -> None:
    @door.post("/alerts/<int:alert_id>/take")
    @needs(Right.ALERTS_ACT)
    def take_it(alert_id: int) -> ResponseReturnValue:
        def taken(session: Session, me: int, alert: Alert, now: datetime) -> Said:
            return take(session, viewer(), me, alert, now)

        return _acted(db, alert_id, taken, opens_patient=True)  # whoever takes it wants to read and call

    @door.post("/alerts/<int:alert_id>/pass")
    @needs(Right.ALERTS_ACT)
    def pass_it(alert_id: int) -> ResponseReturnValue:
        return _acted(db, alert_id, lambda session, me, alert, now: give_on(session, viewer(), me, alert, now))

    @door.post("/alerts/<int:alert_id>/close")
    @needs(Right.ALERTS_ACT)
    def close_it(alert_id: int) -> ResponseReturnValue:
        def closed(session: Session, me: int, alert: Alert, now: datetime) -> Said:
            done = Done(outcome_of(request.form.get("outcome")), words("note"), number("minutes"))
            return close(session, viewer(), me, alert, done, request.form.get("again", ""), now)

        return _acted(db, alert_id, closed)


Act = Callable[[Session, int, Alert, datetime], Said]


def _acted(db: Database, alert_id: int, act: Act, *, opens_patient: bool = False) -> ResponseReturnValue:
    """Do it in one transaction, and say what came of it where the form was; or on the patient's page, if it was done."""
    patient_id = None
    try:
        with db.agency_session(viewer().agency_id) as session:
            alert = _alert(session, reach(), alert_id)
            said = act(session, my_clinician(), alert, instant())
            patient_id = (
                alert.patient_id if opens_patient and said.is_done and viewer().may(Right.PATIENTS_READ) else None
            )
    except (BadInput, NotFound) as wrong:
        said = Said(refusal_told(wrong), is_done=False)
    flash(said.words, "good" if said.is_done else "wrong")
    usual = url_for("patient.show", patient_id=patient_id) if patient_id is not None else url_for("worklist.show")
    back = local(request.form.get("next")) or usual
    return redirect(back, 303)


def _whose(looks: Reach) -> Whose:
    asked = request.args.get("whose", "")
    return Whose(asked) if asked in set(Whose) else first_choice(looks)


def _alert(session: Session, looks: Reach, alert_id: int) -> Alert:
    """The alert, locked; 404 for one that this account may not see."""
    alert = session.scalars(
        select(Alert).where(Alert.agency_id == looks.agency_id, Alert.id == alert_id).with_for_update()
    ).first()
    if alert is None or (looks.branch_ids is not None and alert.branch_id not in {None, *looks.branch_ids}):
        abort(404)
    if looks.is_nurse and alert.kind in SERVICE and alert.acknowledged_by != looks.clinician_id:
        about = {"agency": looks.agency_id, "alert": alert_id, "me": looks.clinician_id}
        if not session.scalar(_BROUGHT, about):
            abort(404)
    return alert


def _after() -> Place | None:
    """Where this page of the list begins, from the address; None for the first."""
    return read_place(request.args.get("after", ""))


def _put_on_record(session: Session, found: Worklist, fresh: Sequence[New]) -> None:
    shown = [entry.id for entry in found.entries]
    shown += [each.id for each in fresh if each.id not in set(shown)]  # announced, though on another page
    reading(session, viewer(), "worklist", None, {"alerts": shown, "whose": found.whose})


def _tag(found: Worklist, now: datetime) -> str:
    """Which alerts are listed or the newest, and how each stands in this minute; digests, for they go through headers."""
    shown = ",".join(str(each) for each in (found.newest, *(entry.id for entry in found.entries)))
    stand = "|".join(
        f"{entry.id} {entry.standing} {entry.holder_id} {entry.also} {entry.said}" for entry in found.entries
    )
    whole = f"{stand} {sorted(found.counts.items())} {int(now.timestamp()) // 60}"
    return f"{sha256(shown.encode()).hexdigest()[:12]}.{sha256(whole.encode()).hexdigest()[:12]}"
