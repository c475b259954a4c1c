"""engage account and engage audit verify: links from the command line, and whether the record is whole."""

import json
import re

import pytest
from sqlalchemy import text

from engage import clock
from engage.console.sign_on import NewSignOn, set_provider
from engage.db import Database
from tests.cast import gather_cast
from tests.conftest import ROOT
from tests.flows.cli.conftest import Program


def test_a_first_administrator_is_invited_helped_and_cannot_be_closed(engage: Program, db: Database) -> None:
    cast = gather_cast(db, ROOT / "config")
    new = ("account", "invite", "Sue@example.org", "--agency", "sunrise")
    assert engage(*new).code == 2  # a name and a role are needed
    first = engage(*new, "--name", "Sue Park", "--role", "administrator")
    assert re.fullmatch(r"http://127\.0\.0\.1:8080/console/welcome/\d+\.[\w-]{43}\n", first.out)
    second = json.loads(engage(*new, "--reset", "--json").out)
    assert second["link"] != first.out.strip()
    assert engage(*new, "--role", "nurse").code == 2  # roles are changed where it signs people out
    with db.agency_session(cast.id) as session:
        links = session.execute(text("SELECT token_hash, made_by FROM account_links")).all()
    assert len(links) == 1
    assert links[0].made_by.startswith("cli:")
    close = ("account", "close", "sue@example.org", "--agency", "sunrise")
    with db.agency_session(cast.id) as session:
        session.execute(text("UPDATE accounts SET password_hash = 'x'"))
    assert engage(*close).code == 1
    with db.agency_session(cast.id) as session:
        session.execute(text("UPDATE accounts SET password_hash = NULL"))
    assert engage(*close).code == 0
    assert engage(*close).code == 1
    assert engage(*new).code == 0  # opens it again
    assert engage("account", "invite", "x@example.org", "--agency", "nowhere").code == 1


def test_the_record_is_verified_agency_by_agency(engage: Program, db: Database) -> None:
    assert engage("audit", "verify").code == 0  # nothing yet
    cast = gather_cast(db, ROOT / "config")
    said = engage("audit", "verify")
    assert (said.code, said.out.count("whole")) == (0, 2)
    kept = re.search(r"sunrise: .* elsewhere: (\d+:[0-9a-f]{64})", said.out).group(1)  # type: ignore[union-attr]
    assert engage("audit", "verify", "--agency", "sunrise", "--kept", kept).code == 0
    assert engage("audit", "verify", "--kept", kept).code == 2
    assert engage("audit", "verify", "--agency", "nowhere").code == 2
    forged = kept[:-1] + ("0" if kept[-1] != "0" else "1")
    assert engage("audit", "verify", "--agency", "sunrise", "--kept", forged).code == 1
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE audit_events NO FORCE ROW LEVEL SECURITY"))
        connection.execute(text("UPDATE audit_events SET actor = 'x' WHERE agency_id = :id"), {"id": cast.id})
        connection.execute(text("ALTER TABLE audit_events FORCE ROW LEVEL SECURITY"))
    found = engage("audit", "verify", "--json")
    assert found.code == 1
    told = {line["agency"]: line["fault"] for line in map(json.loads, found.out.splitlines())}
    assert told == {"other": None, "sunrise": "altered"}


def test_single_sign_on_is_set_at_the_machine_shown_without_its_secret_and_removed(
    engage: Program, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast = gather_cast(db, ROOT / "config")
    secret = "a secret that nobody prints"
    new = ("agency", "sso", "set", "--agency", "sunrise", "--client-id", "engage", "--secret-file", "-")
    assert "ENGAGE_PUBLIC_URL" in engage(*new, "--issuer", "https://login.example.org", "<", secret).err
    monkeypatch.setenv("ENGAGE_PUBLIC_URL", "https://engage.example.org")
    for issuer in ("http://login.example.org", "https://10.0.0.7", "https://127.0.0.2:8443", "https://[::1]"):
        said = engage(*new, "--issuer", issuer, "<", secret)
        assert said.code == 2, issuer
    assert engage(*new, "--issuer", "https://login.example.org", "<", " ").code == 2
    assert engage("agency", "sso", "show", "--agency", "sunrise").code == 1
    with db.agency_session(cast.id) as session:
        named = NewSignOn("https://login.example.org", "engage", secret, "Example.org")
        set_provider(session, cast.id, named, "cli:sue", clock.now())
    shown = engage("agency", "sso", "show", "--agency", "sunrise", "--json")
    told = json.loads(shown.out)
    assert (told["issuer"], told["email_domain"], told["people"]) == ("https://login.example.org", "example.org", 0)
    assert told["redirect_uri"] == "https://engage.example.org/console/sign-on/sunrise/back"
    assert secret not in shown.out + shown.err
    assert engage("agency", "sso", "remove", "--agency", "sunrise").code == 0
    assert engage("agency", "sso", "remove", "--agency", "sunrise").code == 1
