"""Opens the database the settings name, or an embedded one, with the keys that belong to it; closes both at the end."""

import base64
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr

from engage.db import encryption
from engage.db.embedded import EmbeddedPostgres, InUse, usable_data_dir
from engage.db.embedded.account import belong
from engage.db.encryption import KeyRing
from engage.db.session import Database
from engage.errors import ConfigurationError
from engage.settings import Settings, parse_key_ring


@contextmanager
def complete(settings: Settings, *, durable: bool = True) -> Iterator[Settings]:
    """`settings` with a database and keys: those given, or an embedded server that runs as long as the context lasts.

    Raises ConfigurationError when keys are missing for a database that is not embedded.
    """
    if settings.database_url is not None:
        ring_of(settings)
        yield settings
        return
    folder = usable_data_dir(settings.data_dir)
    with _server(settings, folder, durable=durable) as address:
        secret, keys = _kept_secrets(settings, folder / "secrets")
        filled = {"database_url": SecretStr(address), "secret_key": secret, "encryption_keys": keys}
        yield settings.model_copy(update=filled)


@contextmanager
def _server(settings: Settings, folder: Path, *, durable: bool) -> Iterator[str]:
    """The address of the embedded server: ours, or that of the `engage up` which runs on the same folder."""
    kept = folder / "address"
    server = EmbeddedPostgres(folder, given=settings.postgres_bin, durable=durable)
    try:
        server.start()
    except InUse:
        try:
            address = kept.read_text(encoding="utf-8")
        except OSError:  # it is only just starting, or ending
            address = ""
        if not address:
            raise
        yield address
        return
    try:
        _write_privately(kept, server.url())
        yield server.url()
    finally:
        kept.unlink(missing_ok=True)
        server.stop()


@contextmanager
def opened(filled: Settings, *, pool_size: int = 12, name: str = "engage") -> Iterator[tuple[Database, KeyRing]]:
    """The database of complete settings, ready to use, and its key ring, which becomes that of the process.

    Raises ConfigurationError when it does not answer or is too old.
    """
    ring = ring_of(filled)
    db = Database(filled.database_url.get_secret_value() if filled.database_url else "", pool_size=pool_size, name=name)
    encryption.use(ring)
    try:
        db.check()
        yield db, ring
    finally:
        db.close()
        encryption.use(None)


def ring_of(settings: Settings) -> KeyRing:
    """The key ring of complete settings; ConfigurationError names what is missing."""
    secret, keys = settings.secret_key, settings.encryption_keys
    missing = [
        name for name, value in (("ENGAGE_SECRET_KEY", secret), ("ENGAGE_ENCRYPTION_KEYS", keys)) if value is None
    ]
    if secret is None or keys is None:
        raise ConfigurationError(
            f"{' and '.join(missing)} must be set when ENGAGE_DATABASE_URL is: they sign links and encrypt phone numbers "
            "and texts. engage doctor shows how to make them."
        )
    return KeyRing(parse_key_ring(keys.get_secret_value()), secret.get_secret_value())


def _kept_secrets(settings: Settings, file: Path) -> tuple[SecretStr, SecretStr]:
    """Keys of an embedded database: those set, else those made at its first start and kept beside it (mode 0600)."""
    if not file.exists():
        made = f"{secrets.token_urlsafe(48)}\nfirst:{base64.b64encode(os.urandom(32)).decode()}\n"
        _write_privately(file, made)
    secret, keys = file.read_text(encoding="utf-8").split()
    return settings.secret_key or SecretStr(secret), settings.encryption_keys or SecretStr(keys)


def _write_privately(file: Path, content: str) -> None:
    """Readable by its owner only, whole or not there at all; what root writes belongs to the folder's owner."""
    partly = file.with_suffix(".partly")
    descriptor = os.open(partly, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    belong(descriptor, file.parent)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(content)
    partly.replace(file)
