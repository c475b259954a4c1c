"""engage oncall: who is on call at an instant, shifts, changes, swaps, holidays, the fallback, and what is wrong with the rota.

Every change is checked, audited, and answered with what is now wrong in the next 14 days. Wall times are the branch's.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from engage import clock
from engage.agencies.model import Agency, Branch, Clinician
from engage.agencies.rota import Crew, load_crew
from engage.agencies.rules.oncall import struck
from engage.agencies.rules.people import Duty, ShiftChangeKind
from engage.alerts.changes import Author, Changed
from engage.alerts.rota import problems
from engage.alerts.rota_changes import (
    KINDS,
    SHORT,
    NewChange,
    NewShift,
    add_change,
    add_shift,
    change_told,
    end_shift,
    set_holiday,
)
from engage.alerts.rota_changes import remove as delete
from engage.alerts.rota_changes import swap as exchange
from engage.cli.people import read_time, read_weekday
from engage.cli.session import account, agency_of, agency_option, json_option, ready_database, show
from engage.errors import BadInput, NotFound

branch_option = click.option("--branch", metavar="ID", help="The branch's id in the EMR; without it, every branch.")


@click.group(invoke_without_command=True)
@click.option(
    "--at", metavar="TIME", help="2026-11-24T02:00 on the branch's clock, or with an offset; without it, now."
)
@click.option("--agency", "slug", metavar="ID", help="The agency's short id; without it, every agency.")
@branch_option
@json_option
@click.pass_context
def oncall(ctx: click.Context, at: str | None, slug: str | None, branch: str | None, as_json: bool) -> None:
    """Who is on call at an instant; and the commands that change the rota."""
    if ctx.invoked_subcommand is not None:
        return
    moment = _moment(at) if at else clock.now()
    with ready_database() as (_, db):
        with db.system_session("who is on call") as session:
            slugs = [slug] if slug else list(session.scalars(select(Agency.slug).order_by(Agency.slug)))
        for name in slugs:
            agency = agency_of(db, name)
            with db.agency_session(agency.id) as session:
                crew = load_crew(session, agency.id, moment.replace(tzinfo=moment.tzinfo or UTC))
                chosen = [_branch(session, branch).id] if branch else list(crew.branches)
                for branch_id in chosen:
                    show(_at(name, crew, branch_id, moment), as_json, _told)


def _at(slug: str, crew: Crew, branch_id: int, moment: datetime) -> dict[str, Any]:
    zone = ZoneInfo(crew.rota.zone_of(branch_id))
    now = moment.astimezone(zone) if moment.tzinfo else struck(moment, zone.key)

    def people(duty: Duty) -> list[dict[str, Any]]:
        return [
            {
                "clinician": crew.people[person].emr_id,
                "name": f"{crew.people[person].first_name} {crew.people[person].last_name}",
                "unreachable": crew.why_unreachable(person, now),
            }
            for person in crew.rota.on(duty, branch_id, now)
        ]

    return {
        "agency": slug,
        "branch": crew.branches[branch_id],
        "zone": zone.key,
        "at": now.astimezone(zone).isoformat(),
        "on_call": people(Duty.ON_CALL),
        "fallback": people(Duty.FALLBACK),
    }


def _told(found: dict[str, Any]) -> str:
    def names(people: list[dict[str, Any]]) -> str:
        return ", ".join(p["name"] + (f" ({p['unreachable']}!)" if p["unreachable"] else "") for p in people)

    who = names(found["on_call"]) or "NOBODY is on call"
    fallback = f"; fallback: {names(found['fallback'])}" if found["fallback"] else ""
    return (
        f"{found['agency']}, {found['branch']}, {found['at'][:16].replace('T', ' ')} {found['zone']}: {who}{fallback}"
    )


@oncall.command("list")
@agency_option
def list_rota(slug: str) -> None:
    """Every shift, change and holiday that is not over, with the number by which it is removed."""
    with ready_database() as (_, db):
        agency, today = agency_of(db, slug), clock.now().date()
        with db.agency_session(agency.id) as session:
            crew = load_crew(session, agency.id, clock.now())
    lines = []
    for s in crew.rota.shifts:
        if s.last_on is None or s.last_on >= today - timedelta(days=1):
            days = ",".join(SHORT[day] for day in sorted(s.weekdays))
            span = f"{f' from {s.first_on}' if s.first_on else ''}{f' until {s.last_on}' if s.last_on else ''}"
            lines.append(
                f"shift {s.id}: {_name(crew, s.clinician_id)}, {s.duty.replace('_', ' ')}, {days} {s.starts:%H:%M}-{s.ends:%H:%M}{span}, {_where(crew, s.branch_id)}"
            )
    for c in crew.rota.changes:
        if c.ends.date() >= today - timedelta(days=1):
            lines.append(f"change {c.id}: {change_told(crew, c)}")
    lines += [
        f"holiday {h.id}: {h.day} has the shifts of {SHORT[h.as_weekday]}, {_where(crew, h.branch_id)}"
        for h in crew.rota.holidays
        if h.day >= today - timedelta(days=1)
    ]
    click.echo("\n".join(lines) or "There is no shift yet: engage oncall add.")


def _name(crew: Crew, person: int | None) -> str:
    return f"{crew.people[person].first_name} {crew.people[person].last_name}" if person is not None else "nobody"


def _where(crew: Crew, branch_id: int | None) -> str:
    return crew.branches[branch_id] if branch_id is not None else "every branch"


@oncall.command("add")
@click.argument("who", metavar="ID")
@agency_option
@branch_option
@click.option("--days", default=",".join(SHORT), show_default=True, help="Days on which the shift begins.")
@click.option("--from", "starts", default="00:00", show_default=True, help="Wall clock of the branch, e.g. 17:00.")
@click.option("--to", "ends", default="00:00", show_default=True, help="May be past midnight, e.g. 08:00.")
@click.option("--duty", type=click.Choice([str(d.value) for d in Duty]), default="on_call", show_default=True)
@click.option("--first-on", metavar="DATE", help="The first day of the pattern.")
@click.option("--last-on", metavar="DATE", help="The last day on which a shift begins.")
def add(
    who: str,
    slug: str,
    branch: str | None,
    days: str,
    starts: str,
    ends: str,
    duty: str,
    first_on: str | None,
    last_on: str | None,
) -> None:
    """Give the clinician whose id in the EMR is ID a weekly shift: on call, visiting, or as the branch's fallback."""
    first, last = _day("--first-on", first_on), _day("--last-on", last_on)
    weekdays = tuple(read_weekday(day) for day in days.split(","))
    hours = read_time("--from", starts), read_time("--to", ends)

    def change(session: Session, by: Author) -> Changed:
        branch_id = _branch(session, branch).id if branch else None
        person = _clinician(session, who)
        return add_shift(session, by, NewShift(person.id, branch_id, weekdays, *hours, Duty(duty), first, last))

    _save(slug, change)


