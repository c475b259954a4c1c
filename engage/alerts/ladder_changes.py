"""Changes of ladders and of how kinds of alert are treated, as the command line and the console make them: words in, one audited change
and what is wrong with the rota now out. In the caller's transaction; open alerts go on as engage.alerts.ladders says."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.agencies.model import Clinician
from engage.alerts.changes import Author, Changed, problems_now, record
from engage.alerts.ladders import NewStep, find_ladder, remove_ladder, set_ladder
from engage.alerts.model import AlertRule, Ladder
from engage.alerts.rules.steps import Written, write_step
from engage.alerts.rules.words import AlertKind, Who
from engage.errors import BadInput, NotFound

SEVERITIES: Mapping[int, str] = MappingProxyType({1: "today", 2: "within the hour", 3: "now"})
MOST_STEPS = 20


def change_ladder(
    session: Session, by: Author, key: str, branch: tuple[int, str] | None, steps: Sequence[Written], rounds: int
) -> Changed:
    """Make the ladder `key` of the agency, or of a `branch` (id, EMR id), these steps.

    Raises BadInput for a branch's ladder that the agency has not, and for no steps or too many; NotFound for a person nobody knows.
    """
    if branch is not None and find_ladder(session, by.agency_id, key, None) is None:
        raise BadInput(
            f"There is no ladder {key!r} that a branch could have its own of: set it without --branch first."
        )
    if len(steps) > MOST_STEPS:
        raise BadInput(f"A ladder has at most {MOST_STEPS} steps; this one has {len(steps)}.")
    if not 1 <= rounds <= 20:
        raise BadInput("A ladder is climbed from 1 to 20 times.")
    new = [_new_step(session, by.agency_id, step) for step in steps]
    set_ladder(session, by.agency_id, key, branch[0] if branch else None, new, rounds, by.now)
    where = branch[1] if branch else None
    said = ladder_told(key, where, rounds, [write_step(step) for step in steps])
    record(session, by, "ladder", "ladder.set", said)
    return Changed(said, problems_now(session, by))


def drop_ladder(session: Session, by: Author, key: str, branch: tuple[int, str] | None) -> Changed:
    """Remove a branch's own ladder, or one that no kind of alert has; NotFound or BadInput where that cannot be."""
    found = find_ladder(session, by.agency_id, key, branch[0] if branch else None)
    if found is None:
        where = f" of branch {branch[1]}" if branch else ""
        raise NotFound(f"There is no ladder {key!r}{where}: engage alerts ladder show.")
    remove_ladder(session, found, by.now)
    record(session, by, "ladder", "ladder.remove", f"{key} {branch[1] if branch else ''}".strip())
    return Changed(f"The ladder {key!r} is removed.", problems_now(session, by))


def change_rule(
    session: Session,
    by: Author,
    kind: AlertKind,
    severity: int | None = None,
    key: str | None = None,
    minutes: int | None = None,
) -> Changed:
    """Change how alerts of `kind` are treated from now on; None leaves as it is. NotFound for a ladder that is not there, BadInput out of bounds."""
    if severity is None and key is None and minutes is None:
        raise BadInput("Nothing to change: say --severity, --ladder or --acknowledged-minutes.")
    if severity not in {None, *SEVERITIES}:
        raise BadInput("The severity is 3 (now), 2 (within the hour) or 1 (today).")
    if minutes is not None and not 5 <= minutes <= 10_080:
        raise BadInput("An acknowledgement lasts from 5 minutes to a week.")
    rule = session.scalars(select(AlertRule).where(AlertRule.agency_id == by.agency_id, AlertRule.kind == kind)).one()
    found = (
        find_ladder(session, by.agency_id, key, None)
        if key
        else session.get_one(Ladder, (by.agency_id, rule.ladder_id))
    )
    if found is None:
        general = select(Ladder.key).where(Ladder.agency_id == by.agency_id, Ladder.branch_id.is_(None))
        known = ", ".join(session.scalars(general.order_by(Ladder.key)))
        raise NotFound(f"There is no ladder {key!r}; there are: {known}.")
    rule.ladder_id, rule.severity = found.id, severity or rule.severity
    rule.acknowledged_minutes = minutes or rule.acknowledged_minutes
    said = rule_told(kind, rule.severity, found.key, rule.acknowledged_minutes)
    record(session, by, "ladder", "rules.set", said)
    return Changed(said)


def ladder_told(key: str, branch: str | None, rounds: int, steps: Sequence[str]) -> str:
    """A ladder in a line."""
    return f"{key}{f' of branch {branch}' if branch else ''}, {rounds} rounds: {'; '.join(steps)}"


def rule_told(kind: str, severity: int, key: str, minutes: int) -> str:
    """A rule in a line."""
    return f"{kind}: severity {severity} ({SEVERITIES[severity]}), ladder {key}, an acknowledgement lasts {minutes} minutes"


def _new_step(session: Session, agency_id: int, step: Written) -> NewStep:
    person, discipline = None, step.of
    if step.who is Who.PERSON:
        named = select(Clinician.id).where(Clinician.agency_id == agency_id, Clinician.emr_id == step.of)
        person, discipline = session.scalars(named).first(), None
        if person is None:
            raise NotFound(f"No clinician has the EMR id {step.of!r}: engage clinician add.")
    return NewStep(step.who, step.minutes, step.channel, step.times, discipline, person, step.hours)
