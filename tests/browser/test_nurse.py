"""A nurse's journey: a patient texts 1, the alert comes by itself, she takes it, writes, and says what was done. Also without a mouse."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select

from engage.agencies.rules.people import AccountRole
from engage.alerts.model import Alert
from engage.alerts.rules.words import AlertKind, AlertState, Outcome
from tests.browser.conftest import Browse
from tests.browser.entering import digits, hire, sign_in
from tests.browser.sizes import DESKTOP, PHONE, Size
from tests.cast import Cast
from tests.flows.console.conftest import PASSWORD
from tests.flows.console.shelf import Shelf
from tests.journeys.talk import World

pytestmark = pytest.mark.browser
WORDS = "Hello Rose, this is Ana. I will call you in five minutes."
NOTE = "Leg up, visit tomorrow."


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=str)
def test_a_one_comes_to_a_nurse_who_closes_it(
    size: Size, browse: Browse, cast: Cast, world: World, shelf: Shelf
) -> None:
    page = browse(size)
    sign_in(page, hire(cast, AccountRole.NURSE, "ana", cast.ana))
    expect(page.get_by_text("Nobody is waiting here.")).to_be_visible()
    world.rose.replies("1")
    comes_by_itself(page)
    page.get_by_role("button", name="Take Rose Miller").click()
    expect(page).to_have_url(re.compile(rf"/console/patients/{cast.rose}$"))
    page.get_by_label("Your words").press_sequentially(WORDS)
    expect(page.locator("#words-cost")).to_contain_text("1 segment")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".text.ours").last).to_contain_text(WORDS)
    page.get_by_text("Done…").click()
    page.get_by_label("What was done").select_option(label="Called")
    page.get_by_label("Minutes it took").fill("7")
    page.get_by_label("Note").fill(NOTE)
    page.get_by_role("button", name="Save").locator("visible=true").click()
    expect(page.get_by_role("heading", name="What was done before")).to_be_visible()
    was_closed(cast, world, minutes=7)


def test_the_same_by_keyboard_alone(browse: Browse, cast: Cast, world: World, shelf: Shelf) -> None:
    page = browse(DESKTOP)
    email = hire(cast, AccountRole.NURSE, "ana", cast.ana)
    page.goto("/console/sign-in")
    keys(page, page.get_by_label("E-mail"), email)
    keys(page, page.get_by_label("Password"), PASSWORD, "Enter")
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    keys(page, page.get_by_label("Code"), digits(), "Enter")
    expect(page.get_by_text("Nobody is waiting here.")).to_be_visible()
    world.rose.replies("1")
    comes_by_itself(page)
    keys(page, page.get_by_role("button", name="Take Rose Miller"), "", "Enter")
    expect(page).to_have_url(re.compile(rf"/console/patients/{cast.rose}$"))
    keys(page, page.get_by_role("link", name="Skip to the page"), "", "Enter")
    keys(page, page.get_by_label("Your words"), WORDS)
    keys(page, page.get_by_role("button", name="Send"), "", "Enter")
    expect(page.locator(".text.ours").last).to_contain_text(WORDS)
    keys(page, page.locator("summary", has_text="Done…"), "", "Enter")
    keys(page, page.get_by_label("What was done"), "Called")
    keys(page, page.get_by_label("Note"), NOTE)
    keys(page, page.get_by_role("button", name="Save").locator("visible=true"), "", "Enter")
    expect(page.get_by_role("heading", name="What was done before")).to_be_visible()
    was_closed(cast, world, minutes=None)


def comes_by_itself(page: Page) -> None:
    """The list has Rose's alert without being asked for, and says so to a screen reader."""
    expect(page.locator(".alert")).to_contain_text("Rose Miller")
    expect(page.get_by_role("status").first).to_have_text(re.compile("New:.*Low score.*Rose Miller"))


def was_closed(cast: Cast, world: World, minutes: int | None) -> None:
    """The row says who had it and what was done, and Rose has the words."""
    with cast.db.agency_session(cast.id) as session:
        alert = session.scalars(select(Alert).where(Alert.kind == AlertKind.LOW_SCORE)).one()
        assert (alert.state, alert.acknowledged_by, alert.outcome) == (AlertState.RESOLVED, cast.ana, Outcome.CALLED)
        assert (alert.note, alert.minutes_spent) == (NOTE, minutes)
    world.settle()
    assert [text.body for text in world.rose.inbox if WORDS in text.body] != []


_OUTLINE = (
    "() => { const s = getComputedStyle(document.activeElement);"
    " return document.activeElement === document.body || (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2) }"
)
_IS_HERE = "one => one === document.activeElement"


def keys(page: Page, goal: Locator, words: str = "", then: str | None = None) -> None:
    """Tab until `goal` has the focus, each stop to be seen; type, and press.

    Only once the page and its style are there: a stop has no outline of ours before. The page itself is no stop; the focus is there
    at the end of a round, and while a list that renews itself is put in its place.
    """
    page.wait_for_load_state("load")
    expect(goal).to_be_attached()
    expect(goal).to_be_visible() if goal.get_attribute("class") != "skip" else None
    for _ in range(80):
        if goal.evaluate(_IS_HERE):
            break
        page.keyboard.press("Tab")
        assert page.evaluate(_OUTLINE), page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
    assert goal.evaluate(_IS_HERE), "not to be reached with Tab"
    if words:
        page.keyboard.type(words)
    if then is not None:
        page.keyboard.press(then)
