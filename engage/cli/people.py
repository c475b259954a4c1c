"""engage clinician add, shift: who can be paged, and when; engage patient status; engage user add: who may sign in."""

import re
from datetime import time

import click
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from engage import clock
from engage.agencies.model import Account, AuditEvent, Branch, Clinician, ShiftRow
from engage.agencies.rota import load_crew
from engage.agencies.rules.people import AccountRole, Role
from engage.alerts.rota import problems
from engage.cli.session import account, agency_of, agency_option, ready_database
from engage.db import encryption
from engage.errors import BadInput, NotFound
from engage.outreach.rules.words import Channel
from engage.patients.model import Patient
from engage.patients.rules.words import PatientStatus
from engage.sms.rules.phones import PhoneRefusal, parse_phone

# A death is recorded by what the family writes or by the EMR; here it can only be taken back.
_SETTABLE = [str(status.value) for status in PatientStatus if status is not PatientStatus.DECEASED]
_EMAIL = r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;]+"
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@click.group()
def clinician() -> None:
    """Clinicians: add one with a phone that can be paged, put one on call."""


@clinician.command("add")
@click.argument("emr_id", metavar="ID")
@agency_option
@click.option("--first-name", required=True)
@click.option("--last-name", required=True)
@click.option("--role", type=click.Choice([str(role.value) for role in Role]), required=True)
@click.option("--discipline", help="SN, PT, OT, ST, MSW, HHA ...")
@click.option("--phone", required=True, help="The mobile number that is paged.")
@click.option("--email", help="Where they are paged when no text and no call reaches them.")
@click.option("--channels", help="How they want to be paged, the best first: sms,voice,email.")
@click.option("--quiet", help="Hours without any but urgent pages, unless on call: 21:00-07:00; none to end them.")
def add(
    emr_id: str,
    slug: str,
    first_name: str,
    last_name: str,
    role: str,
    discipline: str | None,
    phone: str,
    email: str | None,
    channels: str | None,
    quiet: str | None,
) -> None:
    """Add or change the clinician whose id in the EMR is ID."""
    parsed = parse_phone(phone)
    if isinstance(parsed, PhoneRefusal):
        raise BadInput(f"--phone cannot be used: {parsed.says}")
    wishes = _wishes(email, channels, quiet)
    with ready_database() as (_, db):
        agency = agency_of(db, slug)
        with db.agency_session(agency.id) as session:
            found = session.scalars(select(Clinician).where(Clinician.emr_id == emr_id)).first()
            person = found or Clinician(agency_id=agency.id, emr_id=emr_id)
            person.first_name, person.last_name, person.role, person.discipline = (
                first_name,
                last_name,
                role,
                discipline,
            )
            for name, value in wishes.items():
                setattr(person, name, value)
            person.phone, person.phone_hash = parsed.e164, encryption.phone_hash(parsed.e164)
            person.branch_id = person.branch_id or session.scalars(select(Branch.id).order_by(Branch.id)).first()
            session.add(person)
        click.echo(f"{first_name} {last_name} can be paged as {role}.")


def _wishes(email: str | None, channels: str | None, quiet: str | None) -> dict[str, object]:
    """How somebody wants to be paged; what is not named stays as it is."""
    wishes: dict[str, object] = {}
    if email is not None:
        if not re.fullmatch(_EMAIL, email):
            raise BadInput(f"{email!r} is not an e-mail address.")
        wishes["email"] = email
    if channels is not None:
        words = [word.strip().lower() for word in channels.split(",")]
        if not set(words) <= {str(channel) for channel in Channel} or len(set(words)) < len(words):
            raise BadInput(f"--channels: {channels!r} must be some of sms, voice and email, each once.")
        wishes["page_channels"] = words
    if quiet == "none":
        wishes |= {"quiet_from": None, "quiet_until": None}
    elif quiet is not None:
        since, _, until = quiet.partition("-")
        wishes |= {
            "quiet_from": read_time("--quiet", since.strip()),
            "quiet_until": read_time("--quiet", until.strip()),
        }
    return wishes