@oncall.command("end")
@click.argument("number", type=int)
@agency_option
@click.option("--last-on", required=True, metavar="DATE", help="The last day on which the shift begins.")
def end(number: int, slug: str, last_on: str) -> None:
    """End the weekly shift NUMBER: engage oncall list."""
    on = read_date("--last-on", last_on)
    _save(slug, lambda session, by: end_shift(session, by, number, on))


@oncall.command("remove")
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.argument("number", type=int)
@agency_option
def remove(kind: str, number: int, slug: str) -> None:
    """Remove a shift, a change or a holiday by its NUMBER: engage oncall list."""

    _save(slug, lambda session, by: delete(session, by, kind, number))


@oncall.command("override")
@agency_option
@branch_option
@click.option("--add", "added", metavar="ID", help="Somebody more is on call.")
@click.option("--remove", "removed", metavar="ID", help="Somebody is off, whatever the pattern says.")
@click.option("--replace", "replaced", metavar="ID", help="Somebody is replaced by --with.")
@click.option("--with", "instead", metavar="ID", help="Who stands in for --replace.")
@click.option("--from", "starts", required=True, metavar="TIME", help="Wall clock of the branch: 2026-12-24T17:00.")
@click.option("--to", "ends", required=True, metavar="TIME")
def override(
    slug: str,
    branch: str | None,
    added: str | None,
    removed: str | None,
    replaced: str | None,
    instead: str | None,
    starts: str,
    ends: str,
) -> None:
    """Change the rota for a span of time: add somebody, remove somebody, or replace one by another."""
    named = [(kind, who) for kind, who in zip(ShiftChangeKind, (added, removed, replaced), strict=True) if who]
    if len(named) != 1 or (replaced is None) != (instead is None):
        raise BadInput("Say one of --add ID, --remove ID, or --replace ID --with ID.")
    span = _span("--from", starts, "--to", ends)
    kind, who = named[0]

    def change(session: Session, by: Author) -> Changed:
        branch_id = _branch(session, branch).id if branch else None
        person, other = _clinician(session, who), _clinician(session, instead) if instead else None
        new = NewChange(kind, person.id, branch_id, *span, instead_id=other.id if other else None)
        return add_change(session, by, new)

    _save(slug, change)


