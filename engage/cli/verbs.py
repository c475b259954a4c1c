"""engage plan, dispatch, handle, escalate, reconcile, sweep: each runs its verb once and prints what it did."""

from contextlib import closing

import click

from engage.cli.session import json_option, ready_database, show
from engage.worker.verbs import Verbs, as_dict

_HELP = {
    "plan": "Turn touchpoints into planned messages, once.",
    "dispatch": "Send every message that is due, once.",
    "handle": "Understand every stored reply, once.",
    "escalate": "Climb the ladder of every alert that is due, once.",
    "reconcile": "Settle messages whose outcome is not known, by Twilio's log, once.",
    "sweep": "Fetch texts that reached Twilio while nobody was there, once.",
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


plan, dispatch, handle, escalate, reconcile, sweep = (_command(name) for name in _HELP)
