"""engage agency sso: at which provider (OpenID Connect) an agency's people may sign in to the console. The secret is never printed."""

import sys
from pathlib import Path

import click

from engage import clock
from engage.cli.session import account, agency_of, agency_option, json_option, ready_database, show
from engage.console import sign_on
from engage.console.sign_on import NewSignOn
from engage.errors import BadInput, ConfigurationError, NotFound


@click.group("sso")
def sso() -> None:
    """Single sign-on: the provider at which an agency's people may sign in instead of with a password of ours."""


@sso.command("set")
@agency_option
@click.option(
    "--issuer", required=True, help="The provider's address exactly as it calls itself, e.g. https://login.example.org."
)
@click.option("--client-id", required=True, help="What the provider calls Engage.")
@click.option(
    "--secret-file",
    required=True,
    type=click.Path(path_type=Path),
    help="A file with the client secret; - is standard input.",
)
@click.option("--email-domain", help="Only people whose verified e-mail is there, e.g. example.org.")
@json_option
def set_sso(slug: str, issuer: str, client_id: str, secret_file: Path, email_domain: str | None, as_json: bool) -> None:
    """Trust a provider for an agency, once it has answered. Prints the address to register there as the redirect URI."""
    from engage.console.provider import Client, check

    with ready_database() as (settings, db):
        if settings.public_url is None:
            raise ConfigurationError("ENGAGE_PUBLIC_URL is not set: the provider sends people back to it.")
        agency = agency_of(db, slug)
        back = f"{settings.public_url}/console/sign-on/{slug}/back"
        new = NewSignOn(issuer, client_id, _secret(secret_file), email_domain)
        sign_on.checked(new)
        check(Client(new.issuer, new.client_id, new.client_secret, back))
        with db.agency_session(agency.id) as session:
            sign_on.set_provider(session, agency.id, new, account(), clock.now())
    show(
        {"issuer": issuer, "redirect_uri": back},
        as_json,
        lambda made: f"Register at the provider: {made['redirect_uri']}",
    )


@sso.command("show")
@agency_option
@json_option
def show_sso(slug: str, as_json: bool) -> None:
    """Where an agency's people sign in, and how many do; not the secret."""
    with ready_database() as (settings, db):
        agency = agency_of(db, slug)
        with db.agency_session(agency.id) as session:
            found, count = sign_on.of_agency(session), sign_on.count(session)
    if found is None:
        raise NotFound(f"{slug!r} has no single sign-on: engage agency sso set.")
    told = {
        "issuer": found.issuer,
        "client_id": found.client_id,
        "email_domain": found.email_domain,
        "redirect_uri": f"{settings.public_url or ''}/console/sign-on/{slug}/back",
        "people": count,
        "set_by": found.set_by,
        "set_at": found.set_at,
    }
    show(told, as_json)


@sso.command("remove")
@agency_option
def remove_sso(slug: str) -> None:
    """Trust no provider any more. People without a password need a link then (engage account invite); open sessions stay."""
    with ready_database() as (_, db):
        agency = agency_of(db, slug)
        with db.agency_session(agency.id) as session:
            if not sign_on.remove_provider(session, agency.id, account(), clock.now()):
                raise NotFound(f"{slug!r} has no single sign-on.")
    click.echo(f"Nobody of {slug} signs in elsewhere any more.")


def _secret(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else "it is not UTF-8 text"
        raise BadInput(f"--secret-file {file} cannot be read: {why}.") from None
