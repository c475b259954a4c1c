"""What most commands begin with: settings, logs, an open and migrated database, an agency by its short id."""

import getpass
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
from sqlalchemy import select

from engage import clock, log
from engage.agencies.model import Agency
from engage.db import Database, migrate
from engage.db.opening import complete, opened
from engage.errors import NotFound
from engage.settings import Settings, load

agency_option = click.option(
    "--agency", "slug", required=True, metavar="ID", help="The agency's short id, e.g. sunrise."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


def begin(*, serving: bool = False, **overrides: Any) -> Settings:
    """Read the settings and set up logs and clock for this process; a command that ends logs warnings only, unless asked."""
    settings = load(**overrides)
    asked = serving or "log_level" in settings.model_fields_set
    log.configure(settings.log_level if asked else "WARNING")
    clock.follow(settings.clock_file)
    return settings


@contextmanager
def ready_database(settings: Settings | None = None) -> Iterator[tuple[Settings, Database]]:
    """Complete settings and a database at this release; an embedded one is brought to it, any other is only checked."""
    given = settings or begin()
    with complete(given) as filled, opened(filled) as (db, ring):
        if given.database_url is None:
            migrate.upgrade(db, ring)
        migrate.check(db, ring)
        yield filled, db


def agency_of(db: Database, slug: str) -> Agency:
    """The agency with a short id; NotFound names those there are."""
    with db.system_session("find an agency") as session:
        found = session.scalars(select(Agency).where(Agency.slug == slug)).first()
        known = session.scalars(select(Agency.slug).order_by(Agency.slug)).all()
    if found is None:
        raise NotFound(f"There is no agency {slug!r}; there are: {', '.join(known) or 'none yet (engage agency add)'}.")
    return found


def account() -> str:
    """The account on this machine that gives the command, for the audit; a container may have none with a name."""
    try:
        return f"cli:{getpass.getuser()}"
    except (OSError, KeyError):
        return f"cli:{os.getuid()}"


def show(result: dict[str, Any], as_json: bool, line: Callable[[dict[str, Any]], str] | None = None) -> None:
    """Print a result as one line of JSON or of text."""
    if as_json:
        click.echo(json.dumps(result, default=str, ensure_ascii=False))
    else:
        click.echo(
            line(result) if line else ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in result.items())
        )
