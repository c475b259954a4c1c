"""Gathers an agency's last days for the alert budget: texts as they were read, alerts, rota, rules. Reads only; decides nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engage.agencies.rota import Crew, load_crew
from engage.agencies.rules.people import Role
from engage.alerts.ladders import steps_of
from engage.alerts.model import Ladder
from engage.alerts.rules.words import AlertKind
from engage.db import Database
from engage.outreach.rules.words import Asks
from engage.patients.rules.window import local_day
from engage.replies.model import Reply
from engage.replies.rules import Asked, Intent, Lexicon, Reading, read
from engage.replies.rules.decide import Context, OpenAlert, decide
from engage.reports.rules.budget import KindRule, LadderRule, PastAlert, Person, Roster, Rules, Trigger

_ASKED = {Asks.CONFIRM: Asked.REMINDER, Asks.SCORE_1_5: Asked.CHECKIN, Asks.SCORE_1_10: Asked.SURVEY}

_KINDS = text("""
SELECT r.kind, r.severity, l.key AS ladder FROM alert_rules r JOIN ladders l ON l.agency_id = r.agency_id AND l.id = r.ladder_id
""")
_TOUCHPOINTS = text("SELECT key, asks, alert_at_most FROM touchpoints WHERE asks IN ('score_1_5', 'score_1_10')")
_ALERTS = text("""
SELECT a.id, a.kind, a.patient_id, a.opened_at, LEAST(a.resolved_at, (
    SELECT min(e.at) FROM alert_events e WHERE e.agency_id = a.agency_id AND e.alert_id = a.id AND e.kind = 'acknowledged')) AS taken_at
FROM alerts a WHERE a.agency_id = :agency AND a.opened_at > :since AND a.opened_at <= :now ORDER BY a.id
""")
# What alerts were opened or joined for in those days. An event that does not say its kind is of the alert's, or of what that was
# before something worse gave it its name.
_REASONS = text("""
SELECT e.alert_id, e.reply_id, e.at, a.patient_id, COALESCE(e.detail->>'kind', (
    SELECT f.detail->>'was' FROM alert_events f WHERE f.agency_id = e.agency_id AND f.alert_id = e.alert_id AND f.detail ? 'was'
    ORDER BY f.at, f.id LIMIT 1), a.kind) AS kind
FROM alert_events e JOIN alerts a ON a.agency_id = e.agency_id AND a.id = e.alert_id
WHERE e.agency_id = :agency AND e.kind IN ('opened', 'evidence') AND e.at > :since AND e.at <= :now
""")
_REPLIES = text("""
SELECT r.id, r.received_at, c.patient_id, p.is_monitored, p.time_zone, COALESCE(c.language, p.language) AS language,
       g.intents, g.score, g.needs_person, g.confidence, g.rule_version, m.asks, t.key AS touchpoint
FROM replies r
JOIN contacts c ON c.agency_id = r.agency_id AND c.id = r.contact_id
JOIN patients p ON p.agency_id = c.agency_id AND p.id = c.patient_id
JOIN LATERAL (
    SELECT * FROM readings g WHERE g.agency_id = r.agency_id AND g.reply_id = r.id ORDER BY g.read_at DESC, g.id DESC LIMIT 1) g ON true
LEFT JOIN messages m ON m.agency_id = r.agency_id AND m.id = g.asked_message_id
LEFT JOIN touchpoints t ON t.agency_id = m.agency_id AND t.id = m.touchpoint_id
WHERE r.agency_id = :agency AND r.received_at > :since AND r.received_at <= :now
""")
# The case manager, then those who come on the visits nearest to today, as engage.alerts.people asks them.
_PATIENTS = text("""
SELECT p.id, p.branch_id, p.case_manager_id, near.clinicians
FROM patients p
LEFT JOIN LATERAL (
    SELECT array_agg(n.clinician_id) AS clinicians FROM (
        SELECT vc.clinician_id FROM visits v JOIN visit_clinicians vc ON vc.agency_id = v.agency_id AND vc.visit_id = v.id
        WHERE v.agency_id = p.agency_id AND v.patient_id = p.id AND v.status <> 'cancelled'
        ORDER BY abs(v.starts_on - CAST(:today AS date)), v.id, vc.clinician_id LIMIT 4) n) near ON true
