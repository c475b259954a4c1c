"""engage contact: who may be texted for a patient, what they may see, in which language and at which hours; and asking them."""

from dataclasses import asdict
from datetime import time

import click

from engage import clock
from engage.cli.people import read_time
from engage.cli.session import account, agency_of, agency_option, json_option, ready_database, show
from engage.errors import BadInput
from engage.patients.by_hand import end_contact
from engage.patients.rules.words import Category, MaySee, Relationship, WhyEnded
from engage.replies.contacts import ContactShown, NewContact, add_contact, enrol_contact, list_contacts, set_contact

_RELATIONS = click.Choice([str(relation.value) for relation in Relationship])
_MAY_SEE = click.Choice([str(word.value) for word in MaySee])
_BECAUSE = click.Choice([str(word.value) for word in WhyEnded])
_CATEGORIES = click.Choice([str(category.value) for category in Category])


@click.group()
def contact() -> None:
    """Contacts: the people and phones that may be texted for a patient."""


@contact.command("list")
@click.argument("emr_id", metavar="PATIENT")
@agency_option
@json_option
def list_command(emr_id: str, slug: str, as_json: bool) -> None:
    """Show everybody who may be texted for PATIENT (the id in the EMR), with what they agreed to and may see."""
    with ready_database() as (_, db):
        contacts = list_contacts(db, agency_of(db, slug).id, emr_id)
    for shown in contacts:
        show(asdict(shown), as_json, lambda _, shown=shown: _line(shown))  # type: ignore[misc]


@contact.command("add")
@click.argument("emr_id", metavar="PATIENT")
@agency_option
@click.option("--phone", required=True, help="The mobile number.")
@click.option("--relationship", type=_RELATIONS, required=True, help="proxy: who decides for the patient.")
@click.option("--name", help="What they are called.")
@click.option("--may-see", type=_MAY_SEE, default="visits", show_default=True, help="What they may be told and asked.")
@click.option("--language", help="Theirs, if it is another than the patient's: en, es ...")
def add(
    emr_id: str, slug: str, phone: str, relationship: str, name: str | None, may_see: str, language: str | None
) -> None:
    """Add somebody to be texted for PATIENT. They get nothing before they agree: engage contact enrol, engage consent grant."""
    new = NewContact(emr_id, phone, Relationship(relationship), name, MaySee(may_see), language)
    with ready_database() as (_, db):
        made = add_contact(db, agency_of(db, slug).id, new, account(), clock.now())
    click.echo(
        f"Contact {made}. Nothing is sent before they agree: engage contact enrol {made}, or engage consent grant."
    )


@contact.command("set")
@click.argument("contact_id", metavar="CONTACT", type=int)
@agency_option
@click.option("--relationship", type=_RELATIONS)
@click.option("--may-see", type=_MAY_SEE, help="visits: who comes and when; scores: check-ins and surveys too.")
@click.option("--language", help="en, es ...; none for the patient's.")
@click.option(
    "--hours", help="When they want texts, such as 10:00-18:00, within the agency's hours; none for the patient's."
)
@json_option
def set_command(
    contact_id: int,
    slug: str,
    relationship: str | None,
    may_see: str | None,
    language: str | None,
    hours: str | None,
    as_json: bool,
) -> None:
    """Change what counts for CONTACT (the number that engage contact list shows). It is audited."""
    changes: dict[str, object] = {}
    if relationship is not None:
        changes["relationship"] = Relationship(relationship)
    if may_see is not None:
        changes["may_see"] = MaySee(may_see)
    if language is not None:
        changes["language"] = None if language == "none" else language
    if hours is not None:
        changes["hours"] = None if hours == "none" else _span(hours)
    if not changes:
        raise BadInput("Say what to change: --relationship, --may-see, --language or --hours.")
    with ready_database() as (_, db):
        shown = set_contact(db, agency_of(db, slug).id, contact_id, changes, account(), clock.now())
    show(asdict(shown), as_json, lambda _: _line(shown))


@contact.command("end")
@click.argument("contact_id", metavar="CONTACT", type=int)
@agency_option
@click.option("--because", type=_BECAUSE, required=True, help="not_theirs: the number is somebody else's now.")
def end(contact_id: int, slug: str, because: str) -> None:
    """End CONTACT: they are texted no more, and what they agreed to ends too. Adding the phone again begins anew."""
    with ready_database() as (_, db):
        agency = agency_of(db, slug)
        with db.agency_session(agency.id) as session:
            done = end_contact(session, agency.id, contact_id, WhyEnded(because), account(), clock.now())
    left = "1 phone" if done.left == 1 else f"{done.left} phones"
    click.echo(f"Ended, with consents to: {', '.join(done.categories) or 'nothing'}. The patient has {left} left.")


@contact.command("enrol")
@click.argument("contact_id", metavar="CONTACT", type=int)
@agency_option
@click.option("--only", "categories", type=_CATEGORIES, multiple=True, help="Only this kind of text; may be repeated.")
@click.option(
    "--basis", required=True, help="How we came by the number, e.g. 'given at intake by the patient'; it is kept."
)
def enrol(contact_id: int, slug: str, categories: tuple[str, ...], basis: str) -> None:
    """Ask CONTACT in one text whether we may text them. Y grants it, silence or anything else grants nothing; one reminder at most."""
    with ready_database() as (_, db):
        agency = agency_of(db, slug)
        asked = tuple(Category(category) for category in categories)
        wanted = enrol_contact(db, agency.id, contact_id, asked, basis, account(), clock.now())
    click.echo(
        f"They are asked about {', '.join(wanted)} within their hours; a reminder follows after two days, and no more."
    )


def _span(hours: str) -> tuple[time, time]:
    after, _, until = hours.partition("-")
    return read_time("--hours", after.strip()), read_time("--hours", until.strip())


def _line(shown: ContactShown) -> str:
    parts = [
        f"{shown.id}: {shown.relationship}{f' {shown.name}' if shown.name else ''}, phone ending {shown.phone_ends}",
        f"agreed to {', '.join(shown.agreed_to) or 'nothing'}",
        f"may see {shown.may_see}",
    ]
    parts += [f"language {shown.language}"] if shown.language else []
    parts += [f"hours {shown.hours}"] if shown.hours else []
    parts += ["opted out"] if shown.is_opted_out else []
    parts += ["ended"] if shown.is_ended else []
    parts += [f"asked by text ({shown.asked})"] if shown.asked else []
    return "; ".join(parts)
