"""Where the shipped data lies: beside the code in an installed copy, at the top of a checkout otherwise."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_SHIPPED = _PACKAGE / "_shipped"


def shipped(name: str) -> Path:
    """The folder `config` or `migrations` that came with this copy of Engage."""
    inside = _SHIPPED / name
    return inside if inside.is_dir() else _PACKAGE.parent / name