WHERE p.id = ANY(:patients)
""")


@dataclass(frozen=True, slots=True)
class Heard:
    """A text of a patient's: by whom, under which question, as it was read then, and as it is read now (or the same)."""

    id: int
    at: datetime
    patient_id: int
    is_monitored: bool
    asks: Asks
    touchpoint: str | None
    then: Reading
    now: Reading

    def changed(
        self, present: Mapping[str, int | None], proposed: Mapping[str, int | None]
    ) -> tuple[frozenset[AlertKind], frozenset[AlertKind]]:
        """The alerts that it is a reason for only under the proposed thresholds, and only under the present ones."""
        before, after = self._kinds(self.then, present), self._kinds(self.now, proposed)
        return after - before, before - after

    def _kinds(self, reading: Reading, at_most: Mapping[str, int | None]) -> frozenset[AlertKind]:
        threshold = at_most.get(self.touchpoint) if self.touchpoint is not None else None
        context = Context(asks=self.asks, alert_at_most=threshold, is_monitored=self.is_monitored)
        return frozenset(action.kind for action in decide(reading, context) if isinstance(action, OpenAlert))


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a past alert was opened or joined."""

    alert_id: int
    reply_id: int | None
    at: datetime
    kind: AlertKind
    patient_id: int | None


@dataclass(frozen=True, slots=True)
class LastDays:
    """Everything the replay needs of an agency; `checkins` are the touchpoints that ask 1 to 5 and alert."""

    days: int
    rules: Rules
    checkins: frozenset[str]
    past: tuple[PastAlert, ...]
    reasons: tuple[Reason, ...]
    heard: tuple[Heard, ...]
    roster: Roster

    def triggers_then(self) -> list[Trigger]:
        """The reasons there were, for alerts of those days."""
        ours = {alert.id for alert in self.past}
        return [
            Trigger(one.at, one.kind, one.patient_id, one.reply_id, one.alert_id)
            for one in self.reasons
            if one.alert_id in ours
        ]

    def triggers_under(self, at_most: Mapping[str, int | None]) -> list[Trigger]:
        """The reasons there would have been under these thresholds: those that there were, but for what the change changes.

        So whatever else decided then (an older release, a nurse who wrote herself) is not mistaken for the proposal's doing.
        """
        changed = {one.id: one.changed(self.rules.at_most, at_most) for one in self.heard}
        then = {(one.reply_id, one.kind) for one in self.reasons if one.reply_id is not None}
        nothing: frozenset[AlertKind] = frozenset()
        kept = [
            trigger
            for trigger in self.triggers_then()
            if trigger.reply_id is None or trigger.kind not in changed.get(trigger.reply_id, (nothing, nothing))[1]
        ]
        return kept + [
            Trigger(one.at, kind, one.patient_id, one.id)
            for one in self.heard
            for kind in sorted(changed[one.id][0])
            if (one.id, kind) not in then
        ]


Reader = Callable[[str, Asked, str, datetime, str], Reading]


def reader_of(lexicon: Lexicon) -> Reader:
    """Reads a text again, by today's rules and words: body, question, language, when and in which zone it came."""

    def again(body: str, asked: Asked, language: str, at: datetime, zone: str) -> Reading:
        return read(body, asked, lexicon=lexicon, language=language, today=local_day(at, zone))

    return again


