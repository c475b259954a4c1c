"""An embedded PostgreSQL for one machine: found, made, started as our child, gone when we are gone.

`find_binaries` and `usable_data_dir` say with what and where; `EmbeddedPostgres` runs it. Unix socket only, never TCP.
"""

from engage.db.embedded.account import usable_data_dir
from engage.db.embedded.binaries import PostgresBinaries, available_binaries, find_binaries
from engage.db.embedded.leftovers import InUse
from engage.db.embedded.server import EmbeddedPostgres

__all__ = ["EmbeddedPostgres", "InUse", "PostgresBinaries", "available_binaries", "find_binaries", "usable_data_dir"]
