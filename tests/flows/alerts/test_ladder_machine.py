"""The real escalation on a real database beside the reference model: random ladders, edits, takers, failures, dead workers.

Always: an open alert that nobody has taken has a next look no further than its wait, or is exhausted and shown so; and
nobody is paged for an alert that was taken before the claim.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import event

from engage.alerts.ladders import NewStep
from engage.alerts.rules.words import AlertKind, Who
from tests.cast import Cast
from tests.flows.alerts.ladder_model import ModelAlert, Rung
from tests.flows.alerts.ward import Ward

START = datetime(2026, 11, 1, 5, 0, tzinfo=UTC)  # an hour before the clocks of New York go back
NAMES = ("nurse", "ben", "sue", "tom", "pat")
LONGEST = 40

ladders = st.lists(
    st.tuples(st.sampled_from(NAMES), st.integers(1, LONGEST), st.integers(1, 2)),
    min_size=1,
    max_size=4,
    unique_by=lambda rung: rung[0],
)


class Died(BaseException):
    """The worker's process is gone, wherever it was."""


def machine(ward: Ward, people: dict[str, int]) -> type[RuleBasedStateMachine]:
    """The state machine over one ward; each run has a patient of its own."""
    numbers = itertools.count(1)

    class Ladders(RuleBasedStateMachine):
        @initialize(ladder=ladders, rounds=st.integers(1, 3), nobody=st.sets(st.sampled_from(NAMES[1:]), max_size=2))
        def opens(self, ladder: Sequence[Rung], rounds: int, nobody: set[str]) -> None:
            self.now = self.latest = START
            ward.sql(
                "UPDATE alerts SET state = 'resolved', outcome = 'called', resolved_at = now(), next_due_at = NULL WHERE state <> 'resolved'"
            )
            ward.sql("UPDATE clinicians SET texts_stopped_at = NULL, page_channels = '{sms}'")
            # pages of earlier runs have left, so that none of this run travels in one of them
            ward.sql("UPDATE messages SET state = 'failed', reason = 'x', ended_at = :now WHERE state = 'planned'", now=START)
            ((patient,),) = ward.sql(
                "INSERT INTO patients (agency_id, branch_id, case_manager_id, emr_id, first_name, last_name, time_zone, status_since)"
                " SELECT agency_id, branch_id, case_manager_id, :key, first_name, last_name, time_zone, status_since"
                " FROM patients WHERE id = :rose RETURNING id",
                key=f"run-{next(numbers)}",
                rose=ward.cast.rose,
            )
            self.set(ladder, rounds)
            self.alert = ward.opens(AlertKind.URGENT, self.now, patient)
            self.model = ModelAlert(ladder, rounds, set())
            for name in nobody:
                self.silent(name)

        # --- the world ---------------------------------------------------------------------------------------------

        def set(self, ladder: Sequence[Rung], rounds: int) -> None:
            steps = [
                NewStep(Who.NURSE, wait, times=times)
                if name == "nurse"
                else NewStep(Who.PERSON, wait, times=times, person=people[name])
                for name, wait, times in ladder
            ]
            ward.ladder("nurse", *steps, rounds=rounds, now=self.now)

        @property
        def minute(self) -> float:
            return (self.now - START) / timedelta(minutes=1)

        def look(self) -> None:
            ward.climbs(self.now)
            self.model.look(self.minute)

        @rule(minutes=st.sampled_from([0, 1, 2, 5, 10, 15, 30, 45, 70, 500]))
        def time_passes_and_a_worker_looks(self, minutes: int) -> None:
            self.now += timedelta(minutes=minutes)
            self.look()
            self.look()  # a second worker at the same instant finds nothing to do

        @rule(minutes=st.integers(1, 20))
        def a_clock_that_was_fast_is_put_back(self, minutes: int) -> None:
            self.now -= timedelta(minutes=minutes)
            assume(self.now >= START)
            self.look()

        @rule(minutes=st.integers(1, 20), dies_at=st.integers(1, 12))
        def a_worker_dies_in_the_middle(self, minutes: int, dies_at: int) -> None:
            """Nothing of what it did is left; the next one does it."""
            self.now += timedelta(minutes=minutes)
            statements = itertools.count(1)

            def die(*_: Any) -> None:
                if next(statements) >= dies_at:
                    raise Died

            engine = ward.cast.db.engine
            event.listen(engine, "before_cursor_execute", die)
            try:
                ward.climbs(self.now)
            except Died:
                pass
            finally:
                event.remove(engine, "before_cursor_execute", die)
            self.look()

        @rule(minutes=st.integers(0, 20))
        def another_worker_holds_it(self, minutes: int) -> None:
            """What is locked is passed over, not waited for."""
            self.now += timedelta(minutes=minutes)
            with ward.cast.db.system_session("test") as session:
                session.connection().exec_driver_sql(f"SELECT 1 FROM alerts WHERE id = {self.alert} FOR UPDATE")
                before = ward.pages(self.alert)
                ward.climbs(self.now)
                assert ward.pages(self.alert) == before
            self.look()

        @precondition(lambda self: self.model.taken_at is None and not self.model.resolved)
        @rule()
        def somebody_takes_it(self) -> None:
            ward.taken_by(ward.cast.sue, self.alert, self.now)
            self.model.take(self.minute)
            self.look()

        @precondition(lambda self: not self.model.resolved)
        @rule(last=st.integers(0, 4))
        def somebody_resolves_it(self, last: int) -> None:
            assume(last == 0)
            ward.resolved_by(ward.cast.sue, self.alert, self.now)
            self.model.resolved, self.model.due = True, None

        @rule()
        def its_pages_come_back(self) -> None:
            ward.sql(
                "UPDATE messages SET state = 'failed', reason = 'x', ended_at = :now WHERE id IN ("
                " SELECT unnest(ARRAY[p.id, p.bundle_id]) FROM messages p JOIN alerts a ON a.id = :alert AND p.alert_id = a.id"
                " AND p.alert_round = a.round AND p.alert_step = a.step AND p.kind = 'page')",
                alert=self.alert,
                now=self.now,
            )
            self.model.fail()
            self.look()

        @rule(ladder=ladders, rounds=st.integers(1, 3))
        def the_ladder_is_edited(self, ladder: Sequence[Rung], rounds: int) -> None:
            self.set(ladder, rounds)
            self.model.edit(ladder, rounds, self.minute)
            self.look()

        @rule(name=st.sampled_from(NAMES[1:]))
        def silent(self, name: str) -> None:
            """Somebody stops our texts, or starts them again."""
            self.model.nobody ^= {name}
            stopped = self.now if name in self.model.nobody else None
            ward.sql("UPDATE clinicians SET texts_stopped_at = :at WHERE id = :who", at=stopped, who=people[name])

        # --- always ------------------------------------------------------------------------------------------------

        @invariant()
        def the_same_people_were_paged_as_in_the_model(self) -> None:
            if hasattr(self, "model"):
                names = {person: name for name, person in people.items()}
                assert [names[person] for person in ward.pages(self.alert)] == self.model.pages

        @invariant()
        def it_has_a_next_look_or_says_that_nobody_is_left(self) -> None:
            if not hasattr(self, "model"):
                return
            self.latest = max(
                self.latest, self.now
            )  # a clock that was put back had promised a wait from its later hour
            row = ward.alert(self.alert)
            due = self.model.due
            assert row.next_due_at == (START + timedelta(minutes=due) if due is not None else None)
            assert (row.exhausted_at is not None) == self.model.exhausted
            if row.state == "open" and row.exhausted_at is None:
                assert row.next_due_at is not None
                assert row.next_due_at <= self.latest + timedelta(minutes=LONGEST)

    return Ladders


def test_the_program_does_what_the_model_does(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    ward = Ward(cast)
    people = {"nurse": cast.ana, "ben": cast.ben, "sue": cast.sue, "tom": ward.hires("Tom"), "pat": ward.hires("Pat")}
    ward.sql("UPDATE agencies SET texts_after = '00:00', texts_until = '23:59:59'")  # the nurse is at work all night
    few = settings(
        settings.get_profile("suite"),
        max_examples=60,
        stateful_step_count=20,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],  # shrinking would take minutes; a failure is 20 steps at most
    )
    run_state_machine_as_test(machine(ward, people), settings=few)
    capsys.readouterr()  # exhausted alerts are errors in the log, as they should be