def last_days(db: Database, agency_id: int, days: int, now: datetime, again: Reader | None = None) -> LastDays:
    """The `days` before `now` of one agency, in a handful of queries; `again` reads every text anew, else its stored reading counts."""
    values = {"agency": agency_id, "since": now - timedelta(days=days), "now": now, "today": now.date()}
    with db.agency_session(agency_id) as session:
        past = tuple(
            PastAlert(
                row.id,
                AlertKind(row.kind),
                row.patient_id,
                row.opened_at,
                None if row.taken_at is None else row.taken_at - row.opened_at,
            )
            for row in session.execute(_ALERTS, values)
        )
        reasons = tuple(
            Reason(row.alert_id, row.reply_id, row.at, AlertKind(row.kind), row.patient_id)
            for row in session.execute(_REASONS, values)
        )
        heard = _heard(session, values, again)
        asking = session.execute(_TOUCHPOINTS).all()
        patients = {alert.patient_id for alert in past if alert.patient_id is not None} | {
            one.patient_id for one in heard
        }
        return LastDays(
            days,
            _rules(session, {row.key: row.alert_at_most for row in asking}),
            frozenset(row.key for row in asking if row.asks == Asks.SCORE_1_5 and row.alert_at_most is not None),
            past,
            reasons,
            heard,
            _roster(session, values | {"patients": sorted(patients)}),
        )


def _heard(session: Session, values: Mapping[str, Any], again: Reader | None) -> tuple[Heard, ...]:
    rows = session.execute(_REPLIES, values).all()
    bodies: dict[int, str] = {}
    if again is not None:
        wanted = select(Reply.id, Reply.body).where(
            Reply.received_at > values["since"], Reply.agency_id == values["agency"]
        )
        bodies = {row.id: row.body for row in session.execute(wanted)}
    return tuple(_one(row, again, bodies) for row in rows)


def _one(row: Any, again: Reader | None, bodies: Mapping[int, str]) -> Heard:
    asks = Asks(row.asks or Asks.NOTHING)
    intents = tuple(Intent(intent) for intent in row.intents)
    then = now = Reading(intents, row.score, (), (), row.confidence, row.needs_person, row.rule_version)
    if again is not None:
        asked = _ASKED.get(asks, Asked.NONE)
        now = again(bodies[row.id], asked, row.language, row.received_at, row.time_zone)
    return Heard(row.id, row.received_at, row.patient_id, row.is_monitored, asks, row.touchpoint, then, now)


def _rules(session: Session, at_most: Mapping[str, int | None]) -> Rules:
    kinds = {AlertKind(row.kind): KindRule(row.severity, row.ladder) for row in session.execute(_KINDS)}
    ladders: dict[str, LadderRule] = {}
    of_branches: dict[tuple[str, int], LadderRule] = {}
    for ladder in session.scalars(select(Ladder).order_by(Ladder.id)):
        steps, rounds = steps_of(session, ladder.agency_id, ladder.id)
        rule = LadderRule(tuple(steps), rounds)
        if ladder.branch_id is None:
            ladders[ladder.key] = rule
        else:
            of_branches[ladder.key, ladder.branch_id] = rule
    return Rules(kinds, ladders, at_most, of_branches)


def _roster(session: Session, values: Mapping[str, Any]) -> Roster:
    crew = load_crew(session, values["agency"], values["since"])
    patients = {
        row.id: (
            row.branch_id,
            tuple(dict.fromkeys([*filter(None, [row.case_manager_id]), *(row.clinicians or ())])),
        )
        for row in session.execute(_PATIENTS, values)
    }
    return roster_of(crew, values["now"], patients)


def roster_of(crew: Crew, now: datetime, patients: Mapping[int, tuple[int | None, tuple[int, ...]]]) -> Roster:
    """The crew for the replay: whoever can be paged at `now`; `patients` as in Roster."""
    able = crew.reachable(now)
    people = tuple(
        Person(person.id, Role(person.role), person.branch_id, person.discipline)
        for person in crew.people.values()
        if person.id in able
    )
    return Roster(crew.rota, people, patients)
