"""What earlier runs left in a data folder: a lock, a postmaster.pid, a half-made cluster. Clears what is dead.

A server that still runs on the cluster is waited for when it is stopping, and refused when it is not; never ended.
"""

import fcntl
import os
import shutil
import subprocess
import time
from pathlib import Path

from engage.db.embedded.account import belong
from engage.errors import ConfigurationError

_PROC = Path("/proc/self/cmdline")
_PAUSE = 0.01
_LOCK_PATIENCE = 1.0  # a killed Engage's own children may hold its lock for a moment
_SIGNAL_PATIENCE = 1.0  # a killed Engage's server may not have had its signal yet
_STOP_PATIENCE = 60.0  # a last checkpoint can take long on a slow disk


class InUse(ConfigurationError):
    """Another Engage runs the server on this folder: talk to that one, or stop it."""


def lock(data_dir: Path) -> int:
    """Lock `data_dir` for this process and return the open file; the kernel lets go of it when we end.

    Raises InUse when another Engage holds it.
    """
    path = data_dir / "lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    until = time.monotonic() + _LOCK_PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() < until:
                time.sleep(_PAUSE)
                continue
            holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
            os.close(descriptor)
            raise InUse(
                f"The database in {data_dir} is in use by another Engage (process {holder or 'unknown'}). "
                "Stop that one, or name another folder with ENGAGE_DATA_DIR."
            ) from None
        belong(descriptor, data_dir)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return descriptor


def remove_half_made(data_dir: Path) -> None:
    """Remove what an interrupted first start left. The lock is ours."""
    for folder in data_dir.glob("pg*.making-*"):
        shutil.rmtree(folder, ignore_errors=True)


def make_way(cluster: Path) -> None:
    """Let a server start on `cluster` although postmaster.pid is there. The lock is ours.

    Raises ConfigurationError when a server that is not stopping runs on it.
    """
    began = time.monotonic()
    while True:
        if not (cluster / "postmaster.pid").exists():
            return
        lines = pid_file_lines(cluster)
        if not lines:
            if time.monotonic() - began > _SIGNAL_PATIENCE:  # not being written: the machine crashed before it was
                (cluster / "postmaster.pid").unlink(missing_ok=True)
            time.sleep(_PAUSE)
            continue
        if not _serves(int(lines[0]), cluster):
            _disown(cluster)
            return
        is_stopping = len(lines) >= 8 and lines[7].strip() == "stopping"
        if time.monotonic() - began > (_STOP_PATIENCE if is_stopping else _SIGNAL_PATIENCE):
            raise ConfigurationError(
                f"A PostgreSQL server that is not this Engage's (process {int(lines[0])}) runs on {cluster}. "
                f"Stop it first: kill -INT {int(lines[0])}"
            )
        time.sleep(_PAUSE)


def pid_file_lines(cluster: Path) -> list[str]:
    """The lines of postmaster.pid; none when there is no such file or it is being written.

    Line 1 is the server's process id, line 8 its state (PostgreSQL's utils/pidfile.h).
    """
    try:
        lines = (cluster / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    return lines if lines and lines[0].strip().isdecimal() else []


def _disown(cluster: Path) -> None:
    """Make the dead server's postmaster.pid one that PostgreSQL itself will take for dead, whoever has that id now.

    PostgreSQL gives up when the process of line 1 is alive, except its own parent (CreateLockFile in miscinit.c). We are
    that parent. The file is not removed: PostgreSQL still reads from it which shared memory an orphaned backend may hold.
    """
    descriptor = os.open(cluster / "postmaster.pid", os.O_RDWR | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "r+b") as file:
        _, _, rest = file.read().partition(b"\n")
        file.seek(0)
        file.truncate()
        file.write(b"%d\n%b" % (os.getpid(), rest))


def _serves(pid: int, cluster: Path) -> bool:
    """Whether the process is a PostgreSQL server on `cluster`, and not another that got its number since."""
    command = _command_line(pid)
    if "postgres" not in command and "postmaster" not in command:
        return False
    if str(cluster) in command:
        return True
    try:
        return Path(f"/proc/{pid}/cwd").samefile(cluster)  # where every server of PostgreSQL stands
    except OSError:  # gone, not ours to look at, or no /proc
        return False


def _command_line(pid: int) -> str:
    if _PROC.exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    said = subprocess.run(["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S603, S607
    return said.stdout
