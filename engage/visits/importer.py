"""The verb `import`: an EMR's file or folder in, visits and all that belongs to them stored, a report out.

Read (no database), then one transaction: gather, decide, record. It commits everything or nothing.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import psycopg.errors
from sqlalchemy import select

from engage import log
from engage.agencies.model import Agency
from engage.db import Database
from engage.errors import BadInput, Conflict, NotFound
from engage.visits.lists import load_lists
from engage.visits.model import ImportRun
from engage.visits.readers import READERS
from engage.visits.readers.files import SourceFile, files_of, read_file
from engage.visits.readers.port import EmrReader, Record, Sheet
from engage.visits.record import care, contacts, people, visits
from engage.visits.record.bulk import Bulk
from engage.visits.record.progress import AgencyFacts, Recording
from engage.visits.report import ImportReport
from engage.visits.rules.batch import Batch
from engage.visits.rules.line import Line, Reading
from engage.visits.rules.lines import READ
from engage.visits.rules.lists import EmrLists
from engage.visits.rules.rows import Place, Rejected
from engage.visits.rules.words import FileKind

Progress = Callable[[int, int], None]

_EVERY = 2000  # lines between two words to `progress`
# What each step does, in the order in which rows need each other.
_STEPS: tuple[Callable[[Recording], None], ...] = (
    people.record_branches,
    people.record_clinicians,
    care.record_payers,
    care.record_sources,
    people.record_patients,
    people.record_case_managers,
    contacts.record_contacts,
    contacts.record_consents,
    care.record_episodes,
    care.record_periods,
    care.record_referrals,
    visits.record_visits,
    visits.cancel_left_out,
)


def import_file(
    db: Database,
    agency_slug: str,
    path: Path,
    profile: str,
    *,
    now: datetime,
    config_dir: Path,
    kind: str | None = None,
    is_complete: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Import `path` (a file, or a folder of files) for the agency.

    `profile` is "csv" or "axxess"; `kind` says what a file holds where that cannot be told. `is_complete`: the file names
    every visit of its days, so those it does not name are cancelled. `dry_run` does all of it and takes it back.
    `progress` is told (done, total) in steps of the same size, reading and recording being about half each.
    Raises BadInput, in a sentence, when nothing of it can be used; NotFound for the agency; nothing is written then.
    """
    agency = _agency(db, agency_slug)
    reader, wanted = _reader(profile), _kind(kind)
    lists = load_lists(config_dir, profile, agency.slug)
    files = files_of(path)
    if wanted and len(files) > 1:
        raise BadInput("--kind is about one file, and this folder holds several: give the file itself.")
    sources = [read_file(file) for file in files]
    sheets = [reader.open(source, wanted) for source in sources]
    if all(sheet.kind is None for sheet in sheets):
        raise BadInput(" ".join(note for sheet in sheets for note in sheet.notes))
    meter = _Meter(progress, sum(sheet.total for sheet in sheets), len(_STEPS))
    batch = _gathered(sources, sheets, lists, now, meter)
    _refuse_useless(path.name, batch, batch.rejected)
    recording = _recorded(
        db, agency, batch, profile, sources, sheets, now, meter, is_complete=is_complete, dry_run=dry_run
    )
    report = _report(recording, profile, sources, sheets, is_complete=is_complete, dry_run=dry_run)
    meter.finish()
    log.get().info("import", agency_id=agency.id, profile=profile, dry_run=dry_run, counts=report.plain_counts())
    return report


def _agency(db: Database, slug: str) -> AgencyFacts:
    with db.system_session("find the agency of an import") as session:
        found = session.scalars(select(Agency).where(Agency.slug == slug)).one_or_none()
        if found is None:
            raise NotFound(f"There is no agency {slug!r}: engage agency list shows those there are.")
        return AgencyFacts(found.id, found.slug, found.name, found.time_zone, found.line)


def _reader(profile: str) -> EmrReader:
    if profile not in READERS:
        raise BadInput(f"There is no profile {profile!r}; there are: {', '.join(READERS)}.")
    return READERS[profile]


def _kind(kind: str | None) -> FileKind | None:
    try:
        return FileKind(kind) if kind else None
    except ValueError:
        raise BadInput(f"There is no kind of file {kind!r}; there are: {', '.join(FileKind)}.") from None


def _gathered(sources: list[SourceFile], sheets: list[Sheet], lists: EmrLists, now: datetime, meter: "_Meter") -> Batch:
    batch = Batch()
    for number, (source, sheet) in enumerate(zip(sources, sheets, strict=True)):
        if sheet.kind is None:
            continue
        read, reading = READ[sheet.kind], Reading(lists, now.date(), sheet.columns or {})
        for record in sheet.records:
            if isinstance(record, Record):
                batch.take(read(Line(Place(source.name, record.line, number), record.values, reading)))
            else:
                batch.lose(record)
            meter.line()
    return batch


