"""Counts tries to sign in: who asks in, whether they may try now out. A try is counted before it is looked at, so that many at once
are many. Keys are keyed hashes: the table names nobody. It never says whether an account exists."""

import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import delete, or_, select
from sqlalchemy.dialects.postgresql import insert

from engage.console.model import SignInDelay
from engage.console.rules.delays import FORGOTTEN, Counted, ready_at
from engage.db import Database, encryption

_ZERO = timedelta(0)


def keys(what: str, who: str, address: str, device: str | None) -> Mapping[bytes, Counted]:
    """The counts for somebody (`who`: the e-mail as typed, or an account) trying `what`. `device`: of a known browser of theirs."""
    if device is not None:
        return {_key(what, who, "device", device): Counted.DEVICE}
    return {_key(what, who, "address", address): Counted.ADDRESS, _key(what, who, "any", ""): Counted.ACCOUNT}


def try_now(db: Database, counts: Mapping[bytes, Counted], now: datetime) -> timedelta | None:
    """Count a try; None when it may be made now, else how long to wait (and it is not counted)."""
    with db.system_session("sign in") as session:
        rows = [{"key": key, "failures": 0, "last_at": now} for key in sorted(counts)]
        session.execute(insert(SignInDelay).values(rows).on_conflict_do_nothing())
        held = session.scalars(
            select(SignInDelay).where(SignInDelay.key.in_(counts)).order_by(SignInDelay.key).with_for_update()
        ).all()
        waits = [ready_at(counts[row.key], _failures(row, now), row.last_at) - now for row in held]
        if max(waits, default=_ZERO) > _ZERO:
            return max(waits)
        for row in held:
            row.failures, row.last_at = _failures(row, now) + 1, now
        return None


def forget(db: Database, counts: Iterable[bytes], now: datetime) -> None:
    """The try was right: its counts begin again. Those of others that no longer count leave with it."""
    is_done = or_(SignInDelay.key.in_(list(counts)), SignInDelay.last_at < now - FORGOTTEN)
    with db.system_session("sign in") as session:
        session.execute(delete(SignInDelay).where(is_done))


def _failures(row: SignInDelay, now: datetime) -> int:
    return 0 if now - row.last_at >= FORGOTTEN else row.failures


def _key(*parts: str) -> bytes:
    return hmac.digest(encryption.ring().console_key, "\x00".join(("delay", *parts)).encode(), sha256)
