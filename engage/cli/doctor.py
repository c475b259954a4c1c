"""engage doctor: looks at everything Engage needs and says, in a sentence each, what is missing and how to mend it."""

import os

import click
from sqlalchemy import text

from engage import clock
from engage.cli.session import begin
from engage.db import Database, migrate
from engage.db.opening import complete, opened
from engage.errors import ConfigurationError, EngageError
from engage.onboarding.book import load_book
from engage.onboarding.programme import load_programme
from engage.onboarding.shipped import wording_faults
from engage.outreach.rules.checks import House
from engage.replies.lexicon import load_lexicon
from engage.reports.health import health
from engage.settings import SECRETS, Settings, read_toml
from engage.sms.rules.codes import parse_codes

_AGENCIES = text("""
SELECT a.slug,
       (SELECT count(*) FROM contacts c WHERE c.agency_id = a.id) AS contacts,
       EXISTS (SELECT FROM senders s WHERE s.agency_id = a.id AND s.purpose = 'pages') AS has_pages,
       EXISTS (SELECT FROM clinicians k WHERE k.agency_id = a.id AND k.role = 'supervisor' AND k.phone_hash IS NOT NULL) AS has_supervisor,
       EXISTS (SELECT FROM shifts s WHERE s.agency_id = a.id AND s.duty = 'on_call') AS has_shifts,
       EXISTS (SELECT FROM consent_events e WHERE e.agency_id = a.id AND e.kind = 'granted') AS has_consent
FROM agencies a WHERE a.is_active ORDER BY a.slug
""")


@click.command()
@click.pass_context
def doctor(ctx: click.Context) -> None:
    """Say what is missing or wrong, one sentence each; exit 1 if anything is."""
    try:
        settings = begin()
    except ConfigurationError as problem:
        click.echo(str(problem))
        ctx.exit(1)
    problems = [*of_settings(settings), *_of_config(settings), *_of_database(settings)]
    for sentence in problems:
        click.echo(f"- {sentence}")
    if not problems:
        click.echo("All is well.")
    ctx.exit(1 if problems else 0)


def of_settings(settings: Settings) -> list[str]:
    """What the settings lack, a sentence each."""
    found = []
    if settings.twilio_account_sid is None:
        found.append("ENGAGE_TWILIO_ACCOUNT_SID is not set: copy the Account SID (AC...) from the Twilio console.")
    elif not (settings.twilio_account_sid.startswith("AC") and len(settings.twilio_account_sid) == 34):
        found.append("ENGAGE_TWILIO_ACCOUNT_SID does not look like one: it is AC and 32 more characters.")
    if settings.twilio_auth_token is None:
        found.append(
            "ENGAGE_TWILIO_AUTH_TOKEN is not set: it signs what Twilio sends us; copy it from the Twilio console."
        )
    if settings.public_url is None:
        found.append(
            "ENGAGE_PUBLIC_URL is not set: the address at which Twilio reaches this server, e.g. https://engage.example.org."
        )
    elif settings.public_url.startswith("http://") and settings.twilio_api_url is None:
        found.append("ENGAGE_PUBLIC_URL is not https: patients' texts would cross the internet in the clear.")
    found += [
        f"{name} is set, but Engage has no such setting: see docs/reference/settings.md." for name in _strange_names()
    ]
    if settings.database_url is not None and settings.secret_key is None:
        found.append("ENGAGE_SECRET_KEY is not set: engage db new-keys makes one; keep it for as long as the database.")
    if settings.database_url is not None and settings.encryption_keys is None:
        found.append(
            "ENGAGE_ENCRYPTION_KEYS is not set: engage db new-keys makes one; keep it for as long as the database."
        )
    return found


def _strange_names() -> list[str]:
    """Variables that look like settings and are none: a misspelt one would otherwise do nothing, silently."""
    known = {f"ENGAGE_{name.upper()}" for name in Settings.model_fields} | {
        f"ENGAGE_{name.upper()}_FILE" for name in SECRETS
    }
    return sorted(name for name in os.environ if name.startswith("ENGAGE_") and name not in known)


def _of_config(settings: Settings) -> list[str]:
    found = []
    for check in (
        lambda: load_programme(settings.config_dir),
        lambda: load_book(settings.config_dir),
        lambda: parse_codes(read_toml(settings.config_dir / "twilio-codes.toml")),
        lambda: load_lexicon(settings.config_dir / "lexicon"),
    ):
        try:
            check()
        except (EngageError, OSError, ValueError) as problem:
            found.append(str(problem))
    return found or wording_faults(settings.config_dir, House("Agency", "Agency", ()))


def _of_database(settings: Settings) -> list[str]:
    if settings.database_url is not None and (settings.secret_key is None or settings.encryption_keys is None):
        return ["The database was not looked at, because its keys are missing."]
    try:
        with complete(settings) as filled, opened(filled) as (db, ring):
            if settings.database_url is None:
                migrate.upgrade(db, ring)
            migrate.check(db, ring)
            return [*_of_agencies(db), *health(db, clock.now()).problems]
    except EngageError as problem:
        return [str(problem)]


def _of_agencies(db: Database) -> list[str]:
    with db.system_session("doctor") as session:
        agencies = session.execute(_AGENCIES).all()
    found = [] if agencies else ["There is no agency yet: engage agency add."]
    for agency in agencies:
        checks = (
            (
                agency.has_pages,
                "has no number for pages, so pages to nurses queue behind patients' texts: engage agency add --pages-number.",
            ),
            (
                agency.has_supervisor,
                "has no supervisor with a phone, so ladders end early: engage clinician add --role supervisor.",
            ),
            (agency.has_shifts, "has nobody on call: engage oncall add."),
            (agency.contacts > 0, "has no patients' phones yet: engage import visits."),
            (
                agency.has_consent or agency.contacts == 0,
                "has no recorded consent, so nobody will be texted: import it with the patients.",
            ),
        )
        found += [f"The agency {agency.slug!r} {sentence}" for is_well, sentence in checks if not is_well]
    return found
