"""Every entry keeps its own promises, and a broken or missing file says what is wrong."""

import shutil
from pathlib import Path

import pytest

from engage.errors import ConfigurationError
from engage.replies.lexicon import load_lexicon
from engage.replies.rules import Asked, Intent, Lexicon, read
from engage.replies.rules.lexicon import Entry
from engage.replies.rules.understand import kept_finds

from .conftest import LEXICON

ENTRIES = load_lexicon(LEXICON).entries
EXAMPLES = [(entry, text) for entry in ENTRIES for text in entry.examples]
COUNTEREXAMPLES = [(entry, text) for entry in ENTRIES for text in entry.counterexamples]


def counts(lexicon: Lexicon, entry: Entry, text: str) -> bool:
    asked = Asked.NONE if Asked.NONE in entry.asked else min(entry.asked)
    if entry.means == "idiom":
        language = entry.language if entry.language in {"en", "es"} else "en"
        return any(find.entry is entry for find in lexicon.idioms.search(lexicon.words(text, language), asked))
    return any(find.entry is entry for find in kept_finds(text, asked, lexicon, entry.language))


@pytest.mark.parametrize(("entry", "text"), EXAMPLES, ids=lambda value: getattr(value, "rule", value))
def test_an_entry_finds_its_examples(lexicon: Lexicon, entry: Entry, text: str) -> None:
    assert counts(lexicon, entry, text)


@pytest.mark.parametrize(("entry", "text"), COUNTEREXAMPLES, ids=lambda value: getattr(value, "rule", value))
def test_an_entry_leaves_its_counterexamples_alone(lexicon: Lexicon, entry: Entry, text: str) -> None:
    assert not counts(lexicon, entry, text)


def test_every_entry_brings_an_example() -> None:
    assert [entry.rule for entry in ENTRIES if not entry.examples] == []


def test_no_two_entries_of_a_language_share_a_name() -> None:
    rules = [entry.rule for entry in ENTRIES]
    assert sorted(set(rules)) == sorted(rules)


def test_an_agency_adds_entries_in_a_file_of_its_own(tmp_path: Path) -> None:
    folder = shutil.copytree(LEXICON, tmp_path / "lexicon")
    (folder / "en-ours.toml").write_text(
        '[[entry]]\nname = "our word"\nmeans = "urgent"\nsays = ["code purple"]\nexamples = ["code purple"]\n',
        encoding="utf-8",
    )
    reading = read("code purple", Asked.NONE, lexicon=load_lexicon(folder))
    assert reading.intents == (Intent.URGENT,)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[entry]\n", "en-ours.toml"),  # no TOML at all
        ('[[entry]]\nname = "x"\nsays = ["a b c"]\n', "'x'"),  # no meaning
        ('[[entry]]\nname = "x"\nmeans = "urgent"\nsays = ["{nowhere} hurts"]\n', "nowhere"),  # no such class
        ('[[entry]]\nname = "x"\nmeans = "urgent"\nsays = ["a|b| c"]\n', "empty alternative"),
        ('[[entry]]\nname = "x"\nmeans = "urgent"\nunless = ["maybe"]\nsays = ["a b"]\n', "maybe"),  # no such guard
        ('[[entry]]\nname = "x"\nmeans = "urgent"\nsays = [".. _"]\n', "fixed word"),  # matches anything
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, text: str, says: str) -> None:
    folder = shutil.copytree(LEXICON, tmp_path / "lexicon")
    (folder / "en-ours.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=says):
        load_lexicon(folder)


def test_a_folder_without_the_two_languages_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"en\.toml and es\.toml"):
        load_lexicon(tmp_path)
