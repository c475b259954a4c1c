"""How long somebody waits after wrong passwords or codes. Pure. Nobody is locked out: waits grow and end by themselves.

Three counts, after OWASP's "slow down online guessing with device cookies": a browser that once signed in wholly counts by itself, so
that a stranger's failures never keep its owner out; all others count by address, and together by account.
"""

from datetime import datetime, timedelta
from enum import StrEnum

FORGOTTEN = timedelta(hours=24)
"""After so long without a failure the count begins again."""


class Counted(StrEnum):
    """Whose failures one count holds."""

    DEVICE = "device"
    ADDRESS = "address"
    ACCOUNT = "account"


_FREE = {Counted.DEVICE: 5, Counted.ADDRESS: 5, Counted.ACCOUNT: 20}
# From everywhere together the wait is short: the owner may sit at a new computer.
_LONGEST = {
    Counted.DEVICE: timedelta(minutes=15),
    Counted.ADDRESS: timedelta(minutes=15),
    Counted.ACCOUNT: timedelta(minutes=1),
}


def wait(counted: Counted, failures: int) -> timedelta:
    """The wait after so many failures: none while they are free, then 2, 4, 8 ... seconds."""
    if failures < _FREE[counted]:
        return timedelta(0)
    return min(timedelta(seconds=2 ** min(failures - _FREE[counted] + 1, 20)), _LONGEST[counted])


def ready_at(counted: Counted, failures: int, last_at: datetime) -> datetime:
    """When the next try is looked at."""
    return last_at + wait(counted, failures)
