"""Which account PostgreSQL runs as, and folders that this account can enter.

PostgreSQL refuses to run as root, and in a container Engage often is root with its checkout below /root.
Nothing here changes a folder that Engage did not make, except an empty one named for its data.
"""

import os
import pwd
import stat
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from engage.errors import ConfigurationError

_WHEN_ROOT_CANNOT_SHARE = Path("/var/lib/engage")


@dataclass(frozen=True)
class Account:
    """An operating-system account that is not root."""

    uid: int
    gid: int

    @property
    def name(self) -> str:
        """What people call it; its number when it has no name here."""
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return str(self.uid)

    def may_enter(self, folder: Path) -> bool:
        """Whether the account can pass through `folder` and everything above it, by the permission bits."""
        real = folder.resolve()
        return all(self.may(1, step) for step in (real, *real.parents))

    def may(self, bits: int, path: Path) -> bool:
        """Whether the account has `bits` (read 4, write 2, execute 1) on `path` itself."""
        found = path.stat()
        shift = 6 if found.st_uid == self.uid else 3 if found.st_gid == self.gid else 0
        return (found.st_mode >> shift) & bits == bits

    def take(self, path: Path) -> None:
        """Make `path` the account's own."""
        os.chown(path, self.uid, self.gid, follow_symlinks=False)


def clusters(data_dir: Path) -> dict[int, Path]:
    """The clusters in `data_dir`: PostgreSQL's major version to the folder pg<major>."""
    found = {}
    for mark in data_dir.glob("pg*/PG_VERSION"):
        major = mark.read_text(encoding="ascii").strip()
        if mark.parent.name == f"pg{major}":
            found[int(major)] = mark.parent
    return found


def account_for(data_dir: Path) -> Account | None:
    """The account that PostgreSQL must run as; None when it is the one we run as.

    For root: who owns the cluster, else who owns the data or the folder around it, else "postgres", else "nobody".
    """
    if os.geteuid() != 0:
        return None
    for cluster in clusters(data_dir).values():
        owner = cluster.stat()
        if owner.st_uid != 0:
            return Account(owner.st_uid, owner.st_gid)
    # initdb looks its own account up by number, so an owner without a name will not do.
    around = _nearest(data_dir).stat().st_uid
    for wanted in (around, "postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwuid(wanted) if isinstance(wanted, int) else pwd.getpwnam(wanted)
            if entry.pw_uid != 0:
                return Account(entry.pw_uid, entry.pw_gid)
    raise ConfigurationError(
        "PostgreSQL does not run as root, and this machine has neither an account named postgres nor one named nobody. "
        "Run Engage as another user, or set ENGAGE_DATABASE_URL."
    )


def usable_data_dir(wanted: Path) -> Path:
    """`wanted`, made and ready for a cluster; when root wants a folder others cannot enter, one below /var/lib/engage.

    The same `wanted` gives the same folder every time. Raises ConfigurationError when it cannot be made.
    """
    wanted = wanted.expanduser().resolve()
    account = account_for(wanted)
    if account is not None and not clusters(wanted) and not _can_be_entered(wanted, account):
        mark = sha256(os.fsencode(wanted)).hexdigest()[:8]
        wanted = _WHEN_ROOT_CANNOT_SHARE / f"{wanted.name.lstrip('.') or 'data'}-{mark}"
    prepare(wanted)
    return wanted


def prepare(data_dir: Path) -> Account | None:
    """Make `data_dir` if need be and tell which account to run as; ConfigurationError if that account is shut out."""
    account = account_for(data_dir)
    try:
        _make(data_dir)
    except OSError as problem:
        raise ConfigurationError(
            f"The folder {data_dir} for the database cannot be made: {problem.strerror}. Name another with ENGAGE_DATA_DIR."
        ) from None
    if account is None and not os.access(data_dir, os.W_OK | os.X_OK):
        raise ConfigurationError(
            f"The folder {data_dir} for the database belongs to another user. Name another with ENGAGE_DATA_DIR."
        )
    if account is not None and not account.may_enter(data_dir):
        raise ConfigurationError(
            f"PostgreSQL does not run as root, and the account {account.name} cannot enter {data_dir}. "
            f"Name another folder with ENGAGE_DATA_DIR, for example {_WHEN_ROOT_CANNOT_SHARE / 'data'}."
        )
    return account


def belong(descriptor: int, folder: Path) -> None:
    """Give the open file to the owner of `folder`, so that what root wrote does not lock that owner out later."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _make(folder: Path, mode: int = 0o711) -> None:
    """Folders made by root belong to whoever owns the folder around them; a root-owned one lets the account through."""
    if folder.is_dir():
        if os.geteuid() == 0 and folder.stat().st_uid == 0 and not any(folder.iterdir()):
            folder.chmod(stat.S_IMODE(folder.stat().st_mode) | 0o011)
        return
    if not folder.parent.exists():
        _make(folder.parent, 0o755)
    around = folder.parent.stat()
    folder.mkdir(0o700)
    if os.geteuid() == 0:
        os.chown(folder, around.st_uid, around.st_gid)
        folder.chmod(mode if around.st_uid == 0 else 0o700)


def _can_be_entered(wanted: Path, account: Account) -> bool:
    nearest = _nearest(wanted)
    if nearest == wanted and wanted.stat().st_uid == 0 and not any(wanted.iterdir()):
        nearest = wanted.parent  # `_make` opens an empty folder of ours
    return account.may_enter(nearest)


def _nearest(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())
