"""engage account invite, close: who may sign in to the console. The link is printed once; whoever has it chooses the password."""

import click
from sqlalchemy import select

from engage import clock
from engage.agencies.model import Account
from engage.agencies.rules.people import AccountRole
from engage.cli.session import account as actor
from engage.cli.session import agency_of, agency_option, json_option, ready_database, show
from engage.console import accounts
from engage.errors import BadInput, NotFound


@click.group("account")
def account() -> None:
    """Accounts of the console: invite somebody, help who lost a password or a second factor, close one."""


@account.command("invite")
@click.argument("email")
@agency_option
@click.option("--name", help="Needed for somebody new.")
@click.option("--role", type=click.Choice([str(role.value) for role in AccountRole]), help="Needed for somebody new.")
@click.option("--reset", is_flag=True, help="Take away a lost second factor too, and sign them out everywhere.")
@json_option
def invite(email: str, slug: str, name: str | None, role: str | None, reset: bool, as_json: bool) -> None:
    """Print a one-time link for EMAIL, good for three days: for somebody new, or for who needs another password."""
    with ready_database() as (settings, db):
        agency, now = agency_of(db, slug), clock.now()
        with db.agency_session(agency.id) as session:
            found = session.scalars(select(Account).where(Account.email == email.strip().lower())).one_or_none()
            if found is None:
                if not name or not role:
                    raise BadInput(f"{email} has no account at {slug!r} yet: give --name and --role.")
                found = accounts.invite(session, agency.id, email, name, AccountRole(role), actor(), now)
            elif name or role:
                raise BadInput(f"{email} has an account at {slug!r} already; its role is changed in the console.")
            if found.closed_at is not None:
                accounts.reopen(session, found, actor(), now)
            if reset:
                accounts.reset_second_factor(session, found, actor(), now)
            token = accounts.new_link(session, found, actor(), now)
        base = settings.public_url or f"http://{settings.web_host}:{settings.web_port}"
    show({"link": f"{base}/console/welcome/{token}"}, as_json, lambda made: str(made["link"]))


@account.command("close")
@click.argument("email")
@agency_option
def close(email: str, slug: str) -> None:
    """Close the account of EMAIL and end its sessions; an agency keeps one administrator."""
    with ready_database() as (_, db):
        agency = agency_of(db, slug)
        with db.agency_session(agency.id) as session:
            found = session.scalars(select(Account).where(Account.email == email.strip().lower())).one_or_none()
            if found is None or found.closed_at is not None:
                raise NotFound(f"{email} has no open account at {slug!r}.")
            accounts.close(session, found, actor(), clock.now())
        click.echo(f"{email} can sign in no more.")
