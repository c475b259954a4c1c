"""The lexicon as it ships, read once, and a reader that answers in plain words."""

from collections.abc import Callable
from pathlib import Path

import pytest

from engage.replies.lexicon import load_lexicon
from engage.replies.rules import Asked, Lexicon, Reading, read

LEXICON = Path(__file__).parents[3] / "config" / "lexicon"


@pytest.fixture(scope="session")
def lexicon() -> Lexicon:
    return load_lexicon(LEXICON)


@pytest.fixture(scope="session")
def reads(lexicon: Lexicon) -> Callable[..., Reading]:
    def reader(text: str, asked: str = "none", language: str = "en") -> Reading:
        return read(text, Asked(asked), lexicon=lexicon, language=language)

    return reader
