"""Single sign-on: over HTTP to a provider on this machine and back. Who is let in, as whom, and every attack that must fail."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from freezegun.api import FrozenDateTimeFactory
from sqlalchemy import text

from engage import clock
from engage.agencies.model import Account
from engage.console.accounts import close, new_link, reopen
from engage.console.sign_on import NewSignOn, set_provider
from engage.errors import BadInput
from tests.cast import Cast
from tests.flows.console.conftest import SignIn, add_account, browser
from tests.flows.console.identities import (
    CLIENT,
    SECRET,
    Provider,
    by_another_key,
    by_public_key,
    provider_of,
    unsigned,
)

MFA = {"amr": ["pwd", "mfa"]}
ROSA = {"sub": "u-1", "email": "Rosa@Example.org", "email_verified": True}
CLICKED = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def provider(cast: Cast) -> Iterator[Provider]:
    with provider_of() as provider:
        trust(cast, provider)
        yield provider


def trust(cast: Cast, provider: Provider, *, agency: int | None = None, domain: str | None = None) -> None:
    with cast.db.agency_session(agency or cast.id) as session:
        new = NewSignOn(provider.url, CLIENT, SECRET, domain, may_be_local=True)
        set_provider(session, agency or cast.id, new, "test", clock.now())


def ask(cast: Cast, query: str, **values: object) -> list[tuple[Any, ...]]:
    with cast.db.system_session("test") as session:
        return [tuple(row) for row in session.execute(text(query), values)]


def leave(client: FlaskClient, path: str = "/console/sign-on/sunrise") -> str:
    """To the provider; its address."""
    answer = client.get(path, headers=CLICKED)
    assert answer.status_code == 303
    return str(answer.headers["Location"])


def come(client: FlaskClient, provider: Provider, path: str = "/console/sign-on/sunrise", **claims: Any) -> Any:
    """The whole way there and back."""
    return client.get(provider.lets_in(leave(client, path), **claims))


def stands(client: FlaskClient) -> str:
    """How far this browser got: "signed in", "half", "nobody"."""
    answer = client.get("/console/account")
    if answer.status_code == 200:
        return "signed in"
    return "half" if "second-factor" in answer.headers["Location"] else "nobody"


def test_somebody_with_a_verified_e_mail_is_linked_once_and_then_known_by_the_provider_s_name_for_them(
    app: Flask, cast: Cast, provider: Provider, signed_in: SignIn
) -> None:
    rosa = add_account(cast, "nurse", email="rosa@example.org")
    first = browser(app)
    answer = come(first, provider, "/console/sign-on/sunrise?next=/console/rota/", **ROSA, **MFA)
    assert (answer.status_code, stands(first)) == (303, "signed in")
    assert answer.headers["Location"] == "/console/rota/"
    # Another e-mail, or none, at the provider: the subject counts.
    again = browser(app)
    come(again, provider, sub="u-1", **MFA)
    assert stands(again) == "signed in"
    # Her old address, given to somebody new there: not her.
    new = browser(app)
    assert come(new, provider, **ROSA | {"sub": "u-2"}, **MFA).status_code == 403
    assert stands(new) == "nobody"
    assert ask(cast, "SELECT account_id, subject FROM account_identities") == [(rosa, "u-1")]
    acts = "SELECT actor, action FROM audit_events WHERE action LIKE 'sign%' ORDER BY id"
    assert ask(cast, acts) == [
        ("test", "sign_on.set"),
        (f"account:{rosa}", "sign_on.link"),
        (f"account:{rosa}", "sign_in"),
        (f"account:{rosa}", "sign_in"),
        ("nobody", "sign_on.failed"),
    ]
    assert "through your organisation" in signed_in("administrator").get("/console/people/").text
    # Closed is closed, and opened again she needs a link anew.
    for change, is_known in ((close, 1), (reopen, 0)):
        assert come(browser(app), provider, sub="u-1", **MFA).status_code == (303 if is_known else 403)
        with cast.db.agency_session(cast.id) as session:
            change(session, session.get_one(Account, (cast.id, rosa)), "test", clock.now())
    assert come(browser(app), provider, sub="u-1", **MFA).status_code == 403
    assert ask(cast, "SELECT count(*) FROM account_identities") == [(0,)]


def test_nobody_is_let_in_by_what_does_not_link(app: Flask, cast: Cast, provider: Provider) -> None:
    add_account(cast, "administrator", email="rosa@example.org")
    add_account(cast, "administrator", email="olga@example.org", agency=cast.other_id)
    cases: list[tuple[str, dict[str, Any]]] = [
        ("an e-mail that nobody verified", ROSA | {"email_verified": False}),
        ("verified, says a word and not a fact", ROSA | {"email_verified": "true"}),
        ("nothing said of it", {"email": "rosa@example.org"}),
        ("nobody's e-mail: no account is made", ROSA | {"email": "eva@example.org"}),
        ("another agency's account", ROSA | {"email": "olga@example.org"}),
        ("no name at all", ROSA | {"sub": ""}),
        ("a name that is no text", ROSA | {"sub": 7}),
        ("a name too long", ROSA | {"sub": "x" * 256}),
    ]
    for what, claims in cases:
        client = browser(app)
        assert come(client, provider, **claims, **MFA).status_code == 403, what
        assert stands(client) == "nobody", what
    assert ask(cast, "SELECT count(*) FROM account_identities") == [(0,)]
    assert ask(cast, "SELECT count(*) FROM accounts") == [(2,)]
    trust(cast, provider, domain="@Example.org")
    for email in ("rosa@evil.example", "rosa@example.org.evil.example", "rosa@xexample.org"):
        assert come(browser(app), provider, **ROSA | {"email": email}, **MFA).status_code == 403
    assert come(browser(app), provider, **ROSA, **MFA).status_code == 303


def spoilt(**changes: Any) -> Callable[[Provider], None]:
    """The token's claims are others; None takes one away."""

    def spoil(_header: dict[str, Any], claims: dict[str, Any]) -> None:
        claims.update(changes)
        for name in [name for name, value in changes.items() if value is None]:
            del claims[name]

    return lambda provider: setattr(provider, "spoil", spoil)


