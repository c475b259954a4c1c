"""What surrounds every page: its language, the menu by rights, who is signed in. Reads the request only."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from babel.dates import format_date, format_time, get_timezone
from flask import current_app, g, request
from flask_babel import get_locale, lazy_gettext

from engage.console.rules.rights import Right
from engage.console.viewer import Viewer

LANGUAGES = ("en", "es")


@dataclass(frozen=True, slots=True)
class Item:
    """A line of the menu: where it leads, and the right without which it is not shown."""

    endpoint: str
    says: Any
    right: Right | None


MENU = (
    Item("worklist.show", lazy_gettext("Worklist"), Right.ALERTS_READ),
    Item("visits_board.show", lazy_gettext("Visits"), Right.VISITS_READ),
    Item("messages_page.show", lazy_gettext("Messages"), Right.MESSAGES_READ),
    Item("wording_page.show", lazy_gettext("Wording"), Right.WORDING_READ),
    Item("programme_page.show", lazy_gettext("Programme"), Right.PROGRAMME_READ),
    Item("ladders_page.show", lazy_gettext("Ladders"), Right.ROTA_READ),
    Item("rota_page.show", lazy_gettext("Rota"), Right.ROTA_READ),
    Item("dashboard.show", lazy_gettext("Dashboard"), Right.DASHBOARD_READ),
    Item("openings.show", lazy_gettext("Opened with a reason"), Right.DASHBOARD_READ),
    Item("people.show", lazy_gettext("People"), Right.PEOPLE_ACT),
    Item("audit_page.show", lazy_gettext("Audit"), Right.AUDIT_READ),
)
"""A page that is not there (yet) is not in the menu either."""


def viewer() -> Viewer | None:
    """Who is signed in wholly and passed the gate of this page."""
    who: Viewer | None = g.get("viewer")
    return who


def language() -> str:
    """The account's language; before anybody is signed in, the browser's."""
    who = viewer()
    return who.language if who is not None else request.accept_languages.best_match(LANGUAGES) or "en"


def menu(who: Viewer | None) -> list[Item]:
    """The lines that `who` may open."""
    if who is None:
        return []
    return [item for item in MENU if item.endpoint in current_app.view_functions and who.may(item.right)]


def localtime(at: datetime) -> str:
    """An instant as day and wall time of the agency's zone, in the language of the page."""
    who = viewer()
    zone = get_timezone(who.zone if who is not None else "UTC")
    locale = get_locale() or "en"
    return f"{format_date(at.astimezone(zone), 'medium', locale)} {format_time(at.astimezone(zone), 'short', tzinfo=zone, locale=locale)}"


def surroundings() -> dict[str, Any]:
    """Names that every template has: `viewer`, `menu`, `language`, `may(right)`, `Right`."""
    who = viewer()
    locale = get_locale()
    return {
        "viewer": who,
        "menu": menu(who),
        "language": locale.language if locale is not None else "en",
        "may": lambda right: who is not None and who.may(right),
        "Right": Right,
    }