@oncall.command("swap")
@click.argument("one", metavar="ID")
@click.argument("other", metavar="ID2")
@agency_option
@branch_option
@click.option("--from", "starts", required=True, metavar="TIME", help="Begin of ID's turn, which ID2 takes.")
@click.option("--to", "ends", required=True, metavar="TIME")
@click.option("--for-from", required=True, metavar="TIME", help="Begin of ID2's turn, which ID takes in return.")
@click.option("--for-to", required=True, metavar="TIME")
def swap(
    one: str, other: str, slug: str, branch: str | None, starts: str, ends: str, for_from: str, for_to: str
) -> None:
    """Let two people take each other's turns: both changes are made, or neither."""
    first, second = _span("--from", starts, "--to", ends), _span("--for-from", for_from, "--for-to", for_to)

    def change(session: Session, by: Author) -> Changed:
        branch_id = _branch(session, branch).id if branch else None
        mine, theirs = _clinician(session, one).id, _clinician(session, other).id
        turns = (
            NewChange(ShiftChangeKind.REPLACE, mine, branch_id, *first, instead_id=theirs),
            NewChange(ShiftChangeKind.REPLACE, theirs, branch_id, *second, instead_id=mine),
        )
        return exchange(session, by, *turns)

    _save(slug, change)


@oncall.command("holiday")
@click.argument("day", metavar="DATE")
@agency_option
@branch_option
@click.option("--as", "weekday", default="sun", show_default=True, help="The day whose shifts hold.")
def holiday(day: str, slug: str, branch: str | None, weekday: str) -> None:
    """Make DATE a holiday: the shifts of a Sunday hold, or of another day."""
    on, as_weekday = read_date("DATE", day), read_weekday(weekday)

    def change(session: Session, by: Author) -> Changed:
        return set_holiday(session, by, on, as_weekday, _branch(session, branch).id if branch else None)

    _save(slug, change)


@oncall.command("check")
@agency_option
@click.pass_context
def check(ctx: click.Context, slug: str) -> None:
    """Say what is wrong with the rota in the next 14 days; exit 1 if anything is."""
    with ready_database() as (_, db):
        agency = agency_of(db, slug)
        with db.agency_session(agency.id) as session:
            found = problems(session, agency.id, load_crew(session, agency.id, clock.now()), clock.now())
    for sentence in found:
        click.echo(f"- {sentence}")
    if not found:
        click.echo("The rota of the next 14 days is whole.")
    ctx.exit(1 if found else 0)


# --- what they share ----------------------------------------------------------------------------------------------------


def _save(slug: str, change: Callable[[Session, Author], Changed]) -> None:
    """Make a change in one audited transaction, say it, and say what is wrong with the rota now."""
    with ready_database() as (_, db):
        by = Author(agency_of(db, slug).id, account(), clock.now())
        with db.agency_session(by.agency_id) as session:
            changed = change(session, by)
    click.echo(changed.said)
    for sentence in changed.problems:
        click.echo(f"- {sentence}")


def _clinician(session: Session, emr_id: str) -> Clinician:
    found = session.scalars(select(Clinician).where(Clinician.emr_id == emr_id)).first()
    if found is None:
        raise NotFound(f"No clinician has the EMR id {emr_id!r}: engage clinician add.")
    return found


def _branch(session: Session, emr_id: str) -> Branch:
    found = session.scalars(select(Branch).where(Branch.emr_id == emr_id)).first()
    if found is None:
        known = ", ".join(session.scalars(select(Branch.emr_id).order_by(Branch.emr_id)))
        raise NotFound(f"No branch has the id {emr_id!r}; there are: {known}.")
    return found


def _day(option: str, value: str | None) -> date | None:
    return read_date(option, value) if value else None


def read_date(option: str, value: str) -> date:
    """A date of the command line; BadInput for anything else."""
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise BadInput(f"{option}: {value!r} is not a date such as 2026-12-25.") from None


def _span(first: str, starts: str, last: str, ends: str) -> tuple[datetime, datetime]:
    span = _wall(first, starts), _wall(last, ends)
    if span[0] >= span[1]:
        raise BadInput(f"{last} {ends} is not after {first} {starts}.")
    return span


def _wall(option: str, value: str) -> datetime:
    try:
        wall = datetime.fromisoformat(value)
    except ValueError:
        raise BadInput(f"{option}: {value!r} is not a time such as 2026-12-24T17:00.") from None
    if wall.tzinfo is not None:
        raise BadInput(f"{option}: {value!r} has an offset; say the time on the branch's clock, e.g. 2026-12-24T17:00.")
    return wall


def _moment(value: str) -> datetime:
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise BadInput(f"--at: {value!r} is not a time such as 2026-11-24T02:00.") from None
