"""A ward to raise alarms on: the cast's people and rows, verbs at a given instant, and what was paged to whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engage.agencies.model import Clinician
from engage.agencies.rota import load_crew
from engage.alerts.closing import Done, resolve
from engage.alerts.escalate import Escalated, escalate
from engage.alerts.gathering import gather
from engage.alerts.ladders import NewStep, find_ladder, set_ladder, steps_of
from engage.alerts.model import Alert
from engage.alerts.opening import Reason, open_alert
from engage.alerts.people import pageable
from engage.alerts.rules.words import AlertKind, Who
from engage.alerts.taking import acknowledge
from engage.db import encryption
from tests.cast import NOON, Cast


@dataclass
class Ward:
    """Sunrise's alerts."""

    cast: Cast

    def sql(self, statement: str, **values: Any) -> list[Any]:
        """Rows of any table, or none."""
        with self.cast.db.system_session("test") as session:
            result = session.execute(text(statement), values)
            return [tuple(row) for row in result] if result.returns_rows else []

    def opens(
        self,
        kind: AlertKind,
        now: datetime = NOON,
        patient: int | None = None,
        branch: int | None = None,
        reply: int | None = None,
    ) -> int:
        """Rose's alert, or another patient's; its id."""
        patient = None if branch is not None else patient or self.cast.rose
        with self.cast.db.agency_session(self.cast.id) as session:
            return open_alert(session, Reason(kind, self.cast.id, patient, branch_id=branch, reply_id=reply), now)

    def climbs(self, now: datetime = NOON) -> Escalated:
        """One run of the escalation."""
        return escalate(self.cast.db, now)

    def pages(self, alert: int | None = None) -> list[int]:
        """Who was paged, in order."""
        found = self.sql(
            "SELECT clinician_id FROM messages WHERE kind = 'page' AND (CAST(:alert AS bigint) IS NULL OR alert_id = :alert) ORDER BY id",
            alert=alert,
        )
        return [person for (person,) in found]

    def taken_by(self, who: int, alert: int, now: datetime) -> None:
        """Somebody takes an alert."""
        with self.cast.db.agency_session(self.cast.id) as session:
            acknowledge(session, self.cast.id, who, self.code(session, alert), now)

    def resolved_by(self, who: int, alert: int, now: datetime, outcome: str = "called") -> None:
        """Somebody closes an alert."""
        with self.cast.db.agency_session(self.cast.id) as session:
            resolve(session, self.cast.id, self.code(session, alert), who, Done(outcome), now)

    def code(self, session: Session, alert: int) -> str:
        """An alert's code."""
        return session.get_one(Alert, (self.cast.id, alert)).code

    def ladder(
        self, key: str, *steps: NewStep, rounds: int = 1, branch: int | None = None, now: datetime = NOON
    ) -> None:
        """Change a ladder."""
        with self.cast.db.agency_session(self.cast.id) as session:
            set_ladder(session, self.cast.id, key, branch, steps, rounds, now)

    def reach(self, alert: int, now: datetime) -> dict[Who, list[int]]:
        """Who could be paged for an alert now, by the kind of its ladder's steps."""
        with self.cast.db.agency_session(self.cast.id) as session:
            row = session.get_one(Alert, (self.cast.id, alert))
            steps, _ = steps_of(session, self.cast.id, row.ladder_id)
            facts = gather(session, [row], now)[alert]
            crew = load_crew(session, self.cast.id, now)
            people = pageable(facts, steps, crew, crew.reachable(now), now)
            return {step.who: people[step.id] for step in steps}

    def ladder_id(self, key: str, branch: int | None = None) -> int:
        """A ladder's id."""
        with self.cast.db.agency_session(self.cast.id) as session:
            found = find_ladder(session, self.cast.id, key, branch)
            assert found is not None
            return found.id

    def hires(
        self,
        name: str,
        role: str = "nurse",
        phone: str = "+12025550131",
        branch: int | None = None,
        discipline: str = "SN",
    ) -> int:
        """Somebody new."""
        with self.cast.db.agency_session(self.cast.id) as session:
            person = Clinician(
                agency_id=self.cast.id,
                branch_id=branch or self.cast.branch,
                emr_id=name.lower(),
                first_name=name,
                last_name="Tester",
                discipline=discipline,
                role=role,
                phone=phone,
                phone_hash=encryption.phone_hash(phone),
                page_channels=["sms"],
            )
            session.add(person)
            session.flush()
            return person.id

    def shift(
        self,
        person: int,
        starts: str,
        ends: str,
        duty: str = "on_call",
        days: str = "{0,1,2,3,4,5,6}",
        branch: int | None = None,
    ) -> None:
        """A weekly shift."""
        self.sql(
            "INSERT INTO shifts (agency_id, branch_id, clinician_id, weekdays, starts, ends, duty)"
            " VALUES (:agency, :branch, :person, CAST(:days AS smallint[]), CAST(:starts AS time), CAST(:ends AS time), :duty)",
            agency=self.cast.id, branch=branch, person=person, days=days, starts=starts, ends=ends, duty=duty,
        )  # fmt: skip

    def alert(self, alert: int) -> Alert:
        """An alert's row."""
        with self.cast.db.agency_session(self.cast.id) as session:
            return session.scalars(select(Alert).where(Alert.id == alert)).one()
