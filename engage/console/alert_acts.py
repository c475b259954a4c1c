"""What somebody does about an alert of the worklist: an alert's id in, a sentence for them out. The verbs are those of the SMS and the CLI.

In the caller's transaction. A code is given again once its alert is closed, so the row decides and not the code alone.
"""

from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext
from sqlalchemy.orm import Session

from engage.alerts.closing import TRY_AFTER, Done, resolve, try_again
from engage.alerts.model import Alert
from engage.alerts.rules.orders import again_at
from engage.alerts.rules.words import AlertState, Outcome
from engage.alerts.taking import (
    AlreadyResolved,
    PassedOn,
    Taken,
    TakenByOther,
    TakenWith,
    acknowledge,
    pass_on,
    resolved,
    tell_others,
)
from engage.console.gate import changing
from engage.console.rules.board import read_wall
from engage.console.rules.clockface import clock_at
from engage.console.viewer import Viewer
from engage.errors import BadInput
from engage.outreach.rules.wording import clock_words


@dataclass(frozen=True, slots=True)
class Said:
    """What is told to whoever acted; `is_done` whether they got what they asked for."""

    words: str
    is_done: bool = True


def take(session: Session, viewer: Viewer, me: int, alert: Alert, now: datetime) -> Said:
    """Take the alert for the viewer, and tell whoever else was paged."""
    if alert.state == AlertState.RESOLVED:
        return _cannot(resolved(session, alert), viewer, now)
    found = acknowledge(session, viewer.agency_id, me, alert.code, now)
    match found:
        case Taken():
            tell_others(session, viewer.agency_id, found, me, clock_words(now, viewer.zone, "en"), now)
            changing(session, viewer, "take", "alert", alert.id, {"code": alert.code})
            return Said(gettext("%(code)s is yours.", code=alert.code))
        case TakenWith():
            changing(session, viewer, "take", "alert", alert.id, {"code": alert.code})
            return Said(
                gettext("%(code)s is yours too; %(missing)s more must take it.", code=alert.code, missing=found.missing)
            )
        case _:
            return _cannot(found, viewer, now)


def give_on(session: Session, viewer: Viewer, me: int, alert: Alert, now: datetime) -> Said:
    """Pass the alert on: the next people of its ladder are paged at once."""
    if alert.state == AlertState.RESOLVED:
        return _cannot(resolved(session, alert), viewer, now)
    found = pass_on(session, viewer.agency_id, me, alert.code, now)
    if not isinstance(found, PassedOn):
        return _cannot(found, viewer, now)
    changing(session, viewer, "pass", "alert", alert.id, {"code": alert.code})
    return Said(gettext("%(code)s goes to the next person now.", code=alert.code))


def close(session: Session, viewer: Viewer, me: int, alert: Alert, done: Done, again: str, now: datetime) -> Said:
    """Say what was done: the alert is closed, or comes back when nobody answered. Raises BadInput for what cannot be."""
    if alert.state == AlertState.RESOLVED:
        return _cannot(resolved(session, alert), viewer, now)
    if done.outcome != Outcome.NO_ANSWER:
        resolve(session, viewer.agency_id, alert.code, me, done, now)
        changing(session, viewer, "resolve", "alert", alert.id, {"code": alert.code, "outcome": done.outcome})
        return Said(gettext("%(code)s is closed.", code=alert.code))
    wished = read_wall(again)
    at = now + TRY_AFTER if wished is None else again_at(wished, viewer.zone, now)
    until = try_again(session, viewer.agency_id, alert.code, me, at, done, now)
    changing(session, viewer, "try_again", "alert", alert.id, {"code": alert.code})
    told = clock_at(until, viewer.zone, now, viewer.language)
    return Said(gettext("%(code)s stays yours and comes back at %(at)s.", code=alert.code, at=told))


def outcome_of(value: str | None) -> str:
    """The outcome that was chosen; BadInput where none was."""
    if value not in set(Outcome):
        raise BadInput(gettext("Choose what was done."))
    return str(value)


def _cannot(found: TakenByOther | AlreadyResolved | object, viewer: Viewer, now: datetime) -> Said:
    match found:
        case TakenByOther():
            at = clock_at(found.at, viewer.zone, now, viewer.language)
            return Said(gettext("%(who)s has had it since %(at)s.", who=found.who, at=at), is_done=False)
        case AlreadyResolved():
            at = clock_at(found.at, viewer.zone, now, viewer.language)
            return Said(gettext("%(who)s closed it at %(at)s.", who=found.who, at=at), is_done=False)
        case _:
            return Said(gettext("That alert is not there any more."), is_done=False)