@clinician.command("shift")
@click.argument("emr_id", metavar="ID")
@agency_option
@click.option(
    "--days", default="mon,tue,wed,thu,fri,sat,sun", show_default=True, help="Days on which the shift begins."
)
@click.option("--from", "starts", default="00:00", show_default=True, help="Wall clock of the branch, e.g. 17:00.")
@click.option("--to", "ends", default="00:00", show_default=True, help="May be past midnight, e.g. 08:00.")
def shift(emr_id: str, slug: str, days: str, starts: str, ends: str) -> None:
    """Put a clinician on call every week at these hours."""
    weekdays = [read_weekday(day) for day in days.split(",")]
    with ready_database() as (_, db):
        agency, now = agency_of(db, slug), clock.now()
        with db.agency_session(agency.id) as session:
            person = session.scalars(select(Clinician).where(Clinician.emr_id == emr_id)).first()
            if person is None:
                raise NotFound(f"No clinician of {slug!r} has the EMR id {emr_id!r}: engage clinician add.")
            hours = {"weekdays": weekdays, "starts": read_time("--from", starts), "ends": read_time("--to", ends)}
            session.add(ShiftRow(agency_id=agency.id, branch_id=person.branch_id, clinician_id=person.id, **hours))
            said = f"{person.first_name} is on call {days} from {starts} to {ends}."
            event = {"actor": account(), "action": "oncall.add", "subject": "rota", "detail": {"said": said}}
            session.add(AuditEvent(agency_id=agency.id, at=now, **event))
            session.flush()
            wrong = problems(session, agency.id, load_crew(session, agency.id, now), now)
        click.echo(said)
        for sentence in wrong:
            click.echo(f"- {sentence}")


@click.group()
def patient() -> None:
    """Patients: say where one is in care."""


@patient.command("status")
@click.argument("emr_id", metavar="ID")
@agency_option
@click.option(
    "--set",
    "status",
    type=click.Choice(_SETTABLE),
    required=True,
    help="active: texts go on; the others pause or end them.",
)
def set_status(emr_id: str, slug: str, status: str) -> None:
    """Say that the patient whose id in the EMR is ID is back home (active), away, or no longer in care."""
    with ready_database() as (_, db):
        agency, now = agency_of(db, slug), clock.now()
        with db.agency_session(agency.id) as session:
            person = session.scalars(select(Patient).where(Patient.emr_id == emr_id)).first()
            if person is None:
                raise NotFound(f"No patient of {slug!r} has the EMR id {emr_id!r}.")
            before, person.status, person.status_since, person.died_on = person.status, status, now, None
            detail = {"before": before, "after": status}
            event = {"actor": "command line", "action": "patient.status", "subject": "patient", "subject_id": person.id}
            session.add(AuditEvent(agency_id=agency.id, at=now, detail=detail, **event))
        click.echo(f"The patient was {before.replace('_', ' ')} and is {status.replace('_', ' ')} now.")


@click.group()
def user() -> None:
    """Accounts: add somebody who may sign in."""


@user.command("add")
@click.argument("email")
@agency_option
@click.option("--name", required=True)
@click.option("--role", type=click.Choice([str(role.value) for role in AccountRole]), required=True)
def add_user(email: str, slug: str, name: str, role: str) -> None:
    """Add an account for EMAIL."""
    if not re.fullmatch(_EMAIL, email):
        raise BadInput(f"{email!r} is not an e-mail address.")
    with ready_database() as (_, db):
        agency, now = agency_of(db, slug), clock.now()
        try:
            with db.agency_session(agency.id) as session:
                session.add(Account(agency_id=agency.id, email=email.lower(), name=name, role=role, created_at=now))
                event = {"actor": "command line", "action": "add", "subject": "account"}
                session.add(AuditEvent(agency_id=agency.id, at=now, **event))
        except IntegrityError:
            raise BadInput(f"{email} has an account at {slug!r} already.") from None
        click.echo(f"{name} has an account as {role}.")


def read_weekday(day: str) -> int:
    """0 for Monday … 6, from "mon" or "Monday"; BadInput for anything else."""
    try:
        return _DAYS.index(day.strip().lower()[:3])
    except ValueError:
        raise BadInput(f"--days: {day!r} is not a day; use {', '.join(_DAYS)}.") from None


def read_time(option: str, value: str) -> time:
    """A wall time such as 17:00; BadInput names the option."""
    try:
        return time.fromisoformat(value)
    except ValueError:
        raise BadInput(f"{option}: {value!r} is not a time such as 17:00.") from None
