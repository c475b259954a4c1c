"""Single sign-on of an agency: which provider it trusts, and whose account somebody is whom that provider vouches for.

An identity is linked to an account once, by a one-time link or a verified e-mail; afterwards the provider's own name for them counts
alone, whatever their e-mail becomes. Writes the audit. Makes no account.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from engage.agencies.model import Account, Agency, AuditEvent
from engage.console.accounts import of_link, use_link
from engage.console.model import AccountIdentity, Passkey, SignOn
from engage.console.rules.signing_on import (
    Stranger,
    Vouched,
    email_that_links,
    fault_of,
    fault_of_address,
    fault_of_domain,
)
from engage.db import Database
from engage.errors import BadInput

_TRUSTED = select(SignOn.issuer).scalar_subquery()
"""The issuer of the session's agency: who is known at one that it trusted before cannot come from there."""


@dataclass(frozen=True, slots=True)
class NewSignOn:
    """What is set for an agency. `may_be_local`: a provider on this machine over http, for tests."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    email_domain: str | None = None
    may_be_local: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """Whose account it is. `asks_for_own_factor`: the account has a second factor of ours, and this provider was never believed
    for it before."""

    account: Account
    by: str
    asks_for_own_factor: bool


def of_agency(session: Session) -> SignOn | None:
    """The provider of the session's agency, if it has one."""
    return session.scalars(select(SignOn)).one_or_none()


def of_slug(db: Database, slug: str) -> tuple[int, SignOn] | None:
    """Agency and provider by the agency's short name; None where there is no such agency, or it has no provider."""
    with db.system_session("sign on") as session:
        agency_id = session.scalar(select(Agency.id).where(Agency.slug == slug, Agency.is_active))
    if agency_id is None:
        return None
    with db.agency_session(agency_id) as session:
        found = of_agency(session)
    return None if found is None else (agency_id, found)


def checked(new: NewSignOn) -> str | None:
    """The domain of e-mails as it is kept. Raises BadInput for what cannot be used."""
    domain = new.email_domain.strip().lower().removeprefix("@") if new.email_domain else None
    if fault := fault_of_address(new.issuer, may_be_local=new.may_be_local):
        raise BadInput(f"The issuer {new.issuer!r} {fault}.")
    if domain and (fault := fault_of_domain(domain)):
        raise BadInput(f"{domain!r} {fault}.")
    if not new.client_id.strip() or not new.client_secret.strip():
        raise BadInput("The client id or its secret is missing: your provider shows both where you registered Engage.")
    return domain


def set_provider(session: Session, agency_id: int, new: NewSignOn, actor: str, now: datetime) -> None:
    """Trust a provider, instead of any before it; who was linked there stays so. Raises BadInput for what cannot be used."""
    domain = checked(new)
    session.execute(delete(SignOn))
    session.add(
        SignOn(
            agency_id=agency_id,
            issuer=new.issuer,
            client_id=new.client_id.strip(),
            client_secret=new.client_secret.strip(),
            email_domain=domain,
            set_by=actor,
            set_at=now,
        )
    )
    _note(session, agency_id, actor, "sign_on.set", now, {"issuer": new.issuer, "email_domain": domain})


def remove_provider(session: Session, agency_id: int, actor: str, now: datetime) -> bool:
    """Trust no provider any more, and forget who anybody was there; False when there was none."""
    if session.execute(delete(SignOn).returning(SignOn.id)).first() is None:
        return False
    session.execute(delete(AccountIdentity))
    _note(session, agency_id, actor, "sign_on.remove", now)
    return True


def identify(
    db: Database, agency_id: int, trusted: SignOn, vouched: Vouched, link: str | None, now: datetime
) -> Known | Stranger:
    """Whose account of the agency it is, linked now if it was not. `link`: the one-time link by which they came, used up here."""
    if stranger := fault_of(vouched, trusted.email_domain):
        return stranger
    invited = of_link(db, link, now) if link is not None else None
    with db.agency_session(agency_id) as session:
        linked = _linked(session, vouched)
        if stranger := _fault_of_link(session, link, invited, linked, agency_id, now):
            return stranger
        if linked is not None:
            _touch(session, vouched, now)
            return Known(linked, "sign-on", asks_for_own_factor=False)
        found = _to_link(session, vouched, invited)
        if isinstance(found, Stranger):
            return found
        if not _link(session, found, vouched, now, is_invited=invited is not None):
            return Stranger.SOMEBODY_ELSE
        return Known(found, "invitation" if invited is not None else "e-mail", _has_own_factor(session, found))