def written(by: Callable[[dict[str, Any], dict[str, Any]], str]) -> Callable[[Provider], None]:
    return lambda provider: setattr(provider, "written", by)


def described(**changes: Any) -> Callable[[Provider], None]:
    return lambda provider: provider.description.update(changes)


ATTACKS: list[tuple[str, Callable[[Provider], None]]] = [
    ("another nonce", spoilt(nonce="another")),
    ("no nonce", spoilt(nonce=None)),
    ("for another client", spoilt(aud="another")),
    ("for another client, though it says that we use it", spoilt(aud="another", azp=CLIENT)),
    ("for us among others, and used by another", spoilt(aud=[CLIENT, "another"], azp="another")),
    ("for us among others, and nobody says by whom it is used", spoilt(aud=[CLIENT, "another"])),
    ("for nobody", spoilt(aud=None)),
    ("of another issuer", spoilt(iss="https://login.example.net")),
    ("of no issuer", spoilt(iss=None)),
    ("expired", spoilt(exp=1)),
    ("never ends", spoilt(exp=None)),
    ("not yet", spoilt(nbf=9_999_999_999)),
    ("another's access token", spoilt(at_hash="AAAAAAAAAAAAAAAAAAAAAA")),
    ("not signed", written(unsigned)),
    ("signed with our public key as a secret", written(by_public_key)),
    ("signed by a stranger", written(by_another_key)),
    ("no token at all", written(lambda _header, _claims: "")),
    ("a key that is not there", lambda provider: setattr(provider, "keys", provider.keys[1:])),
    ("describes itself as another", described(issuer="https://login.example.net")),
    ("keys by plain http elsewhere", described(jwks_uri="http://login.example.net/keys")),
    ("keys in a file", described(jwks_uri="file:///etc/passwd")),
    ("the token endpoint leads elsewhere", described(token_endpoint="http://169.254.169.254/latest")),
    ("says it names itself in its answer, and does not", described(authorization_response_iss_parameter_supported=True)),
]  # fmt: skip


def test_a_token_that_does_not_hold_lets_nobody_in(app: Flask, cast: Cast, provider: Provider) -> None:
    add_account(cast, "administrator", email="rosa@example.org")
    for what, attack in ATTACKS:
        client = browser(app)
        back = provider.lets_in(leave(client), **ROSA, **MFA)
        before = (provider.spoil, provider.written, dict(provider.description), provider.keys)
        attack(provider)
        assert client.get(back).status_code == 403, what
        assert stands(client) == "nobody", what
        provider.spoil, provider.written, provider.description, provider.keys = before
    assert ask(cast, "SELECT count(*) FROM account_identities") == [(0,)]
    assert come(browser(app), provider, **ROSA, **MFA).status_code == 303  # and all of it holds without an attack


