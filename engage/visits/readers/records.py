"""Lines of text to cells: quotation marks, line breaks inside them, and broken lines that must not take others along."""

import csv
from collections.abc import Iterator

_MOST_LINES = 40  # a quoted cell of more lines is a mark that was never closed


def cells_of(text: str, delimiter: str, width: int | None) -> Iterator[tuple[int, list[str] | None]]:
    """Number and cells of each line that is not blank; None for a line whose quotation marks do not close.

    `width` is the number of columns to expect. A quoted cell may run over several lines; a mark that is never closed
    costs its own line only, for Python's csv module alone would swallow the rest of the file.
    """
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if not line.strip():
            continue
        if '"' not in line:
            yield at, line.split(delimiter)
            continue
        taken, cells = _quoted(lines, at - 1, delimiter, width)
        yield at, cells
        at += taken - 1


def _quoted(lines: list[str], first: int, delimiter: str, width: int | None) -> tuple[int, list[str] | None]:
    """How many lines the record takes, and its cells."""
    joined = lines[first]
    for taken in range(1, _MOST_LINES + 1):
        if joined.count('"') % 2 == 0:
            cells = _split(joined, delimiter)
            if cells is not None and (taken == 1 or width is None or len(cells) == width):
                return taken, cells
            break
        if first + taken >= len(lines):
            break
        joined = f"{joined}\n{lines[first + taken]}"
    if delimiter == "|":  # Axxess does not quote: a lone mark (an inch, a nickname) is a character like others
        return 1, lines[first].split(delimiter)
    return 1, None


def _split(record: str, delimiter: str) -> list[str] | None:
    try:
        return next(csv.reader([record], delimiter=delimiter, strict=delimiter != "|"))
    except (csv.Error, StopIteration):
        return None