def who_is(session: Session, vouched: Vouched) -> int | None:
    """The account that was linked to this identity before, and is open; its id."""
    linked = _linked(session, vouched)
    return linked.id if linked is not None and linked.closed_at is None else None


def count(session: Session) -> int:
    """How many people of the agency can sign in at its provider."""
    return session.scalar(select(func.count()).where(AccountIdentity.issuer == _TRUSTED)) or 0


def is_linked(session: Session, account_id: int) -> bool:
    """Whether somebody can sign in at the agency's provider."""
    found = select(AccountIdentity.id).where(
        AccountIdentity.account_id == account_id, AccountIdentity.issuer == _TRUSTED
    )
    return session.scalar(found) is not None


def _linked(session: Session, vouched: Vouched) -> Account | None:
    return session.scalars(
        select(Account)
        .join(
            AccountIdentity,
            (AccountIdentity.agency_id == Account.agency_id) & (AccountIdentity.account_id == Account.id),
        )
        .where(AccountIdentity.issuer == vouched.issuer, AccountIdentity.subject == vouched.subject)
    ).one_or_none()


def _fault_of_link(
    session: Session, link: str | None, invited: Account | None, linked: Account | None, agency_id: int, now: datetime
) -> Stranger | None:
    """Why an identity that is linked already, or a link by which somebody came, will not do. Uses the link up if it will."""
    if linked is not None and linked.closed_at is not None:
        return Stranger.NO_ACCOUNT
    if link is None:
        return None
    if invited is None or invited.agency_id != agency_id:
        return Stranger.NO_ACCOUNT
    if linked is not None and linked.id != invited.id:
        return Stranger.SOMEBODY_ELSE
    return None if use_link(session, link, now) == invited.id else Stranger.NO_ACCOUNT


def _to_link(session: Session, vouched: Vouched, invited: Account | None) -> Account | Stranger:
    """The account to be linked now: the invited one, else the one with the verified e-mail that nobody else is."""
    if invited is not None:
        return session.get_one(Account, (invited.agency_id, invited.id))
    email = email_that_links(vouched)
    if isinstance(email, Stranger):
        return email
    found = session.scalars(select(Account).where(Account.email == email, Account.closed_at.is_(None))).one_or_none()
    if found is None:
        return Stranger.NO_ACCOUNT
    is_taken = select(AccountIdentity.id).where(
        AccountIdentity.account_id == found.id, AccountIdentity.issuer == vouched.issuer
    )
    # The provider gave somebody's old address to another person: they are not the one who had it.
    return Stranger.SOMEBODY_ELSE if session.scalar(is_taken) is not None else found


def _link(session: Session, account: Account, vouched: Vouched, now: datetime, *, is_invited: bool) -> bool:
    """Link for good; False when somebody else was quicker."""
    if is_invited:  # an administrator has helped: who they were there before counts no more
        session.execute(
            delete(AccountIdentity).where(
                AccountIdentity.account_id == account.id, AccountIdentity.issuer == vouched.issuer
            )
        )
    row = {"agency_id": account.agency_id, "account_id": account.id, "issuer": vouched.issuer}
    made = insert(AccountIdentity).values(**row, subject=vouched.subject, linked_at=now, used_at=now)
    is_made = session.execute(made.on_conflict_do_nothing().returning(AccountIdentity.id)).first() is not None
    if is_made:
        detail = {"by": "invitation" if is_invited else "e-mail"}
        actor = f"account:{account.id}"
        _note(session, account.agency_id, actor, "sign_on.link", now, detail, account_id=account.id)
    return is_made


def _touch(session: Session, vouched: Vouched, now: datetime) -> None:
    session.execute(
        update(AccountIdentity)
        .where(AccountIdentity.issuer == vouched.issuer, AccountIdentity.subject == vouched.subject)
        .values(used_at=now)
    )


def _has_own_factor(session: Session, account: Account) -> bool:
    has_key = session.scalar(select(Passkey.id).where(Passkey.account_id == account.id).limit(1)) is not None
    return account.totp_at is not None or has_key


def _note(
    session: Session,
    agency_id: int,
    actor: str,
    action: str,
    now: datetime,
    detail: dict[str, Any] | None = None,
    *,
    account_id: int | None = None,
) -> None:
    session.add(
        AuditEvent(
            agency_id=agency_id,
            at=now,
            actor=actor,
            action=action,
            subject="agency" if account_id is None else "account",
            subject_id=agency_id if account_id is None else account_id,
            detail=detail or {},
        )
    )
