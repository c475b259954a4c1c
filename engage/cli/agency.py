"""engage agency: found one, list them, say when scores and silences worry it; as files: agency_files."""

import click
from sqlalchemy import text

from engage import clock
from engage.cli.agency_files import check_files, export_file, import_file
from engage.cli.agency_history import history
from engage.cli.session import account, agency_of, agency_option, json_option, ready_database, show
from engage.cli.sign_on import sso
from engage.errors import ConfigurationError
from engage.onboarding import NewAgency, found_agency
from engage.onboarding.shipped import wording_faults
from engage.outreach.rules.checks import House
from engage.replies.levels import set_agency_trends


@click.group()
def agency() -> None:
    """Agencies: add, list, say when scores and silences worry them; export, import and check one as a file."""


agency.add_command(export_file)
agency.add_command(import_file)
agency.add_command(check_files)
agency.add_command(history)
agency.add_command(sso)


@agency.command()
@click.argument("slug", metavar="ID")
@click.option("--name", required=True, help="The agency's name.")
@click.option("--short-name", help="What patients read in each text; short, for it counts (default: the name).")
@click.option("--phone", required=True, help="The office number printed in texts.")
@click.option("--zone", required=True, help="IANA time zone, e.g. America/Chicago.")
@click.option("--number", required=True, help="The Twilio number that texts patients.")
@click.option(
    "--pages-number", help="A Twilio number for pages to nurses, so that they never queue behind patients' texts."
)
@click.option("--line", type=click.Choice(["home_health", "hospice"]), default="home_health", show_default=True)
@json_option
def add(slug: str, as_json: bool, **facts: str | None) -> None:
    """Found an agency with the default programme, wording and ladders. ID is a short name such as sunrise."""
    with ready_database() as (settings, db):
        new = NewAgency(
            slug=slug,
            name=facts["name"] or "",
            short_name=facts["short_name"],
            phone=facts["phone"] or "",
            time_zone=facts["zone"] or "",
            sender_phone=facts["number"] or "",
            pages_phone=facts["pages_number"],
            line=facts["line"] or "home_health",
        )
        house = House(new.short_name or new.name, new.name, (new.phone, new.sender_phone))
        if faults := wording_faults(settings.config_dir, house):
            raise ConfigurationError("\n".join(["No agency was founded, for its wording would harm:", *faults]))
        agency_id = found_agency(db, new, settings.config_dir, clock.now())
        show(
            {"agency": slug, "id": agency_id},
            as_json,
            lambda made: f"{new.name} is founded as {slug!r}. Next: engage import visits.",
        )


@agency.command("list")
@json_option
def list_agencies(as_json: bool) -> None:
    """Every agency with its counts."""
    counts = text("""
    SELECT a.slug, a.name, a.time_zone,
           (SELECT count(*) FROM patients p WHERE p.agency_id = a.id AND p.status = 'active') AS patients,
           (SELECT count(*) FROM visits v WHERE v.agency_id = a.id AND v.status = 'scheduled') AS visits,
           (SELECT count(*) FROM alerts al WHERE al.agency_id = a.id AND al.state = 'open') AS open_alerts
    FROM agencies a ORDER BY a.slug
    """)
    with ready_database() as (_, db), db.system_session("list agencies") as session:
        rows = session.execute(counts).mappings().all()
        if not rows and not as_json:
            click.echo("There is no agency yet: engage agency add.")
        for row in rows:
            show(
                dict(row),
                as_json,
                lambda r: (
                    f"{r['slug']}: {r['name']} ({r['time_zone']}), {r['patients']} patients, {r['visits']} visits ahead, {r['open_alerts']} open alerts"
                ),
            )


@agency.command("trends")
@agency_option
@click.option("--drop-by", type=click.IntRange(0, 4), help="Points below the patient's own level that alert; 0: never.")
@click.option("--threes", type=click.IntRange(0, 20), help="So many 3s in a row alert; 0: never.")
@click.option("--silent-after", type=click.IntRange(0, 60), help="So many unanswered check-ins alert; 0: never.")
@json_option
def trends(slug: str, as_json: bool, **changes: int | None) -> None:
    """Show, or change, when scores over days and silences call a nurse, for patients without a word of their own."""
    with ready_database() as (_, db):
        found = set_agency_trends(db, agency_of(db, slug).id, changes, account(), clock.now())
    show(
        found,
        as_json,
        lambda now: (
            f"Alerts: {now['drop_by']} points below the own level, {now['threes']} threes in a row, {now['silent_after']} unanswered check-ins (0: never)."
        ),
    )
