"""engage understand: what a reply means, with the words that say so; and what stored replies would mean today."""

import csv
import json
import sys
from collections import Counter
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from engage import clock
from engage.agencies.model import AuditEvent
from engage.cli.session import account, agency_of, begin, json_option, ready_database, show
from engage.errors import BadInput
from engage.replies.lexicon import load_lexicon
from engage.replies.replay import Reread, replay
from engage.replies.rules import Asked, Lexicon, Reading, read
from engage.replies.rules.reading import RULE_VERSION
from engage.settings import Settings


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
@click.option("--replay", "is_replay", is_flag=True, help="Read an agency's stored replies again, with today's rules.")
@click.option("--since", type=click.DateTime(), help="With --replay: from this UTC day or moment on.")
@click.option("--agency", "slug", help="With --replay: the agency's short id.")
@click.option("--words", "has_words", is_flag=True, help="With --replay: show what was written, too. It is audited.")
@json_option
def understand(
    text: str | None,
    context: str,
    lang: str,
    batch: Path | None,
    is_replay: bool,
    since: datetime | None,
    slug: str | None,
    has_words: bool,
    as_json: bool,
) -> None:
    """Print the reading of TEXT as JSON: intents, score, evidence.

    With --replay: what today's rules and lexicon would read differently in the replies that are stored. Nothing changes.
    """
    settings = begin()
    lexicon = load_lexicon(settings.config_dir / "lexicon")
    if is_replay:
        if since is None or slug is None:
            raise BadInput("--replay needs --since and --agency, e.g. --since 2026-11-01 --agency sunrise.")
        _replay(settings, lexicon, slug, since.replace(tzinfo=UTC), has_words=has_words, as_json=as_json)
        return
    today = clock.now().date()
    if batch is not None:
        for row in _rows(batch):
            click.echo(_line(lexicon, row["text"], row["context"], row["lang"], today))
    elif text is None:
        raise BadInput('Give a reply, e.g. engage understand --context checkin "2 my leg is swollen", or --batch FILE.')
    else:
        click.echo(_line(lexicon, text, context, lang, today))


def _replay(
    settings: Settings, lexicon: Lexicon, slug: str, since: datetime, *, has_words: bool, as_json: bool
) -> None:
    counts: Counter[str] = Counter()
    with ready_database(settings) as (_, db):
        agency = agency_of(db, slug)
        detail = {"since": since.isoformat(), "words": has_words, "rules": RULE_VERSION}
        with db.agency_session(agency.id) as session:
            event = {"actor": account(), "action": "replay", "subject": "reply", "detail": detail}
            session.add(AuditEvent(agency_id=agency.id, at=clock.now(), **event))
        for reread in replay(db, agency.id, lexicon, since):
            counts["read"] += 1
            if reread.is_different:
                counts["different"] += 1
                counts["urgent_now"] += "urgent" in reread.intents_now and "urgent" not in reread.intents
                counts["urgent_no_more"] += "urgent" in reread.intents and "urgent" not in reread.intents_now
                show(_difference(reread, has_words=has_words), as_json, _difference_line)
    totals = {name: counts[name] for name in ("read", "different", "urgent_now", "urgent_no_more")}
    show(totals, as_json)


def _difference(reread: Reread, *, has_words: bool) -> dict[str, Any]:
    found = asdict(reread) | {"received_at": reread.received_at.isoformat()}
    return found if has_words else {name: value for name, value in found.items() if name != "words"}


def _difference_line(found: dict[str, Any]) -> str:
    then = "+".join(found["intents"]) + (f" {found['score']}" if found["score"] is not None else "")
    now = "+".join(found["intents_now"]) + (f" {found['score_now']}" if found["score_now"] is not None else "")
    said = f': "{found["words"]}"' if "words" in found else ""
    return (
        f"reply {found['reply_id']} ({found['received_at'][:16]}, rules {found['rule_version']}): {then} -> {now}{said}"
    )


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
