"""Axxess' pipe-separated extracts: columns by position, a header tolerated, the extract told by its columns or name.

Columns that Engage has no use for, a Social Security number among them, are dropped when a line is split.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from itertools import islice
from operator import itemgetter

from engage.errors import BadInput
from engage.visits.readers.files import SourceFile
from engage.visits.readers.port import Record, Sheet
from engage.visits.readers.records import cells_of
from engage.visits.rules.cells import day, key, tidy
from engage.visits.rules.layouts import AXXESS, OWN_REQUIRED, PATIENT_INFO, VISIT_INFO, Extract, header_of, named_in
from engage.visits.rules.rows import Rejected
from engage.visits.rules.words import FileKind

_SAMPLE = 200
# Extracts that have as many columns as another one: these columns hold dates in theirs and none in the other.
_DATED = {VISIT_INFO.name: (5, 6, 7), PATIENT_INFO.name: (6,)}


class AxxessReader:
    """Reader of the profile "axxess"."""

    def open(self, source: SourceFile, kind: FileKind | None) -> Sheet:
        """See `EmrReader.open`."""
        sample = [_trimmed(cells) for _, cells in islice(cells_of(source.text, "|", None), _SAMPLE) if cells]
        if max(map(len, sample)) == 1:
            raise BadInput(
                f"{source.name} has no | between its cells: it is not an extract of Axxess. Is it --profile csv?"
            )
        header = header_of(AXXESS, sample[0])
        extract = header or _told(source.name, sample, kind)
        if kind and extract.kind and extract.kind is not kind:
            raise BadInput(f"{source.name} is the extract {extract.name}, which holds {extract.kind}, not {kind}.")
        if extract.kind is None or extract.fields is None:
            return Sheet(None, notes=(f"{source.name} is the extract {extract.name}; Engage uses nothing of it.",))
        places = _by_name(source.name, extract, sample[0]) if header else _by_position(extract)
        width = len(sample[0]) if header else len(extract.columns)
        return Sheet(
            extract.kind,
            source.text.count("\n") + 1,
            _records(source, extract, places, width, has_header=header is not None),
            extract.fields,
        )


def _trimmed(cells: list[str]) -> list[str]:
    """A line may end in a | of its own."""
    return cells[:-1] if len(cells) > 2 and not cells[-1].strip() and len(cells) - 1 in _WIDTHS else cells


_WIDTHS = {len(extract.columns) for extract in AXXESS}


def _told(name: str, sample: list[list[str]], kind: FileKind | None) -> Extract:
    """The extract, by its number of columns, the file's name, what the caller says and, if need be, where its dates stand."""
    width = Counter(map(len, sample)).most_common(1)[0][0]
    fits = [extract for extract in AXXESS if len(extract.columns) == width]
    by_name = named_in(AXXESS, name)
    if by_name and by_name not in fits:
        raise BadInput(f"{name} has {width} columns; the extract {by_name.name} has {len(by_name.columns)}.")
    if kind:
        fits = [extract for extract in fits if extract.kind is kind]
    if by_name and by_name in fits:
        return by_name
    if len(fits) > 1:
        fits = [extract for extract in fits if _has_its_dates(extract, sample)] or fits
    if len(fits) == 1:
        return fits[0]
    if kind and not any(extract.kind is kind for extract in AXXESS):
        raise BadInput(
            f"Axxess has no extract of {kind}; they come with PatientVisits. Give {name} with --profile csv."
        )
    known = ", ".join(f"{extract.name} {len(extract.columns)}" for extract in AXXESS if extract.kind)
    count = "more than one extract has" if fits else "no extract that Engage reads has"
    raise BadInput(
        f"{name} has {width} columns, and {count} so many (the extracts have: {known}). "
        "Put the extract's name into the file's name, or say what it holds with --kind."
    )


def _has_its_dates(extract: Extract, sample: list[list[str]]) -> bool:
    """Whether dates stand where this extract has them, or nothing like a date where only its double has them."""
    double = next(each for each in AXXESS if each.name in _DATED and len(each.columns) == len(extract.columns))
    cells = [line[place] for line in sample if len(line) == len(double.columns) for place in _DATED[double.name]]
    filled = [cell for cell in cells if tidy(cell)]
    dates = sum(isinstance(day(cell), date) for cell in filled)
    return bool(filled) and (dates * 2 > len(filled) if extract is double else dates == 0)


def _by_position(extract: Extract) -> dict[str, int]:
    places = {column: place for place, column in enumerate(extract.columns)}
    return {field: places[column] for field, column in (extract.fields or {}).items()}


def _by_name(name: str, extract: Extract, header: list[str]) -> dict[str, int]:
    """A header is worth more than positions: columns may have been added or moved."""
    places = {key(cell): place for place, cell in enumerate(header)}
    found = {field: places[key(column)] for field, column in (extract.fields or {}).items() if key(column) in places}
    needed = OWN_REQUIRED[extract.kind] if extract.kind else ()
    missing = [column for field, column in (extract.fields or {}).items() if field in needed and field not in found]
    if missing:
        raise BadInput(
            f"{name}: its header looks like the extract {extract.name} but has no column {', '.join(missing)}."
        )
    return found


def _records(
    source: SourceFile, extract: Extract, places: dict[str, int], width: int, *, has_header: bool
) -> Iterator[Record | Rejected]:
    fields = tuple(places)
    pick = itemgetter(*places.values())
    lines = cells_of(source.text, "|", width)
    if has_header:
        next(lines)
    for line, cells in lines:
        if cells is not None and len(cells) == width + 1 and not cells[-1].strip():
            cells.pop()
        if cells is None or len(cells) != width:
            many = len(cells or ())
            reason = f"it has {many} cells where {extract.name} has {width}; perhaps a | or a line break inside a cell"
            yield Rejected(source.name, line, "the whole line", reason)
        elif any(map(str.strip, cells)):
            yield Record(line, dict(zip(fields, pick(cells), strict=True)))
