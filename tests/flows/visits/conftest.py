"""Importing for Sunrise, whose only branch has the key "main" and whose patients are not those of the files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from engage.db import Database
from engage.visits.importer import import_file
from engage.visits.report import ImportReport
from tests.cast import NOON, Cast
from tests.flows.visits.axxess_sample import write


class Importing:
    """Imports lines as a file, and asks what stands in the database afterwards."""

    def __init__(self, db: Database, agency: Cast, folder: Path) -> None:
        self.db = db
        self.agency = agency
        self.folder = folder

    def __call__(
        self,
        lines: Iterable[str] | bytes,
        name: str = "PatientVisits.txt",
        *,
        profile: str = "axxess",
        now: datetime = NOON,
        **how: Any,
    ) -> ImportReport:
        """Write the lines and import them."""
        path = self.folder / name
        if isinstance(lines, bytes):
            path.write_bytes(lines)
        else:
            write(path, lines)
        return self.path(path, profile=profile, now=now, **how)

    def path(self, path: Path, *, profile: str = "axxess", now: datetime = NOON, **how: Any) -> ImportReport:
        """Import what lies there."""
        config_dir = how.pop("config_dir", self.agency.config)
        return import_file(self.db, self.agency.slug, path, profile, now=now, config_dir=config_dir, **how)

    def ask(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """Rows of Sunrise, as tuples."""
        with self.db.agency_session(self.agency.id) as session:
            return [tuple(row) for row in session.execute(text(query), values)]

    def tell(self, statement: str, **values: Any) -> None:
        """Change something, as a person or another verb would."""
        with self.db.agency_session(self.agency.id) as session:
            session.execute(text(statement), values)

    def snapshot(self) -> dict[str, list[tuple[Any, ...]]]:
        """All that an import may touch, but for the record of its runs."""
        return {table: self.ask(f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in TABLES}


TABLES = (
    *("branches", "clinicians", "patients", "contacts", "consent_events", "payers", "referral_sources", "episodes"),
    *("payment_periods", "visits", "visit_clinicians", "audit_events"),
)


@pytest.fixture
def importing(db: Database, agency: Cast, tmp_path: Path) -> Importing:
    return Importing(db, agency, tmp_path)


@pytest.fixture
def same_everywhere(importing: Importing) -> Callable[[], None]:
    """Fails when the stranger's agency has been touched."""
    with importing.db.agency_session(importing.agency.other_id) as session:
        before = [session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in TABLES]

    def check() -> None:
        with importing.db.agency_session(importing.agency.other_id) as session:
            after = [session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in TABLES]
        assert after == before

    return check
