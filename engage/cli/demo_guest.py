"""Somebody who may look at the demonstration's console: an account of the invented agency, made for one run and gone with it."""

import secrets
from dataclasses import dataclass
from datetime import datetime

import pyotp
from sqlalchemy import select

from engage.agencies.model import Clinician
from engage.agencies.rules.people import AccountRole, Role
from engage.console import factors
from engage.console.accounts import invite, set_password
from engage.console.passwords import Passwords
from engage.db import Database

EMAIL = "guest@sunrise.example"


@dataclass(frozen=True, slots=True)
class Guest:
    """What the sign-in asks for. The code is that of the demonstration's own clock, on which no real phone can be."""

    email: str
    password: str
    secret: str

    def code(self, now: datetime) -> str:
        """The six digits of this half minute."""
        return pyotp.TOTP(self.secret).generate_otp(int(now.timestamp()) // 30)


def invite_guest(db: Database, agency_id: int, now: datetime) -> Guest:
    """An administrator of the agency who is also one of its nurses, so that alerts can be taken; ready to sign in."""
    password = "-".join(secrets.token_hex(2) for _ in range(4))
    with db.agency_session(agency_id) as session:
        account = invite(session, agency_id, EMAIL, "Guest", AccountRole.ADMINISTRATOR, "demo", now)
        nurses = select(Clinician.id).where(Clinician.role == Role.NURSE).order_by(Clinician.id)
        account.clinician_id = session.scalars(nurses).first()
        session.flush()
        set_password(session, account, Passwords().hash(password), now)
        secret = factors.new_secret(session, account)
        account.totp_at = now  # proved by us: the guest is asked for a code, not for an app
    return Guest(EMAIL, password, secret)
