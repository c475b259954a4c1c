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
_WORTH_FOLDING = 2


@dataclass(frozen=True, slots=True)
class Item:
    """A line of the menu: where it leads, and the right without which it is not shown. `under`: the heading in the menu's second half."""

    endpoint: str
    says: Any
    right: Right | None
    under: Any = None


_CARE, _AGENCY = lazy_gettext("How we care"), lazy_gettext("Agency")
MENU = (
    Item("worklist.show", lazy_gettext("Worklist"), Right.ALERTS_READ),
    Item("visits_board.show", lazy_gettext("Visits"), Right.VISITS_READ),
    Item("messages_page.show", lazy_gettext("Messages"), Right.MESSAGES_READ),
    Item("programme_page.show", lazy_gettext("Programme"), Right.PROGRAMME_READ, _CARE),
    Item("wording_page.show", lazy_gettext("Wording"), Right.WORDING_READ, _CARE),
    Item("rota_page.show", lazy_gettext("Rota"), Right.ROTA_READ, _CARE),
    Item("ladders_page.show", lazy_gettext("Ladders"), Right.PROGRAMME_READ, _CARE),
    Item("dashboard.show", lazy_gettext("Dashboard"), Right.DASHBOARD_READ, _AGENCY),
    Item("openings.show", lazy_gettext("Opened with a reason"), Right.DASHBOARD_READ, _AGENCY),
    Item("people.show", lazy_gettext("People"), Right.PEOPLE_ACT, _AGENCY),
    Item("audit_page.show", lazy_gettext("Audit"), Right.AUDIT_READ, _AGENCY),
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


def folded(items: list[Item]) -> tuple[list[Item], list[tuple[Any, list[Item]]]]:
    """What stands in the menu itself, and what is folded beneath "More" under its headings; one or two lines are not worth folding."""
    under = [item for item in items if item.under is not None]
    if len(under) <= _WORTH_FOLDING:
        return items, []
    headings = dict.fromkeys(item.under for item in under)
    return [item for item in items if item.under is None], [
        (heading, [item for item in under if item.under is heading]) for heading in headings
    ]


def localtime(at: datetime) -> str:
    """An instant as day and wall time of the agency's zone, in the language of the page."""
    who = viewer()
    zone = get_timezone(who.zone if who is not None else "UTC")
    locale = get_locale() or "en"
    return f"{format_date(at.astimezone(zone), 'medium', locale)} {format_time(at.astimezone(zone), 'short', tzinfo=zone, locale=locale)}"


def surroundings() -> dict[str, Any]:
    """Names that every template has: `viewer`, `menu`, `menu_more`, `is_folded_here`, `language`, `may(right)`, `Right`."""
    who = viewer()
    locale = get_locale()
    direct, more = folded(menu(who))
    return {
        "viewer": who,
        "menu": direct,
        "menu_more": more,
        "is_folded_here": any(item.endpoint.split(".")[0] == request.blueprint for _, items in more for item in items),
        "language": locale.language if locale is not None else "en",
        "may": lambda right: who is not None and who.may(right),
        "Right": Right,
    }
