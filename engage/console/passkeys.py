"""Passkeys (WebAuthn): what the browser signed in, whether the key is the account's out. They stand in for the six digits; the password
is asked for all the same. The challenge is ours, of one use, and for our address only."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

import webauthn
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session
from webauthn.helpers import base64url_to_bytes, options_to_json, parse_authentication_credential_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from engage.agencies.model import Account
from engage.console.model import Passkey

MOST = 10
_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Place:
    """Our address as passkeys know it: `origin` is what the browser names, `host` what the key is bound to."""

    origin: str

    @property
    def host(self) -> str:
        """The host alone."""
        return urlsplit(self.origin).hostname or ""


def of_account(session: Session, account_id: int) -> list[Passkey]:
    """The passkeys of an account, oldest first."""
    return list(session.scalars(select(Passkey).where(Passkey.account_id == account_id).order_by(Passkey.id)))


def ask_to_add(session: Session, account: Account, place: Place) -> tuple[str, bytes]:
    """What the browser needs to make a key, as JSON, and the challenge to be kept until it answers."""
    options = webauthn.generate_registration_options(
        rp_id=place.host,
        rp_name="Engage",
        user_id=f"{account.agency_id}.{account.id}".encode(),
        user_name=account.email,
        user_display_name=account.name,
        exclude_credentials=_known(session, account.id),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.DISCOURAGED, user_verification=UserVerificationRequirement.PREFERRED
        ),
    )
    return options_to_json(options), options.challenge


def add(
    session: Session, account: Account, answer: str, challenge: bytes, place: Place, name: str, now: datetime
) -> bool:
    """Keep a new key; False when what the browser answered does not hold, or there are too many already."""
    if len(of_account(session, account.id)) >= MOST:
        return False
    try:
        made = webauthn.verify_registration_response(
            credential=answer, expected_challenge=challenge, expected_rp_id=place.host, expected_origin=place.origin
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        return False
    session.add(
        Passkey(
            agency_id=account.agency_id,
            account_id=account.id,
            credential_id=made.credential_id,
            public_key=made.credential_public_key,
            uses=made.sign_count,
            name=name.strip()[:_LONGEST_NAME] or "?",
            made_at=now,
        )
    )
    session.flush()
    return True


def ask_to_use(session: Session, account: Account, place: Place) -> tuple[str, bytes]:
    """What the browser needs to use one of the account's keys, as JSON, and the challenge to be kept."""
    options = webauthn.generate_authentication_options(
        rp_id=place.host,
        allow_credentials=_known(session, account.id),
        user_verification=UserVerificationRequirement.PREFERRED,
    )
    return options_to_json(options), options.challenge


def use(session: Session, account: Account, answer: str, challenge: bytes, place: Place, now: datetime) -> bool:
    """Whether one of the account's keys signed the challenge. A key whose count went back was copied, and is not believed."""
    try:
        named = base64url_to_bytes(parse_authentication_credential_json(answer).id)
        key = session.scalars(
            select(Passkey).where(Passkey.account_id == account.id, Passkey.credential_id == named).with_for_update()
        ).one_or_none()
        if key is None:
            return False
        seen = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=place.host,
            expected_origin=place.origin,
            credential_public_key=key.public_key,
            credential_current_sign_count=key.uses,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        return False
    session.execute(update(Passkey).where(Passkey.id == key.id).values(uses=seen.new_sign_count, used_at=now))
    return True


def remove(session: Session, account_id: int, passkey_id: int) -> bool:
    """Forget a key of the account; False when it has none of that number."""
    gone = delete(Passkey).where(Passkey.account_id == account_id, Passkey.id == passkey_id).returning(Passkey.id)
    return session.execute(gone).first() is not None


def _known(session: Session, account_id: int) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=key.credential_id) for key in of_account(session, account_id)]
