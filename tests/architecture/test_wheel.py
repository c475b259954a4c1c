"""A built wheel carries everything: an installed copy runs outside the checkout, with its own migrations and config."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's content in a folder of its own, as pip would lay it out."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    target = folder / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


def run(installed: Path, *arguments: str, program: str | None = None) -> subprocess.CompletedProcess[str]:
    """The installed copy, started from a folder that is not the checkout."""
    what = ["-c", program] if program else ["-m", "engage"]
    return subprocess.run(
        [sys.executable, *what, *arguments],
        cwd=installed.parent,
        env={"PYTHONPATH": str(installed), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_it_is_the_installed_copy_that_runs(installed: Path) -> None:
    found = run(installed, program="import engage, webhooks; print(engage.__file__, webhooks.__file__)")
    assert found.stdout.count(str(installed)) == 2, found.stderr


def test_migrations_and_config_came_along(installed: Path) -> None:
    program = (
        "from engage.db import migrate; from engage.resources import shipped; from engage.onboarding.programme import load_programme;"
        "from engage.replies.lexicon import load_lexicon;"
        "print(migrate.newest(), len(load_programme(shipped('config')).touchpoints), len(load_lexicon(shipped('config') / 'lexicon').entries) > 50)"
    )
    found = run(installed, program=program)
    assert found.stdout.split()[1:] == ["5", "True"], found.stderr
    assert found.stdout.startswith("00")


def test_a_command_works(installed: Path) -> None:
    found = run(installed, "segments", "See you at 10")
    assert (found.returncode, found.stdout[:9]) == (0, "1 segment"), found.stderr
