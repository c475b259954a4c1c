"""Files of an import: a path in, text with its encoding and checksum out. BadInput says in a sentence why not."""

from collections import Counter
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from engage.errors import BadInput

_ENDINGS = frozenset({".csv", ".txt", ".psv", ".dat", ".tsv", ""})
_LARGEST = 1 << 30
_SIGNATURES = {
    b"PK\x03\x04": "an Excel workbook or a zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"%PDF": "a PDF document",
    b"\x1f\x8b": "a compressed file; unpack it first",
}
_TEXT_CONTROLS = b"\t\n\x0b\x0c\r\x1a"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A text file. `text` has \\n at the ends of lines and no byte-order mark."""

    name: str
    text: str
    encoding: str
    sha256: str


def files_of(path: Path) -> tuple[Path, ...]:
    """The file itself, or the text files of a folder by name; hidden ones and those in folders below are left alone."""
    try:
        if not path.is_dir():
            return (path,)
        found = sorted(
            file
            for file in path.iterdir()
            if file.is_file() and not file.name.startswith(".") and file.suffix.lower() in _ENDINGS
        )
    except OSError as problem:
        raise BadInput(f"{path} cannot be read: {problem.strerror or problem}.") from None
    if not found:
        raise BadInput(f"{path} is a folder without a file that ends in .csv, .txt, .psv or .dat.")
    return tuple(found)


def read_file(path: Path) -> SourceFile:
    """The file's text, UTF-8 or else Windows-1252."""
    try:
        if path.exists() and not path.is_file():
            raise BadInput(f"{path} is not a file.")
        if path.exists() and path.stat().st_size > _LARGEST:
            raise BadInput(f"{path.name} is larger than a gigabyte: give it in parts.")
        raw = path.read_bytes()
    except OSError as problem:
        raise BadInput(f"{path} cannot be read: {problem.strerror or problem}.") from None
    _refuse_binary(path.name, raw)
    text, encoding = _decoded(path.name, raw)
    clean = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").rstrip("\x1a\n\t ")
    if not clean.strip():
        raise BadInput(f"{path.name} is empty.")
    return SourceFile(path.name, clean, encoding, sha256(raw).hexdigest())


def _refuse_binary(name: str, raw: bytes) -> None:
    for signature, what in _SIGNATURES.items():
        if raw.startswith(signature):
            raise BadInput(f"{name} is {what}, not a text file: export it from the EMR as text.")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadInput(f"{name} is written in UTF-16 (Excel calls it Unicode text): save it as CSV UTF-8.")
    counts = Counter(raw[: 1 << 20])
    controls = sum(count for byte, count in counts.items() if byte < 32 and byte not in _TEXT_CONTROLS)
    if b"\0" in raw or controls * 50 > min(len(raw), 1 << 20):
        raise BadInput(f"{name} is a binary file, not text: export it from the EMR as text.")


def _decoded(name: str, raw: bytes) -> tuple[str, str]:
    try:
        return raw.decode("utf-8"), "UTF-8"
    except UnicodeDecodeError as problem:
        line = raw.count(b"\n", 0, problem.start) + 1
    try:
        return raw.decode("cp1252"), "Windows-1252"
    except UnicodeDecodeError:
        raise BadInput(f"{name} line {line} is neither UTF-8 nor Windows-1252: export it again as UTF-8.") from None