def test_what_comes_back_must_be_what_this_browser_went_for(
    app: Flask, cast: Cast, provider: Provider, time: FrozenDateTimeFactory
) -> None:
    add_account(cast, "nurse", email="rosa@example.org")
    mine, theirs = browser(app), browser(app)
    back = provider.lets_in(leave(mine), **ROSA, **MFA)
    other = provider.lets_in(leave(theirs), **ROSA, **MFA)
    assert (
        browser(app).get(back).status_code == 400
    )  # a browser that never left: somebody wants to sign it in as themselves
    assert theirs.get(back).status_code == 400  # another's state; and its own is used up now
    assert theirs.get(other).status_code == 400
    assert mine.get(back.replace("/sunrise/", "/other/")).status_code == 400  # to another agency's way back
    back = provider.lets_in(leave(mine), **ROSA, **MFA)
    assert mine.get(back + "&iss=https://login.example.net").status_code == 403  # RFC 9207: from another provider
    for word in ("", "&error=access_denied&error_description=%3Cscript%3E"):
        back = provider.lets_in(leave(mine), **ROSA, **MFA)
        answer = mine.get(back.replace("code=", "kode=") + word)
        assert (answer.status_code, "<script>" in answer.text) == (403, False)
    back = provider.lets_in(leave(mine), **ROSA, **MFA)
    time.tick(timedelta(minutes=11))
    assert mine.get(back).status_code == 400  # ten minutes
    # A code of one use: with the whole cookie of before, the provider refuses it.
    leave(mine)
    with mine.session_transaction() as kept:
        copy = dict(kept)
    state = copy["sign_on"]["state"]
    address = f"{provider.url}/authorize?" + "&".join(
        f"{name}={value}"
        for name, value in {
            "client_id": CLIENT,
            "response_type": "code",
            "scope": "openid",
            "state": state,
            "nonce": copy["sign_on"]["nonce"],
            "code_challenge_method": "S256",
            "code_challenge": "x",
            "redirect_uri": "https://engage.example.org/console/sign-on/sunrise/back",
        }.items()
    )
    assert mine.get(provider.lets_in(address, **ROSA, **MFA)).status_code == 403  # PKCE: not the code of this browser
    back = provider.lets_in(leave(mine), **ROSA, **MFA)
    with mine.session_transaction() as kept:
        copy = dict(kept)
    assert mine.get(back).status_code == 303
    thief = browser(app)
    with thief.session_transaction() as kept:
        kept.update(copy)
    assert thief.get(back).status_code == 403
    assert stands(thief) == "nobody"


def test_the_second_factor_is_the_provider_s_or_ours(app: Flask, cast: Cast, provider: Provider) -> None:
    add_account(cast, "nurse", email="rosa@example.org", is_complete=True)
    for claims in ({}, {"amr": ["pwd"]}, {"amr": ["otp"]}, {"acr": "1"}, {"amr": "mfa"}):
        client = browser(app)
        answer = come(client, provider, **ROSA, **claims)
        if claims == {"amr": "mfa"}:  # no list: the token does not hold
            assert answer.status_code == 403
            continue
        assert (answer.status_code, stands(client)) == (303, "half")
    known = browser(app)
    come(known, provider, sub="u-1", acr="https://refeds.org/profile/mfa")
    assert stands(known) == "signed in"
    # Who has a factor of ours is asked for it when an identity is linked, whatever the provider says: it may be somebody else's.
    add_account(cast, "administrator", email="boss@example.org", is_complete=True)
    boss = browser(app)
    come(boss, provider, sub="u-9", email="boss@example.org", email_verified=True, **MFA)
    assert stands(boss) == "half"
    # Nobody who was not invited by a link adds a first factor of ours.
    add_account(cast, "nurse", email="eva@example.org")
    eva = browser(app)
    come(eva, provider, sub="u-3", email="eva@example.org", email_verified=True)
    assert eva.get("/console/second-factor", follow_redirects=True).status_code == 403


def test_an_invitation_is_taken_up_at_the_provider_without_a_password(
    app: Flask, cast: Cast, provider: Provider
) -> None:
    eva = add_account(cast, "nurse", email="eva@example.org")
    with cast.db.agency_session(cast.id) as session:
        link = new_link(session, session.get_one(Account, (cast.id, eva)), "test", clock.now())
    client = browser(app)
    assert client.get(f"/console/welcome/{link}").status_code == 303
    assert "/console/sign-on/sunrise?invited=1" in client.get("/console/welcome").text
    # Entra and others say nothing of a verified e-mail: the link says whose account it is.
    come(client, provider, "/console/sign-on/sunrise?invited=1", sub="u-5")
    assert stands(client) == "half"
    assert client.get("/console/second-factor", follow_redirects=True).status_code == 200  # she may add a first factor
    assert ask(cast, "SELECT account_id, subject FROM account_identities") == [(eva, "u-5")]
    again = browser(app)
    assert again.get(f"/console/welcome/{link}").status_code == 404  # used up
    # Somebody who is known already does not become another by a link, and the link stays good.
    max_ = add_account(cast, "manager", email="max@example.org")
    with cast.db.agency_session(cast.id) as session:
        link = new_link(session, session.get_one(Account, (cast.id, max_)), "test", clock.now())
    client = browser(app)
    client.get(f"/console/welcome/{link}")
    assert come(client, provider, "/console/sign-on/sunrise?invited=1", sub="u-5", **MFA).status_code == 403
    assert browser(app).get(f"/console/welcome/{link}").status_code == 303


