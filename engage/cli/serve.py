"""engage up, web, worker: the processes that run for ever. Web is served by granian, never by Flask's own server."""

import multiprocessing
import os
import secrets
import signal
import threading
from collections.abc import Mapping
from types import FrameType
from typing import Any

import click
from granian.constants import Interfaces
from granian.server import Server
from granian.server.common import AbstractServer

from engage import log
from engage.cli.session import begin, ready_database
from engage.console.first import FIRST_RUN, has_agency
from engage.db import Database
from engage.errors import ConfigurationError
from engage.memory import collect_rarely
from engage.settings import Settings
from engage.worker import Metronome, Verbs

PATIENCE_SECONDS = 9
"""After which a stopping process ends whatever still hangs: what was on its way is then settled by reconciliation."""


@click.command()
@click.option("--host", help="Address to listen on (default 127.0.0.1).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on (default 8080).")
def up(host: str | None, port: int | None) -> None:
    """Web and worker in one process, for one machine; with an embedded database unless ENGAGE_DATABASE_URL is set."""
    with ready_database(_begin_web(host, port)) as (settings, db):
        metronome = Metronome(Verbs.of(db, settings))
        server = _server(settings)
        first = _begin_first_run(settings, db)
        collect_rarely()
        server.on_startup(metronome.start)
        server.on_shutdown(lambda: _within_patience(metronome))
        click.echo(f"Engage is up: http://{settings.web_host}:{settings.web_port} (Ctrl-C to stop)", err=True)
        if first is not None:
            click.echo(f"There is no agency yet. Begin here: {first}", err=True)
        server.serve()


@click.command()
@click.option("--host", help="Address to listen on (default 127.0.0.1).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on (default 8080).")
def web(host: str | None, port: int | None) -> None:
    """Only the web: takes texts and receipts from Twilio. Any number of these may run on any number of machines."""
    with ready_database(_shared(_begin_web(host, port), "web")) as (settings, _):
        _server(settings).serve()


@click.command()
def worker() -> None:
    """Only the worker: plans, sends, understands, escalates. Any number of these may run on any number of machines."""
    with ready_database(_shared(begin(serving=True), "worker")) as (settings, db):
        metronome = Metronome(Verbs.of(db, settings))
        asked_to_stop = threading.Event()

        def ask(_: int, __: FrameType | None) -> None:
            asked_to_stop.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, ask)
        collect_rarely()
        metronome.start()
        click.echo("The worker is at work (Ctrl-C to stop).", err=True)
        asked_to_stop.wait()
        _within_patience(metronome)


def _begin_first_run(settings: Settings, db: Database) -> str | None:
    """On an empty database: a link to found the first agency, its secret handed to the web processes of this run alone."""
    if has_agency(db):
        return None
    secret = secrets.token_urlsafe(32)
    os.environ[FIRST_RUN] = secret
    return f"{settings.public_url}/console/first/{secret}"


def _begin_web(host: str | None, port: int | None) -> Settings:
    given = {"web_host": host, "web_port": port}
    settings = begin(serving=True, **{name: value for name, value in given.items() if value is not None})
    if settings.public_url is None:
        raise ConfigurationError(
            "ENGAGE_PUBLIC_URL is not set: the address at which Twilio reaches this web server, e.g. https://engage.example.org. "
            "engage doctor names everything else that is missing."
        )
    if not settings.auth_tokens:
        raise ConfigurationError(
            "ENGAGE_TWILIO_AUTH_TOKEN is not set: without it no text of a patient could be believed."
        )
    return settings


def _shared(settings: Settings, command: str) -> Settings:
    if settings.database_url is None:
        raise ConfigurationError(
            f"engage {command} shares a database with other processes, so ENGAGE_DATABASE_URL must be set. "
            "For everything on one machine: engage up."
        )
    return settings


def _server(settings: Settings) -> AbstractServer[Any]:
    # The web process starts afresh rather than as a copy of this one, whose threads and connections it must not share.
    multiprocessing.set_start_method("spawn", force=True)
    os.environ.update(environment_of(settings))
    server: AbstractServer[Any] = Server(
        "webhooks.wsgi:app",
        address=settings.web_host,
        port=settings.web_port,
        interface=Interfaces.WSGI,
        workers=settings.web_workers,
        blocking_threads=settings.web_threads,
        workers_kill_timeout=2,
        respawn_failed_workers=True,
        log_enabled=False,
    )
    return server


def environment_of(settings: Settings) -> Mapping[str, str]:
    """What a child process needs in its environment to work with the same settings."""
    values: dict[str, str] = {"ENGAGE_PARENT": str(os.getpid())}
    for name, value in settings:
        if value is not None:
            text = value.get_secret_value() if hasattr(value, "get_secret_value") else str(value)
            values[f"ENGAGE_{name.upper()}"] = text
    return values


def _within_patience(metronome: Metronome) -> None:
    """Stop the worker; if a hung connection keeps it, leave without it.

    The timer runs on: at its end Python would still wait for a thread whose text has long been recorded as unknown.
    """
    patience = threading.Timer(PATIENCE_SECONDS, lambda: os._exit(0))
    patience.daemon = True
    patience.start()
    metronome.stop()
    log.get().info("stopped")
