"""engage db: bring a database to this release, check it, make keys, encrypt everything with a new one."""

import base64
import os
import secrets

import click

import engage.alerts.model
import engage.console.model
import engage.db.model
import engage.replies.model
import engage.visits.model  # noqa: F401 - keys are rotated in every table
from engage.cli.session import begin, ready_database
from engage.db import migrate
from engage.db.opening import complete, opened
from engage.db.rotation import rotate


@click.group()
def db() -> None:
    """The database: upgrade, check, keys."""


@db.command()
def upgrade() -> None:
    """Apply every migration of this release; safe to repeat, and one at a time on any number of machines."""
    with complete(begin()) as filled, opened(filled) as (database, ring):
        click.echo(f"The database is at {migrate.upgrade(database, ring)}.")


@db.command()
def check() -> None:
    """Say whether the database answers, is at this release, and was made with this secret key."""
    with ready_database() as (_, database):
        click.echo(f"The database is at {migrate.current(database)}, as this Engage needs.")


@db.command("new-keys")
def new_keys() -> None:
    """Print a new secret key and encryption key, ready for the environment. Keep them: without them nothing can be read."""
    click.echo(f"ENGAGE_SECRET_KEY={secrets.token_urlsafe(48)}")
    click.echo(f"ENGAGE_ENCRYPTION_KEYS=k1:{base64.b64encode(os.urandom(32)).decode()}")


@db.command("rotate-keys")
def rotate_keys() -> None:
    """Encrypt every phone number and text again with the first key of ENGAGE_ENCRYPTION_KEYS; the others may then go."""
    with ready_database() as (_, database):
        count = rotate(database)
        click.echo(
            f"{count} values were encrypted anew; everything is now under the first key of ENGAGE_ENCRYPTION_KEYS."
        )
