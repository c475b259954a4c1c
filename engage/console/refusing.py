"""The page for whatever cannot be shown: one sentence, and never what was looked for or why it failed."""

from flask import Response, make_response, render_template
from flask_babel import gettext


def refused(code: int) -> Response:
    """The page for a status code; another agency's row and a row that never was look the same (404)."""
    said = {
        400: gettext("The form was too old or incomplete. Go back, load the page anew and try once more."),
        403: gettext("Your role does not open this page. An administrator of your agency can change that."),
        404: gettext("There is nothing here."),
        405: gettext("This address cannot be opened like this."),
        413: gettext("That was too long."),
        429: gettext("Too many tries from here. Wait some minutes, then try again."),
    }
    heading = gettext("Not possible") if code < 500 else gettext("Something failed")
    says = said.get(code, gettext("This failed, and was noted. Please try again.") if code >= 500 else said[404])
    return make_response(render_template("console/refused.html", heading=heading, says=says), code)
