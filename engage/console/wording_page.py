"""The wording screen: what each text says, a preview with its cost while one writes, save, and the review by somebody else.

The checks, versions and the rule of four eyes are those of engage.onboarding.wordings; here they are only shown.
"""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from engage.console.findings_told import finding_told
from engage.console.gate import address, needs
from engage.console.lists import book
from engage.console.refusals_told import refusal_told
from engage.console.rules.previews import previews
from engage.console.rules.rights import Right
from engage.console.showing import instant, number, tools, viewer, words
from engage.db import Database
from engage.errors import BadInput, NotFound
from engage.onboarding.own_phone import Writer, text_myself
from engage.onboarding.wordings import Wordings, must_be_known, read_wordings, review_wording, save_wording
from engage.outreach.rules.checks import check_wording, refusals
from engage.outreach.rules.placeholders import is_for_clinicians
from engage.outreach.rules.wording import LANGUAGES

MOST_LETTERS = 2000


def pages(db: Database) -> Blueprint:
    """/console/wording: the list, one wording in one language, its preview, save and review, and a test to one's own phone."""
    door = Blueprint("wording_page", __name__, url_prefix="/console/wording", template_folder="templates")

    _add_looks(door, db)
    _add_changes(door, db)
    _add_trial(door, db)
    return door


def _read(db: Database) -> Wordings:
    with db.agency_session(viewer().agency_id) as session:
        return read_wordings(session, viewer().agency_id)


def _add_looks(door: Blueprint, db: Database) -> None:
    @door.get("")
    @needs(Right.WORDING_READ)
    def show() -> ResponseReturnValue:
        wordings = _read(db)
        places = [
            (key, language, wordings.in_force(key, language), wordings.waiting(key, language))
            for key, language in wordings.places
        ]
        return render_template("console/wordings.html", places=places, **tools(instant()))

    @door.get("/<key>/<language>")
    @needs(Right.WORDING_READ)
    def one(key: str, language: str) -> ResponseReturnValue:
        wordings = _known(_read(db), key, language)
        current = wordings.waiting(key, language) or wordings.in_force(key, language)
        said = current.wording if current is not None else ""
        return _page(wordings, key, language, said)

    @door.post("/<key>/<language>/preview")
    @needs(Right.WORDING_READ)
    def preview(key: str, language: str) -> ResponseReturnValue:
        wordings = _known(_read(db), key, language)
        return render_template(
            "console/wording_preview.html", **_looked_at(wordings, key, language, words("words", MOST_LETTERS) or "")
        )


def _add_changes(door: Blueprint, db: Database) -> None:
    @door.post("/<key>/<language>")
    @needs(Right.WORDING_ACT)
    def save(key: str, language: str) -> ResponseReturnValue:
        who, said = viewer(), words("words", MOST_LETTERS) or ""
        try:
            with db.agency_session(who.agency_id) as session:
                saved = save_wording(
                    session, who.agency_id, key, language, said, who.name, who.actor, book(), instant()
                )
        except (BadInput, NotFound) as wrong:
            flash(refusal_told(wrong), "wrong")
            return _page(_known(_read(db), key, language), key, language, said)
        if saved.version is None:
            flash(gettext("Nothing was saved: mend what is refused below."), "wrong")
            return _page(_known(_read(db), key, language), key, language, said)
        flash(
            gettext(
                "Version %(version)s is saved. It leaves once somebody else has reviewed it.", version=saved.version
            ),
            "good",
        )
        return redirect(url_for("wording_page.one", key=key, language=language), 303)

    @door.post("/<key>/<language>/review")
    @needs(Right.WORDING_ACT)
    def review(key: str, language: str) -> ResponseReturnValue:
        who = viewer()
        try:
            with db.agency_session(who.agency_id) as session:
                row = review_wording(
                    session, who.agency_id, key, language, number("version"), who.name, who.actor, book(), instant()
                )
                flash(gettext("Version %(version)s leaves from now on.", version=row.version), "good")
        except (BadInput, NotFound) as wrong:
            flash(refusal_told(wrong), "wrong")
        return redirect(url_for("wording_page.one", key=key, language=language), 303)


def _add_trial(door: Blueprint, db: Database) -> None:
    @door.post("/<key>/<language>/phone")
    @needs(Right.WORDING_ACT)
    def to_my_phone(key: str, language: str) -> ResponseReturnValue:
        who, said = viewer(), words("words", MOST_LETTERS) or ""
        _known(_read(db), key, language)
        writer = Writer(who.agency_id, who.account_id, who.actor)
        try:
            with db.agency_session(who.agency_id) as session:
                text_myself(session, writer, (key, language), said, book(), instant(), {"from": address()})
            flash(gettext("It is on its way to your own phone, with invented names. Nothing was saved."), "good")
        except (BadInput, NotFound) as wrong:
            flash(refusal_told(wrong), "wrong")
        return _page(_known(_read(db), key, language), key, language, said)


def _known(wordings: Wordings, key: str, language: str) -> Wordings:
    """The wordings, or a 404 for a template that the agency has not."""
    try:
        must_be_known(wordings, key, language)
    except (BadInput, NotFound):
        abort(404)
    return wordings


def _page(wordings: Wordings, key: str, language: str, said: str) -> str:
    shown: dict[str, Any] = {
        "key": key,
        "lang": language,
        "versions": wordings.versions(key, language),
        "waiting": wordings.waiting(key, language),
    }
    shown["in_force"] = wordings.in_force(key, language)
    shown["others"] = [] if is_for_clinicians(key) else [each for each in sorted(LANGUAGES) if each != language]
    shown["is_text"] = not (wordings.purpose(key, language).is_spoken or wordings.purpose(key, language).is_mailed)
    return render_template(
        "console/wording.html", **shown, **_looked_at(wordings, key, language, said), **tools(instant())
    )


def _looked_at(wordings: Wordings, key: str, language: str, said: str) -> dict[str, Any]:
    """Wording, its texts with their cost, and what the checks find."""
    purpose = wordings.purpose(key, language)
    found = check_wording(said, purpose, wordings.house, book()) if said else ()
    texts = previews(said, purpose, wordings.house, book().prices.sent) if said else ()
    return {
        "said": said,
        "findings": found,
        "refused": bool(refusals(found)),
        "texts": texts,
        "finding_told": finding_told,
    }
