"""Hashes passwords with argon2id and checks them, and estimates how soon one is guessed; never stores or logs one. At most two at
once: each hash takes 64 MiB."""

import threading
import tomllib
from collections.abc import Iterable
from functools import cache

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from engage.console.rules.passwords import LONGEST, normal
from engage.resources import shipped

_LOOKED_AT = 32
"""Signs at the front; what follows can only make it harder to guess, and the estimator takes seconds over signs that stand for letters."""

_AT_ONCE = threading.BoundedSemaphore(2)


class Passwords:
    """Argon2id with the second recommended choice of RFC 9106 (3 passes, 64 MiB, 4 lanes) unless a test gives another hasher."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self.hasher = hasher or PasswordHasher(time_cost=3, memory_cost=65536, parallelism=4, type=Type.ID)
        self._nobody = self.hasher.hash("nobody has this password")

    def hash(self, password: str) -> str:
        """The hash that is stored, its parameters and salt within."""
        with _AT_ONCE:
            return self.hasher.hash(normal(password))

    def is_right(self, kept: str | None, password: str) -> bool:
        """Whether `password` belongs to the hash. Without a hash (no such account) it works as long, and says no."""
        text = normal(password[: LONGEST * 4])
        with _AT_ONCE:
            try:
                self.hasher.verify(kept or self._nobody, text)
            except (VerificationError, InvalidHashError):
                return False
        return kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Whether a hash was made with weaker parameters than today's."""
        return self.hasher.check_needs_rehash(kept)


@cache
def commonest() -> frozenset[str]:
    """The words of config/passwords.toml."""
    return frozenset(tomllib.loads((shipped("config") / "passwords.toml").read_text(encoding="utf-8"))["words"])


def guesses(password: str, own: Iterable[str]) -> float:
    """How many tries somebody would need who knows the 30,000 commonest leaked passwords, names, words, rows of keys, dates, and `own`:
    the words of the person and their agency. By zxcvbn (Wheeler, USENIX Security 2016)."""
    from zxcvbn import zxcvbn  # its lists take a sixth of a second, and few requests choose a password

    with _AT_ONCE:
        return float(zxcvbn(normal(password)[:_LOOKED_AT], user_inputs=sorted(own))["guesses"])
