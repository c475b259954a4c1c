"""What came of an import, for people and for machines: counts, refused lines, notes. No name and no phone in it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engage.visits.record.progress import VisitShift
from engage.visits.rules.rows import Rejected
from engage.visits.rules.words import Change

_SHOWN = 20
_WORDS = {
    "visits": ("visit", "visits"),
    "patients": ("patient", "patients"),
    "contacts": ("contact", "contacts"),
    "consents": ("consent", "consents"),
    "clinicians": ("clinician", "clinicians"),
    "branches": ("branch", "branches"),
    "payers": ("payer", "payers"),
    "referral_sources": ("referral source", "referral sources"),
    "episodes": ("episode", "episodes"),
    "payment_periods": ("payment period", "payment periods"),
}


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, or would do (`is_dry_run`). `counts`: table → change → number; rows of one file may touch many tables.

    `rejected` are lines that were left out, `ignored` single cells of lines that went in.
    """

    agency: str
    profile: str
    files: tuple[str, ...]
    kinds: tuple[str, ...]
    is_complete: bool
    is_dry_run: bool
    lines_read: int
    left_out: int
    counts: Mapping[str, Mapping[Change, int]]
    rejected: tuple[Rejected, ...]
    ignored: tuple[Rejected, ...]
    shifts: tuple[VisitShift, ...]
    notes: tuple[str, ...]
    contacts_without_consent: int
    patients_without_phone: int

    def number(self, table: str, change: Change | str) -> int:
        """How many rows of `table` saw `change`."""
        return self.counts.get(table, {}).get(Change(change), 0)

    def as_dict(self) -> dict[str, Any]:
        """The report as plain values, for --json."""
        return {
            "agency": self.agency,
            "profile": self.profile,
            "files": list(self.files),
            "kinds": list(self.kinds),
            "complete": self.is_complete,
            "dry_run": self.is_dry_run,
            "lines": self.lines_read,
            "left_out": self.left_out,
            "counts": self.plain_counts(),
            "contacts_without_consent": self.contacts_without_consent,
            "patients_without_phone": self.patients_without_phone,
            "rejected": [_plain(each) for each in self.rejected],
            "ignored": [_plain(each) for each in self.ignored],
            "visits": [
                {"visit": shift.visit, "change": shift.change.value, "before": shift.before, "after": shift.after}
                for shift in self.shifts
            ],
            "notes": list(self.notes),
        }

    def plain_counts(self) -> dict[str, dict[str, int]]:
        """Every table that was touched, with every change by name, zeros included."""
        shown = {table: _changes(table) for table in _WORDS if self.counts.get(table)}
        return {
            table: {change.value: self.number(table, change) for change in changes} for table, changes in shown.items()
        }

    def lines(self, *, only_errors: bool = False) -> Iterator[str]:
        """The report in sentences, one a line; `only_errors` leaves the refused lines and cells, all of them."""
        if not only_errors:
            yield from self._summary()
        yield from _listed(self.rejected, "line was left out", "lines were left out", None if only_errors else _SHOWN)
        yield from _listed(
            self.ignored,
            "cell was left out, the rest of its line went in",
            "cells were left out, the rest of their lines went in",
            None if only_errors else _SHOWN,
        )

    def _summary(self) -> Iterator[str]:
        what = "Would import" if self.is_dry_run else "Imported"
        yield f"{what} {', '.join(self.files)} ({self.profile}, {_many(self.lines_read, 'line', 'lines')})."
        for table, (one, many) in _WORDS.items():
            parts = [
                f"{self.number(table, change)} {change.value}"
                for change in _changes(table)
                if self.number(table, change)
            ]
            if parts:
                total = sum(self.counts[table].values())
                yield f"  {_many(total, one, many)}: {', '.join(parts)}"
        if self.left_out:
            yield f"  {_many(self.left_out, 'line is', 'lines are')} no visit and left out"
        for shift in self.shifts[:_SHOWN]:
            moved = f"{shift.before} → {shift.after}" if shift.change is Change.MOVED else shift.before
            yield f"    visit {shift.visit} {shift.change.value}: {moved}"
        if len(self.shifts) > _SHOWN:
            yield f"    and {len(self.shifts) - _SHOWN} visits more"
        yield from self._silent()
        yield from self.notes

    def _silent(self) -> Iterator[str]:
        if self.contacts_without_consent:
            have = _many(self.contacts_without_consent, "contact has", "contacts have")
            yield f"{have} no recorded consent and will not be texted."
        if self.patients_without_phone:
            yield f"{_many(self.patients_without_phone, 'active patient has', 'active patients have')} no phone yet."


def _changes(table: str) -> tuple[Change, ...]:
    return tuple(Change) if table == "visits" else (Change.ADDED, Change.CHANGED, Change.UNCHANGED)


def _plain(refused: Rejected) -> dict[str, Any]:
    return {"file": refused.file, "line": refused.line, "column": refused.column, "reason": refused.reason}


def _listed(refused: tuple[Rejected, ...], one: str, many: str, limit: int | None) -> Iterator[str]:
    if refused:
        yield f"{_many(len(refused), one, many)}:"
        yield from (f"  {each}" for each in refused[:limit])
        if limit is not None and len(refused) > limit:
            yield f"  and {len(refused) - limit} more (--only-errors shows all)"


def _many(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
