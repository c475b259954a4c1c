"""Signing in with a passkey: Chromium's own, of a virtual phone."""

import pytest
from playwright.sync_api import expect
from sqlalchemy import text

from engage.agencies.rules.people import AccountRole
from tests.browser.conftest import Browse
from tests.browser.entering import give_password, hire, sign_in
from tests.browser.looking import faults
from tests.browser.sizes import PHONE
from tests.cast import Cast
from tests.flows.console.conftest import PASSWORD

pytestmark = pytest.mark.browser
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def test_a_passkey_is_added_and_stands_in_for_the_code(browse: Browse, cast: Cast) -> None:
    page = browse(PHONE)
    phone = page.context.new_cdp_session(page)
    phone.send("WebAuthn.enable")
    phone.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    email = hire(cast, AccountRole.NURSE, "ana", cast.ana)
    sign_in(page, email)
    page.goto("/console/account")
    form = page.locator("form[data-passkey=add]")
    form.get_by_label("Its name").fill("My phone")
    form.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("listitem").filter(has_text="My phone")).to_be_visible()
    page.get_by_role("button", name="Sign out", exact=True).click()
    give_password(page, email)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Worklist")).to_be_visible()

    # Longer than five minutes ago: it is asked whether it is still her, and then done as she meant it.
    with cast.db.system_session("test") as session:
        session.execute(text("UPDATE console_sessions SET confirmed_at = NULL"))
    page.goto("/console/account")
    page.get_by_role("listitem").filter(has_text="My phone").get_by_role("button", name="Remove").click()
    expect(page.get_by_role("heading", name="Is it still you?")).to_be_visible()
    assert faults(page) == []
    page.get_by_label("Your present password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="Passkeys")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="My phone")).to_have_count(0)
