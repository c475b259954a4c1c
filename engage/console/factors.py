"""Second factors: a code of an authenticator app (TOTP, RFC 6238) or a recovery code in, right or wrong out. Each counts once."""

import hmac
import io
import re
import secrets
from datetime import datetime
from hashlib import sha256

import pyotp
import segno
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from engage.agencies.model import Account
from engage.console.model import Passkey, RecoveryCode
from engage.db import encryption

CODES = 10
_STEP = 30  # seconds
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that is taken for another
_LENGTH = 24  # of 32 letters: 120 bits, so that a quick hash keeps them as well as a slow one (OWASP ASVS 6.5.2)


def new_secret(session: Session, account: Account) -> str:
    """The secret for an app, kept until it is proved by a code; the same one while it is not."""
    if account.totp_secret is None:
        account.totp_secret = pyotp.random_base32()
        session.flush()
    return account.totp_secret


def picture(secret: str, email: str) -> bytes:
    """The QR code that an authenticator app reads, as SVG."""
    uri = pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name="Engage")
    out = io.BytesIO()
    segno.make(uri, error="m").save(out, kind="svg", scale=5, dark="#000", light="#fff", border=4)
    return out.getvalue()


def is_right(session: Session, account: Account, code: str, now: datetime) -> bool:
    """Whether `code` is the app's now, or of the half minute before or after, and was not used yet. Uses it up."""
    digits = re.sub(r"\s", "", code)
    if account.totp_secret is None or not re.fullmatch(r"[0-9]{6}", digits):
        return False
    totp, at = pyotp.TOTP(account.totp_secret), int(now.timestamp()) // _STEP
    steps = [step for step in (at - 1, at, at + 1) if hmac.compare_digest(totp.generate_otp(step), digits)]
    if not steps:
        return False
    is_new = or_(Account.totp_step.is_(None), Account.totp_step < steps[0])
    used = update(Account).where(Account.id == account.id, is_new).values(totp_step=steps[0]).returning(Account.id)
    return session.execute(used).first() is not None


def prove(session: Session, account: Account, code: str, now: datetime) -> list[str] | None:
    """The first code of a new app: from now on it is asked for. Returns recovery codes to be shown once; None if it was wrong."""
    if not is_right(session, account, code, now):
        return None
    account.totp_at = now
    return new_codes(session, account, now)


def new_codes(session: Session, account: Account, now: datetime) -> list[str]:
    """New recovery codes in place of all older ones, to be shown once: only hashes are kept."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account.id))
    codes = ["".join(secrets.choice(_LETTERS) for _ in range(_LENGTH)) for _ in range(CODES)]
    session.add_all(
        RecoveryCode(agency_id=account.agency_id, account_id=account.id, code_hash=_hash(account, code), made_at=now)
        for code in codes
    )
    session.flush()
    return ["-".join(code[start : start + 4] for start in range(0, _LENGTH, 4)) for code in codes]


def use_code(session: Session, account: Account, code: str, now: datetime) -> bool:
    """Whether `code` is an unused recovery code; uses it up."""
    plain = re.sub(r"[\s-]", "", code).upper()
    if len(plain) != _LENGTH:
        return False
    used = (
        update(RecoveryCode)
        .where(
            RecoveryCode.account_id == account.id,
            RecoveryCode.code_hash == _hash(account, plain),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.id)
    )
    return session.execute(used).first() is not None


def codes_left(session: Session, account_id: int) -> int:
    """How many recovery codes are unused."""
    unused = select(func.count()).where(RecoveryCode.account_id == account_id, RecoveryCode.used_at.is_(None))
    return session.scalar(unused) or 0


def take_away(session: Session, account: Account) -> None:
    """Forget every second factor: the next link asks for a new one."""
    account.totp_secret = account.totp_at = account.totp_step = None
    session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account.id))
    session.execute(delete(Passkey).where(Passkey.account_id == account.id))


def _hash(account: Account, code: str) -> bytes:
    parts = f"recovery {account.agency_id} {account.id} {code}"
    return hmac.digest(encryption.ring().console_key, parts.encode(), sha256)
