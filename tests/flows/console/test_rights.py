"""Every address of the console, walked as nobody, as half signed in, as another agency's nurse and as each role: only what the
rights table says opens. A page that somebody adds is walked as well, and one without a gate fails here."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from engage.agencies.rules.people import AccountRole
from engage.console.rules.rights import RIGHTS
from tests.cast import Cast
from tests.flows.console.conftest import SignIn

# What opens before anybody is signed in; each answers for itself in test_sign_in.py.
OPEN = {
    *("console.static", "console.sign_in", "console.check_password", "console.sign_out", "console.second_factor"),
    *("console.check_code", "console.new_second_factor", "console.picture", "console.prove"),
    *("console.sign_on_page", "console.go_to_provider", "console.come_back"),  # test_sign_on.py
    *("console.follow_link", "console.welcome", "console.choose_password"),
    *("console.ask_to_use", "console.use"),
    *("first.follow", "first.ask", "first.found"),  # test_first_run.py
}
NEITHER = {303, 401}  # sent to sign in


def rules(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/console")]


def walk(app: Flask, client: FlaskClient, number: int) -> dict[str, int]:
    """What each gated address answers, by endpoint and method, asked for row `number`."""
    found = {}
    for rule in rules(app):
        if rule.endpoint in OPEN:
            continue
        values = {
            name: (number if "Integer" in type(converter).__name__ else str(number))
            for name, converter in rule._converters.items()
        }
        path = app.url_map.bind("engage.example.org").build(rule.endpoint, values)
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            answer = client.get(path) if method == "GET" else client.post(path, data={})
            found[f"{method} {rule.endpoint}"] = answer.status_code
            answer.close()
    return found


def gate_of(app: Flask, key: str) -> object:
    return app.view_functions[key.split()[1]]


def test_every_page_has_a_gate_or_is_known_to_have_none(app: Flask) -> None:
    gated = {rule.endpoint for rule in rules(app) if getattr(app.view_functions[rule.endpoint], "is_gated", False)}
    assert {rule.endpoint for rule in rules(app)} - gated == OPEN
    assert len(gated) > 15


def test_nobody_and_half_a_sign_in_open_nothing(app: Flask, nobody: FlaskClient, signed_in: SignIn, cast: Cast) -> None:
    for client in (nobody, signed_in("administrator", is_whole=False)):
        assert set(walk(app, client, cast.rose).values()) <= NEITHER


@pytest.mark.parametrize("role", AccountRole)
def test_a_role_opens_what_the_table_says(role: AccountRole, app: Flask, signed_in: SignIn, cast: Cast) -> None:
    signed_in("administrator")  # of ids that exist, and so that nobody is the last one
    refused, other = set(), {}
    for key, status in walk(app, signed_in(role), 1).items():
        assert status not in {401, 500}, key
        (refused.add if status == 403 else lambda key, status=status: other.setdefault(key, status))(key)
    rights = {key: getattr(gate_of(app, key), "right", None) for key in [*refused, *other]}
    assert refused == {key for key, right in rights.items() if right is not None and right not in RIGHTS[role]}


def test_another_agency_s_people_find_nothing_of_ours(app: Flask, signed_in: SignIn, cast: Cast) -> None:
    """An administrator of the other agency, who may do everything there: our ids are 404 or nothing happens."""
    ours = signed_in("nurse")
    stranger = signed_in("administrator", agency=cast.other_id)
    with cast.db.agency_session(cast.id) as session:
        from engage.agencies.model import Account

        account = session.query(Account).order_by(Account.id).first()
        assert account is not None
    for key, status in walk(app, stranger, account.id).items():
        if "<" in next(rule.rule for rule in rules(app) if rule.endpoint == key.split()[1]):
            assert status in {303, 400, 404}, key
    assert ours.get("/console/account").status_code == 200
