"""Climbs the ladder of every alert that is due: pages the next people, or says that nobody is left. Sends nothing itself.

Timer, page and event move in one transaction, and the claim asks again whether the alert is still open: an alert taken
before the claim is never paged, and one whose worker died is simply due again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engage import log
from engage.agencies.model import Clinician
from engage.agencies.rota import Crew, load_crew
from engage.alerts.bundling import bundle
from engage.alerts.closing import open_to_try
from engage.alerts.fallback import take_next_channels, tell_of_dead_phones
from engage.alerts.gathering import Facts, gather
from engage.alerts.ladders import place_of, put_at, steps_of
from engage.alerts.model import Alert
from engage.alerts.paging import Rung, page_person, tell
from engage.alerts.people import pageable
from engage.alerts.promises import break_promises
from engage.alerts.rules.ladder import Exhausted, Move, Nobody, Page, Place, Step, climb
from engage.alerts.rules.words import AlertState, EventKind
from engage.alerts.unreachable import tell_unreachable
from engage.db import Database

# Due: its time has come, or every page of its last step has failed, so that waiting for an answer is in vain. A page fares as
# the one that speaks for it; a mail in the place of a page that failed is sent, but nobody waits for it to be read.
_DUE = text("""
SELECT a.id FROM alerts a
WHERE a.state <> 'resolved' AND a.exhausted_at IS NULL AND (
    a.next_due_at <= :now
    OR (a.state = 'open' AND a.step > 0 AND NOT EXISTS (
        SELECT FROM messages m WHERE m.agency_id = a.agency_id AND m.alert_id = a.id AND m.kind = 'page'
          AND m.alert_round = a.round AND m.alert_step = a.step
          AND COALESCE((SELECT b.state FROM messages b WHERE b.agency_id = m.agency_id AND b.id = m.bundle_id), m.state)
              NOT IN ('failed', 'undelivered', 'suppressed', 'expired', 'cancelled')
          AND NOT (m.channel = 'email' AND EXISTS (
              SELECT FROM messages o WHERE o.agency_id = m.agency_id AND o.alert_id = m.alert_id AND o.kind = 'page'
                AND o.alert_round = m.alert_round AND o.alert_step = m.alert_step AND o.clinician_id = m.clinician_id
                AND o.channel <> 'email')))))
