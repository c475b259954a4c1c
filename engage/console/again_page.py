"""Sending a text again from the messages page: first what would become of it now, in words; then, if anything, the button."""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import text
from sqlalchemy.orm import Session

from engage.console.gate import changing, needs, reading
from engage.console.lists import states
from engage.console.opening import opened
from engage.console.reasons_told import reason_told
from engage.console.rules.rights import Right
from engage.console.showing import instant, tools, viewer
from engage.db import Database
from engage.outreach.again import look, send_again
from engage.outreach.gather import Terms
from engage.outreach.rules.again import Never
from engage.outreach.rules.draft import Ready
from engage.patients.rules.permission import Hold

# A text about a patient of a branch that the account may see; pages to clinicians are found, and refused with a reason.
_MESSAGE = text("""
SELECT m.id, m.kind, m.channel, m.template, m.state, m.reason, m.send_at, m.expires_at, m.language, m.body, m.patient_id,
       p.first_name || ' ' || p.last_name AS patient, p.time_zone AS zone, c.relationship, c.name AS contact, COALESCE(c.language, p.language) AS reads
FROM messages m
LEFT JOIN patients p ON p.agency_id = m.agency_id AND p.id = m.patient_id
LEFT JOIN contacts c ON c.agency_id = m.agency_id AND c.id = m.contact_id
WHERE m.agency_id = :agency AND m.id = :message
  AND (CAST(:branches AS bigint[]) IS NULL OR p.branch_id = ANY(CAST(:branches AS bigint[])))
""")


def add_again(door: Blueprint, db: Database) -> None:
    """/console/messages/<id>/again, to look and to send."""

    @door.get("/<int:message_id>/again")
    @needs(Right.MESSAGES_ACT)
    def again(message_id: int) -> ResponseReturnValue:
        now, who = instant(), viewer()
        with db.agency_session(who.agency_id) as session:
            message = _message(session, message_id)
            found = look(session, who.agency_id, message_id, Terms(states()), now).verdict
            is_about = message.patient_id is not None
            subject, number = ("patient", message.patient_id) if is_about else ("message", message_id)
            reading(session, who, subject, number, {"message": message_id})
        shown: dict[str, Any] = {
            "never": found if isinstance(found, Never) else None,
            "refused": reason_told(found.value) if not isinstance(found, Never | Ready | Hold) else None,
            "held_until": found.until if isinstance(found, Hold) else None,
            "why_held": reason_told(found.reason) if isinstance(found, Hold) else None,
            "would_say": found.body if isinstance(found, Ready) else None,
        }
        said, explained = (
            opened(message.body, "messages.body"),
            reason_told(message.reason) if message.reason else None,
        )
        return render_template(
            "console/message_again.html", message=message, said=said, explained=explained, **shown, **tools(now)
        )

    @door.post("/<int:message_id>/again")
    @needs(Right.MESSAGES_ACT)
    def send(message_id: int) -> ResponseReturnValue:
        now, who = instant(), viewer()
        with db.agency_session(who.agency_id) as session:
            message = _message(session, message_id)
            made = send_again(session, who.agency_id, message_id, Terms(states()), now)
            if isinstance(made, int):
                changing(
                    session, who, "message.again", "message", message_id, {"again": made, "patient": message.patient_id}
                )
        if isinstance(made, int) or made is Never.TRIED_AGAIN:  # of two clicks the second is told the same
            flash(gettext("It is sent again as a new text, when its reader may be texted."), "good")
        else:
            flash(gettext("It was not sent again."), "wrong")
        return redirect(url_for("messages_page.again", message_id=message_id), 303)


def _message(session: Session, message_id: int) -> Any:
    who = viewer()
    branches = None if who.branch_ids is None else sorted(who.branch_ids)
    found = session.execute(_MESSAGE, {"agency": who.agency_id, "message": message_id, "branches": branches}).first()
    if found is None:
        abort(404)
    return found
