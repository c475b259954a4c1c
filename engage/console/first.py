"""The first run: an empty database and a secret printed by `engage up` in; an agency, its first administrator, and a checked way to
Twilio out. Closed for ever once there is an agency, and closed without the secret."""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select

from engage.agencies.model import Account, Agency, AuditEvent, Sender
from engage.agencies.rules.people import AccountRole, Purpose
from engage.console.accounts import checked, invite, new_link
from engage.db import Database
from engage.errors import BadInput, EngageError
from engage.onboarding import NewAgency, found_agency
from engage.onboarding.shipped import wording_faults
from engage.outreach.rules.checks import House
from engage.sms.rules.phones import PhoneNumber, parse_phone
from engage.sms.texts import Accepted, OutboundText
from engage.sms.texts import Sender as From

if TYPE_CHECKING:  # Twilio's library is large, and only the first run's pages need it here
    from engage.sms.gateway import Gateway

FIRST_RUN = "ENGAGE_FIRST_RUN"
"""The variable by which `engage up` hands the secret to its web processes; no setting, and gone when they have read it."""

_ACTOR = "first run"
_LOOKED_BACK = timedelta(minutes=1)
_WORTH = 600  # seconds


@dataclass(frozen=True, slots=True)
class FirstRun:
    """What the pages need from the process. `problems`: what engage doctor says of the settings. `gateway`: opened for each use."""

    token: str | None = field(repr=False)
    config_dir: Path
    problems: Callable[[], Sequence[str]]
    gateway: "Callable[[], Gateway]"

    def is_meant(self, token: str) -> bool:
        """Whether `token` is the one that was printed."""
        return self.token is not None and hmac.compare_digest(self.token.encode(), token.encode())


def has_agency(db: Database) -> bool:
    """Whether anybody was founded yet."""
    with db.system_session("first run") as session:
        return session.scalar(select(Agency.id).limit(1)) is not None


def begin(db: Database, new: NewAgency, name: str, email: str, config_dir: Path, now: datetime) -> str:
    """Found the first agency and invite its first administrator; returns the token of their one-time link.

    Raises BadInput for what cannot be used; an agency without an administrator is not left behind.
    """
    checked(email, name)
    house = House(new.short_name or new.name, new.name, (new.phone, new.sender_phone))
    if faults := wording_faults(config_dir, house):
        raise BadInput(" ".join(faults))
    agency_id = found_agency(db, new, config_dir, now)
    with db.agency_session(agency_id) as session:
        account = invite(session, agency_id, email, name, AccountRole.ADMINISTRATOR, _ACTOR, now)
        return new_link(session, account, _ACTOR, now)


def check_twilio(db: Database, agency_id: int, open_gateway: "Callable[[], Gateway]", now: datetime) -> str | None:
    """Ask Twilio for the newest texts to the agency's number; None when it answered, else a sentence."""
    from engage.sms.gateway import GatewayUnavailable

    try:
        gateway = open_gateway()
    except EngageError as problem:
        return str(problem)
    try:
        next(iter(gateway.received_since(_number(db, agency_id), now - _LOOKED_BACK)), None)
    except GatewayUnavailable as problem:
        return str(problem)
    finally:
        gateway.close()
    return None


def send_test(
    db: Database,
    agency_id: int,
    account: Account,
    phone: str,
    words: str,
    open_gateway: "Callable[[], Gateway]",
    now: datetime,
) -> str | None:
    """One text to a phone that the administrator names, on record without the number; None when Twilio took it, else a word why not.

    Raises BadInput for no phone number.
    """
    parsed = parse_phone(phone)
    if not isinstance(parsed, PhoneNumber):
        raise BadInput(parsed.says, reason=f"phone.{parsed}")
    sender = From(from_number=_number(db, agency_id))
    with db.agency_session(agency_id) as session:
        event = {
            "actor": f"account:{account.id}",
            "action": "test_text",
            "subject": "account",
            "subject_id": account.id,
        }
        session.add(AuditEvent(agency_id=agency_id, at=now, **event))
    gateway = open_gateway()
    try:
        outcome = gateway.send(OutboundText(parsed.e164, words, "", sender, _WORTH))
    finally:
        gateway.close()
    return None if isinstance(outcome, Accepted) else type(outcome).__name__


def _number(db: Database, agency_id: int) -> str:
    with db.agency_session(agency_id) as session:
        wanted = select(Sender.phone).where(Sender.purpose == Purpose.PATIENTS).order_by(Sender.id).limit(1)
        return session.scalars(wanted).one()
