"""Who could be paged for an alert at this moment, for each step of its ladder: facts in, clinician ids out.

Nobody is paged about a complaint or an opening of their own making, and a nurse off shift is left alone if somebody on call stands in.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from engage.agencies.rota import Crew
from engage.agencies.rules.people import Duty, Role
from engage.alerts.gathering import Facts
from engage.alerts.rules.ladder import Step
from engage.alerts.rules.words import Who


def pageable(
    facts: Facts, steps: Sequence[Step], crew: Crew, reachable: frozenset[int], now: datetime
) -> Mapping[int, list[int]]:
    """Clinician ids by step; only people who work here, can be reached, and are not those who are complained about.

    `reachable`: of the crew, at `now`.
    """
    branch_id = facts.branch_id
    able = reachable - facts.concerned
    on_call = _only(crew.rota.on(Duty.ON_CALL, branch_id, now), able)
    stands_in = on_call or _only(crew.rota.on(Duty.FALLBACK, branch_id, now), able)
    nurses = _only(facts.nurses, able)
    at_work = [nurse for nurse in nurses if crew.rota.is_at_work(nurse, branch_id, now)]
    by_who: Mapping[Who, list[int]] = {
        Who.NURSE: (at_work or ([] if stands_in else nurses))[:1],
        Who.ON_CALL: stands_in,
        Who.SCHEDULER: _of_role(crew, Role.SCHEDULER, branch_id, able),
        Who.SUPERVISOR: _of_role(crew, Role.SUPERVISOR, branch_id, able),
    }
    return {step.id: _for_step(step, by_who, on_call, crew, able) for step in steps}


def _for_step(
    step: Step, by_who: Mapping[Who, list[int]], on_call: Sequence[int], crew: Crew, able: frozenset[int]
) -> list[int]:
    if step.who is Who.PERSON:
        return _only([step.person] if step.person is not None else [], able)
    if (
        step.discipline is not None and on_call
    ):  # with nobody on call at all, the fallback stands in for every discipline
        return [person for person in on_call if crew.people[person].discipline == step.discipline]
    return by_who[step.who]


def _only(people: Iterable[int], able: frozenset[int]) -> list[int]:
    return [person for person in people if person in able]


def _of_role(crew: Crew, role: Role, branch_id: int | None, able: frozenset[int]) -> list[int]:
    return [
        person.id
        for person in crew.people.values()
        if person.role == role
        and person.id in able
        and (branch_id is None or person.branch_id is None or person.branch_id == branch_id)
    ]
