"""What no file of the project may name: download hosts, paths of somebody's machine, promises to finish it later."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

NOT_OURS = {".git", ".venv", "dist", "build", "__pycache__", "node_modules", "_shipped"}
TEXT = {
    ".py", ".toml", ".md", ".txt", ".cfg", ".ini", ".html", ".css", ".js", ".json", ".tsv", ".csv", ".yaml", ".yml", ".mako",
    ".sh", ".lock", ".svg", "",
}  # fmt: skip


def files(folder: Path) -> Iterator[Path]:
    """Every text file of the project; caches and hidden folders are not of it, .ci is."""
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            hidden = path.name.startswith(".") and path.name not in {".ci", ".github"}
            if path.name not in NOT_OURS and not hidden:
                yield from files(path)
        elif path.suffix in TEXT and path != Path(__file__):
            yield path


FILES = [path.relative_to(ROOT).as_posix() for path in files(ROOT)]

# Put together here, so that this file does not name them either.
HOSTS = "|".join(re.escape(host) for host in ("pypi" + ".org", "python" + "hosted.org", "registry.npm" + "js.org", "deb.debian" + ".org", "archive.ubuntu" + ".com", "proxy.golang" + ".org", "cr" + "ates.io", "regi" + "stry.yarnpkg.com"))  # fmt: skip
FORBIDDEN = {
    "a download host": re.compile(HOSTS, re.IGNORECASE),
    "a folder of somebody's machine": re.compile(r"(?<![\w.$~}])/(home|Users|root|work|farm)/[\w.-]"),
    "unfinished work": re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b"),
    # skipif is another matter: a test of two PostgreSQLs needs two
    "a skipped test": re.compile(r"pytest\.(mark\.)?(skip|xfail)\b|unittest\.skip"),
}


def test_there_is_something_to_look_at() -> None:
    assert {"pyproject.toml", "engage/clock.py", "config/default.toml", "Makefile", ".ci/run"} <= set(FILES)


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names(what: str) -> None:
    found = [
        f"{name}:{number}: {line.strip()[:120]}"
        for name in FILES
        for number, line in enumerate((ROOT / name).read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if FORBIDDEN[what].search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("what", "line", "is_found"),
    [
        ("a download host", "index = https://pypi" + ".org/simple", True),
        ("a download host", "see example.org", False),
        ("a folder of somebody's machine", "open('/home" + "/rose/x')", True),
        ("a folder of somebody's machine", "path=/work" + "/main", True),
        ("a folder of somebody's machine", "/var/lib/engage and https://example.org/home/page", False),
        ("unfinished work", "# TO" + "DO: later", True),
        ("unfinished work", "todo el mundo", False),  # Spanish for everybody
    ],
)
def test_what_is_looked_for_is_found(what: str, line: str, is_found: bool) -> None:
    assert bool(FORBIDDEN[what].search(line)) is is_found


def test_every_phone_number_is_fictional() -> None:
    """Only 555-0100 to 555-0199 are reserved for invention; whoever has another number would get our texts."""
    invented = re.compile(r"\+1(?!\d{3}55501\d\d\b)[2-9]\d{9}\b")
    found = [
        f"{name}: {number}"
        for name in FILES
        if name.startswith(("engage/", "webhooks/", "config/", "docs/", "bench/", "README"))
        for number in invented.findall((ROOT / name).read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == []
