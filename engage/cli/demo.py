"""engage demo: an invented agency's day, live in the terminal; or once, as counts for a machine."""

import json
import sys
import time as machine
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import click
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from engage import log
from engage.cli.demo_guest import invite_guest
from engage.reports.day import counts
from engage.simulation.run import Outcome, Plan, run_day
from engage.simulation.world import ZONE, Event, World

_SIGNS = {
    "out": ("→", "cyan", "text to"),
    "in": ("←", "green", "answer of"),
    "page": ("!", "bold red", "page to"),
    "take": ("✓", "bold yellow", "taken by"),
    "note": ("·", "yellow", "note to"),
    "resolve": ("■", "bold green", "resolved by"),
    "import": ("+", "blue", "file"),
}
_SHOWN = ("planned", "sent", "delivered", "replies", "alerts", "acknowledged", "resolved")


@click.command()
@click.option("--patients", type=click.IntRange(1, 50_000), default=60, show_default=True, help="How many patients.")
@click.option(
    "--visits", type=click.IntRange(1, 50_000), help="How many of them are visited tomorrow (default: two in three)."
)
@click.option(
    "--speed",
    type=click.FloatRange(0),
    help="Virtual seconds a second; 0: as fast as it goes (default 720: a day in two minutes).",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed, another day.")
@click.option("--once", is_flag=True, help="No terminal, as fast as it goes; exit 0 only if every promise was kept.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON at the end, and nothing else.")
@click.option(
    "--stay/--no-stay",
    default=None,
    help="When the day is over, keep the console open until Ctrl-C (default: in a terminal).",
)
def demo(
    patients: int, visits: int | None, speed: float | None, seed: int, once: bool, as_json: bool, stay: bool | None
) -> None:
    """Watch an invented agency's day: texts leave, patients answer, a "1" pages a nurse, she takes it by text.

    Everything is real but the people and Twilio: PostgreSQL, the wire, the program. Nothing of it stays behind.
    """
    log.configure("ERROR")
    chosen = speed if speed is not None else (0 if once else 720)
    plan = Plan(patients, visits or max(1, patients * 2 // 3), chosen, seed)
    is_live = sys.stdout.isatty() and not once and not as_json
    rest = _stay if (is_live if stay is None else stay) else _leave
    if is_live:
        with _Screen() as screen:
            outcome = run_day(plan, screen.tell, screen.watch, lambda world: screen.hand_over(rest, world))
    else:
        outcome = run_day(plan, _silent if as_json else _plain, stay=rest)
    _print(outcome, as_json)
    if outcome.broken:
        sys.exit(1)


def _leave(_: World) -> None:
    """The day is over, and so are we."""


def _stay(world: World) -> None:
    """Print the console's address and a sign-in, and let time pass as it does outside until Ctrl-C."""
    guest = invite_guest(world.db, world.agency_id, world.now)
    click.echo(f"\nThe day is over; the console is open at {world.address}/console until you press Ctrl-C.")
    click.echo(f"  e-mail    {guest.email}\n  password  {guest.password}")
    click.echo("  code      changes every half minute; it is that of the demonstration's clock:")
    shown = ""
    try:
        while True:
            code = guest.code(world.now)
            if code != shown:
                click.echo(f"            {code}")
                shown = code
            began = machine.monotonic()
            world.step(world.now + timedelta(seconds=1))
            machine.sleep(max(0.0, 1 - (machine.monotonic() - began)))
    except KeyboardInterrupt:
        click.echo("")


def _silent(_: Event) -> None:
    """For machines: the counts say it all."""


def _plain(event: Event) -> None:
    click.echo(_line(event).plain)


def _line(event: Event) -> Text:
    sign, colour, what = _SIGNS[event.kind]
    at = event.at.astimezone(ZoneInfo(ZONE))
    return Text.assemble((f"{at:%H:%M} ", "dim"), (f"{sign} {what:<11} {event.who:<10} ", colour), event.words)


def _print(outcome: Outcome, as_json: bool) -> None:
    if as_json:
        facts = {"virtual_hours": round(outcome.virtual_hours, 1), "seconds": round(outcome.seconds, 1)}
        click.echo(json.dumps({**outcome.counts, **facts, "broken_promises": list(outcome.broken)}, ensure_ascii=False))
        return
    click.echo(f"\n{outcome.virtual_hours:.0f} hours in {outcome.seconds:.0f} s.")
    for name, value in outcome.counts.items():
        words = (
            ", ".join(f"{word.replace('_', ' ')} {number}" for word, number in value.items())
            if isinstance(value, dict)
            else value
        )
        click.echo(f"{name.replace('_', ' '):>18}: {words or 'none'}")
    for sentence in outcome.broken:
        click.echo(f"BROKEN PROMISE: {sentence}", err=True)
    if not outcome.broken:
        click.echo(
            "Every promise was kept: nothing lost, nothing twice, nobody texted who should not be, every alert has a next step."
        )


class _Screen:
    """The live picture: clock, counts, and the story as it happens."""

    def __init__(self) -> None:
        self._console = Console()
        self._story: deque[Text] = deque(maxlen=max(8, self._console.height - 9))
        self._counts: dict[str, Any] = {}
        self._counted = 0.0
        self._live = Live(console=self._console, auto_refresh=False, screen=False, transient=True)

    def __enter__(self) -> "_Screen":
        self._console.print(
            "[bold]Setting up Sunrise Home Health[/]: database, a fake Twilio, patients, nurses. Ctrl-C ends it."
        )
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()
        for line in self._story:
            self._console.print(line, no_wrap=True, overflow="ellipsis")

    def tell(self, event: Event) -> None:
        """A new line of the story."""
        self._story.append(_line(event))

    def hand_over(self, rest: Callable[[World], None], world: World) -> None:
        """The picture stands still, and the terminal is another's."""
        self._live.stop()
        rest(world)

    def watch(self, world: World, share: float) -> None:
        """Draw, and count about twice a second."""
        if machine.monotonic() - self._counted > 0.5:
            self._counts = counts(world.db, world.start, world.now)
            self._counted = machine.monotonic()
        self._live.update(Group(self._head(world, share), *self._story), refresh=True)

    def _head(self, world: World, share: float) -> Table:
        at = world.now.astimezone(ZoneInfo(ZONE))
        numbers = Text.assemble(
            *(
                (f"{name} ", "dim") if odd else (f"{self._counts.get(name, 0)}   ", "bold")
                for name in _SHOWN
                for odd in (True, False)
            )
        )
        head = Table.grid(padding=(0, 1))
        head.add_row(
            Text(f"Sunrise Home Health  {at:%a %H:%M}", style="bold"), ProgressBar(total=1, completed=share, width=30)
        )
        grid = Table.grid()
        grid.add_row(head)
        grid.add_row(numbers)
        grid.add_row("")
        return grid
