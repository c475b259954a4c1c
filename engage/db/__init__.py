"""The database: the two doors to it (`Database`), encrypted columns, migrations, and the embedded server."""

from engage.db.base import Base
from engage.db.session import Database

__all__ = ["Base", "Database"]
