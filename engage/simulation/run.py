"""Sets a world up and lets a day pass: an embedded database, the fake Twilio, the real program, people. Leaves nothing behind."""

import base64
import os
import secrets
import tempfile
import time as machine
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from engage import clock
from engage.db import Database, encryption, migrate
from engage.db.embedded import EmbeddedPostgres
from engage.db.encryption import KeyRing
from engage.reports.day import counts
from engage.resources import shipped
from engage.settings import parse_key_ring
from engage.simulation import invented
from engage.simulation.promises import broken_promises
from engage.simulation.twilio import Behaviour, FakeTwilio
from engage.simulation.world import Event, World, afternoon, environment_for, free_port

DAY = timedelta(hours=24)
FIRST_DAY = date(2026, 3, 2)  # a Monday; a fixed one, so that a day can be run again
_DRAIN = timedelta(hours=3)
_ACCOUNT = "AC" + "d" * 32

# Twilio as it is on a middling day: answers and receipts get lost, so that the reconciliation has something to do.
_WEATHER = {
    "rate_429": 0.02,
    "rate_500_before": 0.01,
    "rate_500_after": 0.01,
    "rate_drop_after": 0.01,
    "rate_callback_lost": 0.02,
    "rate_callback_doubled": 0.03,
    "callbacks_reordered": 0.03,
}


@dataclass(frozen=True, slots=True)
class Plan:
    """How big a day, how fast (virtual seconds a second; 0: as fast as it goes), and with which luck."""

    patients: int = 60
    visits: int = 40
    speed: float = 720
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a day came to."""

    counts: dict[str, Any]
    broken: tuple[str, ...]
    virtual_hours: float
    seconds: float


Watch = Callable[[World, float], None]
"""Called after every step with the world and the share of the day that has passed."""


def run_day(
    plan: Plan,
    tell: Callable[[Event], None],
    watch: Watch = lambda _, __: None,
    stay: Callable[[World], None] = lambda _: None,
) -> Outcome:
    """One simulated day from 13:00 to 13:00. Ctrl-C passes through, with everything stopped and removed.

    `stay` is called when the day is over and judged, with everything still running.
    """
    began = machine.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="engage-demo-")))
        world = _build(stack, plan, folder, tell)
        start, end = world.start, world.start + DAY
        _pass_time(world, plan, end, watch)
        _drain(world)
        found = counts(world.db, start, world.now)
        broken = broken_promises(world.db, world.fake, world.now)
        if failed := world.fake.webhook_failures:
            broken.append(f"{len(failed)} webhook(s) were not answered well.")
        hours = (world.now - start) / timedelta(hours=1)
        stay(world)
        if code := world.end():
            broken.append(f"engage up ended with exit code {code}.")
    return Outcome(found, tuple(broken), hours, machine.monotonic() - began)


def _build(stack: ExitStack, plan: Plan, folder: Path, tell: Callable[[Event], None]) -> World:
    start = afternoon(FIRST_DAY)
    clock_file = clock.ClockFile(folder / "clock", start)
    clock.follow(clock_file.path)
    stack.callback(clock.follow, None)
    data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="engage-demo-")))
    server = stack.enter_context(EmbeddedPostgres(data, durable=False))
    keys, secret = f"demo:{base64.b64encode(os.urandom(32)).decode()}", secrets.token_urlsafe(48)
    ring = KeyRing(parse_key_ring(keys), secret)
    encryption.use(ring)
    db = Database(server.url(), pool_size=4, name="engage simulation")
    stack.callback(db.close)
    migrate.upgrade(db, ring)
    address, token = f"http://127.0.0.1:{free_port()}", secrets.token_hex(16)
    weather = Behaviour(**_WEATHER)  # type: ignore[arg-type]
    fake = FakeTwilio(
        account_sid=_ACCOUNT,
        auth_token=token,
        inbound_url=f"{address}/twilio/messages",
        seed=plan.seed,
        behaviour=weather,
        webhooks_at_once=4,
    )
    stack.enter_context(fake)
    for number in (0, 1):
        fake.add_number(invented.phone(number))
    made = invented.invent(plan.patients, plan.visits, FIRST_DAY, plan.seed)
    world = World(db, fake, clock_file, folder, shipped("config"), made, start, tell, plan.seed)
    world.found()
    world.people()
    world.visit_the_patients(start + DAY)
    stack.callback(world.end)
    given = {
        "ENGAGE_DATABASE_URL": server.url(),
        "ENGAGE_SECRET_KEY": secret,
        "ENGAGE_ENCRYPTION_KEYS": keys,
        "ENGAGE_PUBLIC_URL": address,
        "ENGAGE_WEB_PORT": address.rsplit(":", 1)[1],
        "ENGAGE_TWILIO_ACCOUNT_SID": _ACCOUNT,
        "ENGAGE_TWILIO_AUTH_TOKEN": token,
        "ENGAGE_TWILIO_API_URL": fake.url,
        "ENGAGE_CLOCK_FILE": str(clock_file.path),
        "ENGAGE_TICK_SECONDS": "0.05",
        "ENGAGE_PLAN_SECONDS": "0.4",
        "ENGAGE_DISPATCH_AT_ONCE": "8",
    }
    world.launch(environment_for(given), address)
    return world


def _pass_time(world: World, plan: Plan, end: datetime, watch: Watch) -> None:
    while world.now < end:
        began, before = machine.monotonic(), world.now
        world.step(min(world.next_minute(), end))
        watch(world, 1 - (end - world.now) / DAY)
        if plan.speed:
            left = (world.now - before).total_seconds() / plan.speed - (machine.monotonic() - began)
            machine.sleep(max(0.0, left))


def _drain(world: World) -> None:
    """Let what is under way come to rest: nobody writes any more, but every text and alert finds its end."""
    until = world.now + _DRAIN
    while world.now < until and (world.is_busy() or world.fake.next_due_at() is not None):
        world.step(world.now + timedelta(minutes=1))
