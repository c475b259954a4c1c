"""The alert budget: what happened in some days and proposed rules in, alerts, pages and shifts under those rules out. Pure.

A replay, not a prophecy: texts and scores come as they came, and an alert is taken as long after its opening as it was then.
One that was not there then is taken as long after as the others of its severity were, in the middle.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from engage.agencies.rules.people import Duty, Role
from engage.agencies.rules.rota import Rota
from engage.alerts.rules.ladder import Page, Place, Step, climb
from engage.alerts.rules.story import family
from engage.alerts.rules.words import AlertKind, Who


@dataclass(frozen=True, slots=True)
class KindRule:
    """How a kind of alert is treated; `ladder` is its key."""

    severity: int
    ladder: str


@dataclass(frozen=True, slots=True)
class LadderRule:
    """Whom to page, in which order, and how often round."""

    steps: tuple[Step, ...]
    rounds: int


@dataclass(frozen=True, slots=True)
class Rules:
    """An agency's rules as far as they decide about alerts. `at_most`: by touchpoint key, the highest score that alerts.

    `of_branches`: ladders that a branch has of its own, by key and branch.
    """

    kinds: Mapping[AlertKind, KindRule]
    ladders: Mapping[str, LadderRule]
    at_most: Mapping[str, int | None]
    of_branches: Mapping[tuple[str, int], LadderRule] = field(default_factory=dict)

    def ladder_for(self, kind: AlertKind, branch_id: int | None) -> LadderRule:
        """The ladder of a kind of alert in a branch."""
        key = self.kinds[kind].ladder
        own = self.of_branches.get((key, branch_id)) if branch_id is not None else None
        return own or self.ladders[key]


@dataclass(frozen=True, slots=True)
class PastAlert:
    """An alert that was there. `taken_after`: until somebody took or resolved it; None when nobody has."""

    id: int
    kind: AlertKind
    patient_id: int | None
    opened_at: datetime
    taken_after: timedelta | None


@dataclass(frozen=True, slots=True)
class Trigger:
    """A reason for an alert of `kind`; `alert_id` is the alert that it opened or joined at the time, if it did."""

    at: datetime
    kind: AlertKind
    patient_id: int | None
    reply_id: int | None = None
    alert_id: int | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who could be paged."""

    id: int
    role: Role
    branch_id: int | None
    discipline: str | None = None


@dataclass(frozen=True, slots=True)
class Roster:
    """The rota and who can be paged today. `patients`: each one's branch, and nurses in the order in which they are asked."""

    rota: Rota
    people: tuple[Person, ...]
    patients: Mapping[int, tuple[int | None, tuple[int, ...]]]

    def branch_of(self, patient_id: int | None) -> int | None:
        """The branch of a patient; None for an unknown phone."""
        return self._patient(patient_id)[0]

    def pageable(self, patient_id: int | None, steps: Sequence[Step], at: datetime) -> Mapping[int, Sequence[int]]:
        """Clinician ids by step, as engage.alerts.people finds them, but at a past instant; complaints about them are not known."""
        branch_id, patients_nurses = self._patient(patient_id)
        able = {person.id: person for person in self.people}
        on_call = [person for person in self.rota.on(Duty.ON_CALL, branch_id, at) if person in able]
        stands_in = on_call or [person for person in self.rota.on(Duty.FALLBACK, branch_id, at) if person in able]
        nurses = [nurse for nurse in patients_nurses if nurse in able]
        at_work = [nurse for nurse in nurses if self.rota.is_at_work(nurse, branch_id, at)]
        by_who: Mapping[Who, Sequence[int]] = {
            Who.NURSE: (at_work or ([] if stands_in else nurses))[:1],
            Who.ON_CALL: stands_in,
            Who.SCHEDULER: self._in_role(Role.SCHEDULER, branch_id),
            Who.SUPERVISOR: self._in_role(Role.SUPERVISOR, branch_id),
        }

        def of(step: Step) -> Sequence[int]:
            if step.who is Who.PERSON:
                return [step.person] if step.person in able and step.person is not None else []
            if step.discipline is not None and on_call:
                return [person for person in on_call if able[person].discipline == step.discipline]
            return by_who[step.who]

        return {step.id: of(step) for step in steps}

    def wall(self, patient_id: int | None, at: datetime) -> time:
        """What the clock of a patient's branch shows."""
        return at.astimezone(ZoneInfo(self.rota.zone_of(self.branch_of(patient_id)))).time()

    def shift_day(self, clinician_id: int, at: datetime) -> date:
        """The day on which the shift began in which somebody is paged, else the day itself, where the agency is."""
        for shift in self.rota.shifts:
            if shift.clinician_id == clinician_id and shift.covers(at):
                local = at.astimezone(ZoneInfo(shift.zone))
                is_after_midnight = shift.starts >= shift.ends and local.time() < shift.ends
                return local.date() - timedelta(days=int(is_after_midnight))
        return at.astimezone(ZoneInfo(self.rota.zone)).date()

    def _patient(self, patient_id: int | None) -> tuple[int | None, tuple[int, ...]]:
        return self.patients.get(patient_id, (None, ())) if patient_id is not None else (None, ())

    def _in_role(self, role: Role, branch_id: int | None) -> list[int]:
        def serves(person: Person) -> bool:
            return branch_id is None or person.branch_id is None or person.branch_id == branch_id

        return [person.id for person in self.people if person.role == role and serves(person)]