def _refuse_useless(name: str, batch: Batch, rejected: Iterable[Rejected]) -> None:
    """A file of which every line is wrong is the wrong file."""
    refused = list(rejected)
    if batch.lines == 0:
        raise BadInput(f"{name} has a header and no lines below it; nothing was written.")
    if len(refused) == batch.lines:
        some = "; ".join(str(each) for each in refused[:3])
        raise BadInput(f"No line of {name} can be used, so nothing was written. {some}.")


def _recorded(
    db: Database,
    agency: AgencyFacts,
    batch: Batch,
    profile: str,
    sources: list[SourceFile],
    sheets: list[Sheet],
    now: datetime,
    meter: "_Meter",
    *,
    is_complete: bool,
    dry_run: bool,
) -> Recording:
    try:
        with db.agency_session(agency.id) as session:
            recording = Recording(Bulk(session, agency.id), agency, batch, now)
            # One import of an agency at a time: two would add the same visit.
            recording.bulk.run("SELECT pg_advisory_xact_lock(hashtextextended('engage import', %(agency)s))")
            for step in _STEPS:
                step(recording)
                meter.step()
            if is_complete:
                visits.cancel_vanished(recording)
            contacts.count_silent(recording)
            _refuse_useless(", ".join(source.name for source in sources), batch, [*batch.rejected, *recording.rejected])
            if dry_run:
                session.rollback()
                return recording
            report = _report(recording, profile, sources, sheets, is_complete=is_complete, dry_run=dry_run)
            session.add(_run(report, sources, agency.id, now))
            return recording
    except psycopg.errors.UniqueViolation:
        raise Conflict("Somebody added the same rows during the import; nothing was written. Run it again.") from None


def _report(
    recording: Recording,
    profile: str,
    sources: list[SourceFile],
    sheets: list[Sheet],
    *,
    is_complete: bool,
    dry_run: bool,
) -> ImportReport:
    batch = recording.batch
    encodings = [
        f"{source.name} is not UTF-8; it was read as {source.encoding}."
        for source in sources
        if source.encoding != "UTF-8"
    ]
    return ImportReport(
        agency=recording.agency.slug,
        profile=profile,
        files=tuple(source.name for source in sources),
        kinds=tuple(dict.fromkeys(sheet.kind.value for sheet in sheets if sheet.kind)),
        is_complete=is_complete,
        is_dry_run=dry_run,
        lines_read=batch.lines,
        left_out=batch.left_out_lines,
        counts={table: dict(changes) for table, changes in recording.counts.items()},
        rejected=tuple(sorted([*batch.rejected, *recording.rejected], key=_place)),
        ignored=tuple(sorted([*batch.ignored, *recording.ignored], key=_place)),
        shifts=tuple(recording.shifts),
        notes=(*encodings, *(note for sheet in sheets for note in sheet.notes), *recording.notes),
        contacts_without_consent=recording.without_consent,
        patients_without_phone=recording.without_phone,
    )


def _place(refused: Rejected) -> tuple[str, int]:
    return refused.file, refused.line


def _run(report: ImportReport, sources: list[SourceFile], agency_id: int, now: datetime) -> ImportRun:
    sums = [source.sha256 for source in sources]
    return ImportRun(
        agency_id=agency_id,
        profile=report.profile,
        kind="+".join(report.kinds),
        file_sha256=sums[0] if len(sums) == 1 else sha256("".join(sums).encode()).hexdigest(),
        is_complete=report.is_complete,
        ran_at=now,
        counts={
            **report.plain_counts(),
            "lines": report.lines_read,
            "left_out": report.left_out,
            "rejected": len(report.rejected),
            "ignored": len(report.ignored),
            "contacts_without_consent": report.contacts_without_consent,
        },
    )


class _Meter:
    """Lines read, then steps recorded, on one scale of twice the number of lines."""

    def __init__(self, progress: Progress | None, lines: int, steps: int) -> None:
        self._progress = progress or (lambda done, total: None)
        self._lines = max(lines, 1)
        self._steps = steps
        self._read = self._recorded = 0

    def line(self) -> None:
        """One more line was read."""
        self._read += 1
        if self._read % _EVERY == 0:
            self._progress(min(self._read, self._lines), 2 * self._lines)

    def step(self) -> None:
        """One more step was recorded."""
        self._recorded += 1
        self._progress(self._lines + self._lines * self._recorded // (self._steps + 1), 2 * self._lines)

    def finish(self) -> None:
        """All is done."""
        self._progress(2 * self._lines, 2 * self._lines)
