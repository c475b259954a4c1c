"""engage understand: what a reply means, with the words that say so."""

import csv
import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

import click

from engage import clock
from engage.cli.session import begin
from engage.errors import BadInput
from engage.replies.lexicon import load_lexicon
from engage.replies.rules import Asked, Lexicon, Reading, read


@click.command()
@click.argument("text", required=False)
@click.option(
    "--context",
    type=click.Choice([str(asked.value) for asked in Asked]),
    default="none",
    show_default=True,
    help="What we asked last.",
)
@click.option(
    "--lang", type=click.Choice(["en", "es"]), default="en", show_default=True, help="The patient's language."
)
@click.option(
    "--batch", type=click.Path(path_type=Path), help="A TSV file with a header and the columns context, lang, text."
)
def understand(text: str | None, context: str, lang: str, batch: Path | None) -> None:
    """Print the reading of TEXT as JSON: intents, score, evidence."""
    settings = begin()
    lexicon = load_lexicon(settings.config_dir / "lexicon")
    today = clock.now().date()
    if batch is not None:
        for row in _rows(batch):
            click.echo(_line(lexicon, row["text"], row["context"], row["lang"], today))
    elif text is None:
        raise BadInput('Give a reply, e.g. engage understand --context checkin "2 my leg is swollen", or --batch FILE.')
    else:
        click.echo(_line(lexicon, text, context, lang, today))


def _rows(batch: Path) -> list[dict[str, str]]:
    try:
        raw = sys.stdin.read() if str(batch) == "-" else batch.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise BadInput(
            f"{batch} cannot be read: {getattr(problem, 'strerror', None) or 'it is not UTF-8 text'}."
        ) from None
    lines = raw.split("\n")  # a reply may hold any other line separator, so only the newline ends a row
    rows = list(csv.DictReader((line.rstrip("\r") for line in lines if line), delimiter="\t", quoting=csv.QUOTE_NONE))
    for number, row in enumerate(rows, start=2):
        if row.get("text") is None or row.get("context") not in set(Asked):
            raise BadInput(
                f"{batch}, line {number}: needs context ({', '.join(Asked)}), lang and text, separated by tabs."
            )
    return rows


def _line(lexicon: Lexicon, text: str, context: str, lang: str, today: date) -> str:
    return json.dumps(
        _as_dict(read(text, Asked(context), lexicon=lexicon, language=lang, today=today)), ensure_ascii=False
    )


def _as_dict(reading: Reading) -> dict[str, Any]:
    return {
        "intents": [str(intent) for intent in reading.intents],
        "score": reading.score,
        "times": [
            {
                "on": wanted.on and wanted.on.isoformat(),
                "earliest": wanted.earliest and f"{wanted.earliest:%H:%M}",
                "latest": wanted.latest and f"{wanted.latest:%H:%M}",
                "words": wanted.words,
            }
            for wanted in reading.times
        ],
        "evidence": [
            {"intent": str(item.intent), "words": item.words, "start": item.start, "end": item.end, "rule": item.rule}
            for item in reading.evidence
        ],
        "confidence": reading.confidence,
        "needs_person": reading.needs_person,
        "rule_version": reading.rule_version,
    }