@dataclass(frozen=True, slots=True)
class Nurse:
    """The pages of one clinician: in how many shifts there were any, how many in all, and in the worst shift."""

    clinician: int
    shifts: int
    pages: int
    most: int


@dataclass(frozen=True, slots=True)
class Load:
    """What the rules cost. Shifts without a page are not counted, so `pages_a_shift` is about those that were disturbed."""

    alerts: int
    alerts_a_day: float
    worst_day: int
    by_severity: Mapping[int, int]
    pages: int
    pages_a_shift: float
    most_in_a_shift: int
    exhausted: int
    nurses: tuple[Nurse, ...]


@dataclass(frozen=True, slots=True)
class Replay:
    """The load, the past alerts that would not have been, and the reasons (reply, kind) of alerts that would be new."""

    load: Load
    missed: tuple[int, ...]
    added: tuple[Trigger, ...]


@dataclass(frozen=True, slots=True)
class _Replayed:
    """One alert of the replay: whom it paged in which shift, and until when another reason joins it (taken, or exhausted).

    The past alerts that it stands for are added while it is put together.
    """

    first: Trigger
    severity: int
    pages: tuple[tuple[int, date], ...]
    until: datetime
    is_exhausted: bool
    alert_ids: set[int] = field(default_factory=set)


def replay(rules: Rules, past: Sequence[PastAlert], triggers: Iterable[Trigger], roster: Roster, days: int) -> Replay:
    """Let `triggers` open and join alerts under `rules`, and page for them; `past` says how soon somebody was there."""
    known = {alert.id: alert for alert in past}
    usual = _usual(past, rules)
    replayed: list[_Replayed] = []
    open_ones: dict[tuple[int, frozenset[AlertKind]], _Replayed] = {}
    for trigger in sorted(triggers, key=lambda one: (one.at, one.kind, one.reply_id or 0)):
        key = (trigger.patient_id, family(trigger.kind)) if trigger.patient_id is not None else None
        joined = open_ones.get(key) if key is not None else None
        if joined is None or joined.until <= trigger.at:
            joined = _opened(trigger, known, usual, rules, roster)
            replayed.append(joined)
            if key is not None:
                open_ones[key] = joined
        if trigger.alert_id is not None:
            joined.alert_ids.add(trigger.alert_id)
    kept = {alert_id for one in replayed for alert_id in one.alert_ids}
    return Replay(
        _load(replayed, roster, days),
        tuple(sorted(known.keys() - kept)),
        tuple(one.first for one in replayed if not one.alert_ids),
    )


def _usual(past: Sequence[PastAlert], rules: Rules) -> Mapping[int, timedelta]:
    """By severity, after how long half of the past alerts were taken; 0 stands for all of them together."""
    waits: dict[int, list[float]] = defaultdict(list)
    for alert in past:
        if alert.taken_after is not None:
            waits[0].append(alert.taken_after.total_seconds())
            waits[rules.kinds[alert.kind].severity].append(alert.taken_after.total_seconds())
    return {severity: timedelta(seconds=median(found)) for severity, found in waits.items()}


def _opened(
    trigger: Trigger,
    known: Mapping[int, PastAlert],
    usual: Mapping[int, timedelta],
    rules: Rules,
    roster: Roster,
) -> _Replayed:
    """Climb the ladder until somebody takes the alert, or the ladder ends."""
    rule = rules.kinds[trigger.kind]
    ladder = rules.ladder_for(trigger.kind, roster.branch_of(trigger.patient_id))
    was = known.get(trigger.alert_id) if trigger.alert_id is not None else None
    after = was.taken_after if was is not None else usual.get(rule.severity, usual.get(0))
    taken_at = trigger.at + after if after is not None else None
    pages: list[tuple[int, date]] = []
    place, at = Place(), trigger.at
    while taken_at is None or at < taken_at:
        people = roster.pageable(trigger.patient_id, ladder.steps, at)
        move = climb(place, ladder.steps, ladder.rounds, people, roster.wall(trigger.patient_id, at), at)[-1]
        if not isinstance(move, Page):
            return _Replayed(trigger, rule.severity, tuple(pages), at if taken_at is None else taken_at, True)
        pages += [(person, roster.shift_day(person, at)) for person in move.people]
        place, at = move.place, move.next_due_at
    return _Replayed(trigger, rule.severity, tuple(pages), taken_at, False)


def _load(replayed: Sequence[_Replayed], roster: Roster, days: int) -> Load:
    pages = Counter(page for one in replayed for page in one.pages)
    zone = ZoneInfo(roster.rota.zone)
    by_day = Counter(one.first.at.astimezone(zone).date() for one in replayed)
    by_nurse: dict[int, list[int]] = defaultdict(list)
    for (clinician, _), count in pages.items():
        by_nurse[clinician].append(count)
    return Load(
        alerts=len(replayed),
        alerts_a_day=round(len(replayed) / days, 2),
        worst_day=max(by_day.values(), default=0),
        by_severity=dict(sorted(Counter(one.severity for one in replayed).items())),
        pages=pages.total(),
        pages_a_shift=round(pages.total() / len(pages), 2) if pages else 0.0,
        most_in_a_shift=max(pages.values(), default=0),
        exhausted=sum(one.is_exhausted for one in replayed),
        nurses=tuple(Nurse(who, len(some), sum(some), max(some)) for who, some in sorted(by_nurse.items())),
    )
