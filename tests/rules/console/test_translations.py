"""Whatever the console says is there in Spanish, with the same placeholders, and compiled."""

import io
import re
from collections.abc import Iterator

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po

from engage.outreach.rules.reasons import _BEGINNINGS, _EXPLANATIONS
from tests.conftest import ROOT

CONSOLE = ROOT / "engage" / "console"
FOLDER = CONSOLE / "translations" / "es" / "LC_MESSAGES"
CATALOGS = sorted(FOLDER.glob("*.po"))


def said() -> set[str]:
    """Every text of templates and code that goes through gettext; of those with a plural the singular."""
    methods = [("**.py", "python"), ("templates/**.html", "jinja2")]
    keywords = {"_": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}
    found = extract_from_dir(str(CONSOLE), methods, {}, keywords=keywords)
    return {words[0] if isinstance(words, tuple) else words for _, _, words, _, _ in found if words}


def read(path) -> Catalog:  # type: ignore[no-untyped-def]
    with path.open("rb") as file:
        return read_po(file, locale="es")


def entries() -> Iterator[Message]:
    for path in CATALOGS:
        yield from (message for message in read(path) if message.id)


def test_everything_said_is_translated() -> None:
    known = {message.id[0] if isinstance(message.id, tuple) else message.id for message in entries() if message.string}
    assert said() - known == set()
    assert len(said()) > 100


def test_every_reason_is_translated() -> None:
    """Why a text did not leave stands on pages of both languages; in English on a Spanish one it would be read out wrongly."""
    known = {message.id for message in entries() if message.string}
    explained = {told.says for told in (*_EXPLANATIONS.values(), *_BEGINNINGS.values())}
    assert explained - known == set()


def test_placeholders_are_the_same() -> None:
    for message in entries():
        ours = message.id if isinstance(message.id, tuple) else (message.id,)
        theirs = message.string if isinstance(message.string, tuple) else (message.string,)
        wanted = set(re.findall(r"%\(\w+\)\w", " ".join(ours)))
        for text in theirs:
            assert set(re.findall(r"%\(\w+\)\w", text)) == wanted, message.id


@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: path.stem)
def test_the_compiled_catalog_is_that_of_the_text(path) -> None:  # type: ignore[no-untyped-def]
    compiled = io.BytesIO()
    write_mo(compiled, read(path))
    wanted = {str(message.id): message.string for message in read_mo(io.BytesIO(compiled.getvalue())) if message.id}
    with path.with_suffix(".mo").open("rb") as file:
        assert {str(message.id): message.string for message in read_mo(file) if message.id} == wanted
