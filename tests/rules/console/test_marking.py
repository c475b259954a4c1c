"""The words that matter are marked, and never a letter is lost."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engage.console.rules.marking import Piece, Span, marked, quote, spans_of


@pytest.mark.parametrize(
    ("words", "spans", "pieces"),
    [
        ("", [], ()),
        ("thanks", [], (Piece("thanks"),)),
        ("2 my leg is swollen", [Span("symptom", 2, 19)], (Piece("2 "), Piece("my leg is swollen", ("symptom",)))),
        # two readings of overlapping words: the common part has both
        (
            "abcdef",
            [Span("x", 0, 4), Span("y", 2, 6)],
            (Piece("ab", ("x",)), Piece("cd", ("x", "y")), Piece("ef", ("y",))),
        ),
        ("abc", [Span("x", 1, 9)], (Piece("abc"),)),  # a position that is not of this text marks nothing
        ("abc", [Span("x", 2, 2)], (Piece("abc"),)),
    ],
)
def test_words_are_marked(words: str, spans: list[Span], pieces: tuple[Piece, ...]) -> None:
    assert marked(words, spans) == pieces


@given(
    st.text(max_size=80), st.lists(st.builds(Span, st.sampled_from("xyz"), st.integers(-3, 90), st.integers(-3, 90)))
)
def test_nothing_is_lost(words: str, spans: list[Span]) -> None:
    assert "".join(piece.words for piece in marked(words, spans)) == words


def test_a_quote_shows_what_matters() -> None:
    words = "Good morning dear, " * 12 + "my chest hurts" + " and so on" * 20
    start = words.index("my chest")
    pieces = quote(words, [Span("urgent", start, start + 14)])
    assert Piece("my chest hurts", ("urgent",)) in pieces
    assert pieces[0].words == pieces[-1].words == "…"
    assert sum(len(piece.words) for piece in pieces) <= 142
    assert quote("short", []) == (Piece("short"),)


@pytest.mark.parametrize(
    ("stored", "spans"),
    [
        (
            json.dumps({"evidence": [{"intent": "score", "words": "2", "start": 0, "end": 1, "rule": "r"}]}),
            (Span("score", 0, 1),),
        ),
        ("", ()),  # a reading without evidence
        ("no json", ()),
        ("[]", ()),  # of another release
        ('{"evidence": [{"intent": "x"}]}', ()),
    ],
)
def test_evidence_is_read(stored: str, spans: tuple[Span, ...]) -> None:
    assert spans_of(stored) == spans
