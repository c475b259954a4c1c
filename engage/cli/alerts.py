"""engage alerts: list what is open, show one with its story, take it, resolve it with what was done."""

from typing import Any

import click
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engage import clock
from engage.agencies.model import AuditEvent, Clinician
from engage.alerts.rules.words import Outcome
from engage.alerts.taking import AlreadyResolved, Taken, TakenByOther, acknowledge, resolve, tell_others
from engage.cli.ladders import ladder, rules
from engage.cli.session import agency_of, agency_option, json_option, ready_database, show
from engage.db import encryption
from engage.errors import NotFound
from engage.outreach.rules.wording import clock_words

_OPEN = text("""
SELECT a.code, a.kind, a.severity, a.state, a.opened_at, a.next_due_at, a.exhausted_at, p.first_name || ' ' || p.last_name AS patient,
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
    """Alerts: list, show, take, resolve; their rules and ladders."""


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
        case TakenByOther():
            raise NotFound(
                f"{code} was already taken by {found.who} at {clock_words(found.at, agency.time_zone, 'en')}."
            )
        case AlreadyResolved():
            raise NotFound(f"{code} is already resolved.")
        case None:
            raise NotFound(f"No alert has the code {code}: see engage alerts list.")


@alerts.command("resolve")
@click.argument("code")
@agency_option
@click.option("--as", "who", required=True, help="The clinician's id in the EMR.")
@click.option("--outcome", type=click.Choice([str(o.value) for o in Outcome]), required=True, help="What was done.")
@click.option("--note", help="In your own words; it is stored encrypted.")
def resolve_alert(code: str, slug: str, who: str, outcome: str, note: str | None) -> None:
    """Close the alert with CODE and say what was done."""
    with ready_database() as (_, db):
        agency = agency_of(db, slug)
        with db.agency_session(agency.id) as session:
            resolve(session, agency.id, code, _clinician(session, who).id, outcome, note, clock.now())
            _audit(session, agency.id, "resolve", code)
        click.echo(f"{code} is resolved: {outcome.replace('_', ' ')}.")


def _clinician(session: Session, emr_id: str) -> Clinician:
    found = session.scalars(select(Clinician).where(Clinician.emr_id == emr_id)).first()
    if found is None:
        known = ", ".join(session.scalars(select(Clinician.emr_id).order_by(Clinician.emr_id).limit(20)))
        raise NotFound(f"No clinician has the EMR id {emr_id!r}; there are: {known or 'none yet'}.")
    return found


def _audit(session: Session, agency_id: int, action: str, code: str) -> None:
    event = {"actor": "command line", "action": action, "subject": "alert", "detail": {"code": code}}
    session.add(AuditEvent(agency_id=agency_id, at=clock.now(), **event))
