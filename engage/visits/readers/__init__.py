"""EMR readers: a file in, its lines by field out. A reader knows layouts and nothing of the database."""

from collections.abc import Mapping

from engage.visits.readers.axxess import AxxessReader
from engage.visits.readers.own import OwnReader
from engage.visits.readers.port import EmrReader

READERS: Mapping[str, EmrReader] = {"csv": OwnReader(), "axxess": AxxessReader()}

__all__ = ["READERS", "EmrReader"]
