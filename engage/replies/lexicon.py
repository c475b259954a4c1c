"""A folder of lexicon files in, the Lexicon for the rules out: read once for as long as the files stay the same.

A file's name up to the first hyphen is its language: `en-health.toml` extends `en.toml`. `weights.tsv` holds the learned
weights; without it the rules read alone. Nothing is decided here.
"""

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

from engage.errors import ConfigurationError
from engage.replies.rules.lexicon import Lexicon

WEIGHTS = "weights.tsv"


def load_lexicon(folder: Path, *, is_weighed: bool = True) -> Lexicon:
    """Read every `*.toml` of `folder`, and its weights unless the rules shall read alone. Raises ConfigurationError naming what is missing or the file that is broken."""
    files = tuple(sorted(folder.glob("*.toml")))
    missing = {"en.toml", "es.toml"} - {f.name for f in files}
    if missing:
        raise ConfigurationError(f"No lexicon in {folder}: {' and '.join(sorted(missing))} must be there.")
    learned = tuple(f for f in (folder / WEIGHTS,) if is_weighed and f.exists())
    return _load(tuple((f, f.stat().st_mtime_ns) for f in (*files, *learned)))


@lru_cache(maxsize=4)
def _load(files: tuple[tuple[Path, int], ...]) -> Lexicon:
    languages: dict[str, dict[str, Any]] = {}
    weights: list[str] = []
    for file, _ in files:
        try:
            text = file.read_text(encoding="utf-8")
            if file.name == WEIGHTS:
                weights = text.split("\n")
                continue
            table = tomllib.loads(text)
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
            raise ConfigurationError(f"The lexicon file {file} cannot be read: {problem}") from None
        _extend(languages.setdefault(file.stem.partition("-")[0], {}), table)
    try:
        return Lexicon.parse(languages, weights)
    except (ValueError, TypeError, AttributeError) as problem:
        raise ConfigurationError(f"The lexicon in {files[0][0].parent} cannot be used: {problem}") from None


def _extend(language: dict[str, Any], table: dict[str, Any]) -> None:
    """Add one file's tables to those of its language: entries and word lists grow, single words are replaced."""
    for section, content in table.items():
        if section == "entry":
            language.setdefault("entry", []).extend(content)
            continue
        known = language.setdefault(section, {})
        for name, value in content.items():
            grows = isinstance(value, list) and isinstance(known.get(name), list)
            known[name] = known[name] + value if grows else value
