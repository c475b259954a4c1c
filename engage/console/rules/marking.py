"""Marks, in what somebody wrote, the words that led to its reading: words and evidence in, pieces to print out. Pure."""

import itertools
import json
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """Words that led to one intent; `start` and `end` are positions in the text as it came."""

    intent: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of the text. `intents` are what its words were read as; none for the rest of the text."""

    words: str
    intents: tuple[str, ...] = ()


def spans_of(evidence: str) -> tuple[Span, ...]:
    """The spans in stored evidence (readings.evidence); none when it is of a shape that nobody here knows."""
    try:
        items = json.loads(evidence)["evidence"]
        return tuple(Span(str(item["intent"]), int(item["start"]), int(item["end"])) for item in items)
    except (ValueError, KeyError, TypeError):
        return ()


def marked(words: str, spans: Iterable[Span]) -> tuple[Piece, ...]:
    """The text in order, cut wherever a span begins or ends; its pieces together are the text, whatever the spans say."""
    inside = [span for span in spans if 0 <= span.start < span.end <= len(words)]
    cuts = sorted({0, len(words), *(span.start for span in inside), *(span.end for span in inside)})
    return tuple(
        Piece(
            words[start:end], tuple(sorted({span.intent for span in inside if span.start <= start and end <= span.end}))
        )
        for start, end in itertools.pairwise(cuts)
    )


def quote(words: str, spans: Iterable[Span], most: int = 140) -> tuple[Piece, ...]:
    """A short view of a long text for a list: it begins a little before the first mark, so that what matters is seen."""
    pieces, spans = marked(words, found := tuple(spans)), found
    if len(words) <= most:
        return pieces
    first = min((span.start for span in spans if span.start < len(words)), default=0)
    start = max(0, min(first - most // 4, len(words) - most))
    end = start + most
    inner = tuple(
        Span(span.intent, max(span.start - start, 0), min(span.end, end) - start) for span in spans if span.end > start
    )
    shown = marked(words[start:end], inner)
    return (*((Piece("…"),) if start else ()), *shown, *((Piece("…"),) if end < len(words) else ()))
