"""Signing in as a person does: e-mail, password, and the digits of the app."""

import pyotp
from playwright.sync_api import Page, expect

from engage import clock
from engage.agencies.rules.people import AccountRole
from tests.cast import Cast
from tests.flows.console.conftest import PASSWORD, SECRET, add_account


def hire(cast: Cast, role: AccountRole, name: str, clinician: int | None = None) -> str:
    """An account with password and second factor; its e-mail."""
    email = f"{name}@example.org"
    add_account(cast, role, clinician=clinician, email=email, is_complete=True)
    return email


def digits() -> str:
    """What the authenticator app shows now."""
    return pyotp.TOTP(SECRET).at(clock.now())


def give_password(page: Page, email: str) -> None:
    """The first of the two forms, in whatever language it is."""
    page.goto("/console/sign-in")
    page.locator("#email").fill(email)
    page.locator("#password").fill(PASSWORD)
    page.locator("#password").press("Enter")
    expect(page.locator("#code")).to_be_focused()


def sign_in(page: Page, email: str) -> None:
    """Both forms; ends on the first page of the menu."""
    give_password(page, email)
    page.locator("#code").fill(digits())
    page.locator("#code").press("Enter")
    expect(page.locator("nav [aria-current=page]")).to_be_visible()


def go(page: Page, name: str) -> None:
    """To a page of the menu, unfolding what is folded in it."""
    menu = page.get_by_role("navigation", name="Menu")
    line = menu.get_by_role("link", name=name, exact=True)
    if not line.is_visible():
        menu.locator("summary").click()
    line.click()
