"""What the pages of the console share when they are shown: clocks in the viewer's language, ids out of forms, whoever acts."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import g, request
from flask_babel import gettext

from engage import clock
from engage.agencies.rules.people import AccountRole
from engage.console.rules import clockface
from engage.console.viewer import Viewer
from engage.console.worklist_read import Reach
from engage.errors import BadInput
from engage.sms.rules.phones import display


def viewer() -> Viewer:
    """Who is signed in: the gate has put them there."""
    who: Viewer = g.viewer
    return who


def reach() -> Reach:
    """Whose rows they may see."""
    who = viewer()
    return Reach(who.agency_id, who.clinician_id, who.branch_ids, is_nurse=who.role is AccountRole.NURSE)


def tools(now: datetime) -> dict[str, Any]:
    """Names for templates: `at(instant, zone)`, `dated(instant, zone)`, `on(date)`, `wall(time)`, `for_(span)`, `since(instant)`, `phone(number)`, `now`."""
    who = viewer()

    def at(instant: datetime, zone: str | None = None) -> str:
        return clockface.clock_at(instant, zone or who.zone, now, who.language)

    def dated(instant: datetime, zone: str | None = None) -> str:
        here = instant.astimezone(ZoneInfo(zone or who.zone))
        return f"{clockface.day(here.date(), who.language)} {clockface.wall(here.time())}"

    def on(day: date) -> str:
        return clockface.day(day, who.language)

    return {
        "at": at,
        "dated": dated,
        "on": on,
        "wall": clockface.wall,
        "for_": clockface.span,
        "since": lambda instant: clockface.span(now - instant),
        "phone": display,
        "now": now,
    }


def my_clinician() -> int:
    """The clinician who acts, of those who are signed in; BadInput for an account that is nobody who can be paged."""
    who = viewer()
    if who.clinician_id is None:
        raise BadInput(
            gettext("Your account is not linked to a person who cares for patients, so it cannot take an alert.")
        )
    return who.clinician_id


def number(name: str) -> int | None:
    """A whole number of the form or the address, None where it is empty or no number."""
    value = request.values.get(name, "").strip()
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None


def words(name: str, most: int = 2000) -> str | None:
    """Words of the form without the gaps around them; None for none. What is longer than `most` is cut."""
    value = request.form.get(name, "").replace("\x00", "").strip()
    return value[:most] or None


def instant() -> datetime:
    """Now: views ask here, rules are told."""
    return clock.now()
