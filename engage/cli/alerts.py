"""engage alerts: list what is open, show one with its story, take it, pass it on, promise a call, say what was done."""

from datetime import time, timedelta
from typing import Any

import click
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engage import clock
from engage.agencies.model import AuditEvent, Clinician
from engage.alerts.closing import TRY_AFTER, Done, resolve, try_again
from engage.alerts.promises import promise
from engage.alerts.rules.orders import again_at
from engage.alerts.rules.words import Outcome
from engage.alerts.taking import (
    AlreadyResolved,
    PassedOn,
    Taken,
    TakenByOther,
    TakenWith,
    acknowledge,
    pass_on,
    tell_others,
)
from engage.cli.ladders import ladder, rules
from engage.cli.session import agency_of, agency_option, json_option, ready_database, show
from engage.db import encryption
from engage.errors import BadInput, NotFound
from engage.outreach.rules.wording import clock_words

_OPEN = text("""
SELECT a.code, a.kind, a.severity, a.state, a.opened_at, a.next_due_at, a.exhausted_at, a.promised_until, p.first_name || ' ' || p.last_name AS patient,
       k.first_name AS taken_by
FROM alerts a
LEFT JOIN patients p ON p.agency_id = a.agency_id AND p.id = a.patient_id
LEFT JOIN clinicians k ON k.agency_id = a.agency_id AND k.id = a.acknowledged_by
WHERE a.state <> 'resolved' ORDER BY a.severity DESC, a.opened_at
""")
_STORY = text("""
SELECT e.at, e.kind, k.first_name AS clinician, r.body, e.detail FROM alert_events e
LEFT JOIN clinicians k ON k.agency_id = e.agency_id AND k.id = e.clinician_id
LEFT JOIN replies r ON r.agency_id = e.agency_id AND r.id = e.reply_id
WHERE e.alert_id = (SELECT id FROM alerts WHERE code = :code ORDER BY state = 'resolved', id DESC LIMIT 1) ORDER BY e.at, e.id
""")
_SEVERITY = {1: "today", 2: "within the hour", 3: "NOW"}


@click.group()
def alerts() -> None:
    """Alerts: list, show, take, pass on, promise a call, resolve; their rules and ladders."""


alerts.add_command(rules)
alerts.add_command(ladder)


@alerts.command("list")
@agency_option
@json_option
def list_alerts(slug: str, as_json: bool) -> None:
    """Every alert that is not resolved, worst and oldest first."""
    with ready_database() as (_, db):
        agency = agency_of(db, slug)
        with db.agency_session(agency.id) as session:
            rows = [dict(row) for row in session.execute(_OPEN).mappings()]
    if not rows and not as_json:
        click.echo("No alert is open.")
    for row in rows:
        show(row, as_json, lambda found: _line(found, agency.time_zone))


def _line(row: dict[str, Any], zone: str) -> str:
    if row["exhausted_at"]:
        state = "EXHAUSTED: the whole ladder was paged and nobody took it"
    elif row["taken_by"]:
        state = f"taken by {row['taken_by']}"
    else:
        state = f"open, next page at {clock_words(row['next_due_at'], zone, 'en')}"
    if row["promised_until"]:
        state += f"; a call is promised by {clock_words(row['promised_until'], zone, 'en')}"
    opened = clock_words(row["opened_at"], zone, "en")
    patient = row["patient"] or "an unknown phone"
    return f"{row['code']}  {_SEVERITY[row['severity']]}: {row['kind'].replace('_', ' ')}, {patient}, since {opened}; {state}"


@alerts.command("show")
@click.argument("code")
@agency_option
def show_alert(code: str, slug: str) -> None:
    """The story of the alert with CODE: what was written, who was paged, what was done. The reading is audited."""
    with ready_database() as (_, db):
        agency = agency_of(db, slug)
        with db.agency_session(agency.id) as session:
            events = session.execute(_STORY, {"code": code}).all()
            if not events:
                raise NotFound(f"No alert has the code {code}: see engage alerts list.")
            _audit(session, agency.id, "show", code)
            for event in events:
                said = f': "{encryption.ring().open(bytes(event.body), "replies.body")}"' if event.body else ""
                who = f" {event.clinician}" if event.clinician else ""
                click.echo(
                    f"{clock_words(event.at, agency.time_zone, 'en'):>8}  {event.kind.replace('_', ' ')}{who}{said}{_because(event.detail)}"
                )


def _because(detail: dict[str, Any]) -> str:
    """What is shown beside an event of an alert: our own words for the cause."""
    parts = [str(detail["why"])] if isinstance(detail.get("why"), str) else []
    if "one_of" in detail:
        parts.append(f"one of {len(detail['one_of'])} patients on this phone; nobody said which")
    parts += [f"{name}: {detail[name]}" for name in ("trend", "unanswered") if name in detail]
    return f" ({'; '.join(parts)})" if parts else ""


