"""What the people page shows: every account of an agency with its branches, sessions and recovery codes. One query; reads only."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engage.agencies.model import Branch
from engage.agencies.rules.people import AccountRole
from engage.console.rules.sittings import IDLE

_PEOPLE = text(
    """
    SELECT c.id, c.name, c.email, c.role, c.closed_at, c.password_hash IS NOT NULL AS has_password,
           c.totp_at IS NOT NULL AS has_second_factor,
           EXISTS (SELECT FROM account_identities i JOIN sign_ons o ON (o.agency_id, o.issuer) = (i.agency_id, i.issuer)
             WHERE i.agency_id = c.agency_id AND i.account_id = c.id) AS signs_on,
           (SELECT array_agg(b.branch_id) FROM account_branches b
             WHERE b.agency_id = c.agency_id AND b.account_id = c.id) AS branches,
           (SELECT count(*) FROM console_sessions s
             WHERE s.agency_id = c.agency_id AND s.account_id = c.id AND s.ended_at IS NULL
               AND s.seen_at > :idle_since) AS sessions,
           (SELECT max(s.begun_at) FROM console_sessions s
             WHERE s.agency_id = c.agency_id AND s.account_id = c.id AND s.second_at IS NOT NULL) AS signed_in_at,
           (SELECT max(l.ends_at) FROM account_links l
             WHERE l.agency_id = c.agency_id AND l.account_id = c.id AND l.used_at IS NULL AND l.ends_at > :now) AS link_until
    FROM accounts c
    ORDER BY c.closed_at IS NOT NULL, lower(c.name), c.id
    """
)


@dataclass(frozen=True, slots=True)
class Person:
    """An account as an administrator sees it. `signs_on`: they sign in at the agency's provider; `link_until`: a one-time link is open
    until then."""

    id: int
    name: str
    email: str
    role: AccountRole
    closed_at: datetime | None
    has_password: bool
    has_second_factor: bool
    signs_on: bool
    branch_ids: frozenset[int]
    sessions: int
    signed_in_at: datetime | None
    link_until: datetime | None


def people(session: Session, now: datetime) -> list[Person]:
    """Everybody of the session's agency, the closed ones last."""
    rows = session.execute(_PEOPLE, {"now": now, "idle_since": now - IDLE})
    return [
        Person(
            row.id,
            row.name,
            row.email,
            AccountRole(row.role),
            row.closed_at,
            row.has_password,
            row.has_second_factor,
            row.signs_on,
            frozenset(row.branches or ()),
            row.sessions,
            row.signed_in_at,
            row.link_until,
        )
        for row in rows
    ]


def branches(session: Session) -> list[tuple[int, str]]:
    """Id and name of each branch of the session's agency."""
    return [(row.id, row.name) for row in session.execute(select(Branch.id, Branch.name).order_by(Branch.name))]
