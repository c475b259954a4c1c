"""Sessions of the console: begun at sign-in, looked up at each request, ended by leaving, idleness, age or a change of rights.

The browser holds `agency.secret`; the row holds only the secret's hash. A secret is made anew with each step up.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from engage.agencies.rules.people import AccountRole
from engage.console.model import ConsoleSession
from engage.console.rules.sittings import NOTED, is_over
from engage.console.viewer import Viewer
from engage.db import Database

_LONGEST_AGENT = 200

_FIND = text(
    """
    SELECT s.id, s.account_id, s.begun_at, s.seen_at, s.second_at, s.confirmed_at, c.clinician_id, c.name, c.role, c.language,
           a.name AS agency_name, a.time_zone,
           (SELECT array_agg(b.branch_id) FROM account_branches b
             WHERE b.agency_id = s.agency_id AND b.account_id = s.account_id) AS branches
    FROM console_sessions s
    JOIN accounts c ON (c.agency_id, c.id) = (s.agency_id, s.account_id) AND c.closed_at IS NULL
    JOIN agencies a ON a.id = s.agency_id AND a.is_active
    WHERE s.token_hash = :hash AND s.ended_at IS NULL
    """
)


@dataclass(frozen=True, slots=True)
class Sitting:
    """A session that holds. `is_whole`: the second factor was given; until then nothing but that question is open. `confirmed_at`: when
    somebody last proved that it is them."""

    id: int
    viewer: Viewer
    is_whole: bool
    begun_at: datetime
    seen_at: datetime
    confirmed_at: datetime | None


def hash_of(secret: str) -> bytes:
    """What is stored of a secret of 256 random bits; being random, it needs no slow hash."""
    return sha256(secret.encode()).digest()


def split(token: str) -> tuple[int, str] | None:
    """Agency and secret of a token; None if it is none of ours."""
    agency, _, secret = token.partition(".")
    return (int(agency), secret) if agency.isascii() and agency.isdigit() and len(agency) < 19 and secret else None


def begin(
    session: Session,
    agency_id: int,
    account_id: int,
    now: datetime,
    *,
    address: str,
    agent: str,
    is_whole: bool = False,
) -> str:
    """Begin a session; returns the token for the browser, the only time that it is known here."""
    secret = secrets.token_urlsafe(32)
    session.add(
        ConsoleSession(
            agency_id=agency_id,
            account_id=account_id,
            token_hash=hash_of(secret),
            begun_at=now,
            seen_at=now,
            second_at=now if is_whole else None,
            confirmed_at=now if is_whole else None,
            address=address,
            agent=agent[:_LONGEST_AGENT],
        )
    )
    session.flush()
    return f"{agency_id}.{secret}"


def find(db: Database, token: str, now: datetime) -> Sitting | None:
    """The session behind a token; None when there is none, it has ended, or the account or agency is closed."""
    parts = split(token)
    if parts is None:
        return None
    agency_id, secret = parts
    with db.agency_session(agency_id) as session:
        row = session.execute(_FIND, {"hash": hash_of(secret)}).one_or_none()
    if row is None or is_over(row.begun_at, row.seen_at, row.second_at, now):
        return None
    viewer = Viewer(
        agency_id=agency_id,
        agency_name=row.agency_name,
        account_id=row.account_id,
        clinician_id=row.clinician_id,
        name=row.name,
        role=AccountRole(row.role),
        branch_ids=None if row.branches is None else frozenset(row.branches),
        zone=row.time_zone,
        language=row.language,
    )
    return Sitting(row.id, viewer, row.second_at is not None, row.begun_at, row.seen_at, row.confirmed_at)


def note(db: Database, sitting: Sitting, now: datetime) -> None:
    """The person did something: the idle time begins again."""
    if now - sitting.seen_at < NOTED:
        return
    with db.agency_session(sitting.viewer.agency_id) as session:
        session.execute(
            update(ConsoleSession)
            .where(ConsoleSession.id == sitting.id, ConsoleSession.ended_at.is_(None))
            .values(seen_at=now)
        )


def make_whole(session: Session, sitting: Sitting, now: datetime) -> str:
    """The second factor was given: the session is open, under a new secret. Returns its token."""
    secret = secrets.token_urlsafe(32)
    session.execute(
        update(ConsoleSession)
        .where(ConsoleSession.id == sitting.id)
        .values(second_at=now, confirmed_at=now, seen_at=now, token_hash=hash_of(secret))
    )
    return f"{sitting.viewer.agency_id}.{secret}"


def confirm(session: Session, session_id: int, now: datetime) -> None:
    """The person has proved anew that it is them."""
    session.execute(update(ConsoleSession).where(ConsoleSession.id == session_id).values(confirmed_at=now))


def end(session: Session, session_id: int, now: datetime) -> bool:
    """End one session; False when there was nothing to end."""
    done = session.execute(
        update(ConsoleSession)
        .where(ConsoleSession.id == session_id, ConsoleSession.ended_at.is_(None))
        .values(ended_at=now)
        .returning(ConsoleSession.id)
    )
    return done.first() is not None


def end_all(session: Session, account_id: int, now: datetime, *, but: int | None = None) -> int:
    """End every session of an account, `but` one: rights, password or second factor have changed. How many."""
    done = session.execute(
        update(ConsoleSession)
        .where(
            ConsoleSession.account_id == account_id, ConsoleSession.ended_at.is_(None), ConsoleSession.id != (but or 0)
        )
        .values(ended_at=now)
        .returning(ConsoleSession.id)
    )
    return len(done.all())


def open_of(session: Session, account_id: int, now: datetime) -> list[ConsoleSession]:
    """The sessions of an account that hold, the newest first."""
    rows = session.scalars(
        select(ConsoleSession)
        .where(ConsoleSession.account_id == account_id, ConsoleSession.ended_at.is_(None))
        .order_by(ConsoleSession.begun_at.desc())
    )
    return [row for row in rows if not is_over(row.begun_at, row.seen_at, row.second_at, now)]
