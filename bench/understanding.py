"""How well and how fast replies are read: labelled files in, accuracy by intent, context and language out.

Run `python bench/understanding.py FILE...`; a file is tab-separated with a header and the columns context, lang, text,
intents and score, as tests/corpus/replies_en.tsv. `--half held-out` counts only rows nobody tuned on, and names none of
them. Reads only; never learns from what it reads.
"""

import argparse
import csv
import json
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engage.replies.lexicon import load_lexicon
from engage.replies.rules import RULE_VERSION, Asked, Lexicon, read

LEXICON = Path(__file__).parents[1] / "config" / "lexicon"
CORPUS = sorted((Path(__file__).parents[1] / "tests" / "corpus").glob("replies_*.tsv"))


@dataclass
class Tally:
    """Everything counted over all rows."""

    rows: int = 0
    exact: Counter[str] = field(default_factory=Counter)
    total: Counter[str] = field(default_factory=Counter)
    wanted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    agreed: Counter[str] = field(default_factory=Counter)
    confused: Counter[tuple[str, str]] = field(default_factory=Counter)
    scores: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    wrong: list[dict[str, Any]] = field(default_factory=list)


def rows_of(file: Path) -> Iterator[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        yield from csv.DictReader(opened, delimiter="\t", quoting=csv.QUOTE_NONE)


def count(tally: Tally, row: dict[str, str], lexicon: Lexicon) -> None:
    """Read one row and add it to the tally."""
    begun = time.perf_counter()
    reading = read(row["text"], Asked(row["context"]), lexicon=lexicon, language=row["lang"])
    tally.seconds.append(time.perf_counter() - begun)
    wanted, found = set(row["intents"].split("+")), {intent.value for intent in reading.intents}
    tally.rows += 1
    for group in ("all", f"context {row['context']}", f"language {row['lang']}"):
        tally.total[group] += 1
        tally.exact[group] += wanted == found
    tally.wanted.update(wanted)
    tally.found.update(found)
    tally.agreed.update(wanted & found)
    for missed in wanted - found or {"-"}:
        for extra in found - wanted or {"-"}:
            tally.confused[missed, extra] += 1
    score = row.get("score") or ""
    read_score = "" if reading.score is None else str(reading.score)
    tally.scores["carried" if score else "none"] += 1
    tally.scores["right"] += bool(score) and score == read_score
    tally.scores["invented"] += not score and bool(read_score)
    if wanted != found or score != read_score:
        tally.wrong.append(
            {"context": row["context"], "text": row["text"], "wanted": sorted(wanted), "found": sorted(found)}
            | {"score": score, "read_score": read_score}
        )


def share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def figures(tally: Tally) -> dict[str, Any]:
    """The tally as plain values."""
    urgent_false = tally.found["urgent"] - tally.agreed["urgent"]
    return {
        "rule_version": RULE_VERSION,
        "rows": tally.rows,
        "exact": {group: share(tally.exact[group], total) for group, total in sorted(tally.total.items())},
        "intents": {
            intent: {
                "rows": tally.wanted[intent],
                "recall": share(tally.agreed[intent], tally.wanted[intent]),
                "precision": share(tally.agreed[intent], tally.found[intent]),
            }
            for intent in sorted(tally.wanted | tally.found)
        },
        "urgent_false": share(urgent_false, tally.rows - tally.wanted["urgent"]),
        "score_right": share(tally.scores["right"], tally.scores["carried"]),
        "score_invented": share(tally.scores["invented"], tally.scores["none"]),
        "confused": [[missed, extra, n] for (missed, extra), n in tally.confused.most_common() if missed != extra],
        "microseconds": {
            "median": round(1e6 * statistics.median(tally.seconds)),
            "p99": round(1e6 * sorted(tally.seconds)[int(0.99 * (len(tally.seconds) - 1))]),
        },
        "wrong": tally.wrong,
    }


def show(result: dict[str, Any]) -> None:
    print(f"{result['rows']} replies, rules {result['rule_version']}")
    print("\nexact label set")
    for group, value in result["exact"].items():
        print(f"  {group:<18} {value:.3f}")
    print("\nintent            rows  recall  precision")
    for intent, row in result["intents"].items():
        cells = [f"{v:.3f}" if v is not None else "    -" for v in (row["recall"], row["precision"])]
        print(f"  {intent:<14} {row['rows']:>5}   {cells[0]}      {cells[1]}")
    print(
        f"\nfalse urgent {result['urgent_false']}, score right {result['score_right']}, invented {result['score_invented']}"
    )
    print("\nmissed -> read instead (- for nothing)")
    for missed, extra, n in result["confused"][:25]:
        print(f"  {n:>4}  {missed} -> {extra}")
    print(f"\nmicroseconds a reply: median {result['microseconds']['median']}, p99 {result['microseconds']['p99']}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="left out: our own corpus, held-out rows")
    parser.add_argument("--json", action="store_true", help="everything as JSON, with each wrong row")
    parser.add_argument("--half", choices=("tuned", "held-out"), help="only rows marked so in the column `half`")
    asked = parser.parse_args()
    if not asked.files:
        asked.files, asked.half = CORPUS, asked.half or "held-out"
    lexicon = load_lexicon(LEXICON)
    tally = Tally()
    for file in asked.files:
        for row in rows_of(file):
            if asked.half in {None, row.get("half")}:
                count(tally, row, lexicon)
    if not tally.rows:
        raise SystemExit(
            "No rows: a file needs a header with context, lang, text, intents and score, and rows below it."
        )
    result = figures(tally)
    if asked.half == "held-out":
        result["wrong"] = []  # who has read what went wrong with a row has tuned on it
    print(json.dumps(result, ensure_ascii=False, indent=1)) if asked.json else show(result)


if __name__ == "__main__":
    main()