ORDER BY a.severity DESC, a.next_due_at LIMIT :most FOR UPDATE OF a SKIP LOCKED
""")


@dataclass(slots=True)
class Escalated:
    """What one run did."""

    paged: int = 0
    reopened: int = 0
    exhausted: int = 0
    bundled: int = 0

    def add(self, other: "Escalated") -> None:
        """Count what the other one did too."""
        self.paged += other.paged
        self.reopened += other.reopened
        self.exhausted += other.exhausted
        self.bundled += other.bundled


@dataclass(slots=True)
class _Read:
    """What one run has read of agencies and ladders, each once."""

    session: Session
    now: datetime
    facts: Mapping[int, Facts]
    crews: dict[int, tuple[Crew, frozenset[int]]] = field(default_factory=dict)
    ladders: dict[tuple[int, int], tuple[list[Step], int]] = field(default_factory=dict)

    def way(self, alert: Alert) -> "_Way":
        """Who works there, and what the alert climbs."""
        agency, ladder = alert.agency_id, (alert.agency_id, alert.ladder_id)
        if agency not in self.crews:
            crew = load_crew(self.session, agency, self.now)
            self.crews[agency] = crew, crew.reachable(self.now)
        if ladder not in self.ladders:
            self.ladders[ladder] = steps_of(self.session, *ladder)
        return _Way(self.facts[alert.id], *self.crews[agency], *self.ladders[ladder])


@dataclass(frozen=True, slots=True)
class _Way:
    """The facts, people, steps and rounds for one alert."""

    facts: Facts
    crew: Crew
    reachable: frozenset[int]
    steps: list[Step]
    rounds: int


def escalate(db: Database, now: datetime, most: int = 200) -> Escalated:
    """Move every due alert one step on, worst first; `most` at a time."""
    done = Escalated()
    with db.system_session("escalate", by_key=True) as session:
        break_promises(session, now)
        lost = take_next_channels(session, now)
        done.paged += lost.paged
        ids = list(session.scalars(_DUE, {"now": now, "most": most}))
        alerts = list(session.scalars(select(Alert).where(Alert.id.in_(ids))))
        _climb_each(session, sorted(alerts, key=lambda alert: (-alert.severity, alert.id)), now, done)
        done.bundled = bundle(session, now)
    tell_of_dead_phones(db, lost.dead, now)
    if done.exhausted:
        tell_unreachable(db, now)
    return done


def _climb_each(session: Session, alerts: Sequence[Alert], now: datetime, done: Escalated) -> None:
    """All of them at once; if one cannot climb, each by itself, so that it keeps no other from its nurse."""
    if not alerts:
        return
    read = _Read(session, now, gather(session, alerts, now))
    together = Escalated()
    try:
        with session.begin_nested(), session.no_autoflush:
            for alert in alerts:
                _climb(session, alert, read.way(alert), now, together)
    except Exception as problem:  # noqa: BLE001 - whose row is broken is found out and logged below
        log.get().warning("alerts climb one by one", why=type(problem).__name__)
    else:
        done.add(together)
        return
    for alert in alerts:
        agency_id, alert_id = alert.agency_id, alert.id
        try:
            with session.begin_nested():
                _climb(session, alert, read.way(alert), now, done)
        except Exception:  # noqa: BLE001 - one agency's broken row must not keep every other alert from its nurse
            log.get().exception("an alert cannot climb its ladder", agency=agency_id, alert=alert_id)


def _climb(session: Session, alert: Alert, way: _Way, now: datetime, done: Escalated) -> None:
    has_failed = alert.step > 0 and alert.next_due_at is not None and alert.next_due_at > now
    is_stale = alert.state == AlertState.ACKNOWLEDGED
    if is_stale and alert.try_again_at is not None:
        open_to_try(session, alert, now)
        done.reopened += 1
        return
    if is_stale:
        tell(session, alert, now, EventKind.REOPENED, clinician_id=alert.acknowledged_by)
        alert.acknowledged_by = alert.acknowledged_at = None
        done.reopened += 1
    elif has_failed:
        tell(session, alert, now, EventKind.PAGE_FAILED)
    alert.state = AlertState.OPEN
    for move in _moves(alert, way, now, has_failed=has_failed, is_stale=is_stale):
        match move:
            case Page():
                _page(session, alert, move, way.steps, now)
                done.paged += len(move.people)
            case Nobody(place=place, who=who):
                detail = {"who": who, "step": place.step, "round": place.round}
                tell(session, alert, now, EventKind.NOBODY, detail=detail)
            case Exhausted():
                _exhaust(session, alert, now)
                done.exhausted += 1


def _moves(alert: Alert, way: _Way, now: datetime, *, has_failed: bool, is_stale: bool) -> tuple[Move, ...]:
    crew, steps, rounds, passed = way.crew, way.steps, way.rounds, way.facts.passers
    takers = frozenset[int]() if is_stale else way.facts.takers  # who let it go does not have it any more
    people = _without(takers, pageable(way.facts, steps, crew, way.reachable, now))
    wall = now.astimezone(ZoneInfo(crew.rota.zone_of(alert.branch_id))).time()
    place = place_of(alert)
    if has_failed:  # the same people on the same way again would be in vain
        place = place.given_up(steps)
    moves = _climb_past(passed, place, steps, rounds, people, wall, now)
    if is_stale and isinstance(moves[-1], Exhausted):  # somebody had it and let it go: it does not end in silence
        moves = climb(place.begun_again(), steps, rounds, people, wall, now)
    return moves


def _climb_past(
    passed: frozenset[int],
    place: Place,
    steps: list[Step],
    rounds: int,
    people: Mapping[int, Sequence[int]],
    wall: time,
    now: datetime,
) -> tuple[Move, ...]:
    """Whoever passed it on is not asked again in this round."""
    if not passed:
        return climb(place, steps, rounds, people, wall, now)
    this_round = place.round - place.first_round + 1
    here = climb(place, steps, this_round, _without(passed, people), wall, now)
    if not isinstance(here[-1], Exhausted):
        return here
    return *here[:-1], *climb(Place(place.round + 1, (), place.first_round), steps, rounds, people, wall, now)


def _without(but: frozenset[int], people: Mapping[int, Sequence[int]]) -> dict[int, list[int]]:
    return {step: [person for person in reached if person not in but] for step, reached in people.items()}


def _exhaust(session: Session, alert: Alert, now: datetime) -> None:
    alert.exhausted_at, alert.next_due_at = now, None
    tell(session, alert, now, EventKind.EXHAUSTED)
    log.get().error("alert exhausted: nobody took it", agency=alert.agency_id, alert=alert.id, severity=alert.severity)


def _page(session: Session, alert: Alert, page: Page, steps: list[Step], now: datetime) -> None:
    template = "page" if alert.step == 0 else "page-again"  # of this climb: steps without anybody have told nobody
    put_at(alert, page.place)
    alert.next_due_at = page.next_due_at
    who = next(step.who for step in steps if step.id == page.place.climbed[-1])
    rung = Rung(page.place.round, page.place.step, page.next_due_at, who, page.channel, template)
    for person in page.people:
        page_person(session, alert, session.get_one(Clinician, (alert.agency_id, person)), rung, now)
