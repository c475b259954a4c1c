"""The program `engage`: finds the command, imports only that one, and speaks plainly when something is wrong."""

import importlib
import os
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import click

from engage import __version__
from engage.errors import EngageError

_COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "demo": "engage.cli.demo:demo",
        "up": "engage.cli.serve:up",
        "web": "engage.cli.serve:web",
        "worker": "engage.cli.serve:worker",
        "doctor": "engage.cli.doctor:doctor",
        "db": "engage.cli.database:db",
        "agency": "engage.cli.agency:agency",
        "sender": "engage.cli.senders:sender",
        "programme": "engage.cli.programme:programme",
        "wording": "engage.cli.wording:wording",
        "clinician": "engage.cli.people:clinician",
        "patient": "engage.cli.patients:patient",
        "contact": "engage.cli.contacts:contact",
        "consent": "engage.cli.consent:consent",
        "write": "engage.cli.writing:write",
        "user": "engage.cli.people:user",
        "account": "engage.cli.accounts:account",
        "import": "engage.cli.importing:importing",
        "plan": "engage.cli.verbs:plan",
        "dispatch": "engage.cli.verbs:dispatch",
        "handle": "engage.cli.verbs:handle",
        "escalate": "engage.cli.verbs:escalate",
        "mail": "engage.cli.verbs:mail",
        "reconcile": "engage.cli.verbs:reconcile",
        "sweep": "engage.cli.verbs:sweep",
        "check-rota": "engage.cli.verbs:check_rota",
        "clean": "engage.cli.verbs:clean",
        "oncall": "engage.cli.oncall:oncall",
        "audit": "engage.cli.audit:audit",
        "simulate-rules": "engage.cli.rules:simulate_rules",
        "alerts": "engage.cli.alerts:alerts",
        "understand": "engage.cli.understanding:understand",
        "segments": "engage.cli.segments:segments",
        "simulate": "engage.cli.simulate:simulate",
        "report": "engage.cli.report:report",
        "why": "engage.cli.why:why_command",
    }
)


class _Lazy(click.Group):
    """A group whose commands are imported when they are called: the program starts quickly."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, in the order of the table."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of one command."""
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(":")
        command = getattr(importlib.import_module(module), name)
        return command if isinstance(command, click.Command) else None


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="engage")
def program() -> None:
    """Engage texts home-health and hospice patients, understands what comes back, and gets a nurse to act."""


def main() -> None:
    """Run the program. Exit codes: 0 done, 1 could not, 2 asked wrongly or set up wrongly, 130 stopped by Ctrl-C."""
    try:
        code = program.main(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.Exit as leaving:
        sys.exit(leaving.exit_code)
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except EngageError as problem:
        click.echo(str(problem), err=True)
        sys.exit(problem.exit_code)
    except Exception as bug:
        if os.environ.get("ENGAGE_LOG_LEVEL", "").upper() == "DEBUG":
            raise
        click.echo(_apology(bug), err=True)
        sys.exit(1)


def _apology(bug: Exception) -> str:
    """Where it happened, but not the message: it may hold a name or a number."""
    last = traceback.extract_tb(bug.__traceback__)[-1]
    where = f"{type(bug).__name__} at {Path(last.filename).name}:{last.lineno}"
    return (
        f"Engage failed in a way it should not ({where}). Nothing was half-written. ENGAGE_LOG_LEVEL=DEBUG shows more."
    )
