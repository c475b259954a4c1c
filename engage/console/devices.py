"""Browsers from which somebody once signed in wholly: a cookie of ours in, whose browser it is out. It opens nothing by itself."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from engage.agencies.model import Account
from engage.console.model import KnownDevice
from engage.console.sessions import hash_of, split
from engage.db import Database

KEPT = timedelta(days=180)


def remember(session: Session, agency_id: int, account_id: int, now: datetime) -> str:
    """A new cookie for the browser of an account."""
    secret = secrets.token_urlsafe(32)
    session.add(KnownDevice(agency_id=agency_id, account_id=account_id, token_hash=hash_of(secret), made_at=now))
    return f"{agency_id}.{secret}"


def is_known(db: Database, token: str | None, email: str, now: datetime) -> bool:
    """Whether the cookie is of a browser of the account with this e-mail."""
    parts = split(token or "")
    if parts is None:
        return False
    agency_id, secret = parts
    with db.agency_session(agency_id) as session:
        found = session.scalar(
            select(Account.email)
            .join(KnownDevice, (KnownDevice.agency_id == Account.agency_id) & (KnownDevice.account_id == Account.id))
            .where(KnownDevice.token_hash == hash_of(secret), KnownDevice.made_at > now - KEPT)
        )
    return found == email


def forget_all(session: Session, account_id: int) -> None:
    """No browser of this account is known any more."""
    session.execute(delete(KnownDevice).where(KnownDevice.account_id == account_id))
