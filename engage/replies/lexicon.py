"""A folder of lexicon files in, the Lexicon for the rules out: read once for as long as the files stay the same.

The file's name is its language; any further file extends the others. Nothing is decided here.
"""

import tomllib
from functools import lru_cache
from pathlib import Path

from engage.replies.rules.lexicon import Lexicon


def load_lexicon(folder: Path) -> Lexicon:
    """Read every `*.toml` of `folder`. Raises FileNotFoundError without en.toml, ValueError naming a broken file."""
    files = tuple(sorted(folder.glob("*.toml")))
    if not any(f.stem == "en" for f in files):
        raise FileNotFoundError(f"No lexicon in {folder}: en.toml is missing.")
    return _load(tuple((f, f.stat().st_mtime_ns) for f in files))


@lru_cache(maxsize=4)
def _load(files: tuple[tuple[Path, int], ...]) -> Lexicon:
    tables = {}
    for file, _ in files:
        try:
            tables[file.stem] = tomllib.loads(file.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise ValueError(f"{file.name} is not valid TOML: {error}") from error
    return Lexicon.parse(tables)
