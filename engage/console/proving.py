"""Proving anew that it is still oneself, before grave changes: by which ways somebody can, and whether what they gave is right."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.agencies.model import Account
from engage.console import factors, sign_on
from engage.console.passwords import Passwords


@dataclass(frozen=True, slots=True)
class Ways:
    """By what somebody can prove it: a password, a code of an app or a recovery code, their agency's provider."""

    by_password: bool
    by_code: bool
    at_provider: bool


def ways_of(session: Session, account_id: int) -> Ways:
    """The ways of an account of the session's agency."""
    account = session.scalars(select(Account).where(Account.id == account_id)).one()
    is_linked = sign_on.of_agency(session) is not None and sign_on.is_linked(session, account_id)
    return Ways(account.password_hash is not None, account.totp_at is not None, is_linked)


def proved_by(
    session: Session, account: Account, passwords: Passwords, password: str, code: str, now: datetime
) -> str | None:
    """What proved it: "password", "app" or "recovery code", each code used up; None for nothing."""
    if password:
        return "password" if passwords.is_right(account.password_hash, password) else None
    if account.totp_at is None:
        return None
    if factors.is_right(session, account, code, now):
        return "app"
    return "recovery code" if factors.use_code(session, account, code, now) else None