@alerts.command("take")
@click.argument("code")
@agency_option
@click.option("--as", "who", required=True, help="The clinician's id in the EMR.")
def take(code: str, slug: str, who: str) -> None:
    """Take the alert with CODE for a clinician."""
    with ready_database() as (_, db):
        agency, now = agency_of(db, slug), clock.now()
        with db.agency_session(agency.id) as session:
            clinician = _clinician(session, who)
            found = acknowledge(session, agency.id, clinician.id, code, now)
            if isinstance(found, Taken):
                at = clock_words(now, agency.time_zone, "en")
                tell_others(session, agency.id, found, clinician.id, at, now)
                _audit(session, agency.id, "take", code)
    match found:
        case Taken():
            click.echo(f"{code} is {clinician.first_name}'s now.")
        case TakenWith():
            click.echo(f"{code} is {clinician.first_name}'s too; {found.missing} more must take it.")
        case _:
            raise _cannot(found, code, agency.time_zone)


def _cannot(found: TakenByOther | AlreadyResolved | None, code: str, zone: str) -> NotFound:
    """Why nothing can be done about the alert now."""
    match found:
        case TakenByOther():
            return NotFound(f"{code} was already taken by {found.who} at {clock_words(found.at, zone, 'en')}.")
        case AlreadyResolved():
            return NotFound(f"{code} was already resolved by {found.who} at {clock_words(found.at, zone, 'en')}.")
        case None:
            return NotFound(f"No alert has the code {code}: see engage alerts list.")


@alerts.command("pass")
@click.argument("code")
@agency_option
@click.option("--as", "who", required=True, help="The clinician's id in the EMR.")
def pass_alert(code: str, slug: str, who: str) -> None:
    """Pass the alert with CODE on: the next people of its ladder are paged at once, somebody else first."""
    with ready_database() as (_, db):
        agency, now = agency_of(db, slug), clock.now()
        with db.agency_session(agency.id) as session:
            found = pass_on(session, agency.id, _clinician(session, who).id, code, now)
            if isinstance(found, PassedOn):
                _audit(session, agency.id, "pass", code)
    if not isinstance(found, PassedOn):
        raise _cannot(found, code, agency.time_zone)
    click.echo(f"{code} goes to the next person now.")


@alerts.command("promise")
@click.argument("code")
@agency_option
@click.option("--within", type=click.IntRange(1, 1440), default=60, show_default=True, help="Minutes.")
def promise_call(code: str, slug: str, within: int) -> None:
    """Tell the patient that a nurse will call, and see to it: a supervisor is told if nobody has by then."""
    with ready_database() as (_, db):
        agency, now = agency_of(db, slug), clock.now()
        with db.agency_session(agency.id) as session:
            until = promise(session, agency.id, code, timedelta(minutes=within), now)
            _audit(session, agency.id, "promise", code)
        click.echo(f"The patient is told that a nurse will call by {clock_words(until, agency.time_zone, 'en')}.")


@alerts.command("resolve")
@click.argument("code")
@agency_option
@click.option("--as", "who", required=True, help="The clinician's id in the EMR.")
@click.option("--outcome", type=click.Choice([str(o.value) for o in Outcome]), required=True, help="What was done.")
@click.option("--note", help="In your own words; it is stored encrypted.")
@click.option("--minutes", type=click.IntRange(0, 1440), help="How long it took.")
@click.option("--again", help="With no_answer: the wall clock of the agency at which you will try again, e.g. 15:30.")
def resolve_alert(
    code: str, slug: str, who: str, outcome: str, note: str | None, minutes: int | None, again: str | None
) -> None:
    """Close the alert with CODE and say what was done; after no_answer it comes back when you want to try again."""
    done = Done(outcome, note, minutes)
    if again is not None and outcome != Outcome.NO_ANSWER:
        raise BadInput("--again belongs to --outcome no_answer.")
    with ready_database() as (_, db):
        agency, now = agency_of(db, slug), clock.now()
        at = now + TRY_AFTER if again is None else again_at(_wall(again), agency.time_zone, now)
        with db.agency_session(agency.id) as session:
            clinician = _clinician(session, who).id
            if outcome == Outcome.NO_ANSWER:
                until = try_again(session, agency.id, code, clinician, at, done, now)
                said = f"{code} stays open and comes back at {clock_words(until, agency.time_zone, 'en')}."
            else:
                resolve(session, agency.id, code, clinician, done, now)
                said = f"{code} is resolved: {outcome.replace('_', ' ')}."
            _audit(session, agency.id, "resolve", code)
        click.echo(said)


def _wall(value: str) -> time:
    try:
        return time.fromisoformat(value)
    except ValueError:
        raise BadInput(f"--again: {value!r} is not a time such as 15:30.") from None


def _clinician(session: Session, emr_id: str) -> Clinician:
    found = session.scalars(select(Clinician).where(Clinician.emr_id == emr_id)).first()
    if found is None:
        known = ", ".join(session.scalars(select(Clinician.emr_id).order_by(Clinician.emr_id).limit(20)))
        raise NotFound(f"No clinician has the EMR id {emr_id!r}; there are: {known or 'none yet'}.")
    return found


def _audit(session: Session, agency_id: int, action: str, code: str) -> None:
    event = {"actor": "command line", "action": action, "subject": "alert", "detail": {"code": code}}
    session.add(AuditEvent(agency_id=agency_id, at=clock.now(), **event))
