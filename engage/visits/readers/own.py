"""Our own CSV: a header of documented columns in any order, then one line each. docs/guides/emr.md has the layouts."""

from collections.abc import Iterator, Mapping
from operator import itemgetter

from engage.errors import BadInput
from engage.visits.readers.files import SourceFile
from engage.visits.readers.port import Record, Sheet
from engage.visits.readers.records import cells_of
from engage.visits.rules.cells import tidy
from engage.visits.rules.layouts import OWN_OPTIONAL, OWN_REQUIRED
from engage.visits.rules.rows import Rejected
from engage.visits.rules.words import FileKind

_KNOWN = {name for kind in FileKind for name in (*OWN_REQUIRED[kind], *OWN_OPTIONAL[kind])}


class OwnReader:
    """Reader of the profile "csv"."""

    def open(self, source: SourceFile, kind: FileKind | None) -> Sheet:
        """See `EmrReader.open`. The kind follows from the header."""
        header, delimiter, first = _header(source)
        if repeated := sorted({name for name in header if name in _KNOWN and header.count(name) > 1}):
            raise BadInput(f"{source.name}: the header names {', '.join(repeated)} twice.")
        kind = kind or _kind_of(source.name, header)
        if missing := [name for name in OWN_REQUIRED[kind] if name not in header]:
            raise BadInput(
                f"{source.name}: the header has no column {', '.join(missing)}, which a file of {kind} needs "
                "(docs/guides/emr.md lists the columns)."
            )
        used = [name for name in (*OWN_REQUIRED[kind], *OWN_OPTIONAL[kind]) if name in header]
        strange = len([name for name in header if name and name not in used])
        notes = (
            f"{source.name}: {strange} columns have names that a file of {kind} does not use; they were not read.",
        )
        return Sheet(
            kind,
            source.text.count("\n"),
            _records(source, delimiter, first, header, used),
            {name: name for name in used},
            notes if strange else (),
        )


def _header(source: SourceFile) -> tuple[list[str], str, int]:
    """Column names, the mark between cells (Excel may write ; or tabs) and the line on which the header stands."""
    found: list[tuple[int, str, int, list[str]]] = []
    for delimiter in (",", ";", "\t"):
        line, cells = next(cells_of(source.text, delimiter, None))
        names = [tidy(cell).lower().replace(" ", "_").replace("-", "_") for cell in cells or []]
        found.append((len(_KNOWN.intersection(names)), delimiter, line, names))
    known, delimiter, line, names = max(found, key=lambda each: each[0])
    if known == 0:
        raise BadInput(
            f"{source.name} does not begin with a header line of column names such as visit_id, patient_id, date "
            "(docs/guides/emr.md lists them); if this is an extract of Axxess, say --profile axxess."
        )
    return names, delimiter, line


def _kind_of(name: str, header: list[str]) -> FileKind:
    """The kind whose required columns are all there; one that needs more columns goes first."""
    fits = [kind for kind in FileKind if set(OWN_REQUIRED[kind]) <= set(header)]
    if "visit_id" in header:
        return FileKind.VISITS
    if len(fits) != 1:
        best = "several kinds" if fits else "no kind"
        raise BadInput(
            f"{name}: its columns fit {best} of file; add what is missing, or say --kind {'|'.join(fits or list(FileKind))}."
        )
    return fits[0]


def _records(
    source: SourceFile, delimiter: str, header_line: int, header: list[str], used: list[str]
) -> Iterator[Record | Rejected]:
    places = [header.index(name) for name in used]
    pick = itemgetter(*places) if len(places) > 1 else lambda cells: (cells[places[0]],)
    width = len(header)
    for line, cells in cells_of(source.text, delimiter, width):
        if line <= header_line:
            continue
        if cells is None:
            yield Rejected(source.name, line, "the whole line", "a quotation mark is opened and not closed")
        elif len(cells) == width or (len(cells) > width and not any(map(str.strip, cells[width:]))):
            yield Record(line, _by_field(used, pick(cells)))
        elif any(map(str.strip, cells)):
            reason = f"it has {len(cells)} cells where the header has {width}; a text with commas needs quotation marks"
            yield Rejected(source.name, line, "the whole line", reason)


def _by_field(used: list[str], cells: tuple[str, ...]) -> Mapping[str, str]:
    return dict(zip(used, cells, strict=True))
