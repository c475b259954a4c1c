"""Opens sealed columns for a page: bytes in, words out. A value whose key is missing must not take the page with it."""

from engage.db import encryption

UNREADABLE = "…"
"""Printed in the place of what this machine cannot open."""


def opened(sealed: bytes | None, column: str) -> str | None:
    """What a sealed column ("table.column") holds, None for an empty one, UNREADABLE where its key is missing here."""
    return encryption.opened_or(sealed, column, UNREADABLE)
