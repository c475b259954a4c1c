"""engage segments: how many segments a text costs, as Twilio counts."""

import json
import sys
from pathlib import Path

import click

from engage.errors import BadInput
from engage.sms.rules.segments import count


@click.command()
@click.argument("text", required=False)
@click.option(
    "--batch", type=click.Path(path_type=Path), help="A file with one JSON string a line (- for standard input)."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def segments(text: str | None, batch: Path | None, as_json: bool) -> None:
    """Count the segments of TEXT, and name the characters that make it dear."""
    if batch is not None:
        _count_lines(batch)
    elif text is None:
        raise BadInput('Give a text, e.g. engage segments "See you at 10", or --batch FILE.')
    elif as_json:
        click.echo(_as_json(text))
    else:
        found = count(text)
        dear = f"; {' '.join(found.not_gsm)} made it {found.encoding}" if found.not_gsm else ""
        click.echo(
            f"{found.segments} segment{'s' if found.segments != 1 else ''} ({found.encoding}, {found.units} units{dear})"
        )


def _count_lines(batch: Path) -> None:
    try:
        lines = sys.stdin.read().splitlines() if str(batch) == "-" else batch.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as problem:
        raise BadInput(
            f"{batch} cannot be read: {getattr(problem, 'strerror', None) or 'it is not UTF-8 text'}."
        ) from None
    answers = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            text = json.loads(line)
        except json.JSONDecodeError:
            text = None
        if not isinstance(text, str):
            raise BadInput(f'{batch}, line {number}: expected a JSON string such as "See you at 10".')
        answers.append(_as_json(text))
    click.echo("\n".join(answers))


def _as_json(text: str) -> str:
    found = count(text)
    return json.dumps(
        {"encoding": found.encoding, "segments": found.segments, "units": found.units, "not_gsm": list(found.not_gsm)}
    )
