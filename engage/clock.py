"""The only reader of the clock: everything else takes `now` as an argument or asks here.

A simulation may let several processes share one virtual clock through a small file (`follow`, `ClockFile`).
"""

import mmap
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAYOUT = struct.Struct("<q")
_followed: mmap.mmap | None = None


def now() -> datetime:
    """The present instant, UTC and aware: the machine's, or that of the clock file being followed."""
    if _followed is None:
        return datetime.now(UTC)
    (microseconds,) = _LAYOUT.unpack(_followed[: _LAYOUT.size])
    return _EPOCH + timedelta(microseconds=microseconds)


def follow(path: Path | None) -> None:
    """Read the time from `path` from now on (None: from the machine again). For simulations only."""
    global _followed  # noqa: PLW0603 - the one clock of this process
    if _followed is not None:
        _followed.close()
        _followed = None
    if path is not None:
        with path.open("rb") as file:
            _followed = mmap.mmap(file.fileno(), _LAYOUT.size, access=mmap.ACCESS_READ)


class ClockFile:
    """A virtual clock in a file: one process sets it, any number follow it. Eight bytes, written at once."""

    def __init__(self, path: Path, start: datetime) -> None:
        path.write_bytes(self._packed(start))
        self.path = path
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _LAYOUT.size)

    def set(self, instant: datetime) -> None:
        """Move every follower to `instant` (aware)."""
        self._map[: _LAYOUT.size] = self._packed(instant)

    def close(self) -> None:
        """Let the file go; followers keep the last instant."""
        self._map.close()

    @staticmethod
    def _packed(instant: datetime) -> bytes:
        return _LAYOUT.pack((instant - _EPOCH) // timedelta(microseconds=1))
