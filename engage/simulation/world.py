"""An agency's day in virtual time around the real program: `engage up` runs as it is, in a process of its own.

The world owns the clock, the fake Twilio and the people; it moves time only after the program has looked at it.
"""

import heapq
import itertools
import os
import socket
import subprocess
import sys
import time as machine
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from signal import SIGTERM
from zoneinfo import ZoneInfo

from sqlalchemy import select, text

from engage.agencies.model import Clinician
from engage.alerts.closing import TRY_AFTER, Done, resolve, try_again
from engage.alerts.rules.codes import codes_in
from engage.alerts.rules.words import Outcome
from engage.clock import ClockFile
from engage.db import Database
from engage.db.processes import start_child
from engage.errors import EngageError, NotFound
from engage.onboarding import NewAgency, found_agency
from engage.simulation import invented
from engage.simulation.habits import Habit, answer, nurse_answers
from engage.simulation.invented import Colleague, Invented, Person
from engage.simulation.twilio import FakeTwilio, SentText
from engage.visits.importer import import_file

ZONE = "America/New_York"
SLUG = "sunrise"
_NUMBER, _PAGES, _OFFICE = invented.phone(0), invented.phone(1), invented.phone(2)
_LOOKED = text("SELECT count(*) FROM ticks WHERE verb IN ('handle', 'escalate', 'dispatch') AND began_at >= :now")
_READY_PATIENCE = 60.0
_STEP_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the story: who said what to whom."""

    at: datetime
    kind: str
    who: str
    words: str


@dataclass
class World:
    """Sunrise Home Health for a day. `tell` gets every event as it happens."""

    db: Database
    fake: FakeTwilio
    clock: ClockFile
    folder: Path
    config_dir: Path
    made: Invented
    start: datetime
    tell: Callable[[Event], None]
    seed: int = 1
    now: datetime = field(init=False)
    agency_id: int = field(init=False)
    _errands: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)
    _order: "itertools.count[int]" = field(default_factory=itertools.count)
    _program: subprocess.Popen[bytes] | None = None
    address: str = ""  # of the program's web, once it is launched

    def __post_init__(self) -> None:
        self.now = self.start
        self._dice = Random(self.seed)  # noqa: S311 - a simulation must repeat itself
        self._people = {person.phone: person for person in self.made.patients}
        self._colleagues = {colleague.phone: colleague for colleague in self.made.colleagues}

    # --- the agency ---------------------------------------------------------------------------------------------------

    def found(self) -> None:
        """Found the agency and import its files, as an agency would on its first day."""
        facts = NewAgency(SLUG, "Sunrise Home Health", _OFFICE, ZONE, _NUMBER, _PAGES, short_name="Sunrise")
        self.agency_id = found_agency(self.db, facts, self.config_dir, self.now)
        self._import("clinicians.csv", invented.clinicians_csv(self.made))
        self._import("patients.csv", invented.patients_csv(self.made, self.today - timedelta(days=20)))
        self._import("visits.csv", invented.visits_csv(self.made))
        with self.db.agency_session(self.agency_id) as session:
            session.execute(
                text(
                    "INSERT INTO shifts (agency_id, branch_id, clinician_id, weekdays, starts, ends)"
                    " SELECT agency_id, branch_id, id, ARRAY[0,1,2,3,4,5,6]::smallint[], '00:00', '00:00' FROM clinicians"
                    " WHERE emr_id = :who"
                ),
                {"who": self.made.colleagues[1].emr_id},
            )

    def people(self) -> None:
        """Put every phone into the world."""
        for person in self.made.patients:
            is_landline = person.habit is Habit.LANDLINE
            self.fake.add_phone(
                person.phone, kind="landline" if is_landline else "mobile", on_text=self._patient_reads(person)
            )
        for colleague in self.made.colleagues:
            self.fake.add_phone(colleague.phone, on_text=self._colleague_reads(colleague))

    @property
    def today(self) -> date:
        """The local date."""
        return self.now.astimezone(ZoneInfo(ZONE)).date()

    def _import(self, name: str, content: str) -> None:
        file = self.folder / name
        file.write_text(content, encoding="utf-8")
        report = import_file(self.db, SLUG, file, "csv", now=self.now, config_dir=self.config_dir)
        self.tell(Event(self.now, "import", name, "; ".join(itertools.islice(report.lines(), 1))))

    # --- the program ----------------------------------------------------------------------------------------------------

    def launch(self, environment: Mapping[str, str], address: str) -> None:
        """Start `engage up` as it is and wait until it answers."""
        self.address = address
        log_file = self.folder / "engage-up.log"
        with log_file.open("wb") as output:
            command = [sys.executable, "-m", "engage", "up"]
            self._program = start_child(command, environment=environment, output=output, death_signal=SIGTERM)
        until = machine.monotonic() + _READY_PATIENCE
        while machine.monotonic() < until:
            if self._program.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{address}/healthz", timeout=2):  # noqa: S310 - our own address
                    return
            except (urllib.error.URLError, OSError):
                machine.sleep(0.05)
        last = log_file.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
        raise EngageError("engage up did not start. It said: " + " ".join(last))

    def end(self) -> int:
        """Stop the program as an operator would; its exit code."""
        if self._program is None:
            return 0
        self._program.send_signal(SIGTERM)
        try:
            return self._program.wait(15)
        except subprocess.TimeoutExpired:
            self._program.kill()
            return self._program.wait()

    # --- time -----------------------------------------------------------------------------------------------------------

    def step(self, until: datetime) -> None:
        """Move time on, let what is due happen, and wait until the program has seen it."""
        self.now = until
        self.clock.set(until)
        while self._errands and self._errands[0][0] <= until:
            heapq.heappop(self._errands)[2]()
        self.fake.deliver_due(until)
        self._wait_for_program()

    def next_minute(self) -> datetime:
        """The next instant worth looking at: a minute from now, or five when nobody is about to do anything."""
        soon = self.now + timedelta(minutes=5)
        due = [self._errands[0][0]] if self._errands else []
        due += [instant] if (instant := self.fake.next_due_at()) else []
        is_quiet = not self.is_busy() and all(instant > soon for instant in due)
        return soon if is_quiet else self.now + timedelta(minutes=1)

    def is_busy(self) -> bool:
        """Whether the program has something to do within five minutes."""
        query = text(
            "SELECT EXISTS (SELECT FROM messages WHERE state IN ('sending', 'unknown') OR (state = 'planned' AND due_at <= :soon))"
            " OR EXISTS (SELECT FROM alerts WHERE state <> 'resolved' AND next_due_at <= :soon)"
            " OR EXISTS (SELECT FROM replies WHERE state = 'stored')"
        )
        with self.db.system_session("simulation") as session:
            return bool(session.execute(query, {"soon": self.now + timedelta(minutes=5)}).scalar_one())

    def _wait_for_program(self) -> None:
        until = machine.monotonic() + _STEP_PATIENCE
        while machine.monotonic() < until:
            with self.db.system_session("simulation") as session:
                if session.execute(_LOOKED, {"now": self.now}).scalar_one() >= 3:
                    return
            if self._program is not None and self._program.poll() is not None:
                raise EngageError(f"engage up ended by itself; its last words are in {self.folder / 'engage-up.log'}.")
            machine.sleep(0.004)
        raise EngageError("engage up no longer works: none of its verbs has run for a minute.")

    def at(self, instant: datetime, errand: Callable[[], None]) -> None:
        """Do something at a virtual instant."""
        heapq.heappush(self._errands, (instant, next(self._order), errand))

    # --- the people -----------------------------------------------------------------------------------------------------

    def _patient_reads(self, person: Person) -> Callable[[SentText, FakeTwilio], None]:
        def read(sent: SentText, fake: FakeTwilio) -> None:
            self.tell(Event(sent.arrived_at, "out", person.first_name, sent.body))
            said = answer(person.habit, sent.body, self._dice)
            if said is not None:
                at = sent.arrived_at + said.after
                fake.text_in(person.phone, sent.from_, said.words, at=at)
                self.at(at, lambda: self.tell(Event(at, "in", person.first_name, said.words)))

        return read

    def _colleague_reads(self, colleague: Colleague) -> Callable[[SentText, FakeTwilio], None]:
        def read(sent: SentText, fake: FakeTwilio) -> None:
            first = colleague.name.split()[0]
            self.tell(Event(sent.arrived_at, "page" if "Reply " in sent.body else "note", first, sent.body))
            if "Reply " not in sent.body or not ("take it" in sent.body or "take all" in sent.body):
                return
            for code in codes_in(sent.body):
                self._answer(colleague, code, sent, fake)

        return read

    def _answer(self, colleague: Colleague, code: str, sent: SentText, fake: FakeTwilio) -> None:
        """One alert of a page: the nurse takes it after a while, or never."""
        does = nurse_answers(colleague.role, code, self._dice)
        if does is not None:
            at = sent.arrived_at + does.after
            fake.text_in(colleague.phone, sent.from_, does.words, at=at)
            self.at(at, lambda: self.tell(Event(at, "take", colleague.name.split()[0], does.words)))
            self.at(at + does.resolves_after, lambda: self._resolve(colleague, code, does.outcome))

    def _resolve(self, colleague: Colleague, code: str, outcome: str) -> None:
        """What the console will do later: the nurse says what she did, if the alert is hers."""
        mine = text(
            "SELECT count(*) FROM alerts a JOIN clinicians k ON k.agency_id = a.agency_id AND k.id = a.acknowledged_by"
            " WHERE a.code = :code AND a.state = 'acknowledged' AND k.emr_id = :who"
        )
        with self.db.agency_session(self.agency_id) as session:
            if not session.execute(mine, {"code": code, "who": colleague.emr_id}).scalar_one():
                return
            clinician = session.scalars(select(Clinician).where(Clinician.emr_id == colleague.emr_id)).one()
            done = Done(outcome, "Simulated call.", 5)
            try:
                if outcome == Outcome.NO_ANSWER:
                    try_again(session, self.agency_id, code, clinician.id, self.now + TRY_AFTER, done, self.now)
                else:
                    resolve(session, self.agency_id, code, clinician.id, done, self.now)
            except NotFound:
                return
        self.tell(Event(self.now, "resolve", colleague.name.split()[0], f"{code}: {outcome.replace('_', ' ')}"))

    def visit_the_patients(self, until: datetime) -> None:
        """Every full hour the EMR's file comes again, with the visits that are over marked as completed."""
        instant = self.start.replace(minute=5) + timedelta(hours=1)
        while instant < until:
            self.at(instant, self._hourly_file)
            instant += timedelta(hours=1)

    def _hourly_file(self) -> None:
        wall = self.now.astimezone(ZoneInfo(ZONE)).replace(tzinfo=None)
        before, self.made = self.made, self.made.done_by(wall)
        if before != self.made:
            self._import("visits.csv", invented.visits_csv(self.made))


def free_port() -> int:
    """A port of this machine that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment_for(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of the program: this process's own without any ENGAGE_ of the person who runs the simulation."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("ENGAGE_", "TWILIO_"))}
    return plain | dict(settings)


def afternoon(day: date) -> datetime:
    """13:00 in the agency's zone: a day from here has every touchpoint in it."""
    return datetime(day.year, day.month, day.day, 13, tzinfo=ZoneInfo(ZONE)).astimezone(UTC)
