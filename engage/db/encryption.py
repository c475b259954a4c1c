"""Encrypted columns: text in, sealed bytes out, and back. AES-256-GCM with a key ring; a keyed hash finds phones.

Sealed bytes: 1 (version) | length of key name | key name | 12-byte nonce | ciphertext and tag. The column's name is
authenticated along with it, so bytes cannot be moved to another column. It never logs what it opens.
"""

import hmac
import os
from collections.abc import Mapping
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import LargeBinary
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from engage.errors import ConfigurationError

_VERSION = 1
_NONCE_BYTES = 12
_TAG_BYTES = 16


class KeyRing:
    """Keys by name; the first encrypts, every one opens. `secret` keys the phone look-up and is never rotated."""

    def __init__(self, keys: Mapping[str, bytes], secret: str) -> None:
        self.current = next(iter(keys))
        self._ciphers = {name.encode(): AESGCM(key) for name, key in keys.items()}
        self._lookup = HKDF(SHA256(), 32, salt=None, info=b"engage phone look-up").derive(secret.encode())
        self.signing_key = HKDF(SHA256(), 32, salt=None, info=b"engage signed links").derive(secret.encode())
        self.console_key = HKDF(SHA256(), 32, salt=None, info=b"engage console").derive(secret.encode())

    def seal(self, text: str, column: str) -> bytes:
        """`text` encrypted for `column` ("table.column") with the current key."""
        name = self.current.encode()
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[name].encrypt(nonce, text.encode(), column.encode())
        return bytes((_VERSION, len(name))) + name + nonce + sealed

    def open(self, sealed: bytes, column: str) -> str:
        """The text in `sealed`; ConfigurationError when its key is not on the ring or the bytes were altered."""
        name, rest = self._split(sealed)
        cipher = self._ciphers.get(name)
        if cipher is None:
            known = ", ".join(sorted(key.decode() for key in self._ciphers))
            raise ConfigurationError(
                f"A value in {column} was encrypted with the key {name.decode(errors='replace')!r}, which "
                f"ENGAGE_ENCRYPTION_KEYS does not hold (it holds: {known}). Add that key behind the first one."
            )
        try:
            return cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], column.encode()).decode()
        except InvalidTag:
            raise ConfigurationError(
                f"A value in {column} does not open: the bytes were altered, or a key of that name was replaced."
            ) from None

    def is_current(self, sealed: bytes) -> bool:
        """Whether `sealed` was made with the key that encrypts now."""
        return self._split(sealed)[0] == self.current.encode()

    def phone_hash(self, e164: str) -> bytes:
        """32 bytes that find a phone number without storing it: HMAC-SHA256 under a key derived from the secret."""
        return hmac.digest(self._lookup, e164.encode(), sha256)

    @property
    def fingerprint(self) -> bytes:
        """Tells whether a database was made with the same secret; reveals nothing of it."""
        return hmac.digest(self._lookup, b"fingerprint", sha256)[:16]

    @staticmethod
    def _split(sealed: bytes) -> tuple[bytes, bytes]:
        end = 2 + sealed[1] if len(sealed) > 1 else 2
        if len(sealed) < end + _NONCE_BYTES + _TAG_BYTES or sealed[0] != _VERSION:
            raise ConfigurationError("An encrypted column holds bytes that Engage did not write.")
        return sealed[2:end], sealed[end:]


_ring: KeyRing | None = None


def use(ring: KeyRing | None) -> None:
    """Set the key ring of this process; encrypted columns need one."""
    global _ring  # noqa: PLW0603 - column types have no other way to the process's keys
    _ring = ring


def ring() -> KeyRing:
    """The key ring of this process; ConfigurationError before `use`."""
    if _ring is None:
        raise ConfigurationError(
            "ENGAGE_ENCRYPTION_KEYS and ENGAGE_SECRET_KEY are not set, so nothing can be read or stored."
        )
    return _ring


def opened_or(sealed: bytes | None, column: str, otherwise: str | None) -> str | None:
    """What a sealed column ("table.column") holds: None for an empty one, `otherwise` where this machine has not its key."""
    if sealed is None:
        return None
    try:
        return ring().open(bytes(sealed), column)
    except ConfigurationError:
        return otherwise


def has_ring() -> bool:
    """Whether this process was given its keys."""
    return _ring is not None


def phone_hash(e164: str) -> bytes:
    """The look-up hash of a phone number under this process's key."""
    return ring().phone_hash(e164)


class Encrypted(TypeDecorator[str]):
    """A text column that is sealed in the database. The argument is its full name, "table.column"."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, column: str) -> None:
        super().__init__()
        self.column = column

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """Seal on the way in."""
        return None if value is None else ring().seal(value, self.column)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        """Open on the way out."""
        return None if value is None else ring().open(bytes(value), self.column)
