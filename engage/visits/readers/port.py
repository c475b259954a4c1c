"""The port to EMRs: what a reader of a profile must do. One of the two ports of Engage (the other is Twilio's Gateway)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from engage.visits.readers.files import SourceFile
from engage.visits.rules.rows import Rejected
from engage.visits.rules.words import FileKind


@dataclass(frozen=True, slots=True)
class Record:
    """The cells of one line by field."""

    line: int
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file whose layout is known. `kind` None: the file is of no use to Engage, and `notes` says so."""

    kind: FileKind | None
    total: int = 0  # lines to come, about
    records: Iterable[Record | Rejected] = ()
    columns: Mapping[str, str] | None = None  # field → the column's name, for reports
    notes: tuple[str, ...] = ()


class EmrReader(Protocol):
    """A reader of one profile."""

    def open(self, source: SourceFile, kind: FileKind | None) -> Sheet:
        """The file as records; `kind` is what its owner says it is, None leaves it to the reader.

        Raises BadInput, in a sentence, when the layout cannot be told.
        """
