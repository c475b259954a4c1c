"""The console's test client, and somebody signed in: a real account and a real session, the second factor given."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from freezegun import freeze_time
from freezegun.api import FrozenDateTimeFactory

from engage import clock
from engage.agencies.model import Account
from engage.agencies.rules.people import AccountRole
from engage.console.first import FirstRun
from engage.console.model import AccountBranch
from engage.console.passwords import Passwords
from engage.console.sessions import begin
from engage.errors import ConfigurationError
from engage.settings import read_toml
from engage.sms.gateway import Gateway
from engage.sms.rules.codes import CodeTable, parse_codes
from tests.cast import NOON, Cast
from tests.conftest import ROOT
from webhooks import create_app

QUICK = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
PASSWORD = "five purple geese sing"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
SignIn = Callable[..., FlaskClient]


@pytest.fixture
def time() -> Iterator[FrozenDateTimeFactory]:
    """Sunday noon; `time.tick(...)` moves it."""
    with freeze_time(NOON) as frozen:
        yield frozen  # type: ignore[misc]


@pytest.fixture
def app(cast: Cast, time: FrozenDateTimeFactory) -> Flask:
    """The web app with the console, reached by https."""
    first = FirstRun(token=None, config_dir=ROOT / "config", problems=list, gateway=no_gateway)
    return create_app(
        cast.db,
        codes(),
        first=first,
        auth_tokens=["x"],
        public_url="https://engage.example.org",
        passwords=QUICK,
        local_issuers=True,
    )


def no_gateway() -> Gateway:
    """A machine without an account at Twilio."""
    raise ConfigurationError("ENGAGE_TWILIO_ACCOUNT_SID is not set.")


def codes() -> CodeTable:
    """Twilio's codes, which the other doors need."""
    return parse_codes(read_toml(ROOT / "config" / "twilio-codes.toml"))


@pytest.fixture
def nobody(app: Flask) -> FlaskClient:
    """A browser in which nobody is signed in."""
    return browser(app)


@pytest.fixture
def signed_in(app: Flask, cast: Cast) -> SignIn:
    """`signed_in("nurse")` is a browser of somebody with that role at Sunrise; `agency`, `clinician` and `branches` may be named."""

    def sign_in(
        role: str | AccountRole,
        *,
        agency: int | None = None,
        clinician: int | None = None,
        branches: tuple[int, ...] = (),
        language: str = "en",
        is_whole: bool = True,
    ) -> FlaskClient:
        where = agency or cast.id
        account = add_account(cast, role, agency=where, clinician=clinician, branches=branches, language=language)
        with cast.db.agency_session(where) as session:
            token = begin(session, where, account, clock.now(), address="192.0.2.1", agent="test", is_whole=is_whole)
        client = browser(app)
        with client.session_transaction() as kept:
            kept["_user_id"] = token
        return client

    return sign_in


def browser(app: Flask) -> FlaskClient:
    """A client that comes by https and sends the CSRF token of its session with every form, as our pages do."""
    app.test_client_class = Browser
    return app.test_client()


class Browser(FlaskClient):
    """`post` fetches the page's CSRF token first; `post(..., token=None)` sends none."""

    def open(self, *args, **kwargs):  # type: ignore[no-untyped-def]
        kwargs.setdefault("base_url", "https://engage.example.org")
        return super().open(*args, **kwargs)

    def session_transaction(self, *args, **kwargs):  # type: ignore[no-untyped-def]
        kwargs.setdefault("base_url", "https://engage.example.org")
        return super().session_transaction(*args, **kwargs)

    def post(self, path, *args, token="", **kwargs):  # type: ignore[no-untyped-def]
        if token is not None:
            token = token or csrf_of(self)
            kwargs["headers"] = {**dict(kwargs.get("headers") or {}), "X-CSRFToken": token}
        kwargs.setdefault("headers", {}).setdefault("Referer", "https://engage.example.org/console/")
        return super().post(path, *args, **kwargs)


def csrf_of(client: FlaskClient) -> str:
    """The token in the head of a page."""
    page = client.get("/console/nothing-here").text
    return page.split('name="csrf-token" content="')[1].split('"')[0]


def add_account(
    cast: Cast,
    role: str | AccountRole,
    *,
    agency: int | None = None,
    clinician: int | None = None,
    branches: tuple[int, ...] = (),
    language: str = "en",
    email: str | None = None,
    now: datetime | None = None,
    is_complete: bool = False,
) -> int:
    """An account of that role; its id. `is_complete`: with the password and a second factor."""
    where = agency or cast.id
    with cast.db.agency_session(where) as session:
        count = session.query(Account).count()
        account = Account(
            agency_id=where,
            email=email or f"{role}{count}@example.org",
            name=f"Pat {str(role).title()}",
            role=str(role),
            clinician_id=clinician,
            language=language,
            created_at=now or clock.now() - timedelta(days=1),
        )
        if is_complete:
            account.password_hash, account.totp_secret, account.totp_at = QUICK.hash(PASSWORD), SECRET, clock.now()
        session.add(account)
        session.flush()
        session.add_all(AccountBranch(agency_id=where, account_id=account.id, branch_id=branch) for branch in branches)
        return account.id