def test_each_agency_has_its_own_provider_or_none(app: Flask, cast: Cast, provider: Provider) -> None:
    add_account(cast, "nurse", email="rosa@example.org")
    add_account(cast, "nurse", email="rosa@example.org", agency=cast.other_id)
    nobody = browser(app)
    assert nobody.get("/console/sign-on/other").status_code == 404
    assert nobody.get("/console/sign-on/nowhere").status_code == 404
    assert nobody.get("/console/sign-on?agency=other").status_code == 404
    assert "127.0.0.1" in nobody.get("/console/sign-on?agency=Sunrise").text
    with provider_of() as second:
        trust(cast, second, agency=cast.other_id)
        come(nobody, second, "/console/sign-on/other", **ROSA, **MFA)
        assert ask(cast, "SELECT agency_id FROM account_identities") == [(cast.other_id,)]
        # The same provider name for somebody elsewhere is somebody else.
        assert come(browser(app), provider, sub="u-1", **MFA).status_code == 403
    assert nobody.get("/console/sign-on/other", headers=CLICKED).status_code == 502  # it does not answer any more
    provider.description = {"authorization_endpoint": "http://login.example.net/authorize"}
    assert nobody.get("/console/sign-on/sunrise", headers=CLICKED).status_code == 502


@pytest.mark.parametrize(
    ("headers", "is_ours"),
    [
        ({"Sec-Fetch-Site": "same-origin", "Referer": "https://evil.example/"}, True),
        ({"Sec-Fetch-Site": "cross-site", "Referer": "https://engage.example.org/console/sign-on"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),  # a bookmark: one click more
        ({"Referer": "https://engage.example.org/console/sign-on"}, True),  # an old browser
        ({"Referer": "https://engage.example.org.evil.example/"}, False),
        ({}, False),
    ],
)
def test_no_other_site_signs_a_browser_in_unasked(
    app: Flask, provider: Provider, headers: dict[str, str], is_ours: bool
) -> None:
    answer = browser(app).get("/console/sign-on/sunrise?next=/console/visits", headers=headers)
    if is_ours:
        assert answer.headers["Location"].startswith(provider.url)
    else:
        assert answer.headers["Location"] == "/console/sign-on?agency=sunrise&next=/console/visits"


def test_nobody_is_led_elsewhere(app: Flask, cast: Cast, provider: Provider) -> None:
    add_account(cast, "nurse", email="rosa@example.org")
    for target in ("https://evil.example", "//evil.example", "/console/../x", "/console\\evil"):
        answer = come(browser(app), provider, f"/console/sign-on/sunrise?next={target}", **ROSA, **MFA)
        assert urlsplit(answer.headers["Location"]).path == "/console/", target
    wanted = dict(parse_qsl(urlsplit(leave(browser(app))).query))
    assert wanted["redirect_uri"] == "https://engage.example.org/console/sign-on/sunrise/back"


@pytest.mark.parametrize(
    ("issuer", "domain"),
    [
        ("http://login.example.org", None),  # no TLS
        ("https://name:word@login.example.org", None),
        ("https://login.example.org/#x", None),
        ("https://localhost", None),  # this machine's own doors
        ("file:///etc/passwd", None),
        ("https:///x", None),
        ("https://login.example.org:port", None),
        ("https://login.example.org", "not a domain"),
    ],
)
def test_an_issuer_is_reached_by_tls_and_is_not_this_machine(cast: Cast, issuer: str, domain: str | None) -> None:
    with cast.db.agency_session(cast.id) as session, pytest.raises(BadInput):
        set_provider(session, cast.id, NewSignOn(issuer, "c", "s", domain), "test", clock.now())


def test_who_came_from_a_provider_that_is_trusted_no_more_stays_out(
    app: Flask, cast: Cast, provider: Provider, signed_in: SignIn
) -> None:
    add_account(cast, "nurse", email="rosa@example.org")
    come(browser(app), provider, **ROSA, **MFA)
    with provider_of() as second:
        trust(cast, second)
        assert "through your organisation" not in signed_in("administrator").get("/console/people/").text
        assert come(browser(app), second, sub="u-1", **MFA).status_code == 403  # the same name there is somebody else
        assert come(browser(app), second, **ROSA, **MFA).status_code == 303
    assert ask(cast, "SELECT count(*) FROM account_identities") == [(2,)]


def test_the_secret_is_sealed(cast: Cast, provider: Provider) -> None:
    ((kept,),) = ask(cast, "SELECT client_secret FROM sign_ons")
    assert SECRET.encode() not in bytes(kept)
