"""Accounts: found by e-mail, invited and helped by one-time links, their role, branches and end. Whatever takes rights away ends
their sessions in the same transaction. Writes the audit; never sees a password."""

import re
import secrets
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from engage.agencies.model import Account, Agency, AuditEvent
from engage.agencies.rules.people import AccountRole
from engage.console.devices import forget_all
from engage.console.factors import take_away
from engage.console.model import AccountBranch, AccountIdentity, AccountLink
from engage.console.sessions import end_all, hash_of, split
from engage.db import Database
from engage.errors import BadInput, Conflict

LINK_HOLDS = timedelta(days=3)
_EMAIL = r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;]+"
_LONGEST = 200
_LAST = text(
    """
    SELECT count(*) FROM accounts
    WHERE role = 'administrator' AND closed_at IS NULL AND id <> :account AND password_hash IS NOT NULL
    """
)


def by_email(db: Database, email: str, slug: str | None) -> Account | None:
    """The open account with this e-mail; with several agencies only the one named by `slug`."""
    wanted = select(Account).join(Agency, Agency.id == Account.agency_id)
    wanted = wanted.where(Account.email == email, Account.closed_at.is_(None), Agency.is_active)
    with db.system_session("sign in") as session:
        found = session.scalars(wanted.where(Agency.slug == slug) if slug else wanted).all()
    return found[0] if len(found) == 1 else None


def checked(email: str, name: str) -> str:
    """The e-mail as it is kept. Raises BadInput for none, and for no name."""
    lower = email.strip().lower()
    if not re.fullmatch(_EMAIL, lower) or len(lower) > _LONGEST:
        raise BadInput(f"{email!r} is not an e-mail address.", reason="account.email")
    if not name.strip() or len(name) > _LONGEST:
        raise BadInput("The name is missing or too long.", reason="account.name")
    return lower


def invite(
    session: Session, agency_id: int, email: str, name: str, role: AccountRole, actor: str, now: datetime
) -> Account:
    """A new account without a password. Raises BadInput for no e-mail or name, Conflict for one that is there."""
    lower = checked(email, name)
    if session.scalar(select(Account.id).where(Account.agency_id == agency_id, Account.email == lower)) is not None:
        raise Conflict(f"{lower} has an account here already.")
    account = Account(agency_id=agency_id, email=lower, name=name.strip(), role=role, created_at=now)
    session.add(account)
    session.flush()
    _note(session, account, "account.invite", actor, now, {"role": role})
    return account


def new_link(session: Session, account: Account, actor: str, now: datetime) -> str:
    """A one-time link's token for an account, in place of any before it; it holds for three days."""
    session.execute(delete(AccountLink).where(AccountLink.account_id == account.id, AccountLink.used_at.is_(None)))
    secret = secrets.token_urlsafe(32)
    link = AccountLink(
        agency_id=account.agency_id,
        account_id=account.id,
        token_hash=hash_of(secret),
        made_at=now,
        made_by=actor,
        ends_at=now + LINK_HOLDS,
    )
    session.add(link)
    _note(session, account, "account.link", actor, now)
    return f"{account.agency_id}.{secret}"


def of_link(db: Database, token: str, now: datetime) -> Account | None:
    """Whose link this is; None when it is none of ours, used, too old, or the account is closed."""
    parts = split(token)
    if parts is None:
        return None
    agency_id, secret = parts
    with db.agency_session(agency_id) as session:
        return session.scalars(
            select(Account)
            .join(AccountLink, (AccountLink.agency_id == Account.agency_id) & (AccountLink.account_id == Account.id))
            .where(
                AccountLink.token_hash == hash_of(secret),
                AccountLink.used_at.is_(None),
                AccountLink.ends_at > now,
                Account.closed_at.is_(None),
            )
        ).one_or_none()


def use_link(session: Session, token: str, now: datetime) -> int | None:
    """Use a link up; the account's id, None when somebody else was quicker."""
    parts = split(token)
    used = (
        update(AccountLink)
        .where(AccountLink.token_hash == hash_of(parts[1] if parts else ""))
        .where(AccountLink.used_at.is_(None), AccountLink.ends_at > now)
        .values(used_at=now)
        .returning(AccountLink.account_id)
    )
    row = session.execute(used).first()
    return row.account_id if row else None


def set_password(
    session: Session, account: Account, password_hash: str, now: datetime, *, but: int | None = None
) -> None:
    """Keep a new password's hash and end every session, `but` the one in which it was chosen."""
    account.password_hash, account.password_at = password_hash, now
    end_all(session, account.id, now, but=but)
    forget_all(session, account.id)


def change_role(session: Session, account: Account, role: AccountRole, actor: str, now: datetime) -> None:
    """Give another role. Raises Conflict where the agency's last administrator would be lost."""
    if role is not AccountRole.ADMINISTRATOR:
        _keep_one(session, account)
    before, account.role = account.role, role
    end_all(session, account.id, now)
    _note(session, account, "account.role", actor, now, {"before": before, "after": role})


def change_branches(session: Session, account: Account, branches: Collection[int], actor: str, now: datetime) -> None:
    """Let an account see only these branches; none: all of them."""
    session.execute(delete(AccountBranch).where(AccountBranch.account_id == account.id))
    session.add_all(
        AccountBranch(agency_id=account.agency_id, account_id=account.id, branch_id=branch) for branch in branches
    )
    end_all(session, account.id, now)
    _note(session, account, "account.branches", actor, now, {"branches": sorted(branches)})


def close(session: Session, account: Account, actor: str, now: datetime) -> None:
    """Nobody signs in with it any more. Raises Conflict for the agency's last administrator."""
    _keep_one(session, account)
    account.closed_at = now
    end_all(session, account.id, now)
    session.execute(delete(AccountIdentity).where(AccountIdentity.account_id == account.id))
    session.execute(delete(AccountLink).where(AccountLink.account_id == account.id, AccountLink.used_at.is_(None)))
    _note(session, account, "account.close", actor, now)


def reopen(session: Session, account: Account, actor: str, now: datetime) -> None:
    """Open a closed account again, without its password and its place at a provider: a new link is needed."""
    account.closed_at, account.password_hash = None, None
    _note(session, account, "account.reopen", actor, now)


def reset_second_factor(session: Session, account: Account, actor: str, now: datetime) -> None:
    """Take away a lost second factor, the password with it: whoever asks may not be who they say, so a new link is needed for both."""
    take_away(session, account)
    account.password_hash = None
    forget_all(session, account.id)
    end_all(session, account.id, now)
    _note(session, account, "account.second_factor.reset", actor, now)


def end_sessions(session: Session, account: Account, actor: str, now: datetime) -> int:
    """Sign somebody out everywhere; how many sessions that were."""
    count = end_all(session, account.id, now)
    _note(session, account, "account.sessions.end", actor, now, {"count": count})
    return count


def _keep_one(session: Session, account: Account) -> None:
    is_one = (
        account.role == AccountRole.ADMINISTRATOR and account.closed_at is None and account.password_hash is not None
    )
    if is_one and not session.execute(_LAST, {"account": account.id}).scalar():
        raise Conflict("An agency needs an administrator: make somebody else one first.")


def _note(
    session: Session, account: Account, action: str, actor: str, now: datetime, detail: Mapping[str, Any] | None = None
) -> None:
    session.add(
        AuditEvent(
            agency_id=account.agency_id,
            at=now,
            actor=actor,
            action=action,
            subject="account",
            subject_id=account.id,
            detail=dict(detail or {}),
        )
    )
