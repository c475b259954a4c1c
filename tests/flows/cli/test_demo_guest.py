"""The guest of the demonstration can sign in by what is printed, and take alerts."""

from datetime import timedelta

from sqlalchemy import select

from engage.agencies.model import Account
from engage.cli.demo_guest import invite_guest
from engage.console import factors
from engage.console.passwords import Passwords
from tests.cast import NOON, Cast


def test_the_guest_may_sign_in(cast: Cast) -> None:
    guest = invite_guest(cast.db, cast.id, NOON)
    later = NOON + timedelta(minutes=3)
    with cast.db.agency_session(cast.id) as session:
        account = session.scalars(select(Account).where(Account.email == guest.email)).one()
        assert account.clinician_id == cast.ana
        assert Passwords().is_right(account.password_hash, guest.password)
        assert factors.is_right(session, account, guest.code(later), later)
        assert not factors.is_right(session, account, guest.code(later), later)  # a code is used once
