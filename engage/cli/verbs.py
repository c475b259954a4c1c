"""engage plan, dispatch, handle, escalate, mail, reconcile, sweep, check-rota, clean: each runs its verb once and prints what it did."""

from contextlib import closing

import click

from engage.cli.session import json_option, ready_database, show
from engage.worker.verbs import Verbs, as_dict

_HELP = {
    "dispatch": "Send every message that is due, once.",
    "handle": "Understand every stored reply, once.",
    "escalate": "Climb the ladder of every alert that is due, once.",
    "mail": "Send every page that goes by e-mail and is due, once.",
    "reconcile": "Settle messages whose outcome is not known, by Twilio's log, once.",
    "sweep": "Fetch texts that reached Twilio while nobody was there, once.",
    "check-rota": "Tell of hours ahead when nobody is on call, and of people on call whom no page reaches, once.",
    "clean": "Remove old sessions, devices and one-time links of the console, once.",
}


def _command(name: str) -> click.Command:
    @click.command(name, help=_HELP[name])
    @json_option
    def run(as_json: bool) -> None:
        with ready_database() as (settings, db):
            verbs = Verbs.of(db, settings)
            with closing(verbs.gateway):
                show(as_dict(verbs.named()[name]()), as_json)

    return run


@click.command("plan", help="Turn touchpoints into planned messages, once.")
@click.option("--whole", is_flag=True, help="Look at everybody, not only at what is new or has changed.")
@json_option
def plan(whole: bool, as_json: bool) -> None:
    """Plan once and print what changed."""
    with ready_database() as (settings, db):
        show(as_dict(Verbs.of(db, settings).plan(whole=whole)), as_json)


dispatch, handle, escalate, mail, reconcile, sweep, check_rota, clean = (_command(name) for name in _HELP)
