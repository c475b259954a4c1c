"""engage alerts ladder, engage alerts rules: who is paged in which order, and how each kind of alert is treated. Audited."""

from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from engage import clock
from engage.agencies.model import Branch, Clinician
from engage.alerts.changes import Author
from engage.alerts.ladder_changes import change_ladder, change_rule, drop_ladder, ladder_told, rule_told
from engage.alerts.ladders import steps_of
from engage.alerts.model import AlertRule, Ladder
from engage.alerts.rules.ladder import Step
from engage.alerts.rules.steps import Written, read_step, write_step
from engage.alerts.rules.words import AlertKind
from engage.cli.session import account, agency_of, agency_option, json_option, ready_database, show
from engage.db import Database
from engage.errors import NotFound

branch_option = click.option("--branch", metavar="ID", help="A branch's own ladder; without it, the agency's.")


@click.group()
def ladder() -> None:
    """Ladders: who is paged, in which order, how long we wait."""


@ladder.command("show")
@agency_option
@json_option
def show_ladders(slug: str, as_json: bool) -> None:
    """Every ladder of the agency, and its branches' own."""
    with ready_database() as (_, db):
        agency = agency_of(db, slug)
        with db.agency_session(agency.id) as session:
            for row in session.scalars(select(Ladder).order_by(Ladder.key, Ladder.branch_id.nulls_first())).all():
                steps, rounds = steps_of(session, agency.id, row.id)
                branch = session.get_one(Branch, (agency.id, row.branch_id)).emr_id if row.branch_id else None
                written = [write_step(_written(session, agency.id, step)) for step in steps]
                show({"ladder": row.key, "branch": branch, "rounds": rounds, "steps": written}, as_json, _told)


def _told(found: dict[str, Any]) -> str:
    return ladder_told(found["ladder"], found["branch"], found["rounds"], found["steps"])


@ladder.command("set")
@click.argument("key")
@agency_option
@branch_option
@click.option(
    "--step", "steps", multiple=True, required=True, help="'nurse 10', 'on_call:SN 15 x2 17:00-08:00', 'person:N7 30'."
)
@click.option("--rounds", type=click.IntRange(1, 20), default=3, show_default=True, help="How often it is climbed.")
def set_steps(key: str, slug: str, branch: str | None, steps: tuple[str, ...], rounds: int) -> None:
    """Make the ladder KEY these steps, in this order; open alerts go on with the steps they have not had."""
    written = [read_step(words) for words in steps]
    with ready_database() as (_, db):
        by = _author(db, slug)
        with db.agency_session(by.agency_id) as session:
            changed = change_ladder(session, by, key, _branch(session, branch), written, rounds)
    click.echo(changed.said)
    for sentence in changed.problems:
        click.echo(f"- {sentence}")


@ladder.command("remove")
@click.argument("key")
@agency_option
@branch_option
def remove(key: str, slug: str, branch: str | None) -> None:
    """Remove a branch's own ladder, or one that no kind of alert has."""
    with ready_database() as (_, db):
        by = _author(db, slug)
        with db.agency_session(by.agency_id) as session:
            changed = drop_ladder(session, by, key, _branch(session, branch))
    click.echo(changed.said)


@click.group()
def rules() -> None:
    """How each kind of alert is treated: severity, ladder, how long an acknowledgement lasts."""


@rules.command("show")
@agency_option
@json_option
def show_rules(slug: str, as_json: bool) -> None:
    """Every kind of alert, worst first."""
    found = select(AlertRule, Ladder.key).join(
        Ladder, (Ladder.agency_id == AlertRule.agency_id) & (Ladder.id == AlertRule.ladder_id)
    )
    with ready_database() as (_, db):
        agency = agency_of(db, slug)
        with db.agency_session(agency.id) as session:
            for rule, key in session.execute(found.order_by(AlertRule.severity.desc(), AlertRule.kind)):
                row = {"kind": rule.kind, "severity": rule.severity, "ladder": key}
                show(row | {"acknowledged_minutes": rule.acknowledged_minutes}, as_json, _rule_told)


def _rule_told(rule: dict[str, Any]) -> str:
    return rule_told(rule["kind"], rule["severity"], rule["ladder"], rule["acknowledged_minutes"])


@rules.command("set")
@click.argument("kind", type=click.Choice([str(kind.value) for kind in AlertKind]))
@agency_option
@click.option("--severity", type=click.IntRange(1, 3), help="3 now, 2 within the hour, 1 today.")
@click.option("--ladder", "key", metavar="KEY")
@click.option(
    "--acknowledged-minutes", "minutes", type=click.IntRange(5, 10080), help="After it, a taken alert opens again."
)
def set_rule(kind: str, slug: str, severity: int | None, key: str | None, minutes: int | None) -> None:
    """Change how alerts of KIND are treated from now on; those that are open stay as they are."""
    with ready_database() as (_, db):
        by = _author(db, slug)
        with db.agency_session(by.agency_id) as session:
            changed = change_rule(session, by, AlertKind(kind), severity, key, minutes)
    click.echo(changed.said)


def _author(db: Database, slug: str) -> Author:
    return Author(agency_of(db, slug).id, account(), clock.now())


def _written(session: Session, agency_id: int, step: Step) -> Written:
    of = step.discipline
    if step.person is not None:
        of = session.get_one(Clinician, (agency_id, step.person)).emr_id
    return Written(step.who, int(step.wait.total_seconds() // 60), of, step.times, step.channel, step.hours)


def _branch(session: Session, emr_id: str | None) -> tuple[int, str] | None:
    if emr_id is None:
        return None
    found = session.scalars(select(Branch.id).where(Branch.emr_id == emr_id)).first()
    if found is None:
        known = ", ".join(session.scalars(select(Branch.emr_id).order_by(Branch.emr_id)))
        raise NotFound(f"No branch has the id {emr_id!r}; there are: {known}.")
    return found, emr_id
